//! Which files of a guest may be shared at all, and what is said about the others.
//!
//! A file is judged by all its names: one name that must stay private keeps the file, and its other names are
//! skipped for that reason. Most skips are only sums; the lines that stand for a directory are collected here,
//! before the first line of the guest is written.

mod directories;
mod paths;
mod used;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use super::choices::uses::Uses;
use super::guest_limits::{FEW_HOLES, FEW_STORED, MOST_HOLES, MostStored, has_too_many_names};
use super::survey::Survey;
use crate::base::Index;
use crate::engine::paths::links::GuestLinks;
use crate::model::{
    Count, FileId, FileState, GuestName, GuestPath, Left, MaintainedGuest, Making, Method,
    PatternKind, Policy, Skip, SkipDetail, SkipReason,
};
use crate::packages::Protected;
use crate::rules::care::Care;
use crate::rules::pattern::BadPattern;
use crate::rules::secrets::Secrets;

/// What a file of a guest shall do. Small, because there is one for every file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may have twins.
    Candidate,
    /// The same, but some of its names are not in its guest; `shared_inodes` decides.
    Tied,
    /// Left alone, and only counted.
    Counted(SkipReason),
    /// Left alone, with a line for each name that has one.
    Listed,
    /// Refers to an object already: its number in the base.
    Shared(u32),
    /// Gets the blocks of the source of its group.
    Reflinked(u32),
    /// Others get its blocks: the source of a group, which has no line.
    Source,
    /// Gets an object: that of its group, in this generation, and makes it where that is said.
    Linked {
        group: u32,
        generation: u16,
        makes: Option<Making>,
    },
}

/// A guest whose files are judged.
#[derive(Default)]
pub struct Classified {
    pub decisions: Vec<Decision>,
    /// Facts for the lines of single names.
    pub lines: HashMap<usize, Skip>,
    /// Lines that stand for directories, and for what the walk could not read.
    pub extra: Vec<Skip>,
    /// Files some of whose names are not in their guest, whatever was decided of them.
    pub tied: Vec<u32>,
    /// Files that no other guest may have.
    pub secrets: Vec<usize>,
    /// Files that are left alone, by the first reason that was found.
    pub skipped: BTreeMap<SkipReason, Count>,
    /// What the choices of the policy came to; `None` for a guest that is left out.
    pub uses: Option<Uses>,
    /// Are there more links than were followed for the patterns?
    pub more_links: bool,
    /// The first exclude of which this is so.
    pub unfollowed: Option<BadPattern>,
}

impl Classified {
    /// A guest that is left out has no decisions and no lines, and shares with others all the same.
    pub fn left_out(survey: &Survey, judge: &Judge<'_>) -> Classified {
        let tree = &survey.scan.tree;
        let is_tied = |file: &u32| {
            let state = tree.state(*file as usize);
            let names = tree.name_count(*file as usize) as u64;
            names != u64::from(state.nlink) && judge.index.number_of_inode(state.id).is_none()
        };
        let all = 0..u32::try_from(tree.files()).unwrap_or(u32::MAX);
        Classified {
            tied: all.filter(is_tied).collect(),
            ..Classified::default()
        }
    }

    /// What was decided of a file; nothing where its guest is left out.
    pub fn decision(&self, file: u32) -> Option<Decision> {
        self.decisions.get(file as usize).copied()
    }
}

/// What everything is judged by.
pub struct Judge<'a> {
    pub care: &'a Care,
    pub secrets: &'a Secrets,
    pub index: &'a Index,
    pub policy: &'a Policy,
    /// Most bytes of all files of a guest that may be read.
    pub most_stored: MostStored,
    /// Guests that are being maintained.
    pub maintained: &'a [MaintainedGuest],
    /// Roots of guests that are not shared by this method.
    pub beyond: &'a [FileId],
}

/// Judges all files of a guest.
pub fn classify(survey: &Survey, judge: &Judge<'_>) -> Classified {
    let links = GuestLinks::of(&*survey.files);
    let care = judge.care.of_guest(&survey.guest.name, &links);
    let (more_links, unfollowed) = unfollowed(&care, &survey.guest.name);
    let mut work = Classifying {
        survey,
        judge,
        uses: RefCell::new(Uses::new(care.clone(), judge.policy.patterns.len())),
        protected: survey
            .answer
            .protected
            .iter()
            .filter(|protected| !care.falls(protected.why))
            .map(|protected| (protected.id, protected))
            .collect(),
        done: Classified {
            decisions: Vec::with_capacity(survey.scan.tree.files()),
            more_links,
            unfollowed,
            ..Classified::default()
        },
        care,
        holes: 0,
        stored: 0,
        most_stored: judge.most_stored.on(survey.guest.id.dev),
        directories: BTreeMap::new(),
    };
    for file in 0..survey.scan.tree.files() {
        let decision = work.judge_file(file);
        work.done.decisions.push(decision);
    }
    work.finish()
}

/// Is there a pattern that was not followed to its end, and which exclude is the first one?
fn unfollowed(care: &Care, guest: &GuestName) -> (bool, Option<BadPattern>) {
    let is_any = care.patterns().cut_short(guest).next().is_some();
    let mut cut = care.patterns().cut_short(guest);
    let exclude = cut.find(|(kind, _)| *kind == PatternKind::Exclude);
    (is_any, exclude.map(|(_, bad)| bad))
}

struct Classifying<'a> {
    survey: &'a Survey,
    judge: &'a Judge<'a>,
    /// The rules, and the patterns as this guest means them.
    care: Care,
    uses: RefCell<Uses>,
    protected: HashMap<FileId, &'a Protected>,
    done: Classified,
    /// Bytes of holes in files that may be read.
    holes: u64,
    /// Bytes of all files that may be read, as if each had its own.
    stored: u64,
    /// Most of those that are read.
    most_stored: u64,
    /// Skips that are summed up under a directory.
    directories: BTreeMap<(Vec<u8>, SkipReason), (Count, Skip)>,
}

/// Why one name is left alone.
struct Kept {
    skip: Skip,
    under: Option<Vec<u8>>,
}

impl Classifying<'_> {
    fn judge_file(&mut self, file: usize) -> Decision {
        let state = self.survey.scan.tree.state(file);
        if let Some(number) = self.judge.index.number_of_inode(state.id) {
            self.done.count(SkipReason::AlreadyShared, state.size);
            self.notice_shared(file);
            return Decision::Shared(number);
        }
        self.uses.get_mut().next_file();
        let names: Vec<usize> = self.survey.scan.tree.names_of(file).collect();
        let is_tied = names.len() as u64 != u64::from(state.nlink);
        if is_tied {
            self.done.tied.extend(u32::try_from(file).ok());
        }
        let kept: Vec<(usize, Option<Kept>)> = names
            .iter()
            .map(|&name| (name, self.keep_by_name(name, &state)))
            .collect();
        if let Some(first) = kept.iter().position(|(_, kept)| kept.is_some()) {
            self.notice_secret(file, &names);
            return self.keep_file(kept, first, &state);
        }
        if state.holes() > FEW_HOLES {
            self.holes = self.holes.saturating_add(state.holes());
        }
        self.stored = self.stored.saturating_add(state.allocated());
        match (self.keep_by_file(file, &state), self.kept_for_guest()) {
            (Some(reason), _) => self.keep_whole(file, reason, &state),
            (None, Some((reason, why))) => self.keep_for_guest(file, &state, reason, why),
            (None, None) => match self.keep_by_use(&names, &state) {
                Some(used) => self.keep_used(&names, &state, &used),
                None => self.may_be_shared(&names, &state, is_tied),
            },
        }
    }

    fn may_be_shared(&mut self, names: &[usize], state: &FileState, is_tied: bool) -> Decision {
        let tree = &self.survey.scan.tree;
        let paths = names.iter().map(|&name| tree.path(name));
        self.uses.get_mut().may_be_shared(paths, state);
        // A reflink leaves a file one for all its names.
        match is_tied && self.care.method() == Method::Hardlink {
            true => Decision::Tied,
            false => Decision::Candidate,
        }
    }

    /// Patterns come too late for what is shared already.
    fn notice_shared(&mut self, file: usize) {
        if self.care.patterns().is_empty() {
            return;
        }
        let tree = &self.survey.scan.tree;
        for name in tree.names_of(file) {
            self.uses.get_mut().is_shared(&tree.path(name));
        }
    }

    fn notice_secret(&mut self, file: usize, names: &[usize]) {
        let tree = &self.survey.scan.tree;
        let secrets = self.judge.secrets;
        if names.iter().any(|&name| secrets.holds(&tree.path(name))) {
            self.done.secrets.push(file);
        }
    }

    /// What packages, patterns and path rules say about one name.
    fn keep_by_name(&self, name: usize, state: &FileState) -> Option<Kept> {
        let tree = &self.survey.scan.tree;
        let path = tree.path(name);
        if let Some(protected) = self
            .protected
            .get(&state.id)
            .filter(|p| p.path.as_bytes() == path)
        {
            return Some(Kept {
                skip: self.protected_skip(protected),
                under: None,
            });
        }
        if self
            .survey
            .condition
            .covered
            .iter()
            .any(|mount| within(&path, mount.as_bytes()))
        {
            return Some(self.kept(&path, SkipReason::MountedOver, None));
        }
        self.path_rule(&path)
    }

    fn protected_skip(&self, protected: &Protected) -> Skip {
        let mut skip = Skip::new(
            self.survey.guest.name.clone(),
            protected.path.clone(),
            protected.why,
        );
        skip.per = Some(protected.per.to_owned());
        skip.package.clone_from(&protected.package);
        skip
    }

    /// One name keeps the file: it is counted once, under that name's reason, and its other names say why.
    fn keep_file(
        &mut self,
        kept: Vec<(usize, Option<Kept>)>,
        first: usize,
        state: &FileState,
    ) -> Decision {
        let reason = kept
            .get(first)
            .and_then(|(_, kept)| kept.as_ref())
            .map_or(SkipReason::Held, |kept| kept.skip.reason);
        let with = self
            .survey
            .scan
            .tree
            .guest_path(kept.get(first).map_or(0, |(name, _)| *name));
        self.done.count(reason, state.size);
        for (at, (name, kept)) in kept.into_iter().enumerate() {
            match kept {
                Some(Kept {
                    skip,
                    under: Some(under),
                }) => self.count_under(under, &skip, state, at == first),
                Some(Kept { skip, under: None }) => {
                    self.done.list(self.survey, name, skip.sized(state.size));
                }
                None => {
                    let mut skip = self.plain(name, SkipReason::LinkedToKept, state);
                    skip.with = Some(with.clone());
                    self.done.list(self.survey, name, skip);
                }
            }
        }
        Decision::Listed
    }

    /// What the file itself says, whatever its names are: the rules on inodes.
    fn keep_by_file(&self, file: usize, state: &FileState) -> Option<(SkipReason, Option<String>)> {
        let tree = &self.survey.scan.tree;
        if let Some(protected) = self.protected.get(&state.id) {
            return Some((protected.why, None));
        }
        let first = tree.names_of(file).next()?;
        if let Some(verdict) = self.care.inode(&tree.path(first), state) {
            return Some((verdict.reason, Some(verdict.rule.to_owned())));
        }
        if self.holes > MOST_HOLES && state.holes() > FEW_HOLES {
            return Some((SkipReason::TooSparse, None));
        }
        if self.stored > self.most_stored && state.allocated() > FEW_STORED {
            return Some((SkipReason::MoreThanStored, None));
        }
        has_too_many_names(tree, file).then_some((SkipReason::TooManyNames, None))
    }

    fn keep_whole(
        &mut self,
        file: usize,
        (reason, rule): (SkipReason, Option<String>),
        state: &FileState,
    ) -> Decision {
        self.done.count(reason, state.size);
        let only_counted = matches!(reason, SkipReason::Empty | SkipReason::TooSmall);
        if only_counted && self.judge.policy.skips == SkipDetail::Summary {
            return Decision::Counted(reason);
        }
        let names: Vec<usize> = self.survey.scan.tree.names_of(file).collect();
        for name in names {
            let mut skip = self.plain(name, reason, state);
            skip.rule.clone_from(&rule);
            self.done.list(self.survey, name, skip);
        }
        Decision::Listed
    }

    fn plain(&self, name: usize, reason: SkipReason, state: &FileState) -> Skip {
        let path = self.survey.scan.tree.guest_path(name);
        Skip::new(self.survey.guest.name.clone(), path, reason).sized(state.size)
    }

    fn finish(mut self) -> Classified {
        let guest = &self.survey.guest.name;
        // A directory without files of its own holds only second names, which their first names' lines stand for.
        for ((under, _), (count, skip)) in self
            .directories
            .into_iter()
            .filter(|(_, (count, _))| count.files > 0)
        {
            let left = Left::Beneath {
                guest: guest.clone(),
                top: GuestPath::new(&under).unwrap_or_else(|_| GuestPath::root()),
                files: count.files,
                bytes: count.bytes,
            };
            self.done.extra.push(Skip { left, ..skip });
        }
        for unread in &self.survey.scan.unread {
            let mut skip = Skip::new(guest.clone(), unread.path.clone(), SkipReason::Unreadable);
            skip.note = Some(unread.why.clone());
            self.done.extra.push(skip);
        }
        self.done.list_beyond(self.survey);
        self.done.sort_extra();
        self.done.uses = Some(self.uses.into_inner());
        self.done
    }
}

fn within(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}
