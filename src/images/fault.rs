//! Why an image is not read: where in it, and what is wrong. The texts come out of the image only through the escaping
//! of names.

use crate::model::Escaped;

/// Why an image could not be read to its end. Nothing is said of an image that has a fault: no part of it is believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageFault {
    /// An entry of an archive.
    #[error("entry {number}{}{}: {why}", named(.name), within(.archive))]
    Entry {
        /// Its number, from 1 on.
        number: u64,
        /// Its name as it stands there, as far as it is known.
        name: Vec<u8>,
        /// The archive within the image, if it is one of several.
        archive: String,
        /// What is wrong.
        why: BadEntry,
    },
    /// The bytes themselves.
    #[error("{0}")]
    Unreadable(String),
    /// The image as a whole.
    #[error("{0}")]
    Image(String),
    /// No image is the one that was asked for.
    #[error("there is no such image in it; there are: {}", some(.has))]
    NoSuchImage {
        /// Those that there are.
        has: Vec<String>,
    },
    /// It is not said which image is meant.
    #[error("there are several images in it: {}; say which one behind a colon, as in oci:PATH:NAME, and where the names are the same, its --platform", some(.has))]
    ManyImages {
        /// Those that there are.
        has: Vec<String>,
    },
}

impl ImageFault {
    /// Would programs unpack it in different ways? Else it is damaged, of no known form, or too large.
    pub fn is_ambiguous(&self) -> bool {
        match self {
            ImageFault::Entry { why, .. } => !why.is_damage(),
            _ => false,
        }
    }
}

/// What is wrong with an archive: it is damaged, or two programs would unpack it in two ways.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// A type without content has a length.
    #[error(
        "{kind} that claims {size} bytes of content: some programs skip them, and others take them for the next entries"
    )]
    Content {
        /// The type, with its article.
        kind: &'static str,
        /// What it claims.
        size: u64,
    },
    /// A block of zeros, and then no other.
    #[error("a single block of zeros stands before it: some programs stop there, and others go on")]
    OneZeroBlock,
    /// Something behind the end.
    #[error(
        "there is something behind the end of the archive: some programs stop there, and others go on"
    )]
    BehindEnd,
    /// It ends too early.
    #[error("the archive is cut short")]
    CutShort,
    /// A type that is not known to all.
    #[error("its type is {}: some programs unpack it as a file, and others refuse it", Escaped(&[*.0]))]
    Type(u8),
    /// A type of one form of archives in another.
    #[error("its type is {} in a header without a form: some programs know it there, and others do not", Escaped(&[*.0]))]
    TypeWithoutForm(u8),
    /// The sum of a header.
    #[error("the sum of its header is wrong: this is no tar archive, or it is damaged")]
    Sum,
    /// Not one of the three forms.
    #[error("its header is of no known form")]
    Form,
    /// A number that cannot be read, or not in one way.
    #[error("its {0} is no number that all programs read alike")]
    Number(&'static str),
    /// A record of an extended header.
    #[error("its extended header has a bad record{}", named(.0))]
    Record(Vec<u8>),
    /// The same for all entries to come.
    #[error(
        "a header for all that follows sets {}: some programs heed it, and others do not",
        Escaped(.0)
    )]
    Global(Vec<u8>),
    /// Two headers name one entry.
    #[error("two headers give it a name: which one counts differs between programs")]
    TwoNames,
    /// An extended header with nothing behind it.
    #[error("a header that belongs to an entry has none behind it")]
    Orphan,
    /// A name that cannot be.
    #[error("its name {0}")]
    Name(&'static str),
    /// A link to nothing.
    #[error("it links to {}, {}", Escaped(.target), .why)]
    Link {
        /// Where.
        target: Vec<u8>,
        /// Why that cannot be.
        why: &'static str,
    },
    /// A name beneath something that is no directory.
    #[error(
        "it lies beneath {}, which is no directory: some programs follow a link there, and others do not",
        Escaped(.0)
    )]
    BeneathNoDirectory(Vec<u8>),
    /// One path twice, and not in a way that all read alike.
    #[error(
        "the same path stands there before, as {before}: what comes of the two differs between programs"
    )]
    Twice {
        /// What it was, with its article.
        before: &'static str,
    },
    /// A layer adds and removes one path.
    #[error("the same layer removes {}: what comes of the two differs between programs", Escaped(.0))]
    AddedAndRemoved(Vec<u8>),
    /// A mark of a removed file that cannot be one.
    #[error("it is a mark for a removed file, and {0}")]
    Whiteout(&'static str),
    /// What only an overlay understands.
    #[error("{0} means a removed file to an overlay, and a file of its own to others")]
    Overlay(&'static str),
    /// The map of a sparse file.
    #[error("the map of its holes is wrong: {0}")]
    Sparse(&'static str),
    /// An attribute that only some read.
    #[error("its attribute {} stands there for libarchive alone", Escaped(.0))]
    Attribute(Vec<u8>),
    /// Anything else that the parser says.
    #[error("{0}")]
    Parser(String),
    /// A bound is passed.
    #[error("more than {most} {what} are not read")]
    TooMuch {
        /// The bound.
        most: u64,
        /// Of what.
        what: &'static str,
    },
    /// What it lies in cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

impl BadEntry {
    /// Do all programs see that something is wrong here, or could none read it?
    fn is_damage(&self) -> bool {
        use BadEntry as Is;
        matches!(
            self,
            Is::CutShort
                | Is::Sum
                | Is::Form
                | Is::Sparse(_)
                | Is::Parser(_)
                | Is::TooMuch { .. }
                | Is::Unreadable(_)
        )
    }

    /// The same with its place.
    pub(super) fn at(self, number: u64, name: &[u8], archive: &str) -> ImageFault {
        ImageFault::Entry {
            number,
            name: name.to_vec(),
            archive: archive.to_owned(),
            why: self,
        }
    }
}

/// An error of the bytes beneath, in its own words.
pub(super) fn unreadable(error: &std::io::Error) -> BadEntry {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => BadEntry::CutShort,
        _ => BadEntry::Unreadable(error.to_string()),
    }
}

fn named(name: &[u8]) -> String {
    match name {
        [] => String::new(),
        name => format!(" ({})", Escaped(name)),
    }
}

/// The first of some names, which are an attacker's.
fn some(names: &[String]) -> String {
    const MOST: usize = 10;
    let shown = names.iter().take(MOST);
    let shown: Vec<String> = shown
        .map(|name| Escaped(name.as_bytes()).to_string())
        .collect();
    let more = match names.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}

fn within(archive: &str) -> String {
    match archive {
        "" => String::new(),
        archive => format!(" of {archive}"),
    }
}
