//! Lists of patterns, read from files.

use std::path::Path;

use super::EngineError;
use crate::model::Pattern;
use crate::rules::pattern::parse_list;
use crate::sys::{SysError, papers};

/// The patterns of a list in the original's syntax. A list that cannot be read is an error: an empty one would share more.
pub fn read_patterns(path: &Path) -> Result<Vec<Pattern>, EngineError> {
    let missing = || {
        SysError::new(
            "read",
            path,
            std::io::Error::from(std::io::ErrorKind::NotFound),
        )
    };
    let text = papers::read_small(path)?.ok_or_else(missing)?;
    Ok(parse_list(&text, &path.to_string_lossy())?)
}
