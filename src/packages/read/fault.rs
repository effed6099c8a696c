//! What can be wrong with a database, and where.

use crate::sys::guest::{GuestError, shown};

/// A place in a file whose grammar is violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct Fault {
    /// Offset of the line, in bytes from the start of the file.
    pub at: usize,
    /// The fact.
    pub what: Defect,
}

/// The rule of a grammar that is violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The last line has no newline: dpkg refuses such a file too.
    #[error("no newline at the end of the file, it may be cut off")]
    NoFinalNewline,
    /// A NUL byte, anywhere.
    #[error("NUL byte")]
    Nul,
    /// `^Z`, which dpkg reads as a newline.
    #[error("end-of-file character (^Z)")]
    ControlZ,
    /// A line that is needed is too long.
    #[error("line longer than {} bytes", super::limits::LINE)]
    LongLine,
    /// An empty line where none may be.
    #[error("empty line")]
    EmptyLine,
    /// White space where a continuation or an empty line is meant.
    #[error("continuation line that holds only blanks")]
    BlankContinuation,
    /// A line with a blank in front that continues nothing.
    #[error("continuation line before any field")]
    Orphan,
    /// A field needs a name.
    #[error("field name is empty or begins with a hyphen")]
    FieldName,
    /// A line of a stanza that is no field.
    #[error("no colon after the field name")]
    NoColon,
    /// One of the fields that matter, twice.
    #[error("field given twice in one stanza")]
    Twice,
    /// A field that has one line by its nature, with a second one.
    #[error("field continued on a second line")]
    Continued,
    /// A stanza of no package.
    #[error("stanza without a Package field")]
    NoPackage,
    /// A name that dpkg would not take.
    #[error("not a package name")]
    PackageName,
    /// Longer than any name.
    #[error("not the name of an architecture")]
    Architecture,
    /// Entries begin on the second line.
    #[error("Conffiles has a value on its first line")]
    ConffilesValue,
    /// A tab, or none.
    #[error("conffile line does not begin with one space")]
    ConffileIndent,
    /// An entry without a path or without a digest.
    #[error("conffile line is not a path and a digest")]
    ConffileLine,
    /// `/` as a conffile.
    #[error("the root is listed as a file")]
    RootListed,
    /// Longer than the kernel takes.
    #[error("path longer than {} bytes", super::limits::PATH)]
    LongPath,
    /// Paths are absolute.
    #[error("path does not begin with a slash")]
    RelativePath,
    /// More than any real system has.
    #[error("too many entries")]
    TooMany,
    /// The file ends within a diversion.
    #[error("diversion of fewer than three lines")]
    HalfDiversion,
    /// A line of `statoverride` that is none.
    #[error("expected USER GROUP MODE PATH")]
    Override,
    /// A line of ucf's `hashfile` that is none.
    #[error("expected a digest and a path")]
    HashLine,
    /// A line of ucf's `registry` that is none.
    #[error("expected a package and a path")]
    RegistryLine,
    /// A rule of one format alone, in words.
    #[error("{0}")]
    Broken(&'static str),
}

impl Defect {
    /// This defect in the line that begins at `at`.
    pub fn at(self, at: usize) -> Fault {
        Fault { at, what: self }
    }
}

/// Why a database cannot be believed. The text stands in the plan.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It breaks its grammar.
    #[error("{file}: {fault}")]
    Malformed {
        /// Path inside the guest, safe to print.
        file: String,
        /// Where and what.
        fault: Fault,
    },
    /// It could not be read, or is no small regular file.
    #[error(transparent)]
    Unreadable(#[from] GuestError),
    /// More than any real system has.
    #[error("{file}: more than {max} {what}")]
    TooMany {
        /// Path inside the guest, safe to print.
        file: String,
        /// The bound.
        max: usize,
        /// Of what.
        what: &'static str,
    },
    /// Names of journal files must be of one length, or their order is not that of time.
    #[error("{file}: names of journal files differ in length")]
    JournalNames {
        /// Path inside the guest, safe to print.
        file: String,
    },
    /// The main file is gone, but others of the same database are there.
    #[error("{file}: missing, though {witness} is there")]
    Missing {
        /// Path inside the guest, safe to print.
        file: String,
        /// What shows that packages are installed.
        witness: String,
    },
    /// A package manager is at work.
    #[error(
        "{directory}: changed while it was read, three times; try again when the guest's package manager is idle"
    )]
    Changing {
        /// Path inside the guest, safe to print.
        directory: String,
    },
    /// See the bound.
    #[error("reading the databases of this guest took longer than {} seconds", super::limits::TIME.as_secs())]
    Late,
}

impl Problem {
    /// A fault with the file that it is in.
    pub fn malformed(file: &[u8], fault: Fault) -> Self {
        Problem::Malformed {
            file: shown(file),
            fault,
        }
    }
}
