//! `unify doctor`: each row is what another program finds, and nothing is left.

mod facts;
mod left;
mod places;

use std::path::Path;

use serde_json::Value;

use crate::support::{Disk, Lab, chattr, unify};

/// The answer about a directory.
#[track_caller]
fn asked(dir: &Path) -> Value {
    let out = unify(&["doctor", "--json", dir.to_str().unwrap()]);
    out.expect_one_of(&[0, 3, 8]).json()
}

/// The verdict on one row of the first directory, or of the host.
#[track_caller]
fn verdict<'a>(answer: &'a Value, ability: &str) -> &'a str {
    let place = answer["places"][0]["tried"].as_array().unwrap();
    let mut rows = place.iter().chain(answer["this_host"].as_array().unwrap());
    let row = rows.find(|row| row["ability"] == ability);
    row.unwrap_or_else(|| panic!("{ability}"))["verdict"]
        .as_str()
        .unwrap()
}

/// Every row that another program can judge.
#[track_caller]
fn compare(dir: &Path) -> Value {
    let answer = asked(dir);
    let rows = answer["places"][0]["tried"].as_array().unwrap();
    let mut judged = 0;
    for row in rows {
        let ability = row["ability"].as_str().unwrap();
        let Some(works) = facts::works(ability, dir) else {
            continue;
        };
        judged += 1;
        let wanted = if works { "yes" } else { "no" };
        assert_eq!(row["verdict"], wanted, "{dir:?}: {row}");
    }
    assert!(judged > 10, "{judged}");
    let left: Vec<_> = std::fs::read_dir(dir).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    answer
}

fn on(lab: &Lab) -> Value {
    compare(&lab.guests())
}

#[test]
fn ext4_is_as_others_find_it() {
    let answer = on(&memory_lab!(Disk::Ext4));
    assert_eq!(verdict(&answer, "older-writers"), "yes");
    assert_eq!(verdict(&answer, "project-ids"), "no");
    let advice = answer["places"][0]["tried"].to_string();
    assert!(advice.contains("tune2fs -O project,quota"), "{advice}");
    assert_eq!(answer["places"][0]["methods"][0]["verdict"], "yes");
}

#[test]
fn ext4_with_projects_and_folded_case_is_as_others_find_it() {
    let lab = Lab::formatted("ext4", &["-O", "project,quota,casefold"], "loop,prjquota");
    let lab = match lab {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    assert_eq!(verdict(&on(&lab), "project-ids"), "yes");
    let folded = lab.guests().join("folded");
    std::fs::create_dir(&folded).unwrap();
    chattr("+F", &folded);
    let inner = folded.join("inner");
    std::fs::create_dir(&inner).unwrap();
    assert_eq!(verdict(&compare(&inner), "case-sensitive"), "no");
}

#[test]
fn xfs_is_as_others_find_it() {
    let answer = on(&memory_lab!(Disk::Xfs));
    assert_eq!(verdict(&answer, "older-writers"), "no");
    assert_eq!(verdict(&answer, "reflink"), "yes");
    let protections = answer["places"][0]["protections"].as_array().unwrap();
    let mut flag = protections.iter().filter(|one| one["mode"] == "immutable");
    let verdict = flag.next().map(|flag| &flag["verdict"]);
    assert_eq!(
        verdict,
        Some(&"partly".into()),
        "auto makes no hard links there"
    );
}

/// The same file system, and what it was made without is missing.
#[test]
fn xfs_without_reflinks_is_as_others_find_it() {
    let lab = match Lab::formatted("xfs", &["-m", "reflink=0"], "loop") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let answer = on(&lab);
    assert_eq!(verdict(&answer, "reflink"), "no");
    let rows = answer["places"][0]["tried"].to_string();
    assert!(rows.contains("mkfs.xfs -m reflink=1"), "{rows}");
}

#[test]
fn btrfs_is_as_others_find_it() {
    on(&memory_lab!(Disk::Btrfs));
}

#[test]
fn memory_is_as_others_find_it() {
    match Lab::mounted_by("mount -t tmpfs tmpfs $top") {
        Ok(lab) => drop(on(&lab)),
        Err(why) => skip!("{why}"),
    }
}

#[test]
fn an_overlay_is_as_others_find_it() {
    let lab = Lab::mounted_by(
        "cd $scratch; mkdir lo up wk; mount -t overlay overlay -o lowerdir=$PWD/lo,upperdir=$PWD/up,workdir=$PWD/wk $top",
    );
    match lab {
        Ok(lab) => drop(on(&lab)),
        Err(why) => skip!("{why}"),
    }
}

/// Where there are no files without a name, nothing can be shared, and the exit code says so.
#[test]
fn where_nothing_can_be_shared_the_exit_code_says_so() {
    let lab = match Lab::mounted_by("mkdir $scratch/src; bindfs $scratch/src $top") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let out = unify(&["doctor", lab.guests().to_str().unwrap()]).expect(8);
    assert!(
        out.stdout.contains("no       sharing by hard links"),
        "{}",
        out.stdout
    );
}

/// What the kernel asks is read where it is told, and not guessed where it is not.
#[test]
fn security_modules_are_those_of_the_kernel() {
    let lab = lab!(Disk::Own);
    let program = crate::support::BIN;
    let dir = lab.guests();
    let asked = |mount: &str| {
        let script = format!(
            "{mount}; cat /sys/kernel/security/lsm; echo; {program} doctor --json {}",
            dir.display()
        );
        let out = std::process::Command::new("unshare")
            .args(["-m", "sh", "-c", &script])
            .output();
        let out = String::from_utf8(out.unwrap().stdout).unwrap();
        let (modules, answer) = out.split_once('\n').unwrap();
        let modules: Vec<String> = modules.split(',').map(str::to_owned).collect();
        let answer: Value = serde_json::from_str(answer.trim()).unwrap();
        (modules, answer)
    };
    let (modules, answer) = asked("mount -t securityfs securityfs /sys/kernel/security");
    if modules == [""] {
        skip!("securityfs cannot be mounted");
    }
    assert_eq!(answer["security_modules"], Value::from(modules.clone()));
    let loaded = verdict(&answer, "bpf-lsm") == "yes";
    assert!(!loaded || modules.iter().any(|module| module == "bpf"));
    let (_, answer) = asked("mount -t tmpfs tmpfs /sys/kernel/security");
    assert!(answer["security_modules"].is_null());
    assert_ne!(verdict(&answer, "bpf-lsm"), "yes", "nobody knows");
}
