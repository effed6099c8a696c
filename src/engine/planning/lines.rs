//! The lines of the guests, in the order of their names. Any stretch of names has its lines, whatever was written
//! before: many stretches are made in parallel.

use super::choose::Choices;
use super::classify::{Classified, Decision};
use super::let_in;
use super::matching::file::FileRef;
use super::matching::probe::blocks;
use super::survey::Survey;
use crate::model::{
    Action, Before, Caveats, DiskRoom, FileState, Flag, FlagReason, GuestPath, Left, Link,
    LinkReason, Making, ObjectId, PlanKind, Reflink, Skip, SkipDetail, SkipReason,
};
use crate::sys::guest::Sharing;

/// Names of a stretch: enough that handing it out costs nothing beside it, and few enough that the current ones
/// are small beside the scan.
const STRETCH: usize = 256;

/// Bytes of the paths in a stretch that holds several names.
const STRETCH_TEXT: usize = 256 << 10;

/// What the lines of one guest are made of.
#[derive(Clone, Copy)]
pub(super) struct Emitter<'a> {
    /// Which of the plan's guests it is.
    pub guest: u32,
    pub survey: &'a Survey,
    pub judged: &'a Classified,
    pub choices: &'a Choices<'a>,
    pub detail: SkipDetail,
    /// Can files here share blocks? Then each that is linked is asked which are its own: at the last moment, because
    /// nothing that a walk sees tells when that changes.
    pub sharing: &'a Sharing,
    /// An image plan has no evidence.
    pub kind: PlanKind,
}

/// The lines of a stretch.
#[derive(Default)]
pub struct Lines {
    pub actions: Vec<Action>,
    /// What they promise less surely than their numbers say.
    pub caveats: Caveats,
}

/// Names one after the other, and the lines about directories that come before each.
#[derive(Clone, Copy)]
pub struct Stretch<'a> {
    emitter: Emitter<'a>,
    from: usize,
    to: usize,
}

impl<'a> Emitter<'a> {
    /// All lines of the guest, in pieces. Even a guest without names has one: its directories may have lines.
    pub fn stretches(self) -> impl Iterator<Item = Stretch<'a>> {
        let names = self.survey.scan.tree.names();
        let next = move |from: usize| Stretch {
            emitter: self,
            from,
            to: self.end(from),
        };
        std::iter::successors(Some(next(0)), move |last| {
            (last.to < names).then(|| next(last.to))
        })
    }

    /// Where a stretch ends that begins here.
    fn end(&self, from: usize) -> usize {
        let tree = &self.survey.scan.tree;
        let mut room = STRETCH_TEXT;
        let names = from..tree.names().min(from + STRETCH);
        let fits = names.clone().take_while(|name| {
            let file = tree.file_of(*name);
            // The first name's line names the others.
            let others = tree.names_of(file).skip(1).filter(|_| tree.is_first(*name));
            let text: usize = others.map(|other| tree.path_length(other)).sum();
            let left = room.checked_sub(text + tree.path_length(*name));
            left.map(|left| room = left).is_some()
        });
        let fits = fits.count().max(1);
        names.end.min(from + fits)
    }

    /// How many lines about directories come before a name.
    fn before(&self, name: usize) -> usize {
        let extra = &self.judged.extra;
        if extra.is_empty() {
            return 0;
        }
        let path = self.survey.scan.tree.path(name);
        extra.partition_point(|skip| is_before(skip, &path))
    }
}

fn is_before(skip: &Skip, path: &[u8]) -> bool {
    skip.path().map(GuestPath::as_bytes) < Some(path)
}

impl Stretch<'_> {
    /// Its lines.
    pub fn lines(&self) -> Lines {
        let mut out = Lines {
            actions: Vec::with_capacity(self.to - self.from),
            caveats: Caveats::default(),
        };
        let mut next = self.from;
        for skip in self.extra() {
            let place = self.place(skip, next);
            (next..place).for_each(|name| self.emitter.name(name, &mut out));
            out.actions.push(Action::Skip(skip.clone()));
            next = place;
        }
        (next..self.to).for_each(|name| self.emitter.name(name, &mut out));
        out
    }

    /// The lines about directories that come before one of its names; after the last name come all that are left.
    fn extra(&self) -> &[Skip] {
        let (emitter, extra) = (&self.emitter, &self.emitter.judged.extra);
        let before = |end: usize| end.checked_sub(1).map_or(0, |last| emitter.before(last));
        let from = before(self.from);
        let to = if self.to == emitter.survey.scan.tree.names() {
            extra.len()
        } else {
            before(self.to)
        };
        &extra[from..to.max(from)]
    }

    /// The first name from `next` on that a line comes before, or the end.
    fn place(&self, skip: &Skip, next: usize) -> usize {
        let tree = &self.emitter.survey.scan.tree;
        let mut names = next..self.to;
        names
            .find(|name| is_before(skip, &tree.path(*name)))
            .unwrap_or(self.to)
    }
}

impl Emitter<'_> {
    fn name(&self, name: usize, out: &mut Lines) {
        let tree = &self.survey.scan.tree;
        let file = tree.file_of(name);
        match self.judged.decisions[file] {
            Decision::Listed => {
                out.actions
                    .extend(self.judged.lines.get(&name).cloned().map(Action::Skip));
            }
            Decision::Shared(number) => {
                let object = self.choices.shared(number);
                let skip = self.skip(name, SkipReason::AlreadyShared, Some(object));
                out.actions.push(Action::Skip(skip));
                self.flag(name, object, out);
            }
            Decision::Counted(reason) if self.detail == SkipDetail::All => {
                out.actions
                    .push(Action::Skip(self.skip(name, reason, None)));
            }
            Decision::Linked {
                group,
                generation,
                makes,
            } if tree.is_first(name) => {
                let object = self.choices.object(group, generation);
                if let Some(object) = object {
                    let link = self.link(name, object, makes, &mut out.caveats);
                    out.actions.push(Action::Link(link));
                    self.flag(name, object, out);
                }
            }
            Decision::Reflinked(group) if tree.is_first(name) => {
                let line = self.reflink(name, group, &mut out.caveats);
                out.actions.extend(line.map(Action::Reflink));
            }
            Decision::Candidate | Decision::Tied | Decision::Source => {}
            Decision::Counted(_) | Decision::Linked { .. } | Decision::Reflinked(_) => {}
        }
    }

    fn skip(&self, name: usize, reason: SkipReason, object: Option<ObjectId>) -> Skip {
        let tree = &self.survey.scan.tree;
        let left = Left::Name {
            guest: self.survey.guest.name.clone(),
            path: tree.guest_path(name),
            object,
            size: Some(tree.size(tree.file_of(name))),
        };
        Skip::of(left, reason)
    }

    /// The flag line of an object stands after the first line that names it.
    fn flag(&self, name: usize, object: ObjectId, out: &mut Lines) {
        let tree = &self.survey.scan.tree;
        let file = tree.file_of(name);
        let which = FileRef {
            guest: self.guest,
            file: u32::try_from(file).unwrap_or(u32::MAX),
        };
        let due = self.choices.flag_due(self.judged.decisions[file], which);
        if let Some(names) = due.filter(|_| tree.is_first(name)) {
            out.actions.push(Action::Flag(Flag {
                object,
                set: self.choices.flags.clone(),
                names,
                reason: FlagReason::ProtectShared,
                note: None,
            }));
        }
    }

    /// The file lies in the blocks of another, which any guest may have.
    fn reflink(&self, name: usize, group: u32, caveats: &mut Caveats) -> Option<Reflink> {
        let tree = &self.survey.scan.tree;
        let file = tree.file_of(name);
        let state = tree.state(file);
        let path = tree.guest_path(name);
        let (source, was, content) = self.choices.source(group)?;
        let (blocks, _) = blocks(self.survey, file, self.sharing);
        caveats.add(Caveats {
            shared_blocks: blocks.room.shared,
            unsure: blocks.room.unsure,
            ..Caveats::default()
        });
        let has_evidence = self.kind == PlanKind::Plan;
        Some(Reflink {
            owner: self.survey.owner(path.as_bytes()),
            guest: self.survey.guest.name.clone(),
            path,
            also: tree
                .names_of(file)
                .skip(1)
                .map(|name| tree.guest_path(name))
                .collect(),
            source,
            content,
            size: state.size,
            saves: blocks.room.own,
            reason: LinkReason::SameContent,
            before: has_evidence.then(|| Before::from(&state)),
            source_before: has_evidence.then(|| Before::from(&was)),
            note: None,
        })
    }

    fn link(
        &self,
        name: usize,
        object: ObjectId,
        makes: Option<Making>,
        caveats: &mut Caveats,
    ) -> Link {
        let (tree, choices) = (&self.survey.scan.tree, self.choices);
        let file = tree.file_of(name);
        let state = tree.state(file);
        let others = tree.names_of(file).skip(1);
        let path = tree.guest_path(name);
        let shared = u64::from(state.nlink) > tree.name_count(file) as u64;
        Link {
            owner: self.survey.owner(path.as_bytes()),
            guest: self.survey.guest.name.clone(),
            path,
            also: others.map(|name| tree.guest_path(name)).collect(),
            object,
            makes,
            size: state.size,
            saves: match shared {
                true => 0,
                false => self.saves(name, &state, makes, caveats),
            },
            reason: if shared {
                LinkReason::SharedInode
            } else if choices.was_there(&object) {
                LinkReason::IdenticalObject
            } else {
                LinkReason::Identical
            },
            before: (self.kind == PlanKind::Plan).then(|| Before::from(&state)),
            note: self.let_in(file, &state),
        }
    }

    /// Which choice let the file in, where a rule keeps such files private.
    fn let_in(&self, file: usize, state: &FileState) -> Option<String> {
        let tree = &self.survey.scan.tree;
        let uses = self.judged.uses.as_ref()?;
        let names: Vec<usize> = tree.names_of(file).collect();
        let paths = names.iter().map(|&name| tree.path(name));
        let note = let_in::note(&uses.care, paths, state);
        note.or_else(|| {
            let rules = uses.care.uses();
            let used = rules
                .lets_any_in()
                .then(|| self.survey.uses_of(&names, state));
            let used = used.flatten()?;
            let first = used.let_in(rules).next();
            first.map(|(reason, who)| let_in::used(reason, who))
        })
    }

    /// What comes back when the file gets another inode.
    fn saves(
        &self,
        name: usize,
        state: &FileState,
        makes: Option<Making>,
        caveats: &mut Caveats,
    ) -> u64 {
        let room = match makes {
            Some(Making::Adopt) => DiskRoom::default(),
            _ => self.room(name, state.allocated()),
        };
        if makes.is_some() {
            // The object takes as much as all of it, wherever the file's own blocks are in use.
            caveats.copied = caveats.copied.saturating_add(room.shared);
            return 0;
        }
        caveats.add(Caveats {
            shared_blocks: room.shared,
            unsure: room.unsure,
            ..Caveats::default()
        });
        room.own
    }

    /// A file that cannot be asked any more is refused by `apply` as well.
    fn room(&self, name: usize, allocated: u64) -> DiskRoom {
        if self.sharing.is_ruled_out() {
            return DiskRoom::own(allocated);
        }
        let path = self.survey.scan.tree.path(name);
        let file = self.survey.files.open(path.get(1..).unwrap_or_default());
        match file {
            Ok(Some(file)) => file.room(allocated, self.sharing),
            _ => DiskRoom::own(allocated),
        }
    }
}
