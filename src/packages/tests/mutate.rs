//! Bytes that are nearly right: mutations of real samples, the same ones in every run.

/// Calls `each` with `rounds` mutations of the samples: bits flipped, pieces cut out, repeated, and spliced in from
/// another sample.
pub(super) fn rounds(seed: u64, samples: &[&[u8]], rounds: usize, mut each: impl FnMut(&[u8])) {
    let mut random = Random(seed | 1);
    for _ in 0..rounds {
        let mut data = samples[random.below(samples.len())].to_vec();
        for _ in 0..=random.below(4) {
            let other = samples[random.below(samples.len())];
            mutate(&mut random, &mut data, other);
        }
        each(&data);
    }
}

fn mutate(random: &mut Random, data: &mut Vec<u8>, other: &[u8]) {
    let piece = random.range(data.len());
    match random.below(5) {
        0 if !data.is_empty() => {
            let at = random.below(data.len());
            data[at] ^= 1 << random.below(8);
        }
        1 => drop(data.drain(piece)),
        2 => {
            let again = data[piece.clone()].repeat(1 + random.below(3));
            data.splice(piece.end..piece.end, again);
        }
        3 => {
            let from = random.range(other.len());
            data.splice(piece, other[from].iter().copied());
        }
        _ => data.truncate(piece.end),
    }
}

/// xorshift64: good enough, and in no need of a crate.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    /// Some piece of so many bytes; mostly a short one.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        let longest = if self.below(4) == 0 { len } else { 16 };
        let end = start + self.below(longest + 1);
        start..end.min(len)
    }
}
