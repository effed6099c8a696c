//! Real files with flipped, removed, repeated and exchanged bytes: parsers answer or refuse, always and soon.

use std::time::Duration;

use super::*;
use crate::packages::dpkg::{conffiles, diversions, statoverride};
use crate::packages::formats::record;
use crate::sys::effort::{computed, stride};

/// A small generator with a fixed seed (xorshift64): a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    fn damage(&mut self, data: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let (a, b) = (self.below(data.len()), self.below(data.len()));
            let (from, to) = (a.min(b), a.max(b));
            let special = b"\0\n \t\r:-/\x1a\xff"[self.below(10)];
            match self.below(6) {
                _ if data.is_empty() => data.push(special),
                0 => data[from] ^= 1 << self.below(8),
                1 => data[from] = special,
                2 => data.insert(from, special),
                3 => drop(data.drain(from..to.min(from + 40))),
                4 => data.truncate(to.max(data.len() / 2)),
                _ => data.extend_from_within(from..to.min(from + 400)),
            }
        }
    }
}

/// Parses as every kind of file; the paths that come out must be paths, faults must lie in the file.
fn check(data: &[u8]) {
    let sound = |path: &[u8]| path.starts_with(b"/") && path.len() <= 4_095 && !path.contains(&0);
    let within = |fault: Fault| assert!(fault.at <= data.len());
    match record::records(data).collect::<Result<Vec<_>, _>>() {
        Ok(all) => assert!(all.iter().flat_map(|r| &r.conffiles).all(|p| sound(p))),
        Err(fault) => within(fault),
    }
    match diversions::diversions(data) {
        Ok(all) => assert!(all.iter().all(|d| sound(&d.from) && sound(&d.to))),
        Err(fault) => within(fault),
    }
    for paths in [
        statoverride::statoverrides(data),
        conffiles::info_file(data),
    ] {
        match paths {
            Ok(all) => assert!(all.iter().all(|p| sound(p))),
            Err(fault) => within(fault),
        }
    }
}

const SAMPLE: &str = "Package: x\nStatus: install ok installed\nArchitecture: amd64\nConffiles:\n \
    /etc/a 00000000000000000000000000000000 obsolete\nDescription: x\n y\n\nPackage: y\n";

#[test]
fn damaged_files_are_answered() {
    let mut samples = vec![SAMPLE.as_bytes().to_vec()];
    if let Some(root) = Root::by_dpkg() {
        for file in [
            "dpkg/status",
            "dpkg/diversions",
            "dpkg/statoverride",
            "dpkg/updates/0000",
            "dpkg/info/harbor.conffiles",
        ] {
            samples.push(fs::read(root.path.join("var/lib").join(file)).unwrap());
        }
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..20_000 {
        let mut data = samples[round % samples.len()].clone();
        dice.damage(&mut data);
        check(&data);
    }
}

#[test]
fn a_damaged_guest_is_answered() {
    let Some(root) = Root::by_dpkg() else { return };
    let mut dice = Dice(42);
    let files = [
        "dpkg/status",
        "dpkg/diversions",
        "ucf/hashfile",
        "ucf/registry",
    ];
    let whole: Vec<_> = files
        .map(|f| fs::read(root.path.join("var/lib").join(f)).unwrap())
        .into();
    let mut damaged = 0;
    let rounds = 2_000 / stride(10);
    for round in 0..rounds {
        let (file, good) = (files[round % 4], &whole[round % 4]);
        let mut data = good.clone();
        dice.damage(&mut data);
        root.put(&format!("var/lib/{file}"), &data);
        let answer = root.ask();
        let bad = |d: &Database| d.state == DatabaseState::Damaged;
        damaged += usize::from(answer.databases.iter().any(bad));
        root.put(&format!("var/lib/{file}"), good);
    }
    assert!(
        damaged > rounds / 10,
        "only {damaged} of {rounds} were noticed"
    );
    assert!(root.ask().databases.iter().all(|d| d.problem.is_none()));
}

#[test]
fn time_grows_with_the_file_only() {
    let before = computed();
    for pattern in [
        "\n",
        " \n",
        "a",
        "a:\n",
        ":",
        "P:\n ",
        "Package: x\n\n",
        "/a\n",
        "a ",
        " /a 0\n",
        "0 0 0 /\n",
        "- - /x\n",
    ] {
        let body = pattern.repeat((16 << 20) / pattern.len() / stride(16));
        check(body.as_bytes());
        check(format!("Package: x\nConffiles:\n{body}\n").as_bytes());
    }
    let took = computed() - before;
    assert!(took < Duration::from_secs(60), "{took:?}");
}
