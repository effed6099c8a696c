//! Words of a command that a person may copy.

use std::path::Path;

use crate::model::is_harmless;

/// A path as a shell takes it; `BASE` where it cannot be printed.
pub fn shell_word(path: &Path) -> String {
    let Some(text) = path.to_str().filter(|text| is_harmless(text)) else {
        return "BASE".into();
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
