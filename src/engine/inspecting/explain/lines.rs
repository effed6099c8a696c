//! What the lines of a plan say of one name.

use std::collections::BTreeMap;

use crate::engine::{EngineError, PlanFile, WholePlan};
use crate::model::{
    Action, Beneath, BlockSource, Count, Explanation, FoundNow, GuestName, GuestPath, Left,
    ObjectId, Skip, SkipReason, Totals,
};

/// What a plan says of a name, gathered while it is read.
pub struct LinesAbout {
    /// The line that is nearest to the name.
    pub line: Option<Action>,
    /// Where the name is a directory.
    pub beneath: Option<Beneath>,
    /// Why the same path is left alone in other guests.
    pub elsewhere: BTreeMap<GuestName, SkipReason>,
    /// Files that package databases protect, by guest.
    pub protected: BTreeMap<GuestName, Count>,
    /// What other files get, if the name is their source.
    pub source: Option<BlockSource>,
    counted: Totals,
}

/// What a file has in common with others, by the plan or already.
pub enum InCommon {
    /// One inode.
    Object(ObjectId),
    /// The blocks of this file.
    Blocks(BlockSource),
}

impl LinesAbout {
    /// Were lines taken out?
    pub fn is_cut(&self, whole: &WholePlan) -> bool {
        let made = &whole.closing.summary.totals;
        let now = &self.counted;
        now.links < made.links || now.skips < made.skips
    }
}

/// Reads the plan for what it says of this name.
pub fn read_lines(
    plan: &mut PlanFile,
    guest: &GuestName,
    path: &GuestPath,
    found: &FoundNow,
) -> Result<(WholePlan, LinesAbout), EngineError> {
    let mut lines = LinesAbout {
        line: None,
        beneath: matches!(found, FoundNow::Directory).then(Beneath::default),
        elsewhere: BTreeMap::new(),
        protected: BTreeMap::new(),
        source: None,
        counted: Totals::default(),
    };
    let whole = plan.read(&mut |action| {
        if is_nearer(action, lines.line.as_ref(), guest, path) {
            lines.line = Some(action.clone());
        }
        lines.take(action, guest, path);
        Ok(())
    })?;
    Ok((whole, lines))
}

impl LinesAbout {
    fn take(&mut self, action: &Action, guest: &GuestName, path: &GuestPath) {
        match action {
            Action::Link(link) => {
                self.counted.links += 1;
                if let Some(sum) = self.beneath.as_mut().filter(|_| link.guest == *guest) {
                    sum.link(link.names(), (link.size, link.saves), path);
                }
            }
            Action::Reflink(line) => {
                self.counted.links += 1;
                if line.source.guest == *guest && line.source.path == *path {
                    self.source = Some(line.source.clone());
                }
                if let Some(sum) = self.beneath.as_mut().filter(|_| line.guest == *guest) {
                    sum.link(line.names(), (line.size, line.saves), path);
                }
            }
            Action::Skip(skip) => {
                self.counted.skips += 1;
                if let Some(sum) = &mut self.beneath {
                    sum.skip(skip, guest, path);
                }
                self.take_skip(skip, path);
            }
            Action::Flag(_) => {}
        }
    }

    fn take_skip(&mut self, skip: &Skip, path: &GuestPath) {
        let Left::Name {
            guest,
            path: at,
            size,
            ..
        } = &skip.left
        else {
            return;
        };
        if is_of_database(skip.reason) {
            let count = self.protected.entry(guest.clone()).or_default();
            count.add(1, size.unwrap_or(0));
        }
        if at == path {
            self.elsewhere.insert(guest.clone(), skip.reason);
        }
    }
}

/// Does a package database say so?
pub fn is_of_database(reason: SkipReason) -> bool {
    use SkipReason as R;
    matches!(reason, R::ConfigFile | R::Diverted | R::ModeOverride)
}

impl Beneath {
    fn link<'n>(
        &mut self,
        mut names: impl Iterator<Item = &'n GuestPath>,
        (size, saves): (u64, u64),
        top: &GuestPath,
    ) {
        if names.any(|name| name.is_within(top)) {
            self.links.add(1, size);
            self.saves = self.saves.saturating_add(saves);
        }
    }

    fn skip(&mut self, skip: &Skip, guest: &GuestName, top: &GuestPath) {
        let inside = skip.guest() == Some(guest) && skip.path().is_some_and(|at| at.is_within(top));
        let (files, bytes) = match &skip.left {
            Left::Name { size, .. } => (1, size.unwrap_or(0)),
            Left::Beneath { files, bytes, .. } => (*files, *bytes),
            Left::Flag { .. } => return,
        };
        if inside {
            self.skips.entry(skip.reason).or_default().add(files, bytes);
        }
    }
}

/// A line about the name itself beats one about a directory, and a deeper directory a higher one.
fn is_nearer(action: &Action, than: Option<&Action>, guest: &GuestName, path: &GuestPath) -> bool {
    let weight = |action: &Action| match action {
        Action::Link(link) if link.guest == *guest => {
            let mut names = link.names();
            names.any(|name| name == path).then_some(usize::MAX)
        }
        Action::Reflink(line) if line.guest == *guest => {
            let mut names = line.names();
            names.any(|name| name == path).then_some(usize::MAX)
        }
        Action::Skip(skip) if skip.guest() == Some(guest) => match &skip.left {
            Left::Name { path: at, .. } => (at == path).then_some(usize::MAX),
            Left::Beneath { top, .. } => path.is_within(top).then(|| top.as_bytes().len()),
            Left::Flag { .. } => None,
        },
        _ => None,
    };
    weight(action) > than.and_then(weight)
}

/// Other names that shall refer, or refer already, to an object.
#[derive(Default)]
pub struct Twins {
    pub names: Vec<(GuestName, GuestPath)>,
    pub more: u64,
    /// What the link lines of the object share.
    pub sharing: ObjectLines,
}

/// The link lines of one object.
#[derive(Default)]
pub struct ObjectLines {
    pub lines: u64,
    pub saves: u64,
}

/// Reads the plan for other names of this object, or for other files with these blocks.
pub fn twins(
    plan: &mut PlanFile,
    common: Option<&InCommon>,
    guest: &GuestName,
    path: &GuestPath,
) -> Result<Twins, EngineError> {
    let mut found = Twins::default();
    let Some(common) = common else {
        return Ok(found);
    };
    let mut names: BTreeMap<(GuestName, GuestPath), ()> = BTreeMap::new();
    let mut take = |of: &GuestName, at: &GuestPath| {
        if of == guest && at == path {
        } else if names.len() < Explanation::MOST_TWINS {
            names.insert((of.clone(), at.clone()), ());
        } else {
            found.more += 1;
        }
    };
    if let InCommon::Blocks(source) = common {
        take(&source.guest, &source.path);
    }
    plan.read(&mut |action| {
        match (action, common) {
            (Action::Link(link), InCommon::Object(object)) if link.object == *object => {
                found.sharing.lines += 1;
                found.sharing.saves = found.sharing.saves.saturating_add(link.saves);
                link.names().for_each(|name| take(&link.guest, name));
            }
            (Action::Reflink(line), InCommon::Blocks(source)) if line.source == *source => {
                line.names().for_each(|name| take(&line.guest, name));
            }
            (Action::Skip(skip), InCommon::Object(object)) if skip.object() == Some(object) => {
                if let Left::Name { guest, path, .. } = &skip.left {
                    take(guest, path);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    found.names = names.into_keys().collect();
    Ok(found)
}
