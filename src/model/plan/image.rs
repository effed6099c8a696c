//! What a plan says of a guest that is an image.

use serde::{Deserialize, Serialize};

/// Where the files of a guest were read, if that is no directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFacts {
    /// Its form.
    pub form: ImageForm,
    /// Its name among several images.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The digest of its manifest, or of its configuration where it has no manifest.
    #[serde(
        rename = "image_digest",
        skip_serializing_if = "Option::is_none",
        default
    )]
    pub digest: Option<String>,
    /// What nothing in it says, so that files are not compared by it with those of other forms.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lacks: Vec<ImageLack>,
    /// Paths that stand in it twice; the last one counts.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub twice: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The forms of images that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageForm {
    /// An archive of a root.
    Tar,
    /// An OCI image layout in a directory.
    OciLayout,
    /// The same in an archive.
    OciArchive,
    /// What `docker save` writes.
    DockerArchive,
    /// An image of Incus or LXD: a root beneath `rootfs/`.
    IncusArchive,
    /// A file system, mounted read-only for us alone.
    MountedImage,
}

/// What an image may not say of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageLack {
    /// Times between two seconds.
    Nanoseconds,
    /// Extended attributes, access control lists and labels.
    Attributes,
}

impl ImageForm {
    /// As a part of a sentence, with its article.
    pub fn word(self) -> &'static str {
        match self {
            ImageForm::Tar => "a tar archive",
            ImageForm::OciLayout => "an OCI image layout",
            ImageForm::OciArchive => "an OCI image archive",
            ImageForm::DockerArchive => "an archive of docker save",
            ImageForm::IncusArchive => "an Incus image",
            ImageForm::MountedImage => "a file system in a file",
        }
    }
}
