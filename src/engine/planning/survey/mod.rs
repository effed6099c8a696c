//! One guest as the plan sees it: opened, walked, asked for its config files.

pub(super) mod all;
pub(super) mod opening;
mod used;

use crate::base::{Base, Index};
use crate::engine::activity::clearing::{flag_clearing, managers, who_could};
use crate::engine::activity::{Activity, Sight};
use crate::engine::guest::GuestIdentity;
use crate::engine::paths::links::{Alias, aliases};
use crate::engine::roots::notes::{Background, FoundInside, backgrounds};
use crate::engine::sources::{OpenImage, image_error};
use crate::engine::{EngineError, Guest};
use crate::model::{
    Asked, Database, DatabaseState, Event, FileState, FlagClearing, Observer, OnDamaged, Owner,
    PlannedGuest, Policy, RootNote, Scan,
};
use crate::packages::{Answer, ask_all};
use crate::sys::guest::GuestFiles;
use crate::sys::{Patience, SysResult};

/// A guest that was read.
pub struct Survey {
    pub guest: GuestIdentity,
    pub files: Box<dyn GuestFiles>,
    pub scan: Scan,
    pub answer: Answer,
    /// Were no databases asked?
    pub databases_ignored: bool,
    pub condition: Activity,
    /// Could it take the flag off a shared file? `None` where no flag is set.
    pub clearing: Option<FlagClearing>,
    /// Why it takes no part, if it does not.
    pub left_out: Option<String>,
    /// Directories that a care rule means under another name: the guest reaches them through a link.
    pub aliases: Vec<Alias>,
    /// What is odd about its root.
    pub noticed: Vec<RootNote>,
}

/// A guest that is ready to be read, and of which nothing was read yet.
pub struct OpenedGuest {
    pub(in crate::engine::planning) guest: GuestIdentity,
    pub(in crate::engine::planning) condition: Activity,
    pub(in crate::engine::planning) clearing: Option<FlagClearing>,
    pub(in crate::engine::planning) files: Box<dyn GuestFiles>,
    pub(in crate::engine::planning) background: Background,
}

impl OpenedGuest {
    /// Looks at who is inside of all guests and reaches the base, then at where the files of each are: the last steps
    /// that need all of root's rights. Also says in whose hands the base is, if not in ours alone.
    pub fn all(
        guests: Vec<Guest>,
        base: Option<&Base>,
    ) -> SysResult<(Vec<OpenedGuest>, Option<String>)> {
        let backgrounds = backgrounds(&guests, base);
        let all: Vec<&Guest> = guests.iter().collect();
        let sight = Sight::take(&all, base.map(Base::dir), &[], Patience::ToTell)?;
        let (mut conditions, base) = (sight.conditions(&[]), base.and(sight.of_the_other()));
        sight.look_at_uses(&mut conditions);
        let open = |((guest, condition), background): ((Guest, Activity), Background)| {
            Ok(OpenedGuest {
                files: guest.files()?,
                guest: guest.into_identity(),
                condition,
                clearing: None,
                background,
            })
        };
        let opened = guests.into_iter().zip(conditions).zip(backgrounds);
        let opened = opened.map(open);
        Ok((opened.collect::<SysResult<_>>()?, base))
    }

    /// An image: nobody is inside, and nothing is mounted on it.
    pub fn image(image: OpenImage) -> OpenedGuest {
        OpenedGuest {
            guest: image.identity,
            condition: Activity::default(),
            clearing: None,
            files: image.files,
            background: Background::default(),
        }
    }

    /// Looks who could take the flag off shared files: also what needs the files of the host. Processes are named here
    /// and not in the plan, which is the same when it is made again.
    pub fn look_for_clearers(opened: &mut [OpenedGuest], observer: &dyn Observer) {
        let managers = managers(opened.iter().map(|one| one.guest.path.as_path()));
        for one in opened {
            let clearing = flag_clearing(&managers, &one.guest.path, &one.condition);
            one.clearing = Some(clearing);
            if let Some(who) = who_could(&one.condition) {
                let name = &one.guest.name;
                observer.notice(&Event::Warning(&format!("in guest {name}, {who}")));
            }
        }
    }

    /// Does reading it leave no trace, whoever owns the files?
    pub fn is_private(&self) -> bool {
        self.files.is_private()
    }
}

/// Reads a guest: names first, then databases, so that a config file which is replaced between the two is not what the
/// walk saw, and drops out. Writes nothing into it, not even an access time where the
/// mount can be cloned.
pub fn survey(
    opened: OpenedGuest,
    policy: &Policy,
    objects: &Index,
    observer: &dyn Observer,
) -> Result<Survey, EngineError> {
    let OpenedGuest {
        guest,
        condition,
        clearing,
        files,
        background,
    } = opened;
    let scanned = files.tree(observer);
    let scanned = scanned.map_err(|error| image_error(&guest.name, error))?;
    let too_large = scanned.as_ref().err().map(ToString::to_string);
    let scan = scanned.unwrap_or_default();
    let asked = policy.package_databases.of(&guest.name) == Asked::Use;
    let answer = if asked && too_large.is_none() {
        ask_all(&*files, policy.on_damaged_database, &|path| {
            scan.tree.has_directory(path)
        })
    } else {
        Answer::default()
    };
    let aliases = aliases(&*files);
    let left_out = too_large.or_else(|| match policy.on_damaged_database {
        OnDamaged::ExcludeGuest => damaged(&answer.databases),
        OnDamaged::CareRulesOnly => None,
    });
    let mut survey = Survey {
        guest,
        files,
        scan,
        answer,
        databases_ignored: !asked,
        condition,
        clearing,
        left_out,
        aliases,
        noticed: Vec::new(),
    };
    let is_image = survey.files.image().is_some();
    let background = match is_image && survey.left_out.is_none() {
        true => Background::of_image(&*survey.files),
        false => background,
    };
    survey.noticed = survey.notes(&background, objects);
    Ok(survey)
}

impl Survey {
    /// A file as people read it: `GUEST:PATH` by its first name.
    pub fn shown(&self, file: usize) -> String {
        let tree = &self.scan.tree;
        let name = tree.names_of(file).next().unwrap_or(0);
        format!("{}:{}", self.guest.name, tree.guest_path(name))
    }

    /// The package of a file by its first name, which this is.
    pub fn owner(&self, path: &[u8]) -> Option<Owner> {
        let package = self.answer.owners.of(path)?;
        Some(Owner {
            package: package.name.to_string(),
            version: package.version.as_deref().map(str::to_owned),
        })
    }

    /// What is odd about its root. Of a guest that was not read whole its files say nothing.
    fn notes(&self, background: &Background, objects: &Index) -> Vec<RootNote> {
        let (tree, has_database) = (&self.scan.tree, !self.answer.databases.is_empty());
        let is_object = |state: &FileState| objects.number_of_inode(state.id).is_some();
        let found = FoundInside {
            files: tree.files() as u64,
            // A guest with a database is none of which this is asked.
            shared: match has_database {
                true => 0,
                false => tree.states().filter(is_object).count() as u64,
            },
            has_database,
            asked: !self.databases_ignored,
        };
        let used = self.condition.stays_in_use;
        let why = self.condition.running.clone().filter(|_| used);
        let mut notes = match self.left_out {
            None => background.with(found),
            Some(_) => Vec::new(),
        };
        notes.extend(why.map(|why| RootNote::InUse { why }));
        notes
    }

    /// Its line in the plan.
    pub fn planned(&self) -> PlannedGuest {
        let tree = &self.scan.tree;
        PlannedGuest {
            name: self.guest.name.clone(),
            root: self.guest.path.clone(),
            image: self.files.image(),
            dev: self.guest.id.dev,
            ino: self.guest.id.ino,
            files: tree.files() as u64,
            bytes: tree
                .states()
                .map(|state| state.size)
                .fold(0, u64::saturating_add),
            unread: self.scan.unread.len() as u64,
            running: self.condition.running.is_some(),
            running_unknown: self.condition.unsure(),
            uses_unknown: self.condition.uses_unknown(),
            flag_clearing: self.clearing.clone().filter(FlagClearing::is_known),
            databases: self.answer.databases.clone(),
            databases_ignored: self.databases_ignored,
            left_out: self.left_out.clone(),
            noticed: self.noticed.clone(),
        }
    }
}

/// A guest whose database cannot be believed takes no part: what it calls configuration is not known.
fn damaged(databases: &[Database]) -> Option<String> {
    let damaged = databases
        .iter()
        .find(|database| database.state == DatabaseState::Damaged)?;
    let problem = damaged.problem.as_deref().unwrap_or("it cannot be read");
    Some(format!(
        "its {} database is damaged: {problem}; mend it, or let care rules decide with --on-damaged-database care-rules-only",
        damaged.manager
    ))
}
