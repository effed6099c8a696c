//! Why an action was refused when a run came to it, and which facts about a file changed.

use serde::{Deserialize, Serialize};

use super::reason::{codes, kinds};
use super::{GuestName, Ignored, Metadata};

kinds! {
    /// Why an action was refused: a fact about the world, not an error.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case", tag = "code", deny_unknown_fields)]
    Refusal
    /// The code of a refusal, as it stands in the receipt.
    RefusalKind {
        /// The file is not what it was when the plan was made.
        Changed {
            /// Which facts changed.
            fields: Vec<Moved>,
        } = "changed": "changed since the plan",
        /// The name does not exist any more.
        Gone {} = "gone": "does not exist any more",
        /// A directory on the way is not one any more, or is a link.
        PathChanged {} = "path-changed": "a directory on the way is not one any more, or is a link",
        /// Content or metadata differ from the object's.
        DiffersFromObject {
            /// Which facts differ.
            fields: Vec<Moved>,
        } = "differs-from-object": "differs from the object",
        /// A process has the file open for writing.
        OpenForWriting {} = "open-for-writing": "somebody has the file open for writing",
        /// A process is inside the guest, or its tree is mounted in another namespace.
        GuestRunning {
            /// What runs there, as a sentence.
            who: String,
        } = "guest-running": "the guest is running",
        /// The object is flagged, and a guest that holds it is running.
        HolderRunning {
            /// Which guest.
            guest: GuestName,
            /// What runs there, as a sentence.
            who: String,
        } = "holder-running": "a guest that holds the object is running",
        /// The object is flagged, and some of its names are where the base knows of no guest: the guest that
        /// holds them may be running.
        HolderUnknown {
            /// How many names.
            names: u64,
        } = "holder-unknown": "names of the object are in no guest that the base can find",
        /// Its guest is being maintained: what is private there shall stay so for now.
        BeingMaintained {} = "being-maintained": "its guest is being maintained",
        /// Something is mounted on the name.
        MountedOver {} = "mounted-over": "something is mounted on the name",
        /// A process holds a lock or a lease on the file.
        Locked {
            /// Which, and the command name of the process, as a part of a sentence.
            by: String,
        } = "locked": "a process holds a lock on the file",
        /// A process watches the file.
        Watched {
            /// By what, and the command name of the process, as a part of a sentence.
            by: String,
        } = "watched": "a process watches the file for changes",
        /// A process has the file open, and no package owns it.
        Open {
            /// The command name of the process.
            by: String,
        } = "open": "a process has the file open, and no package owns it",
        /// The file is mounted by itself at another name, which goes on to show its inode.
        MountedElsewhere {
            /// The mount point, in its own namespace.
            at: String,
        } = "mounted-elsewhere": "the file is mounted by itself at another name",
        /// Its guest runs, and it is not known which of its files are watched.
        UsesUnknown {
            /// Why not, as a part of a sentence.
            why: String,
        } = "uses-unknown": "its guest runs, and it cannot be told which of its files are watched",
        /// The name lies on another file system than the base.
        OtherFilesystem {} = "other-filesystem": "on another file system than the base",
        /// The file system lets no name cross between the directory of the name and the base.
        CannotCross {} = "cannot-cross": "the file system lets no name cross between its directory and the base (projects or encryption differ)",
        /// The object in the base does not have the content or metadata that its name says.
        DamagedObject {} = "damaged-object": "the object in the base is not what its name says",
        /// The object is not in the base.
        NoObject {} = "no-object": "the object is not in the base",
        /// The guest's root is not the directory that it was.
        RootChanged {} = "root-changed": "the guest's root is not the directory that it was",
        /// The name does not refer to the object any more: it is the guest's own.
        NotShared {} = "not-shared": "does not refer to the object any more: it is the guest's own",
        /// The file has names in other guests, and those are not taken in with it.
        NamesElsewhere {
            /// How many names.
            names: u64,
        } = "names-elsewhere": "has names in other guests that are not taken in with it",
        /// The file whose blocks it was to share is not what it was when the plan was made.
        SourceChanged {
            /// Which facts changed.
            fields: Vec<Moved>,
        } = "source-changed": "the file whose blocks it was to share changed since the plan",
        /// The file whose blocks it was to share is not where the plan saw it.
        SourceGone {} = "source-gone": "the file whose blocks it was to share is not there any more",
        /// The kernel compared them, and they are not the same.
        DiffersFromSource {} = "differs-from-source": "its bytes differ from those of the file whose blocks it was to share",
        /// It is immutable, or lies on what is mounted or made read-only.
        Unchangeable {} = "unchangeable": "is immutable or read-only, and its blocks cannot be exchanged",
        /// One of the two files is not copied on write, or is no file that can be: a swap file, for instance.
        NoCopyOnWrite {} = "no-copy-on-write": "the file or its source is one that is not copied on write",
        /// The file system says that they are the same, and shares nothing: its content lies beside its metadata.
        NothingShareable {} = "nothing-shareable": "the file system has no block of it that can be shared",
        /// Disk or quota have no room for what a file system has to remember of it.
        NoRoom {} = "no-room": "the disk, or a quota, has no room for it",
        /// What was shared is its own by now.
        OwnBlocks {} = "own-blocks": "has blocks of its own: its guest has written to it, or has replaced it",
        /// A guest that runs would have to stand still for it, longer than is meant by the budget.
        TooLargeToFreeze {
            /// Bytes of the largest file that is changed while a guest stands still.
            most: u64,
        } = "too-large-to-freeze": "a running guest would stand still too long for a file of this size",
    }
}

impl Refusal {
    /// The code alone, as it stands in the receipt.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }
}

codes! {
    /// A fact about a file that changed or differs.
    Moved {
        Type = "type": "Whether it is a regular file.",
        Dev = "dev": "Its device.",
        Ino = "ino": "Its inode.",
        Nlink = "nlink": "The number of its names.",
        Mode = "mode": "Its permission bits.",
        Uid = "uid": "Its owner.",
        Gid = "gid": "Its group.",
        Size = "size": "Its length.",
        Mtime = "mtime": "The last change of its content.",
        Ctime = "ctime": "The last change of anything.",
        Content = "content": "Its bytes.",
        Xattrs = "xattrs": "Its extended attributes.",
        Flags = "flags": "Its inode flags.",
        Project = "project": "Its project id.",
        Metadata = "metadata": "Some of its metadata: a digest tells no more.",
    }
}

impl Metadata {
    /// The same without what the policy ignores.
    pub fn without(&self, ignore: &[Ignored]) -> Metadata {
        Metadata {
            mtime: self.mtime.filter(|_| !ignore.contains(&Ignored::Mtime)),
            ..self.clone()
        }
    }

    /// Which parts differ, in the order of [`Moved`]. A modification time that is known on one side only differs,
    /// unless the policy ignores it. Each field is named here, so that the compiler asks about a new one.
    pub fn differs(&self, other: &Metadata, ignore: &[Ignored]) -> Vec<Moved> {
        let Metadata {
            mode,
            uid,
            gid,
            mtime,
            xattrs,
            flags: _,
            project,
        } = self;
        let mtime_counts = !ignore.contains(&Ignored::Mtime);
        let facts = [
            (Moved::Mode, *mode != other.mode),
            (Moved::Uid, *uid != other.uid),
            (Moved::Gid, *gid != other.gid),
            (Moved::Mtime, mtime_counts && *mtime != other.mtime),
            (Moved::Xattrs, *xattrs != other.xattrs),
            (Moved::Flags, self.chosen_flags() != other.chosen_flags()),
            (Moved::Project, *project != other.project),
        ];
        let differ = facts.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(fact, _)| fact).collect()
    }
}
