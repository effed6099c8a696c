//! The walk of the source: each directory, what is in it, and what of that is met how. Looking and copying go the same
//! way, so that what is told before is what is done.

use crate::engine::{EngineError, Guest};
use crate::model::{Descent, DescentStep, FileKind, FileState, GuestPath};
use crate::rules::identity::{Identity, IdentityRule};
use crate::sys::host::signals::Stop;
use crate::sys::{Dir, Meaning, SysError, SysResult, View};

/// A name that was met.
pub(super) struct MetEntry<'a> {
    /// The directory that it is in.
    pub dir: &'a Dir,
    pub name: &'a [u8],
    pub path: GuestPath,
    pub state: FileState,
}

/// Whoever goes along.
pub(super) trait Visitor {
    /// A directory, before what is in it. Its path is relative to the root.
    fn enter(&mut self, path: &[u8], dir: &Dir) -> Result<(), EngineError>;
    /// A directory in it; `is_foreign`: another file system begins there, and it is not entered.
    fn directory(&mut self, met: &MetEntry<'_>, is_foreign: bool) -> Result<(), EngineError>;
    /// Anything else in it.
    fn other(&mut self, met: &MetEntry<'_>) -> Result<(), EngineError>;
    /// What stands for one machine.
    fn identity(&mut self, met: &MetEntry<'_>, rule: &IdentityRule) -> Result<(), EngineError>;
    /// The directory, after all names in it and before the directories in it are entered.
    fn leave(&mut self) -> Result<(), EngineError>;
    /// Something that was there a moment ago is gone, or is something else.
    fn vanished(&mut self, path: &GuestPath) -> Result<(), EngineError>;
}

/// The source, and how it is walked.
pub(super) struct Original<'a> {
    pub view: &'a View,
    pub guest: &'a Guest,
    pub identity: Option<&'a Identity>,
    pub stop: &'a Stop,
}

impl Original<'_> {
    /// Goes through the whole tree.
    pub fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), EngineError> {
        let device = self.view.dir().state()?.id.dev;
        let mut way = Descent::new(self.one(b"", device, visitor)?);
        while let Some(step) = way.step() {
            if let DescentStep::Enter(path) = step {
                let path = path.to_vec();
                let below = self.one(&path, device, visitor)?;
                way.enter(below);
            }
        }
        Ok(())
    }

    /// One directory; the names of those in it that are to be entered.
    fn one(
        &self,
        path: &[u8],
        device: u64,
        visitor: &mut dyn Visitor,
    ) -> Result<Vec<Vec<u8>>, EngineError> {
        let Some(dir) = still_there(self.view.dir().open_deep(path))? else {
            visitor.vanished(&self.path(path, b"")?)?;
            return Ok(Vec::new());
        };
        visitor.enter(path, &dir)?;
        let mut below = Vec::new();
        for name in dir.list()? {
            if self.stop.asked() {
                return Err(EngineError::Stopped);
            }
            let path = self.path(path, &name)?;
            let Some(state) = still_there(dir.glance(&name))? else {
                visitor.vanished(&path)?;
                continue;
            };
            let met = MetEntry {
                dir: &dir,
                name: &name,
                path,
                state,
            };
            if self.meet(&met, device, visitor)? {
                below.push(name);
            }
        }
        visitor.leave()?;
        Ok(below)
    }

    /// Is it a directory to be entered?
    fn meet(
        &self,
        met: &MetEntry<'_>,
        device: u64,
        visitor: &mut dyn Visitor,
    ) -> Result<bool, EngineError> {
        let rule = self.identity.and_then(|all| all.of(met.path.as_bytes()));
        let kind = met.state.kind;
        if let Some(rule) = rule.filter(|rule| rule.becomes.is_of(kind)) {
            visitor.identity(met, rule)?;
            return Ok(false);
        }
        if met.state.kind != FileKind::Directory {
            visitor.other(met)?;
            return Ok(false);
        }
        let is_foreign = met.state.id.dev != device;
        visitor.directory(met, is_foreign)?;
        Ok(!is_foreign)
    }

    fn path(&self, dir: &[u8], name: &[u8]) -> Result<GuestPath, EngineError> {
        let slash: &[u8] = if dir.is_empty() || name.is_empty() {
            b""
        } else {
            b"/"
        };
        let whole = [b"/", dir, slash, name].concat();
        GuestPath::new(&whole).map_err(|bad| {
            let shown = self.guest.path.join(crate::sys::path_of(&whole[1..]));
            SysError::new("clone", shown, std::io::Error::other(bad.to_string())).into()
        })
    }
}

/// `None` where the name is gone, or is something else by now.
pub(super) fn still_there<T>(result: SysResult<T>) -> SysResult<Option<T>> {
    match result {
        Err(error) if matches!(error.meaning(), Meaning::Gone | Meaning::PathChanged) => Ok(None),
        other => other.map(Some),
    }
}
