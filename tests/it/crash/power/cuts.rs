//! The moments of a recording at which the power goes.

use super::medium::{Image, Recording, Write};

/// How many power cuts of a recording are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Flushes, spread evenly.
    pub flushes: usize,
    /// Between each of these and the next.
    pub subsets: usize,
}

impl Amount {
    /// Some, or with `UNIFY_LONG=1` all.
    pub fn asked() -> Amount {
        if crate::support::is_long() {
            Amount {
                flushes: usize::MAX,
                subsets: 20,
            }
        } else {
            Amount {
                flushes: 15,
                subsets: 1,
            }
        }
    }
}

/// A disk as a power cut leaves it.
#[derive(Debug, Clone)]
pub struct Cut {
    /// What went before, for people: step, flush, subset.
    pub name: String,
    /// Is it that of a flush exactly?
    pub at_flush: bool,
    /// So many flushes came before.
    pub flushes: usize,
    pub image: Image,
}

/// Every power cut that is asked for, in order of time: the disk at a flush, then disks on which of all that was
/// written after that flush any part was kept. Each is made when it is its turn.
pub fn cuts(recording: &Recording, amount: Amount, seed: u64) -> impl Iterator<Item = Cut> {
    let all = recording.intervals.len();
    let some = amount.flushes.min(all);
    let taken = move |n: usize| n * some / all.max(1);
    let mut random = Random(seed);
    let mut image = recording.base.clone();
    let flushes = recording
        .intervals
        .iter()
        .enumerate()
        .map(move |(n, interval)| {
            for write in &interval.writes {
                image.apply(write);
            }
            (n + 1, interval, image.clone())
        });
    let chosen = flushes.filter(move |(n, ..)| taken(*n) > taken(n - 1));
    chosen.flat_map(move |(n, interval, image)| {
        let next = recording.intervals.get(n);
        let subsets = next.map_or(0, |_| amount.subsets);
        let first = Cut {
            name: format!("{} flush {n} of {all}", interval.step),
            at_flush: true,
            flushes: n,
            image: image.clone(),
        };
        let mut cuts = vec![first];
        for (subset, next) in (1..=subsets).zip(std::iter::repeat(next).flatten()) {
            cuts.push(Cut {
                name: format!("{} flush {n} of {all} subset {subset}", next.step),
                at_flush: false,
                flushes: n,
                image: with_some(image.clone(), &next.writes, &mut random),
            });
        }
        cuts
    })
}

/// Few, half or most of the writes.
fn with_some(mut image: Image, writes: &[Write], random: &mut Random) -> Image {
    let eighths = [1, 4, 7][random.below(3)];
    for write in writes {
        if random.below(8) < eighths {
            image.apply(write);
        }
    }
    image
}

/// Numbers that repeat with their seed: SplitMix64 of Steele, Lea and Flood, 2014.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}
