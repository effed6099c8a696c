//! The recorded disk loses what was not flushed, and nothing else: else the other tests would prove nothing.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Scene;
use super::cuts::{Amount, Cut, cuts};
use super::medium::{PIECE, Write, pieces};
use super::rig::Kind;
use crate::support::BIN;

/// Every power cut.
const ALL: Amount = Amount {
    flushes: usize::MAX,
    subsets: 2,
};

#[test]
fn a_flush_comes_after_what_was_written_before_it() {
    let rig = rig!(Kind::Ext4);
    let device = std::fs::File::options().write(true).open(rig.device());
    let device = device.unwrap();
    rig.record();
    for round in 1..=3_u8 {
        let bytes = [round; 2 * PIECE];
        device.write_all_at(&bytes, 8 * PIECE as u64).unwrap();
        device.sync_all().unwrap();
    }
    let recording = rig.recorded();
    let written = |round: u8| pieces(8 * PIECE as u64, &[round; 2 * PIECE]).collect::<Vec<_>>();
    let writes: Vec<&Vec<Write>> = recording.intervals.iter().map(|i| &i.writes).collect();
    assert_eq!(writes, [&written(1), &written(2), &written(3)]);
}

/// The classic mistake: a new file takes the place of an old one, and its content is not on the disk yet.
#[test]
fn a_rename_without_a_sync_is_seen_to_lose_data() {
    let rig = rig!(Kind::Ext4);
    rig.mount();
    let old = rig.top().join("old");
    std::fs::write(&old, "old content").unwrap();
    rig.unmount();
    for (synced, keeps) in [(true, true), (false, false)] {
        rig.record();
        // ext4 forgives this mistake unless it is told not to.
        rig.mount_with("noauto_da_alloc");
        replace(&rig.top(), synced);
        let recording = rig.recorded();
        rig.unmount();
        let whole = |cut: Cut| {
            rig.load(&cut.image);
            rig.mount();
            let content = std::fs::read(&old).unwrap();
            rig.unmount();
            matches!(&content[..], b"old content" | b"new content")
        };
        let kept: Vec<bool> = cuts(&recording, ALL, 1).map(whole).collect();
        assert_eq!(!kept.contains(&false), keeps, "synced: {synced}");
        rig.load(&recording.base);
    }
}

/// Puts a new file in the place of `old`, and makes the new name durable.
fn replace(dir: &Path, sync: bool) {
    let new = dir.join("new");
    std::fs::write(&new, "new content").unwrap();
    if sync {
        std::fs::File::open(&new).unwrap().sync_all().unwrap();
    }
    std::fs::rename(&new, dir.join("old")).unwrap();
    std::fs::File::open(dir).unwrap().sync_all().unwrap();
}

/// The same mistake by the program itself, where each of its syncs says "done" and does nothing. Setting the flag
/// would make ext4 write the object out, so there is none.
#[test]
fn an_apply_without_its_syncs_is_seen_to_lose_data() {
    traced!();
    let rig = rig!(Kind::Ext4);
    let scene = Scene::new(&rig);
    let [a, b, _] = &scene.guests;
    rig.record();
    rig.mount();
    let options = [
        "--objects",
        "copy",
        "--protect",
        "none",
        "--protect",
        "none",
    ];
    let plan = scene.lab.plan(&[a, b], &options);
    let mut apply = Command::new("strace");
    let inject = "inject=syncfs,fsync,fdatasync:retval=0";
    apply.args(["-f", "-o", "/dev/null", "-e", inject]);
    apply
        .args([BIN, "apply", "--yes"])
        .arg(&plan.path)
        .stdout(Stdio::null());
    assert!(apply.status().unwrap().success());
    std::fs::File::open(rig.top()).unwrap().sync_all().unwrap();
    let recording = rig.recorded();
    rig.unmount();
    let whole = |cut: Cut| {
        rig.load(&cut.image);
        rig.mount();
        let whole = scene.differences().is_empty();
        rig.unmount();
        whole
    };
    let kept: Vec<bool> = cuts(&recording, ALL, 1).map(whole).collect();
    assert!(kept.contains(&false), "{} cuts, nothing lost", kept.len());
}
