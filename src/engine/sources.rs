//! Guests of every form, as a person gives them: directories, and images in files, layouts or on standard input.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::guest::{Guest, GuestArg, GuestIdentity};
use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::images::{GuestImage, ImageFault, ImageRequest, WantedImage, is_standard_input};
use crate::model::{BadGuestName, FileKind, GuestName, ImageForm, PlannedGuest};
use crate::rules::root::{HEAD, image_name, no_directory};
use crate::sys::guest::GuestFiles;
use crate::sys::own::papers;
use crate::sys::{Dir, SysError, SysResult, canonical};

/// What a plan calls standard input.
const STANDARD_INPUT: &str = "/dev/stdin";

/// Words that say what a path is, in front of it and a colon, and whether a name of an image may follow behind another.
const FORMS: &[(&str, ImageForm, bool)] = &[
    ("tar", ImageForm::Tar, false),
    ("oci", ImageForm::OciLayout, true),
    ("oci-archive", ImageForm::OciArchive, true),
    ("docker-archive", ImageForm::DockerArchive, true),
    ("incus", ImageForm::IncusArchive, false),
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
pub struct Sources {
    /// Directories of this host.
    pub directories: Vec<GuestArg>,
    /// Everything else.
    pub images: Vec<ImageArg>,
}

/// An image that is a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageArg {
    name: GuestName,
    path: PathBuf,
    request: ImageRequest,
}

impl ImageArg {
    /// Why a plan that can be applied cannot be made with it.
    pub fn needs_audit(&self) -> EngineError {
        BadUse::ImageNeedsAudit(self.path.clone()).into()
    }
}

impl Sources {
    /// Looks at each: a directory that is no layout is a guest itself, and so is what cannot be looked at. Refuses files
    /// of a form that is not read, with what makes them one that is.
    pub fn of(args: &[SourceArg], platform: Option<&str>) -> Result<Sources, EngineError> {
        let mut all = Sources::default();
        for arg in args {
            match arg.image(platform)? {
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
    fn image(&self, platform: Option<&str>) -> Result<Option<ImageArg>, EngineError> {
        let path = &self.path;
        let form = match self.form {
            Some(form) => Some(form),
            None if is_standard_input(path) => None,
            None => match seen(path)? {
                Seen::Directory => return Ok(None),
                Seen::Image(form) => form,
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
        let request = ImageRequest { form, wanted };
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
enum Seen {
    Directory,
    /// An image, of this form where that is known already.
    Image(Option<ImageForm>),
}

fn seen(path: &Path) -> Result<Seen, EngineError> {
    if path.is_dir() {
        let layout = Dir::open(&canonical(path)?).and_then(|dir| dir.look(b"oci-layout"));
        let is_layout = layout.is_ok_and(|state| state.kind == FileKind::Regular);
        return Ok(match is_layout {
            true => Seen::Image(Some(ImageForm::OciLayout)),
            false => Seen::Directory,
        });
    }
    // What is not there is for the door of directories to tell.
    let Ok(head) = papers::first_bytes(&canonical(path)?, HEAD) else {
        return Ok(Seen::Directory);
    };
    let found = no_directory(Some(&head));
    match found.is_read {
        true => Ok(Seen::Image(None)),
        false => Err(BadUse::NotADirectory {
            given: path.to_owned(),
            what: found.what,
            remedy: found.remedy,
        }
        .into()),
    }
}

/// An image that is open, and was not read yet.
#[derive(Debug)]
pub(super) struct OpenImage {
    pub identity: GuestIdentity,
    pub files: GuestImage,
}

/// Opens images, and numbers them in the order of their names.
pub(super) fn open_images(args: &[ImageArg]) -> Result<Vec<OpenImage>, EngineError> {
    let mut args: Vec<&ImageArg> = args.iter().collect();
    args.sort_by(|a, b| a.name.cmp(&b.name));
    let numbered = (0u32..).zip(args);
    let open = |(number, arg): (u32, &ImageArg)| {
        let files = GuestImage::open(&arg.path, arg.request.clone(), number)?;
        let path = match is_standard_input(&arg.path) {
            true => STANDARD_INPUT.into(),
            false => arg.path.clone(),
        };
        let identity = GuestIdentity {
            name: arg.name.clone(),
            path,
            id: files.id(),
        };
        Ok(OpenImage { identity, files })
    };
    numbered.map(open).collect()
}

/// The files of a guest of a plan, where the plan saw them.
pub(super) fn open_planned(planned: &PlannedGuest) -> Result<Box<dyn GuestFiles>, EngineError> {
    let Some(image) = &planned.image else {
        let guest = Guest::open(planned.name.clone(), &planned.root)?;
        return Ok(guest.files()?);
    };
    if planned.root == Path::new(STANDARD_INPUT) {
        return Err(BadUse::InputGone(planned.name.clone()).into());
    }
    let reference = match image.form {
        ImageForm::DockerArchive => image.name.clone(),
        _ => image.digest.clone(),
    };
    let request = ImageRequest {
        form: Some(image.form),
        wanted: WantedImage {
            reference,
            platform: None,
        },
    };
    // The number keeps images apart within a plan.
    let number = u32::try_from(planned.dev & u64::from(u32::MAX)).unwrap_or(0);
    let opened: SysResult<GuestImage> = GuestImage::open(&planned.root, request, number);
    Ok(Box::new(opened?))
}

/// The error of an image, where it is one of the choice and not of what is in it.
pub(super) fn image_error(name: &GuestName, error: SysError) -> EngineError {
    let fault = error.source.get_ref();
    let fault = fault.and_then(|fault| fault.downcast_ref::<ImageFault>());
    match fault {
        Some(ImageFault::ManyImages { .. } | ImageFault::NoSuchImage { .. }) => {
            BadUse::WhichImage {
                name: name.clone(),
                why: error.source.to_string(),
            }
            .into()
        }
        _ => error.into(),
    }
}
