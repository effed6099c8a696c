//! How guests are read: how many threads work, how many of them read content, and in which order.

/// What is known of the disk that holds the guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It has a head, which can be in one place only.
    Rotating,
    /// It has none, or nobody knows.
    Other,
}

/// The order in which files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
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
    pub order: Order,
}

impl Reading {
    /// With so many threads allowed, on a machine with so many cores. Two readers would drag the head of a rotating
    /// disk to and fro.
    pub fn of(disk: Disk, jobs: Option<usize>, cores: usize) -> Reading {
        let workers = jobs.unwrap_or(cores).max(1);
        let (readers, order) = match disk {
            Disk::Rotating => (1, Order::Places),
            Disk::Other => (workers, Order::Inodes),
        };
        Reading {
            workers,
            readers,
            order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(disk: Disk, jobs: Option<usize>) -> (usize, usize, Order) {
        let reading = Reading::of(disk, jobs, 8);
        (reading.workers, reading.readers, reading.order)
    }

    #[test]
    fn all_cores_read_where_no_head_moves() {
        assert_eq!(reading(Disk::Other, None), (8, 8, Order::Inodes));
        assert_eq!(reading(Disk::Other, Some(3)), (3, 3, Order::Inodes));
        assert_eq!(reading(Disk::Other, Some(0)), (1, 1, Order::Inodes));
    }

    #[test]
    fn one_reads_where_one_does_whatever_is_allowed() {
        assert_eq!(reading(Disk::Rotating, None), (8, 1, Order::Places));
        assert_eq!(reading(Disk::Rotating, Some(3)), (3, 1, Order::Places));
        assert_eq!(reading(Disk::Rotating, Some(1)), (1, 1, Order::Places));
    }
}
