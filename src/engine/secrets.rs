//! Keys and identities that several guests have in common: a security hole in the fleet that the scan sees anyway.
//!
//! Only files that care rules keep private are looked at, and only the fact that they are equal is told: never
//! their content, nor a digest of it.

use std::collections::BTreeMap;

use super::classify::Classified;
use super::survey::Survey;
use crate::model::{Digest, SameSecret};

/// Longer ones are no keys.
const LONGEST: u64 = 64 << 10;

/// Files of several guests that must not be equal and are.
pub(super) fn same_secrets(surveys: &[Survey], classified: &[Classified]) -> Vec<SameSecret> {
    let mut known: BTreeMap<[u8; 32], Vec<(usize, usize)>> = BTreeMap::new();
    for (guest, (survey, judged)) in surveys.iter().zip(classified).enumerate() {
        for file in &judged.secrets {
            if let Some(Digest(content)) = content(survey, *file) {
                known.entry(content).or_default().push((guest, *file));
            }
        }
    }
    let several = known.into_values().filter(|files| {
        let first = files.first().map(|(guest, _)| *guest);
        files.iter().any(|(guest, _)| Some(*guest) != first)
    });
    let mut all: Vec<SameSecret> = several
        .map(|files| SameSecret {
            files: files
                .into_iter()
                .map(|(guest, file)| surveys[guest].shown(file))
                .collect(),
        })
        .collect();
    all.sort_by(|a, b| a.files.cmp(&b.files));
    all
}

/// `None` for what is empty, too long, or says that it is none yet.
fn content(survey: &Survey, file: usize) -> Option<Digest> {
    let tree = &survey.scan.tree;
    let size = tree.size(file);
    if size == 0 || size > LONGEST {
        return None;
    }
    let path = tree.path(tree.names_of(file).next()?);
    let (open, _) = survey.view.open_regular(path.get(1..)?).ok()??;
    let text = open.beginning(size, usize::try_from(size).ok()?).ok()?;
    // systemd's word for "none yet", machine-id(5).
    if text.trim_ascii() == b"uninitialized" {
        return None;
    }
    Some(crate::sys::hash::sha256(&text))
}
