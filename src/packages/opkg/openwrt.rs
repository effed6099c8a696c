//! What OpenWrt keeps over an upgrade, whichever of its package managers it has.
//!
//! | file | says |
//! | --- | --- |
//! | `/lib/upgrade/keep.d/*`, `/etc/sysupgrade.conf` | paths, directories and patterns, one a line |
//! | `/lib/apk/packages/NAME.conffiles`, `NAME.conffiles_static` | config files, one a line; the second with a digest |

use std::sync::Arc;

use crate::packages::answer::gathering::Gathering;
use crate::packages::formats::lines::{trim_end, trim_start};
use crate::packages::formats::name::plain_word;
use crate::packages::read::fault::{Defect, Problem};
use crate::packages::read::limits;
use crate::packages::read::source::Source;
use crate::packages::read::steady::below;
use crate::sys::guest::shown;

const KEEP: &[u8] = b"lib/upgrade/keep.d";
const OWN: &[u8] = b"etc/sysupgrade.conf";
const CONFFILES: &[u8] = b"lib/apk/packages";

/// Patterns of what is kept.
pub fn kept(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let mut files = vec![OWN.to_vec()];
    let names = source.names(KEEP, limits::PROTECTED_PREFIXES)?;
    files.extend(names.iter().map(|name| below(KEEP, name)));
    let mut all = Vec::new();
    for file in files {
        let text = source.text(&file)?.unwrap_or_default();
        let lines = text
            .split(|&b| b == b'\n')
            .map(|line| trim_end(trim_start(line)));
        let paths = lines.filter(|line| line.starts_with(b"/") && line.len() > 1);
        all.extend(paths.map(<[u8]>::to_vec));
        if all.len() > limits::PROTECTED_PREFIXES {
            return Err(too_many(&file));
        }
    }
    Ok(all)
}

/// Config files of packages that apk has installed.
pub fn conffiles(source: &Source<'_>, gathering: &mut Gathering) -> Result<(), Problem> {
    for name in source.names(CONFFILES, limits::ENTRIES)? {
        let plain = name.strip_suffix(b".conffiles");
        let Some(owner) = plain.or_else(|| name.strip_suffix(b".conffiles_static")) else {
            continue;
        };
        let file = below(CONFFILES, &name);
        let owner = plain_word(owner);
        let text = source.text(&file)?.unwrap_or_default();
        let added = add(&text, owner.as_ref(), plain.is_none(), gathering);
        added.map_err(|what| Problem::malformed(&file, what.at(0)))?;
    }
    Ok(())
}

fn add(
    text: &[u8],
    owner: Option<&Arc<str>>,
    has_digest: bool,
    gathering: &mut Gathering,
) -> Result<(), Defect> {
    for line in text.split(|&b| b == b'\n').map(trim_end) {
        let digest = line.iter().rposition(|&b| b == b' ' && has_digest);
        let path = line.get(..digest.unwrap_or(line.len())).unwrap_or_default();
        if path.starts_with(b"/") {
            gathering.config_file(path, owner)?;
        }
    }
    Ok(())
}

/// More patterns than any real system has.
pub fn too_many(file: &[u8]) -> Problem {
    Problem::TooMany {
        file: shown(file),
        max: limits::PROTECTED_PREFIXES,
        what: "protected paths",
    }
}
