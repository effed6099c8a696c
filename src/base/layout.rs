//! Where things are in a base, and how one is opened and locked.

use std::path::{Path, PathBuf};

use super::identity::{self, FORMAT};
use super::own_turn::OwnTurn;
use super::{BaseError, places, trust};
use crate::model::{Digest, DiskRoom, FileId, FileState, ObjectId};
use crate::sys::guest::Sharing;
use crate::sys::own::litter::Litter;
use crate::sys::own::new_file::{mark_directory, part_of};
use crate::sys::own::papers;
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult, canonical};

/// What a base is made of, besides its papers.
const DIRECTORIES: [&str; 4] = ["objects", "staging", "quarantine", "runs"];

/// Directories in it that are made when they are needed, and are written without its lock. They hold files only.
const MEMORIES: [&str; 2] = [places::CACHE, places::SCRUB];

/// More bytes than its `format` ever has.
const LONGEST_FORMAT: u64 = 4096;

fn is_paper(name: &str) -> bool {
    let is_part = name.starts_with("format.") && name.ends_with(".part");
    let papers = ["format", "lock", places::TURN, places::NEXT_TURN];
    is_part || papers.contains(&name) || name == places::PROTECTION
}

fn is_part(name: &str) -> bool {
    is_paper(name) || DIRECTORIES.contains(&name)
}

/// An open base.
#[derive(Debug)]
pub struct Base {
    dir: Dir,
    objects: Dir,
    staging: Dir,
    path: PathBuf,
    used_for: BaseUse,
    turn: OwnTurn,
}

/// What is done with an open base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BaseUse {
    /// Whatever a command does.
    Any,
    /// It is looked at, and nothing is written.
    Look,
    /// There is none yet: it is looked at as if there were an empty one. Its directories are that of its place.
    LookAtPlace,
}

impl Base {
    /// Does a directory say of itself that it is a base? Nothing in it is trusted for that.
    pub fn is_at(path: &Path) -> bool {
        let format = papers::read_text(&path.join("format"), LONGEST_FORMAT);
        format.is_ok_and(|text| text.starts_with(FORMAT.as_bytes()))
    }

    /// Opens a base that exists; `None` where one can be made: there is nothing at `path`, or an empty directory.
    pub fn open(path: &Path) -> Result<Option<Base>, BaseError> {
        let Some(dir) = SysError::absent(Dir::open(path))? else {
            return trust::leads_on(path).map(|()| None);
        };
        let mount = dir.mount_id()?;
        match Base::from_dir(dir, path) {
            Err(BaseError::NoBase { .. }) if papers::entries(path)?.is_empty() => {
                trust::is_replaceable(path, mount).map(|()| None)
            }
            other => other.map(Some),
        }
    }

    /// Opens a base that must exist.
    pub fn existing(path: &Path) -> Result<Base, BaseError> {
        Base::open(path)?.ok_or_else(|| BaseError::Missing(path.to_owned()))
    }

    /// Opens a base, and makes it first where there is none or an empty directory. A directory with other things in it
    /// is refused.
    pub fn ensure(path: &Path) -> Result<Base, BaseError> {
        if papers::entries(path)?.is_empty() {
            trust::leads_on(path)?;
            trust::check_place(path)?;
            // What another process has put into one keeps it there, and hinders no run.
            drop(Base::remove_stale_parts(path));
            Base::make(path)?;
        }
        Base::existing(path)
    }

    /// Opens a base that is looked at and in which nothing is written, not even a file without a name. Where there is
    /// none, and one could be made, it is as if there were one without objects.
    pub fn looked_at(path: &Path) -> Result<Base, BaseError> {
        if let Some(base) = Base::open(path)? {
            return Ok(Base {
                used_for: BaseUse::Look,
                ..base
            });
        }
        trust::check_place(path)?;
        let place = match SysError::absent(Dir::open(path))? {
            Some(_) => path,
            None => path.parent().unwrap_or(path),
        };
        Ok(Base {
            dir: Dir::open(place)?,
            objects: Dir::open(place)?,
            staging: Dir::open(place)?,
            path: path.to_owned(),
            used_for: BaseUse::LookAtPlace,
            turn: OwnTurn::default(),
        })
    }

    /// Is there a base, and not only a place for one?
    pub fn is_made(&self) -> bool {
        self.used_for != BaseUse::LookAtPlace
    }

    /// Where files without a name may be made, which hold what outgrows the memory. Where nothing may be written this
    /// takes none, and all stays in memory.
    pub fn spill_place(&self) -> &Path {
        match self.used_for {
            BaseUse::Any => &self.path,
            BaseUse::Look | BaseUse::LookAtPlace => Path::new("/proc"),
        }
    }

    /// Makes it whole beside its place and then moves it there, so that two runs that begin at once cannot meet
    /// half a base.
    fn make(path: &Path) -> Result<(), BaseError> {
        let fresh = part_of(path);
        let moved = Base::make_in(&fresh).and_then(|_in_use| papers::move_dir(&fresh, path));
        match moved {
            Ok(true) => Ok(()),
            // Another run was quicker.
            Ok(false) => Ok(Base::remove_part(&fresh)?),
            Err(error) => {
                drop(Base::remove_part(&fresh));
                Err(error.into())
            }
        }
    }

    /// A whole base, and a handle that shows others that it is being made.
    fn make_in(fresh: &Path) -> SysResult<Dir> {
        papers::ensure_dir(fresh)?;
        let dir = Dir::open(fresh)?;
        mark_directory(&dir);
        // What is in it inherits nothing of the place: guests' files may be of any project.
        dir.forget_inherited()?;
        for name in DIRECTORIES {
            papers::ensure_dir(&fresh.join(name))?;
        }
        let format = FORMAT.to_owned() + &identity::lines(&dir)?;
        papers::write_whole(&fresh.join("format"), format.as_bytes())?;
        Ok(dir)
    }

    /// Removes what a run left that was killed while it made a base.
    fn remove_stale_parts(path: &Path) -> SysResult<()> {
        papers::stale_parts(path)?
            .iter()
            .try_for_each(|part| Base::remove_part(part))
    }

    /// What a plan or a scrub keeps there beside us goes with it.
    fn remove_part(part: &Path) -> SysResult<()> {
        let Some(litter) = Litter::at(part)? else {
            return Ok(());
        };
        for name in litter.list()? {
            if std::str::from_utf8(&name).is_ok_and(is_paper) {
                litter.unlink(&name)?;
            }
        }
        for name in MEMORIES {
            litter.remove_with_files(name.as_bytes())?;
        }
        for name in DIRECTORIES {
            litter.remove_empty(name.as_bytes())?;
        }
        litter.remove()
    }

    /// Opens a base that must exist, and says whether it is where it was made.
    pub fn wherever_made(path: &Path) -> Result<(Base, bool), BaseError> {
        let dir = SysError::absent(Dir::open(path))?;
        Base::recognised(
            dir.ok_or_else(|| BaseError::Missing(path.to_owned()))?,
            path,
        )
    }

    fn from_dir(dir: Dir, path: &Path) -> Result<Base, BaseError> {
        match Base::recognised(dir, path)? {
            (base, true) => Ok(base),
            (base, false) => Err(BaseError::Elsewhere(base.path)),
        }
    }

    fn recognised(dir: Dir, path: &Path) -> Result<(Base, bool), BaseError> {
        // Whatever links the path has now, it is this directory from here on.
        let path = &canonical(path)?;
        let Some(format) =
            SysError::absent(papers::read_text(&path.join("format"), LONGEST_FORMAT))?
        else {
            return Err(trust::no_base(path));
        };
        let Some(identity) = format.strip_prefix(FORMAT.as_bytes()) else {
            return Err(BaseError::Foreign(path.to_owned()));
        };
        let is_here = identity::is_here(identity, &dir)?;
        trust::check_base(&dir)?;
        trust::check_place(path)?;
        let (objects, staging) = (dir.open_dir(b"objects")?, dir.open_dir(b"staging")?);
        let base = Base {
            dir,
            objects,
            staging,
            path: path.to_owned(),
            used_for: BaseUse::Any,
            turn: OwnTurn::default(),
        };
        Ok((base, is_here))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(super) fn own_turn(&self) -> &OwnTurn {
        &self.turn
    }

    /// The directory of objects.
    pub(super) fn objects(&self) -> &Dir {
        &self.objects
    }

    /// The directory of what is in flight.
    pub fn staging(&self) -> &Dir {
        &self.staging
    }

    /// A paper of the base, such as the list of guests.
    pub fn paper(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes a base that never held anything: no object, no run, nothing in quarantine, no guest frozen,
    /// nothing that is not ours. The caller holds the lock.
    ///
    /// It leaves its place at once and is taken apart beside it: plans and scrubs, which need no lock, may write
    /// down in it what they read, and the next run must find a whole base or none. What they lose there is read
    /// again; and where they are quick enough to keep the rest from being removed, it is a stale part, which goes
    /// with the next base.
    pub fn unmake_if_unused(&self) -> SysResult<()> {
        for name in DIRECTORIES {
            if !papers::entries(&self.path.join(name))?.is_empty() {
                return Ok(());
            }
        }
        let ours = |name: &String| is_part(name) || MEMORIES.contains(&name.as_str());
        let all_ours = papers::entries(&self.path)?.iter().all(ours);
        if !all_ours {
            return Ok(());
        }
        let part = part_of(&self.path);
        if papers::move_dir(&self.path, &part)? {
            drop(Base::remove_part(&part));
        }
        Ok(())
    }

    /// An object, opened for reading; `None` where it is not in the base.
    pub fn object(&self, id: &ObjectId) -> SysResult<Option<Regular>> {
        Ok(self.object_seen(id)?.map(|(file, _)| file))
    }

    /// The same, with its state.
    pub fn object_seen(&self, id: &ObjectId) -> SysResult<Option<(Regular, FileState)>> {
        if !self.is_made() {
            return Ok(None);
        }
        Ok(SysError::absent(self.objects.open_own(place(id).as_bytes()))?.flatten())
    }

    /// The same once no lease is in the way, which is waited for.
    pub fn object_after_lease(&self, id: &ObjectId) -> SysResult<Option<Regular>> {
        SysError::absent(self.objects.open_own_after_lease(place(id).as_bytes()))
            .map(Option::flatten)
    }

    /// Is there no such name? This asks its directory; for callers whose opening found none, where much depends
    /// on it.
    pub fn lacks(&self, id: &ObjectId) -> SysResult<bool> {
        let place = place(id);
        let (fan, name) = place.as_bytes().split_at(2);
        if SysError::absent(self.objects.look(fan))?.is_none() {
            return Ok(true);
        }
        let fan = self.objects.open_dir(fan)?;
        Ok(SysError::absent(fan.look(&name[1..]))?.is_none())
    }

    /// What an object is now, without opening it.
    pub fn object_state(&self, id: &ObjectId) -> SysResult<Option<FileState>> {
        if !self.is_made() {
            return Ok(None);
        }
        SysError::absent(self.objects.look(place(id).as_bytes()))
    }

    /// What comes back when an object goes that only the base's name refers to.
    pub fn object_room(&self, id: &ObjectId, allocated: u64, sharing: &Sharing) -> DiskRoom {
        if sharing.is_ruled_out() {
            return DiskRoom::own(allocated);
        }
        // Another process may hold a lease on it.
        let file = self.object(id).ok().flatten();
        file.map_or(DiskRoom::own(allocated), |file| {
            sharing.room(&file, allocated)
        })
    }

    /// The inode of an object.
    pub fn object_inode(&self, id: &ObjectId) -> SysResult<Option<FileId>> {
        Ok(self.object_state(id)?.map(|state| state.id))
    }

    /// Objects of later generations than the first, of all whose contents begin with the same byte as this one.
    pub fn later_generations(&self, content: &Digest) -> SysResult<Vec<ObjectId>> {
        if !self.is_made() {
            return Ok(Vec::new());
        }
        let fan = format!("{:02x}", content.0[0]);
        let dir = SysError::absent(self.objects.open_dir(fan.as_bytes()))?;
        let names = dir.map_or(Ok(Vec::new()), |dir| dir.list())?;
        let ids = names
            .iter()
            .filter(|name| name.contains(&b'.'))
            .map(|name| {
                let name = String::from_utf8_lossy(name);
                ObjectId::from_file_name(&(fan.clone() + &name)).ok()
            });
        let later = ids.flatten().filter(|id| id.generation > 0);
        Ok(later.collect())
    }

    /// Gives a file the name of an object. A name that exists is never replaced.
    pub fn add_object(&self, file: &Regular, id: &ObjectId) -> SysResult<()> {
        let place = place(id);
        match self.objects.link(file, place.as_bytes()) {
            Err(error) if error.meaning() == Meaning::Gone => {
                match self.objects.make_dir(&place.as_bytes()[..2]) {
                    // Then it is the file that has no name any more.
                    Err(error) if error.meaning() != Meaning::Exists => Err(error),
                    _ => self.objects.link(file, place.as_bytes()),
                }
            }
            other => other,
        }
    }

    /// Removes an object's name in the base.
    pub fn remove_object(&self, id: &ObjectId) -> SysResult<()> {
        self.objects.unlink(place(id).as_bytes())
    }
}

/// `ab/REST`.
pub(super) fn place(id: &ObjectId) -> String {
    let mut name = id.file_name();
    name.insert(2, '/');
    name
}
