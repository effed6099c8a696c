//! Inode flags and projects, of what is made here and of directories: what a fresh file gets from the directory that it
//! is made in, what it shall have instead, and which names a directory takes in.
//!
//! The immutable flag is never changed here: that is `Regular::set_immutable`.

use rustix::fs::IFlags;

use crate::model::{FileState, INHERITABLE_FLAGS, Metadata, NameLimits};
use crate::sys::fault::call;
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult, ffi};

use super::stat;

impl Dir {
    /// A new file without a name that has the project and the inode flags of `wanted`, and none of its directory's.
    /// They are set while it is empty, because some cannot be set later.
    pub fn nameless_like(&self, wanted: &Metadata) -> SysResult<Regular> {
        let fresh = self.nameless()?;
        let flags = fresh.flags()?;
        let like = wanted.flags_of_copy(flags);
        if like != flags {
            change_flags(&fresh, like).map_err(fresh.failed("set the inode flags of"))?;
        }
        if fresh.project()? != wanted.project {
            fresh.set_project(wanted.project)?;
        }
        Ok(fresh)
    }

    /// Can a new file here be given this project? It can where only its quota is used up.
    pub fn gives_project(&self, project: u32) -> bool {
        let given = self.nameless().and_then(|fresh| {
            fresh.set_project(project)?;
            fresh.project()
        });
        match given {
            Ok(given) => given == project,
            Err(error) => error.meaning() == Meaning::NoSpace,
        }
    }

    /// The state of the directory, and what keeps names from being moved in and out of it.
    pub fn state_and_limits(&self) -> SysResult<(FileState, NameLimits)> {
        let failed = |e| SysError::new("stat", self.path(), e);
        let (state, is_fixed) = stat::of_directory(self.fd()).map_err(failed)?;
        // Where that is not told, what does not fit is refused when it is tried.
        let (project, inherits) = self.project().unwrap_or_default();
        let only_project = inherits.then_some(project);
        let limits = NameLimits {
            is_fixed,
            only_project,
        };
        Ok((state, limits))
    }

    /// Its project, and whether all that is made in it inherits that; none where the file system has no projects.
    pub fn project(&self) -> SysResult<(u32, bool)> {
        let answer = call("project", || ffi::project(self.fd()))
            .map_err(|e| SysError::new("read the project id of", self.path(), e));
        match answer {
            Err(error) if error.meaning() == Meaning::Unsupported => Ok((0, false)),
            other => other,
        }
    }

    /// Puts a directory of ours into a project, which all that is made in it inherits.
    pub fn set_project(&self, project: u32, inherits: bool) -> SysResult<()> {
        call("setproject", || {
            ffi::set_project(self.fd(), project, Some(inherits))
        })
        .map_err(|e| SysError::new("set the project id of", self.path(), e))
    }

    /// Are names in it encrypted, and all that is made in it?
    pub fn is_encrypted(&self) -> SysResult<bool> {
        stat::is_encrypted(self.fd()).map_err(|e| SysError::new("stat", self.path(), e))
    }

    /// Do names in it that differ in upper and lower case alone mean one file (`FS_CASEFOLD_FL` of `linux/fs.h`)? File
    /// systems without inode flags know no such directories.
    pub fn ignores_case(&self) -> SysResult<bool> {
        const CASEFOLD: u32 = 0x4000_0000;
        let flags = call("getflags", || ffi::inode_flags(self.fd()))
            .map_err(|e| SysError::new("read the inode flags of", self.path(), e));
        match flags {
            Ok(flags) => Ok(flags & CASEFOLD != 0),
            Err(error) if error.meaning() == Meaning::Unsupported => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// From now on nothing that is made in this directory of ours gets its project, and names of other projects may
    /// enter it.
    pub fn end_project_inheritance(&self) -> SysResult<()> {
        match self.project()? {
            (project, true) => self.set_project(project, false),
            (_, false) => Ok(()),
        }
    }

    /// Takes from a directory of ours what its parent handed down to it, but for the project that it counts for.
    pub fn forget_inherited(&self) -> SysResult<()> {
        self.end_project_inheritance()?;
        let failed = |e| SysError::new("set the inode flags of", self.path(), e);
        // Where it has none, or does not tell, there is nothing to take.
        let Ok(flags) = call("getflags", || ffi::inode_flags(self.fd())) else {
            return Ok(());
        };
        let own = flags & !INHERITABLE_FLAGS;
        if own == flags {
            return Ok(());
        }
        call("setflags", || ffi::set_inode_flags(self.fd(), own)).map_err(failed)
    }
}

impl Regular {
    fn set_project(&self, project: u32) -> SysResult<()> {
        call("setproject", || ffi::set_project(self.fd(), project, None))
            .map_err(self.failed("set the project id of"))
    }
}

fn change_flags(fresh: &Regular, flags: u32) -> std::io::Result<()> {
    debug_assert!(flags & IFlags::IMMUTABLE.bits() == 0);
    call("setflags", || ffi::set_inode_flags(fresh.fd(), flags))
}
