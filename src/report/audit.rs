//! What an audit says of itself: that nothing comes of it, and what a plan that can be applied would know besides.

use std::collections::BTreeMap;

use crate::model::PlannedGuest;

use super::layout::size::{count, counted};
use super::words::list::some;

/// The first line of a report about an audit.
pub(super) const ONLY: &str =
    "AUDIT ONLY: nothing can be applied from this, and nothing was changed.";

/// File systems that are listed, and guests of each that are named.
const FILE_SYSTEMS: usize = 10;
const GUESTS: usize = 4;

/// What only a base shows, and what follows for all numbers.
const NOT_TRIED: &str = "NOT TRIED: what a base shows: whether anything can be written there, how many names a file may have, which projects and flags hold; every sum is an upper bound";

/// What would be otherwise in a plan that can be applied.
pub(super) fn remarks(guests: &[PlannedGuest]) -> Vec<String> {
    let mut lines = file_systems(guests);
    lines.extend(images(guests));
    lines.extend(twice(guests));
    lines.push(NOT_TRIED.to_owned());
    lines
}

/// What is to be known of guests that are images.
fn images(guests: &[PlannedGuest]) -> Option<String> {
    let images = guests.iter().filter(|guest| guest.image.is_some());
    let names: Vec<String> = images.map(|guest| guest.name.to_string()).collect();
    (!names.is_empty()).then(|| {
        let names = some(&names, GUESTS);
        format!(
            "IMAGES: {names}: equal files are known by their SHA-256; their blocks are estimated"
        )
    })
}

/// Paths that stand twice in an image: whoever wrote it knows why.
fn twice(guests: &[PlannedGuest]) -> impl Iterator<Item = String> {
    let twice = |guest: &PlannedGuest| guest.image.as_ref().map_or(0, |image| image.twice);
    let found = guests.iter().filter(move |guest| twice(guest) > 0);
    found.map(move |guest| {
        let paths = counted(twice(guest), "path");
        format!(
            "TWICE: {}: {paths} with several entries in the image; the last one counts",
            guest.name
        )
    })
}

/// Which guests hard links cannot join as they lie now; an image lies nowhere.
fn file_systems(guests: &[PlannedGuest]) -> Vec<String> {
    let mut systems: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let lies = |guest: &&PlannedGuest| guest.left_out.is_none() && guest.image.is_none();
    for guest in guests.iter().filter(lies) {
        let names = systems.entry(guest.dev).or_default();
        names.push(guest.name.to_string());
    }
    if systems.len() < 2 {
        return Vec::new();
    }
    let mut systems: Vec<Vec<String>> = systems.into_values().collect();
    systems.sort();
    let named = |names: &Vec<String>| some(names, GUESTS);
    let first: Vec<String> = systems.iter().take(FILE_SYSTEMS).map(named).collect();
    let more = systems.len().saturating_sub(FILE_SYSTEMS) as u64;
    let more = match more {
        0 => String::new(),
        more => format!(", and {} more", count(more)),
    };
    vec![format!(
        "APART: hard links between {}{more} would need one file system, and these guests lie on {}",
        first.join(" and "),
        counted(systems.len() as u64, "file system")
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImageFacts, ImageForm};
    use crate::report::samples::{Sample, assert_tame};

    fn said(devices: &[u64]) -> Vec<String> {
        let guest = Sample::audit().guests[0].clone();
        let named = |(at, dev): (usize, &u64)| PlannedGuest {
            name: crate::report::samples::guest(&format!("g{at:02}")),
            dev: *dev,
            ..guest.clone()
        };
        let guests: Vec<PlannedGuest> = devices.iter().enumerate().map(named).collect();
        let lines = remarks(&guests);
        lines.iter().for_each(|line| assert_tame(line));
        lines
    }

    #[test]
    fn guests_that_lie_apart_are_named() {
        assert_eq!(said(&[7, 7]), [NOT_TRIED]);
        let want = "APART: hard links between g00, g02 and g01 would need one file system, and these guests lie on 2 file systems";
        assert_eq!(said(&[7, 3, 7])[0], want);
    }

    #[test]
    fn images_lie_nowhere() {
        let guest = Sample::audit().guests[0].clone();
        let image = |at: u64| PlannedGuest {
            dev: at,
            image: Some(ImageFacts {
                form: ImageForm::Tar,
                name: None,
                digest: None,
                lacks: Vec::new(),
                twice: at,
            }),
            ..guest.clone()
        };
        let lines = remarks(&[image(0), image(1), guest.clone()]);
        let name = guest.name.to_string();
        let want = [
            format!(
                "IMAGES: {name}, {name}: equal files are known by their SHA-256; their blocks are estimated"
            ),
            format!("TWICE: {name}: 1 path with several entries in the image; the last one counts"),
            NOT_TRIED.to_owned(),
        ];
        assert_eq!(lines, want);
    }

    #[test]
    fn many_are_counted() {
        let devices: Vec<u64> = (0..40).chain([0; 9]).collect();
        let line = &said(&devices)[0];
        let want = "APART: hard links between g00, g40, g41, g42 and 6 more and g01 and g02 ";
        assert!(line.starts_with(want), "{line}");
        assert!(line.ends_with("g09, and 30 more would need one file system, and these guests lie on 40 file systems"), "{line}");
    }
}
