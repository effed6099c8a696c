//! The map of a sparse file: where its bytes are, and holes everywhere else.

use tar_core::SparseEntry;

use crate::images::fault::BadEntry;

/// A stretch of bytes in a file with holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredStretch {
    pub offset: u64,
    pub length: u64,
}

/// Checks that the stretches rise, lie within the file, and are all that is stored of it.
pub(super) fn checked(
    map: &[SparseEntry],
    real: u64,
    stored: u64,
) -> Result<Vec<StoredStretch>, BadEntry> {
    let (mut at, mut sum) = (0u64, 0u64);
    for entry in map {
        let end = entry.offset.checked_add(entry.length);
        let end = end.filter(|end| *end <= real);
        let end = end.ok_or(BadEntry::Sparse("it leads past the end of the file"))?;
        if entry.offset < at {
            return Err(BadEntry::Sparse("its parts overlap or fall"));
        }
        at = end;
        sum += entry.length;
    }
    if sum != stored {
        return Err(BadEntry::Sparse(
            "it is not about as many bytes as are there",
        ));
    }
    if i64::try_from(real).is_err() {
        return Err(BadEntry::Sparse("no file can be so long"));
    }
    let stretch = |entry: &SparseEntry| StoredStretch {
        offset: entry.offset,
        length: entry.length,
    };
    let all = map.iter().map(stretch);
    Ok(all.filter(|one| one.length > 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_about_all_bytes_in_their_order() {
        let map = |all: &[(u64, u64)]| -> Vec<SparseEntry> {
            let one = |(offset, length): &(u64, u64)| SparseEntry {
                offset: *offset,
                length: *length,
            };
            all.iter().map(one).collect()
        };
        let is_good = |all: &[(u64, u64)], real, stored| checked(&map(all), real, stored).is_ok();
        assert!(is_good(&[(0, 5), (10, 5), (20, 0)], 20, 10));
        assert!(is_good(&[], 20, 0));
        assert!(!is_good(&[(10, 5), (0, 5)], 20, 10), "falls");
        assert!(!is_good(&[(0, 5), (4, 5)], 20, 10), "overlaps");
        assert!(!is_good(&[(16, 5)], 20, 5), "past the end");
        assert!(!is_good(&[(0, 5)], 20, 6), "more is stored");
        assert!(!is_good(&[(u64::MAX, 5)], u64::MAX, 5), "overflows");
    }
}
