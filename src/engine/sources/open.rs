//! Images that are opened: those that a person gives, and those that a plan names.

use std::path::Path;

use super::args::ImageArg;
use crate::engine::error::BadUse;
use crate::engine::guest::GuestIdentity;
use crate::engine::{EngineError, Guest};
use crate::images::{GuestImage, ImageFault, ImageRequest, WantedImage, is_standard_input};
use crate::model::{GuestName, ImageForm, PlannedGuest};
use crate::sys::guest::GuestFiles;
use crate::sys::{SysError, SysResult};

/// What a plan calls standard input.
const STANDARD_INPUT: &str = "/dev/stdin";

/// An image that is open, and was not read yet.
#[derive(Debug)]
pub(in crate::engine) struct OpenImage {
    pub identity: GuestIdentity,
    pub files: GuestImage,
}

/// Opens images, and numbers them in the order of their names.
pub(in crate::engine) fn open_images(args: &[ImageArg]) -> Result<Vec<OpenImage>, EngineError> {
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
    };
    // The number keeps images apart within a plan.
    let number = u32::try_from(planned.dev & u64::from(u32::MAX)).unwrap_or(0);
    let opened: SysResult<GuestImage> = GuestImage::open(&planned.root, request, number);
    Ok(Box::new(opened?))
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
        _ => error.into(),
    }
}
