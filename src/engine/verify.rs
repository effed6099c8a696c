//! `verify`: proves from the disk that every applied action of a plan holds.
//!
//! The receipts are asked only for one thing: whether a line that does not hold was ever applied. A line that was
//! refused is no difference; a line that was done and does not hold is one.

use std::collections::{BTreeMap, HashMap};

use super::history::History;
use super::{EngineError, Guest, PlanFile};
use crate::base::{Base, Index};
use crate::model::{
    Action, Difference, Event, FileId, Flag, GuestName, GuestPath, Ignored, Link, Moved, ObjectId,
    Observer, Stage, Verification, Wrong,
};
use crate::sys::hash::metadata_digest;
use crate::sys::{PageCache, Regular, SysError, SysResult};

/// Checks names, objects, flags and staging against the plan.
pub fn verify(
    plan: &mut PlanFile,
    cache: PageCache,
    observer: &dyn Observer,
) -> Result<Verification, EngineError> {
    let path = plan.path().to_owned();
    check(plan, cache, observer).map_err(|error| error.in_file(&path))
}

fn check(
    plan: &mut PlanFile,
    cache: PageCache,
    observer: &dyn Observer,
) -> Result<Verification, EngineError> {
    let mut reader = plan.reader()?;
    let base = Base::existing(&reader.header().base.path)?;
    let guests = reader.guests().iter().map(|g| {
        (
            g.name.clone(),
            Guest::open(g.name.clone(), &g.root)
                .ok()
                .filter(|open| is_root_of(open, g)),
        )
    });
    let guests: BTreeMap<GuestName, Option<Guest>> = guests.collect();
    let ignore = reader.header().policy.ignore.clone();
    let mut check = Check {
        held: generations_held(&Index::read(&base)?),
        base: &base,
        guests,
        history: History::read(&base)?,
        ignore,
        cache,
        inodes: HashMap::new(),
        found: Verification::default(),
    };
    observer.notice(&Event::Begin(Stage::Verify, None));
    while let Some((_, line)) = reader.next_action()? {
        match line.action {
            Action::Link(link) => check.link(&link)?,
            Action::Flag(flag) => check.flag(&flag)?,
            Action::Skip(_) => {}
        }
        observer.notice(&Event::Advance(Stage::Verify, 1));
    }
    reader.finish()?;
    check.staging()?;
    observer.notice(&Event::End(Stage::Verify));
    Ok(check.found)
}

fn generations_held(index: &Index) -> HashMap<ObjectId, Vec<ObjectId>> {
    let mut held: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    for object in index.objects() {
        held.entry(ObjectId {
            generation: 0,
            ..object.id
        })
        .or_default()
        .push(object.id);
    }
    held
}

fn is_root_of(open: &Guest, planned: &crate::model::PlannedGuest) -> bool {
    open.id.dev.to_string() == planned.dev && open.id.ino.to_string() == planned.ino
}

struct Check<'a> {
    /// Objects in the base by content and metadata: all generations, with whatever gaps gc left.
    held: HashMap<ObjectId, Vec<ObjectId>>,
    base: &'a Base,
    guests: BTreeMap<GuestName, Option<Guest>>,
    history: History,
    ignore: Vec<Ignored>,
    cache: PageCache,
    /// Inodes of all generations of an object, each proven sound once.
    inodes: HashMap<ObjectId, Vec<(ObjectId, FileId)>>,
    found: Verification,
}

impl Check<'_> {
    fn link(&mut self, link: &Link) -> SysResult<()> {
        let inodes = self.generations(&link.object)?;
        let wrong = self.wrong_names(link, &inodes);
        if wrong.is_empty() {
            self.found.holds += 1;
            return Ok(());
        }
        if !self.was_applied(link) {
            self.found.not_applied += 1;
            return Ok(());
        }
        for (path, what) in wrong {
            self.differ(Some(&link.guest), Some(path), Some(link.object), what);
        }
        Ok(())
    }

    fn flag(&mut self, flag: &Flag) -> SysResult<()> {
        let inodes = self.generations(&flag.object)?;
        if inodes.is_empty() {
            // Its links tell: they hold nothing, or were never applied.
            self.found.not_applied += 1;
        }
        for (id, _) in inodes {
            let object = self.base.object(&id);
            let flagged = object.and_then(|object| object.map_or(Ok(false), |o| o.is_immutable()));
            match flagged {
                Ok(true) => self.found.holds += 1,
                Ok(false) => self.differ(None, None, Some(id), Wrong::NotFlagged),
                Err(error) => {
                    self.differ(None, None, Some(id), Wrong::Unreadable(error.to_string()));
                }
            }
        }
        Ok(())
    }

    fn staging(&mut self) -> SysResult<()> {
        for run in self.base.staging().list()? {
            let shown = String::from_utf8_lossy(&run).into_owned();
            self.differ(None, None, None, Wrong::LeftInStaging(shown));
        }
        Ok(())
    }

    /// Names of the line that do not refer to the object, and how.
    fn wrong_names<'l>(
        &self,
        link: &'l Link,
        inodes: &[(ObjectId, FileId)],
    ) -> Vec<(&'l GuestPath, Wrong)> {
        let names = std::iter::once(&link.path).chain(&link.also);
        let Some(Some(guest)) = self.guests.get(&link.guest) else {
            return names.map(|name| (name, Wrong::RootChanged)).collect();
        };
        let judge = |name: &'l GuestPath| match SysError::absent(guest.root.look(name.relative())) {
            Ok(None) => Some((name, Wrong::NameGone)),
            Ok(Some(_)) if inodes.is_empty() => Some((name, Wrong::ObjectGone)),
            Ok(Some(state)) if inodes.iter().any(|(_, inode)| *inode == state.id) => None,
            Ok(Some(_)) => Some((name, Wrong::NotTheObject)),
            Err(error) => Some((name, Wrong::Unreadable(error.to_string()))),
        };
        names.filter_map(judge).collect()
    }

    fn was_applied(&self, link: &Link) -> bool {
        let known = self.history.guests.get(&link.guest);
        known.is_some_and(|known| known.files.contains_key(&link.path))
    }

    /// All generations of an object that are in the base. Each is read whole, once: a damaged one is a difference.
    fn generations(&mut self, id: &ObjectId) -> SysResult<Vec<(ObjectId, FileId)>> {
        let first = ObjectId {
            generation: 0,
            ..*id
        };
        if let Some(known) = self.inodes.get(&first) {
            return Ok(known.clone());
        }
        let same = self.held.get(&first).cloned().unwrap_or_default();
        let mut all = Vec::new();
        for id in same {
            match self.base.object(&id) {
                Ok(Some(object)) => {
                    let state = object.state()?;
                    all.push((id, state.id));
                    self.prove(&id, &object.passing(state.size, self.cache))?;
                }
                Ok(None) => {}
                Err(error) => {
                    self.differ(None, None, Some(id), Wrong::Unreadable(error.to_string()));
                }
            }
        }
        self.inodes.insert(first, all.clone());
        Ok(all)
    }

    fn prove(&mut self, id: &ObjectId, object: &Regular) -> SysResult<()> {
        self.found.objects += 1;
        let mut wrong = Vec::new();
        if object.digest(object.state()?.size)? != id.content {
            wrong.push(Moved::Content);
        }
        if metadata_digest(&object.metadata(&self.ignore)?) != id.metadata {
            wrong.push(Moved::Xattrs);
        }
        if !wrong.is_empty() {
            self.differ(None, None, Some(*id), Wrong::ObjectDamaged(wrong));
        }
        Ok(())
    }

    fn differ(
        &mut self,
        guest: Option<&GuestName>,
        path: Option<&GuestPath>,
        object: Option<ObjectId>,
        what: Wrong,
    ) {
        self.found.differences.push(Difference {
            guest: guest.cloned(),
            path: path.cloned(),
            object,
            what,
        });
    }
}
