//! Guests as a person gives them.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::engine::error::BadUse;
use crate::engine::plan_file::is_json;
use crate::engine::{EngineError, GuestArg};
use crate::images::{ImageRequest, WantedImage, is_standard_input};
use crate::model::{BadGuestName, DigestKind, FileKind, GuestName, ImageForm};
use crate::rules::root::{HEAD, image_name, no_directory};
use crate::sys::own::papers;
use crate::sys::{Dir, canonical};

/// Words that say what a path is, in front of it and a colon, and whether a name of an image may follow behind another.
const FORMS: &[(&str, ImageForm, bool)] = &[
    ("tar", ImageForm::Tar, false),
    ("oci", ImageForm::OciLayout, true),
    ("oci-archive", ImageForm::OciArchive, true),
    ("docker-archive", ImageForm::DockerArchive, true),
    ("incus", ImageForm::IncusArchive, false),
    ("mount", ImageForm::MountedImage, false),
];

/// A guest as a person gives it: `PATH` or `NAME=PATH`; an image may have its form in front, `-` is standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceArg {
    name: Option<GuestName>,
    path: PathBuf,
    form: Option<ImageForm>,
    reference: Option<String>,
}

impl FromStr for SourceArg {
    type Err = BadGuestName;
    fn from_str(text: &str) -> Result<Self, BadGuestName> {
        let GuestArg { name, path } = text.parse()?;
        let text = path.to_string_lossy().into_owned();
        let word = text.split_once(':');
        let form = word.and_then(|(word, _)| FORMS.iter().find(|(known, ..)| *known == word));
        let Some(((_, form, is_named), (_, rest))) = form.zip(word) else {
            return Ok(SourceArg {
                name,
                path,
                form: None,
                reference: None,
            });
        };
        let (path, reference) = match rest.split_once(':').filter(|_| *is_named) {
            Some((path, reference)) => (path, Some(reference.to_owned())),
            None => (rest, None),
        };
        Ok(SourceArg {
            name,
            path: path.into(),
            form: Some(*form),
            reference,
        })
    }
}

/// The guests of a command, apart by what they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuestSources {
    /// Directories of this host.
    pub directories: Vec<GuestArg>,
    /// Everything else.
    pub images: Vec<ImageArg>,
}

/// An image that is a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageArg {
    pub(super) name: GuestName,
    pub(super) path: PathBuf,
    pub(super) request: ImageRequest,
}

/// Digests that databases of packages have, and that are made while an image passes where they will be compared: its
/// bytes come once. Those that are left out, no package manager writes unless it is told to.
const OF_PACKAGES: &[DigestKind] = &[DigestKind::Md5, DigestKind::Sha1];

impl ImageArg {
    /// How the guest is called.
    pub(in crate::engine) fn name(&self) -> &GuestName {
        &self.name
    }

    /// The same, to be compared with what databases of packages say.
    pub(in crate::engine) fn with_package_digests(&self) -> ImageArg {
        let mut arg = self.clone();
        arg.request.digests = OF_PACKAGES;
        arg
    }

    /// Why a plan that can be applied cannot be made with it.
    pub fn needs_audit(&self) -> EngineError {
        BadUse::ImageNeedsAudit(self.path.clone()).into()
    }
}

impl GuestSources {
    /// Looks at each: a directory that is no layout is a guest itself, and so is what cannot be looked at. Refuses
    /// files of a form that is not read, with what makes them one that is. `insists`: every directory is a guest.
    pub fn of(
        args: &[SourceArg],
        platform: Option<&str>,
        insists: bool,
    ) -> Result<GuestSources, EngineError> {
        let mut all = GuestSources::default();
        for arg in args {
            match arg.image(platform, insists)? {
                Some(image) => all.images.push(image),
                None => all.directories.push(GuestArg {
                    name: arg.name.clone(),
                    path: arg.path.clone(),
                }),
            }
        }
        let stdin = all
            .images
            .iter()
            .filter(|image| is_standard_input(&image.path));
        match stdin.count() {
            0 | 1 => Ok(all),
            _ => Err(BadUse::GivenTwice("-".into()).into()),
        }
    }
}

impl SourceArg {
    /// Is this a word that says what a path is?
    pub fn is_form(word: &[u8]) -> bool {
        FORMS.iter().any(|(form, ..)| form.as_bytes() == word)
    }

    /// Is it an image, and no plan? Of a word in front and of standard input nothing is looked at.
    pub fn is_image(&self) -> bool {
        let is_known = |path: &Path| matches!(seen(path), Ok(FormAtPath::Image(_)));
        self.form.is_some() || self.path.is_file() && is_known(&self.path) && !is_json(&self.path)
    }

    fn image(
        &self,
        platform: Option<&str>,
        insists: bool,
    ) -> Result<Option<ImageArg>, EngineError> {
        let path = &self.path;
        let form = match self.form {
            Some(form) => Some(form),
            None if is_standard_input(path) => None,
            None if insists && path.is_dir() => return Ok(None),
            None => match seen(path)? {
                FormAtPath::Directory => return Ok(None),
                FormAtPath::Image(form) => form,
            },
        };
        let (path, name) = match is_standard_input(path) {
            true => {
                let name = self.name.clone();
                (path.clone(), name.ok_or(BadUse::NamelessInput)?)
            }
            false => {
                let path = canonical(path)?;
                let name = self.named(&path)?;
                (path, name)
            }
        };
        let wanted = WantedImage {
            reference: self.reference.clone(),
            platform: platform.map(str::to_owned),
        };
        let request = ImageRequest {
            form,
            wanted,
            digests: &[],
        };
        Ok(Some(ImageArg {
            name,
            path,
            request,
        }))
    }

    fn named(&self, path: &Path) -> Result<GuestName, BadUse> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = image_name(&file, self.reference.as_deref());
        GuestName::new(&name).map_err(|error| BadUse::GuestName(error.to_string()))
    }
}

/// What stands at a path.
enum FormAtPath {
    Directory,
    /// An image, of this form where that is known already.
    Image(Option<ImageForm>),
}

fn seen(path: &Path) -> Result<FormAtPath, EngineError> {
    if path.is_dir() {
        let layout = Dir::open(&canonical(path)?).and_then(|dir| dir.look(b"oci-layout"));
        let is_layout = layout.is_ok_and(|state| state.kind == FileKind::Regular);
        return Ok(match is_layout {
            true => FormAtPath::Image(Some(ImageForm::OciLayout)),
            false => FormAtPath::Directory,
        });
    }
    // What is not there is for the door of directories to tell.
    let Ok(head) = papers::first_bytes(&canonical(path)?, HEAD) else {
        return Ok(FormAtPath::Directory);
    };
    let found = no_directory(Some(&head));
    match found.is_read {
        true => Ok(FormAtPath::Image(None)),
        false => Err(BadUse::NotADirectory {
            given: path.to_owned(),
            what: found.what,
            remedy: found.remedy,
        }
        .into()),
    }
}
