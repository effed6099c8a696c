//! Paths of the host, which must be text to stand in a plan.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serializer, de, ser};

pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    let text = path
        .to_str()
        .ok_or_else(|| ser::Error::custom("path is not UTF-8"))?;
    serializer.serialize_str(text)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(deserializer)?;
    let plain =
        text.starts_with('/') && !text.contains('\0') && !text.split('/').any(|c| c == "..");
    if plain {
        Ok(text.into())
    } else {
        Err(de::Error::custom("expected an absolute path without `..`"))
    }
}
