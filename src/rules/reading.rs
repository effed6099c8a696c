//! How guests are read: how many threads work, how many of them read content, and in which order.

/// What is known of the disk that holds the guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It has a head, which can be in one place only.
    Rotating,
    /// It has none, or it is not known.
    Other,
}

/// The order in which files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOrder {
    /// By inode number: near to the place on disk, and known without asking.
    Inodes,
    /// By the place of the first byte: each file is opened once more to ask for it.
    Places,
}

/// How guests are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Threads that walk, judge and make lines.
    pub workers: usize,
    /// Threads that read content.
    pub readers: usize,
    /// The order of what they read.
    pub order: ReadOrder,
    /// Files that one of them holds open in parallel.
    pub abreast: usize,
}

/// What the machine gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The disk that holds the guests.
    pub disk: Disk,
    /// Cores that may be used.
    pub cores: usize,
    /// Files that may be open.
    pub descriptors: usize,
}

/// So many files at a time give a disk enough to do.
const ABREAST: usize = 64;

/// Files that are open besides those that are read.
const OTHERS: usize = 64;

impl Reading {
    /// How guests are read when so many threads are allowed. Two readers would make the head of a rotating disk
    /// seek.
    pub fn of(machine: Machine, jobs: Option<usize>) -> Reading {
        let workers = jobs.unwrap_or(machine.cores).max(1);
        let (readers, order) = match machine.disk {
            Disk::Rotating => (1, ReadOrder::Places),
            Disk::Other => (workers, ReadOrder::Inodes),
        };
        Reading {
            workers,
            readers,
            order,
            // A walk holds descriptors, too, but it is over before content is read.
            abreast: (machine.descriptors.saturating_sub(OTHERS) / readers).clamp(1, ABREAST),
        }
    }
}

/// Bytes of a page, as most machines have them.
const PAGE: u64 = 4096;

/// Larger files do not stay in the page cache in any case.
const LARGE: u64 = 1 << 20;

/// Can the small ones of files of these sizes be in the page cache all at once, with so many bytes of memory?
/// Half of it is the host's. Holes count: reading brings them, too.
pub fn fits_in_memory(sizes: impl Iterator<Item = u64>, memory: u64) -> bool {
    let small = sizes.filter(|size| *size < LARGE);
    let pages = small.map(|size| size.div_ceil(PAGE));
    pages.fold(0, u64::saturating_add) <= memory / 2 / PAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(disk: Disk, descriptors: usize) -> Machine {
        Machine {
            disk,
            cores: 8,
            descriptors,
        }
    }

    #[test]
    fn no_more_files_are_open_than_may_be() {
        let abreast = |descriptors, jobs| {
            let reading = Reading::of(machine(Disk::Other, descriptors), Some(jobs));
            assert!(descriptors < 128 || reading.readers * reading.abreast < descriptors);
            reading.abreast
        };
        assert_eq!(
            [1, 8, 32, 500].map(|jobs| abreast(1024, jobs)),
            [64, 64, 30, 1]
        );
        assert_eq!([abreast(20, 8), abreast(128, 2)], [1, 32]);
        let one = Reading::of(machine(Disk::Rotating, 128), Some(8));
        assert_eq!(one.abreast, 64);
    }

    fn reading(disk: Disk, jobs: Option<usize>) -> (usize, usize, ReadOrder) {
        let reading = Reading::of(machine(disk, 1024), jobs);
        (reading.workers, reading.readers, reading.order)
    }

    #[test]
    fn small_files_take_whole_pages() {
        let fits = |files, size| fits_in_memory(std::iter::repeat_n(size, files), 800 * PAGE);
        assert!(fits(400, 1) && fits(400, PAGE) && fits(200, PAGE + 1));
        assert!(!fits(401, 1) && !fits(201, PAGE + 1) && !fits(2, LARGE - 1));
        assert!(fits(0, 1) && fits(2, LARGE) && fits(2, u64::MAX));
    }

    #[test]
    fn all_cores_read_where_no_head_moves() {
        assert_eq!(reading(Disk::Other, None), (8, 8, ReadOrder::Inodes));
        assert_eq!(reading(Disk::Other, Some(3)), (3, 3, ReadOrder::Inodes));
        assert_eq!(reading(Disk::Other, Some(0)), (1, 1, ReadOrder::Inodes));
    }

    #[test]
    fn one_reads_where_one_does_whatever_is_allowed() {
        assert_eq!(reading(Disk::Rotating, None), (8, 1, ReadOrder::Places));
        assert_eq!(reading(Disk::Rotating, Some(3)), (3, 1, ReadOrder::Places));
        assert_eq!(reading(Disk::Rotating, Some(1)), (1, 1, ReadOrder::Places));
    }
}
