//! `show --stale`: which link lines of a plan `apply` would refuse, as far as a look at each name tells. No file is
//! opened and no content is read, so anybody may ask who may look at the guests.

use std::collections::BTreeMap;
use std::io;

use crate::base::{Base, Index};
use crate::engine::paths::selected::select;
use crate::engine::plan_file::applicable;
use crate::engine::{EngineError, Guest, PlanFile};
use crate::model::{
    Action, Event, FileId, Freshness, GuestName, Link, Moved, ObjectId, Observer, StaleLine,
    WhyStale,
};
use crate::rules::precondition::moved;
use crate::rules::selectors::Selection;
use crate::sys::{Meaning, SysError};

/// Takes a line that is stale.
type Tell<'t> = dyn FnMut(&StaleLine<'_>) -> io::Result<()> + 't;

/// Looks at the file of every link line that is selected.
pub fn stale(
    plan: &mut PlanFile,
    selection: &Selection,
    tell: &mut Tell<'_>,
    observer: &dyn Observer,
) -> Result<Freshness, EngineError> {
    let (header, guests) = plan.head()?;
    let lines = select(plan, selection)?;
    let planned = guests.iter();
    let roots = planned.map(|planned| {
        let guest = Guest::open(planned.name.clone(), &planned.root);
        let root = match guest {
            Ok(guest) if guest.is(planned) => Root::Same(guest),
            Err(error) if is_closed(&error) => Root::Closed,
            _ => Root::Changed,
        };
        (planned.name.clone(), root)
    });
    let place = &applicable(&header)?.base.path;
    let look = Look {
        roots: roots.collect(),
        objects: objects(place, observer),
    };
    let mut found = Freshness::default();
    plan.read(&mut |action| match action {
        Action::Link(link) if lines.has(action) => look.at(link, &mut found, tell),
        _ => Ok(()),
    })?;
    Ok(found)
}

/// The objects of the base; without them lines that are done cannot be told from stale ones.
fn objects(place: &std::path::Path, observer: &dyn Observer) -> Index {
    let read = || match Base::open(place)? {
        Some(base) => Ok(Index::read(&base)?),
        None => Ok(Index::default()),
    };
    read().unwrap_or_else(|error: EngineError| {
        let why = format!("{error}; lines that are done already are called stale");
        observer.notice(&Event::Unread(&why));
        Index::default()
    })
}

/// The root of a guest.
enum Root {
    Same(Guest),
    /// It is gone, or another directory.
    Changed,
    /// This user may not look.
    Closed,
}

struct Look {
    roots: BTreeMap<GuestName, Root>,
    objects: Index,
}

/// What a line comes to.
enum Seen {
    Fresh,
    Done,
    Stale(WhyStale),
    Unread,
}

impl Look {
    fn at(&self, link: &Link, found: &mut Freshness, tell: &mut Tell<'_>) -> io::Result<()> {
        match self.see(link) {
            Seen::Fresh => found.fresh += 1,
            Seen::Done => found.done += 1,
            Seen::Unread => found.unread += 1,
            Seen::Stale(why) => {
                found.stale += 1;
                for code in why.codes() {
                    *found.by.entry(code).or_default() += 1;
                }
                let (guest, path) = (&link.guest, &link.path);
                tell(&StaleLine { guest, path, why })?;
            }
        }
        Ok(())
    }

    fn see(&self, link: &Link) -> Seen {
        let guest = match self.roots.get(&link.guest) {
            Some(Root::Same(guest)) => guest,
            Some(Root::Closed) => return Seen::Unread,
            Some(Root::Changed) | None => return Seen::Stale(WhyStale::RootChanged),
        };
        let (mut done, mut own) = (false, false);
        for name in link.names() {
            let state = match guest.root.look(name.relative()) {
                Ok(state) => state,
                Err(error) => return not_seen(&error),
            };
            if self.is_object(state.id, &link.object) {
                done = true;
                continue;
            }
            own = true;
            let fields = link.before.map(|before| moved(&before, &state));
            if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
                return Seen::Stale(WhyStale::Changed(fields));
            }
        }
        match (done, own) {
            (true, false) => Seen::Done,
            (false, _) => Seen::Fresh,
            // Some names of the file are another file now.
            (true, true) => Seen::Stale(WhyStale::Changed(vec![Moved::Ino])),
        }
    }

    fn is_object(&self, id: FileId, object: &ObjectId) -> bool {
        let held = self.objects.of_inode(id);
        held.is_some_and(|held| {
            held.id.content == object.content && held.id.metadata == object.metadata
        })
    }
}

fn not_seen(error: &SysError) -> Seen {
    match error.meaning() {
        Meaning::Gone => Seen::Stale(WhyStale::Gone),
        Meaning::PathChanged | Meaning::OtherFilesystem => Seen::Stale(WhyStale::PathChanged),
        _ => Seen::Unread,
    }
}

fn is_closed(error: &SysError) -> bool {
    error.meaning() == Meaning::Denied
}
