//! Plans that chance has changed, the same for the same seed.

use std::collections::BTreeMap;
use std::ops::Range;

/// SplitMix64: enough chance for a test, and the same everywhere.
pub struct Dice(u64);

impl Dice {
    /// The dice of one plan.
    pub fn new(seed: u64, plan: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ plan.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`; 0 where there is nothing to choose.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What makes parsers and file systems stumble.
const WORDS: &[&str] = &[
    "",
    "/",
    "..",
    "/..",
    "/usr/../etc",
    ".",
    "//",
    "\\u0000",
    "link",
    "skip",
    "flag",
    "adopt",
    "copy",
    "hardlink",
    "none",
    "mtime",
    "immutable",
    "/etc/passwd",
    "/usr/out/a",
    "/usr/link",
    "/usr/own",
    "/usr/two.more",
    "/proc/self/root",
    "\\ud800",
    "\\u001b[31m",
    "sha256:",
    "-1",
    "0.000000000",
    "..//..",
];

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "2",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "0.5",
    "-0",
    "null",
    "true",
    "[]",
    "{}",
    "\"1\"",
];

/// The plan with one to four changes, and what they were.
pub fn mutated(plan: &str, dice: &mut Dice) -> (Vec<u8>, String) {
    let mut bytes = plan.as_bytes().to_vec();
    let mut what = Vec::new();
    // Half of them one change, which leaves the rest of the plan in force.
    for _ in 0..=dice.below(8).saturating_sub(4) {
        what.push(match dice.below(13) {
            0 => flip(&mut bytes, dice),
            1 => overwrite(&mut bytes, dice),
            2 => cut(&mut bytes, dice),
            3 => double(&mut bytes, dice),
            4 => lines(&mut bytes, dice),
            5 | 6 => string(&mut bytes, dice),
            7..=11 => other_string(&mut bytes, dice),
            _ => number(&mut bytes, dice),
        });
    }
    (bytes, what.join(", "))
}

fn flip(bytes: &mut [u8], dice: &mut Dice) -> String {
    let (at, bit) = (dice.below(bytes.len()), dice.below(8));
    bytes
        .iter_mut()
        .skip(at)
        .take(1)
        .for_each(|byte| *byte ^= 1 << bit);
    format!("bit {bit} of byte {at}")
}

fn overwrite(bytes: &mut [u8], dice: &mut Dice) -> String {
    let (at, new) = (dice.below(bytes.len()), dice.below(256) as u8);
    bytes
        .iter_mut()
        .skip(at)
        .take(1)
        .for_each(|byte| *byte = new);
    format!("byte {at} is {new}")
}

fn span(bytes: &[u8], dice: &mut Dice) -> Range<usize> {
    let at = dice.below(bytes.len());
    let length = 1 << dice.below(9);
    at..(at + length).min(bytes.len())
}

fn cut(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let span = span(bytes, dice);
    bytes.drain(span.clone());
    format!("without bytes {span:?}")
}

fn double(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let span = span(bytes, dice);
    let twice = bytes[span.clone()].to_vec();
    bytes.splice(span.start..span.start, twice);
    format!("twice the bytes {span:?}")
}

/// Removes, doubles or exchanges whole lines.
fn lines(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let mut lines: Vec<Vec<u8>> = bytes.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    let (a, b) = (dice.below(lines.len()), dice.below(lines.len()));
    let what = match dice.below(3) {
        0 => {
            lines.remove(a);
            format!("without line {a}")
        }
        1 => {
            let twice = lines[a].clone();
            lines.insert(b, twice);
            format!("line {a} again at {b}")
        }
        _ => {
            lines.swap(a, b);
            format!("lines {a} and {b} swapped")
        }
    };
    *bytes = lines.join(&b'\n');
    what
}

/// The places of all strings that are no keys, without their quotes.
fn strings(bytes: &[u8]) -> Vec<Range<usize>> {
    let quotes = bytes.iter().enumerate().filter(|(_, b)| **b == b'"');
    let quotes: Vec<usize> = quotes.map(|(at, _)| at).collect();
    let strings = quotes.chunks_exact(2).map(|pair| pair[0] + 1..pair[1]);
    strings
        .filter(|at| bytes.get(at.end + 1) != Some(&b':'))
        .collect()
}

fn string(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let strings = strings(bytes);
    if strings.is_empty() {
        return "nothing".into();
    }
    let (at, word) = (dice.one(&strings).clone(), *dice.one(WORDS));
    bytes.splice(at.clone(), word.bytes());
    format!("{word:?} at {at:?}")
}

/// One string of the plan in the place of another, mostly one of its length: an object for an object, a time for
/// a time. This is the lie that fits best.
fn other_string(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let strings = strings(bytes);
    let mut alike: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
    for at in &strings {
        alike.entry(at.len()).or_default().push(at.clone());
    }
    let kinds: Vec<_> = alike.into_values().collect();
    if kinds.is_empty() {
        return "nothing".into();
    }
    let kind = dice.one(&kinds);
    let at = dice.one(kind).clone();
    let from = if dice.below(4) > 0 { kind } else { &strings };
    let from = dice.one(from).clone();
    let text = bytes[from.clone()].to_vec();
    bytes.splice(at.clone(), text);
    format!("the string {from:?} at {at:?}")
}

fn number(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let starts: Vec<usize> = (1..bytes.len())
        .filter(|&at| bytes[at - 1] == b':' && bytes[at].is_ascii_digit())
        .collect();
    if starts.is_empty() {
        return "nothing".into();
    }
    let (at, new) = (*dice.one(&starts), *dice.one(NUMBERS));
    let length = bytes[at..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    bytes.splice(at..at + length, new.bytes());
    format!("{new} at {at}")
}
