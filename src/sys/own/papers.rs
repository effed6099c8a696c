//! Files of our own: written whole and atomically, appended and synced, locked. Never used for anything in a guest.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};

use super::new_file::{NewFile, is_stale_part, private};
use crate::model::Time;
use crate::sys::fault::call;
use crate::sys::host::other_runs;
use crate::sys::{SysError, SysResult, from_metadata};

/// A file that only grows: a journal or a receipt.
#[derive(Debug)]
pub struct Growing {
    file: File,
    path: PathBuf,
}

impl Growing {
    /// Creates it, or goes on at its end.
    pub fn open(path: &Path) -> SysResult<Growing> {
        let mut options = private();
        options.create(true).append(true);
        let file =
            call("create", || options.open(path)).map_err(|e| SysError::new("open", path, e))?;
        Ok(Growing {
            file,
            path: path.to_owned(),
        })
    }

    /// Makes everything that was written durable.
    pub fn sync(&self) -> SysResult<()> {
        call("sync", || self.file.sync_data()).map_err(|e| SysError::new("sync", &self.path, e))
    }
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        call("write", || self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A held lock; it dies with the process, so none is ever stale.
#[derive(Debug)]
pub struct Lock {
    _held: Flock<File>,
}

impl Lock {
    pub(super) fn of(held: Flock<File>) -> Lock {
        Lock { _held: held }
    }
}

/// Who only looks holds it for a moment, see [`hold_still`]: he is waited for.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Takes the lock file exclusively and writes `holder` into it; `Err(text of the holder)` where another process
/// has it.
pub fn lock(path: &Path, holder: &str) -> SysResult<Result<Lock, String>> {
    let mut options = private();
    options.create(true).read(true).write(true).truncate(false);
    let mut file =
        call("create", || options.open(path)).map_err(|e| SysError::new("open", path, e))?;
    for _ in 0..LOCK_TRIES {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => {
                call("write", || {
                    held.set_len(0)?;
                    (&*held).write_all(holder.as_bytes())
                })
                .map_err(|e| SysError::new("write", path, e))?;
                return Ok(Ok(Lock { _held: held }));
            }
            Err((busy, nix::errno::Errno::EWOULDBLOCK)) => file = busy,
            Err((_, errno)) => return Err(SysError::new("lock", path, errno)),
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Ok(Err(who_holds(&file, path)))
}

/// The process that holds a lock file, as a sentence knows it.
fn who_holds(file: &File, path: &Path) -> String {
    other_runs::holder_of(file, &fs::read_to_string(path).unwrap_or_default())
}

/// Takes the lock file for who changes nothing; `Err(text of the holder)` where a run has it, `None` where there is no
/// such file.
pub fn hold_still(path: &Path) -> SysResult<Result<Option<Lock>, String>> {
    let Some(file) = SysError::absent(open_for_reading(path))? else {
        return Ok(Ok(None));
    };
    match Flock::lock(file.into_inner(), FlockArg::LockSharedNonblock) {
        Ok(held) => Ok(Ok(Some(Lock { _held: held }))),
        Err((busy, nix::errno::Errno::EWOULDBLOCK)) => Ok(Err(who_holds(&busy, path))),
        Err((_, errno)) => Err(SysError::new("lock", path, errno)),
    }
}

/// Opens a file of ours, or a plan that a person names, for reading.
pub fn open_for_reading(path: &Path) -> SysResult<BufReader<File>> {
    // This must not hang on a FIFO that stands where a plan is expected.
    let mut options = OpenOptions::new();
    let flags = nix::libc::O_NONBLOCK;
    options
        .read(true)
        .custom_flags(flags | nix::libc::O_NOATIME);
    let file = match call("open", || options.open(path)) {
        // The access time of another user's file is not ours to keep.
        Err(error) if error.raw_os_error() == Some(nix::libc::EPERM) => {
            call("open", || options.custom_flags(flags).open(path))
        }
        other => other,
    };
    let file = file.map_err(|e| SysError::new("open", path, e))?;
    let is_file = file
        .metadata()
        .map_err(|e| SysError::new("stat", path, e))?
        .is_file();
    if is_file {
        Ok(BufReader::with_capacity(256 * 1024, file))
    } else {
        Err(SysError::new(
            "read",
            path,
            io::Error::other("not a regular file"),
        ))
    }
}

/// A file of ours that is read at several places in parallel, by one descriptor.
#[derive(Debug)]
pub struct SharedFile(Arc<File>);

impl SharedFile {
    /// Opens it.
    pub fn open(path: &Path) -> SysResult<SharedFile> {
        Ok(SharedFile(Arc::new(open_for_reading(path)?.into_inner())))
    }

    /// From this byte on.
    pub fn from(&self, at: u64) -> impl Read + use<> {
        ReaderPlace {
            file: Arc::clone(&self.0),
            at,
        }
    }
}

/// Where one of its readers is.
struct ReaderPlace {
    file: Arc<File>,
    at: u64,
}

impl Read for ReaderPlace {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A whole small file of ours; `None` where it does not exist.
pub fn read_small(path: &Path) -> SysResult<Option<Vec<u8>>> {
    SysError::absent(call("open", || fs::read(path)).map_err(|e| SysError::new("read", path, e)))
}

/// A user's own text, such as a list of patterns: a regular file of at most `max` bytes. Never waits for a FIFO.
pub fn read_text(path: &Path, max: u64) -> SysResult<Vec<u8>> {
    let mut text = Vec::new();
    let mut bounded = open_for_reading(path)?.take(max + 1);
    bounded
        .read_to_end(&mut text)
        .map_err(|e| SysError::new("read", path, e))?;
    if text.len() as u64 > max {
        let why = format!("longer than {max} bytes");
        return Err(SysError::new("read", path, io::Error::other(why)));
    }
    Ok(text)
}

/// The first bytes of a file that a person names, at most so many: a regular one only, and nothing is waited for.
pub fn first_bytes(path: &Path, most: usize) -> SysResult<Vec<u8>> {
    let mut head = Vec::new();
    let mut bounded = open_for_reading(path)?.take(most as u64);
    bounded
        .read_to_end(&mut head)
        .map_err(|e| SysError::new("read", path, e))?;
    Ok(head)
}

/// Makes a directory for its owner only, and says whether it was missing.
pub fn ensure_dir(path: &Path) -> SysResult<bool> {
    use std::os::unix::fs::DirBuilderExt;
    match call("mkdir", || fs::DirBuilder::new().mode(0o700).create(path)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(SysError::new("make directory", path, error)),
    }
}

/// Names of the entries of a directory of ours, sorted; empty where it does not exist. Names that are not text
/// are left out.
pub fn entries(path: &Path) -> SysResult<Vec<String>> {
    let failed = |e| SysError::new("list", path, e);
    let Some(dir) = SysError::absent(call("list", || fs::read_dir(path)).map_err(failed))? else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    for entry in dir {
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// What dead processes have left beside `target`, see `new_file::part_of`.
pub fn stale_parts(target: &Path) -> SysResult<Vec<PathBuf>> {
    let parent = target.parent().unwrap_or(target);
    let paths = entries(parent)?.into_iter().map(|name| parent.join(name));
    Ok(paths.filter(|path| is_stale_part(path, target)).collect())
}

/// Removes a file of ours; nothing happens where there is none.
pub fn remove(path: &Path) -> SysResult<()> {
    SysError::absent(
        call("unlink", || fs::remove_file(path)).map_err(|e| SysError::new("remove", path, e)),
    )
    .map(drop)
}

/// Allocated bytes of a file of ours.
pub fn allocated(path: &Path) -> SysResult<u64> {
    use std::os::unix::fs::MetadataExt;
    let state = call("stat", || fs::symlink_metadata(path));
    let state = state.map_err(|e| SysError::new("stat", path, e))?;
    Ok(state.blocks() * 512)
}

/// Gives a file of ours one more name, unless that is taken: what takes its place does not take it away.
pub fn keep_as(path: &Path, name: &Path) -> SysResult<()> {
    match call("link", || fs::hard_link(path, name)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(SysError::new("link", name, error))
        }
        _ => Ok(()),
    }
}

/// A new file that has no name in `dir`, readable and writable by its owner: it vanishes with its handle.
pub fn nameless(dir: &Path) -> SysResult<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    // No process can give it a name later.
    options.custom_flags(nix::libc::O_TMPFILE | nix::libc::O_EXCL);
    call("nameless", || options.open(dir)).map_err(|e| SysError::new("make a file in", dir, e))
}

/// Removes an empty directory of ours; nothing happens where there is none.
pub fn remove_empty_dir(path: &Path) -> SysResult<()> {
    SysError::absent(
        call("rmdir", || fs::remove_dir(path))
            .map_err(|e| SysError::new("remove directory", path, e)),
    )
    .map(drop)
}

/// Writes a whole small file of ours, atomically and durably.
pub fn write_whole(path: &Path, content: &[u8]) -> SysResult<()> {
    let mut file = NewFile::create(path)?;
    file.write_all(content)
        .map_err(|e| SysError::new("write", path, e))?;
    file.publish()
}

/// Writes files that everybody may read into a directory, which is made where there is none.
pub fn write_public(dir: &Path, files: &[(String, Vec<u8>)]) -> SysResult<()> {
    if ensure_dir(dir)? {
        let failed = |e| SysError::new("open to all", dir, e);
        let made = private().read(true).open(dir).map_err(failed)?;
        let mode = fs::Permissions::from_mode(0o755);
        call("chmod", || made.set_permissions(mode)).map_err(failed)?;
    }
    for (name, content) in files {
        let path = dir.join(name);
        let mut file = NewFile::create(&path)?;
        file.write_all(content)
            .map_err(|e| SysError::new("write", &path, e))?;
        file.open_to_all()?;
        file.publish()?;
    }
    Ok(())
}

/// A plan as a person hands it over, which can be read more than once: a file, or standard input copied into a
/// file without a name.
#[derive(Debug)]
pub struct Spool {
    file: File,
    path: PathBuf,
}

impl Spool {
    /// The plan at `path`; `-` is standard input.
    pub fn open(path: &Path) -> SysResult<Spool> {
        if path == Path::new("-") {
            return Spool::from_stdin();
        }
        Ok(Spool {
            file: open_for_reading(path)?.into_inner(),
            path: path.to_owned(),
        })
    }

    /// An empty one that has no name in `dir`, vanishes with its handle, and is called so; and what is written into it.
    pub fn empty(dir: &Path, name: &Path) -> SysResult<(Spool, File)> {
        let file = nameless(dir)?;
        let written = file
            .try_clone()
            .map_err(|e| SysError::new("make a file in", dir, e))?;
        let path = name.to_owned();
        Ok((Spool { file, path }, written))
    }

    fn from_stdin() -> SysResult<Spool> {
        let path = std::env::temp_dir();
        let mut file = nameless(&path)?;
        io::copy(&mut io::stdin().lock(), &mut file)
            .map_err(|e| SysError::new("copy standard input into", &path, e))?;
        Ok(Spool {
            file,
            path: "-".into(),
        })
    }

    /// What the person called it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When it was written last; `None` of standard input.
    pub fn written(&self) -> Option<Time> {
        let file = Some(&self.file).filter(|_| self.path != Path::new("-"))?;
        Some(from_metadata(&file.metadata().ok()?).mtime)
    }

    /// From the first byte again.
    pub fn rewound(&mut self) -> SysResult<BufReader<&File>> {
        self.file
            .rewind()
            .map_err(|e| SysError::new("read", &self.path, e))?;
        Ok(BufReader::with_capacity(256 * 1024, &self.file))
    }

    /// Copies all bytes into a new file of ours.
    pub fn copy_to(&mut self, path: &Path) -> SysResult<()> {
        let mut copy = NewFile::create(path)?;
        io::copy(&mut self.rewound()?, &mut copy)
            .map_err(|e| SysError::new("copy the plan to", path, e))?;
        copy.publish()
    }
}

/// Moves a directory of ours to `to`, where nothing or an empty directory is; false where there is something.
pub fn move_dir(from: &Path, to: &Path) -> SysResult<bool> {
    match call("rename", || fs::rename(from, to)) {
        Ok(()) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(SysError::new("move to", to, error)),
    }
}
