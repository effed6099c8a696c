//! Images that are opened: those that a person gives, and those that a plan names.

use std::path::Path;

use super::args::ImageArg;
use crate::engine::error::{BadUse, CannotHere};
use crate::engine::guest::GuestIdentity;
use crate::engine::{EngineError, Guest};
use crate::images::{GuestImage, ImageFault, ImageRequest, WantedImage, is_standard_input};
use crate::model::{FileId, GuestName, ImageForm, PlannedGuest};
use crate::rules::root::{HEAD, no_directory};
use crate::scan::MountedImage;
use crate::sys::SysError;
use crate::sys::guest::GuestFiles;
use crate::sys::own::papers;

/// What a plan calls standard input.
const STANDARD_INPUT: &str = "/dev/stdin";

/// An image that is open, and was not read yet.
#[derive(Debug)]
pub(in crate::engine) struct OpenImage {
    pub identity: GuestIdentity,
    pub files: Box<dyn GuestFiles>,
}

/// Opens images, and numbers them in the order of their names.
pub(in crate::engine) fn open_images(args: &[ImageArg]) -> Result<Vec<OpenImage>, EngineError> {
    let mut args: Vec<&ImageArg> = args.iter().collect();
    args.sort_by(|a, b| a.name.cmp(&b.name));
    let numbered = (0u32..).zip(args);
    let open = |(number, arg): (u32, &ImageArg)| {
        let (id, files) = open_one(&arg.path, &arg.request, number)?;
        let path = match is_standard_input(&arg.path) {
            true => STANDARD_INPUT.into(),
            false => arg.path.clone(),
        };
        let identity = GuestIdentity {
            name: arg.name.clone(),
            path,
            id,
        };
        Ok(OpenImage { identity, files })
    };
    numbered.map(open).collect()
}

fn open_one(
    path: &Path,
    request: &ImageRequest,
    number: u32,
) -> Result<(FileId, Box<dyn GuestFiles>), EngineError> {
    if request.form == Some(ImageForm::MountedImage) {
        let mounted = mounted(path)?;
        return Ok((mounted.id(), Box::new(mounted)));
    }
    let image = GuestImage::open(path, request.clone(), number)?;
    Ok((image.id(), Box::new(image)))
}

/// Mounts an image where nobody else sees it. Until this process has given up root's rights it may.
fn mounted(path: &Path) -> Result<MountedImage, EngineError> {
    let head = papers::first_bytes(path, HEAD)?;
    let found = no_directory(Some(&head));
    let Some(kind) = found.file_system else {
        return Err(BadUse::NotADirectory {
            given: path.to_owned(),
            what: found.what,
            remedy: found.remedy,
        }
        .into());
    };
    let mounted = MountedImage::of(path, &kind);
    mounted.map_err(|why| {
        CannotHere::CannotMount {
            image: path.to_owned(),
            what: found.what,
            why: why.to_string(),
            remedy: found.remedy,
        }
        .into()
    })
}

/// The files of a guest of a plan, where the plan saw them.
pub(in crate::engine) fn open_planned(
    planned: &PlannedGuest,
) -> Result<Box<dyn GuestFiles>, EngineError> {
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
        digests: &[],
    };
    // The number keeps images apart within a plan.
    let number = u32::try_from(planned.dev & u64::from(u32::MAX)).unwrap_or(0);
    Ok(open_one(&planned.root, &request, number)?.1)
}

/// The error of an image, where it is one of the choice and not of what is in it.
pub(in crate::engine) fn image_error(name: &GuestName, error: SysError) -> EngineError {
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
        Some(fault) => EngineError::BadImage {
            guest: name.clone(),
            is_ambiguous: fault.is_ambiguous(),
            error,
        },
        None => error.into(),
    }
}
