//! The guard, in kernels that take it: Debian's, booted in an emulator, each with a disk of its own. What is done there
//! is `tests/guard/inside.sh`. Where this machine's kernel refuses, it is said why.

mod kernels;

use std::path::Path;
use std::process::Command;

use crate::support::{BIN, Disk, File, figure, is_long, unify};
use kernels::{Kernel, bootable, has};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guard");
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sys/guard/bpf");

/// The first, or all where that is asked for, as by night.
fn some(all: &[Kernel]) -> &[Kernel] {
    let is_asked = std::env::var_os("UNIFY_KERNELS").is_some_and(|which| which == "all");
    match is_asked || is_long() {
        true => all,
        false => &all[..1],
    }
}

/// What a script of `tests/guard` says in the kernel. It has come to its end.
fn said_in(kernel: &Kernel, script: &str, disk: &str) -> String {
    said_to(kernel, script, disk, &[])
}

/// The same, with these words of the environment for the boot script.
fn said_to(kernel: &Kernel, script: &str, disk: &str, words: &[(&str, &str)]) -> String {
    let out = Command::new(Path::new(SCRIPTS).join("boot.sh"))
        .args([BIN, &format!("{SCRIPTS}/{script}")])
        .args([&kernel.image, &kernel.modules])
        .arg(disk)
        .env("LONGEST", "3600")
        .envs(words.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let error = String::from_utf8_lossy(&out.stderr);
    let name = &kernel.name;
    assert!(
        out.status.success(),
        "{name} {disk}\n{}\n{error}",
        end_of(&said)
    );
    said
}

/// Where it stopped: its last lines, and the scenes before.
fn end_of(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let (before, last) = lines.split_at(lines.len().saturating_sub(60));
    let scenes = before.iter().filter(|line| line.starts_with("== "));
    let shown: Vec<&str> = scenes.chain(last).copied().collect();
    shown.join("\n")
}

/// The line of what was said that ends so.
fn line_of<'s>(said: &'s str, end: &str) -> &'s str {
    let mut lines = said.lines();
    lines.find(|line| line.ends_with(end)).unwrap_or_else(|| {
        panic!("it does not say `{end}`: {said}");
    })
}

/// What a kernel goes without where others are tried as well: the first shows what is the program's doing, the last
/// what crowds of writers do. By night each shows all.
fn left_out(at: usize, all: usize) -> &'static str {
    match at {
        _ if all == 1 || is_long() => "",
        0 => "crowds",
        _ if at + 1 == all => "program",
        _ => "program crowds",
    }
}

/// By night on XFS too.
fn guarded_files_live_in(kernel: &Kernel, left_out: &str) {
    let disks = ["ext4", "xfs"];
    let most = if is_long() { disks.len() } else { 1 };
    for disk in &disks[..most] {
        let said = said_to(kernel, "inside.sh", disk, &[("ARGUMENTS", left_out)]);
        let ways = line_of(&said, " wrong");
        figure(&format!("guard, Linux {}, {disk}: {ways}", kernel.name));
    }
}

/// Marks, ways of writing, a restart, the way back; by night a kill at each mark.
#[test]
fn guarded_files_live_in_a_kernel_that_takes_it() {
    let all = match bootable() {
        Ok(all) => all,
        Err(why) => skip!("{why}"),
    };
    guarded_files_live_in(&all[0], left_out(0, some(&all).len()));
}

/// The same beside it, in the others.
#[test]
fn guarded_files_live_in_later_kernels() {
    let all = match bootable() {
        Ok(all) => all,
        Err(why) => skip!("{why}"),
    };
    let tried = some(&all);
    if tried.len() < 2 {
        skip!("in one kernel only: UNIFY_KERNELS=all, and tests/guard/kernels.sh");
    }
    for (at, kernel) in tried.iter().enumerate().skip(1) {
        guarded_files_live_in(kernel, left_out(at, tried.len()));
    }
}

/// Writers in two guests, the daemon killed and started again: no line is lost, and none is in the other guest.
#[test]
fn writers_get_files_of_their_own() {
    let all = match bootable() {
        Ok(all) => all,
        Err(why) => skip!("{why}"),
    };
    for kernel in some(&all) {
        said_in(kernel, "guardd.sh", "ext4");
        figure(&format!("guardd, Linux {}: no line lost", kernel.name));
    }
}

/// A host may do with less than its kernel can: a first write is denied there, and the next one succeeds. By night on
/// the other file systems too, of which btrfs is refused.
#[test]
fn a_daemon_may_do_less_than_the_kernel_can() {
    let all = match bootable() {
        Ok(all) => all,
        Err(why) => skip!("{why}"),
    };
    let denied_first = [("ARGUMENTS", "deny-first")];
    let tried = if is_long() { &all[..] } else { &all[..1] };
    for kernel in tried {
        said_to(kernel, "guardd.sh", "ext4", &denied_first);
        for disk in ["xfs", "btrfs"].iter().filter(|_| is_long()) {
            said_in(kernel, "guardd.sh", disk);
        }
    }
}

/// Whoever writes and from wherever, the guest whose name it is gets the copy. By night in every kernel.
#[test]
fn the_name_decides_whose_write_it_is() {
    let all = match bootable() {
        Ok(all) => all,
        Err(why) => skip!("{why}"),
    };
    let tried = if is_long() { &all[..] } else { &all[..1] };
    for kernel in tried {
        let said = said_in(kernel, "containers.sh", "ext4");
        let guide = include_str!("../../../../examples/guide/guardd.md");
        for row in said.lines().filter_map(|line| line.strip_prefix("row: ")) {
            assert!(guide.contains(row), "the guide does not say {row}");
        }
    }
}

/// Appends, writes in place, modes, renames of directories and of files over names, and the daemon's death, all at once
/// and for minutes; on two processors as well.
#[test]
fn races_are_lost_by_nobody() {
    if !is_long() {
        skip!("by night only: races for minutes");
    }
    let all = match bootable() {
        Ok(all) => all,
        Err(why) => skip!("{why}"),
    };
    for kernel in &all {
        for processors in ["1", "2"] {
            let words = [("ARGUMENTS", "300"), ("SMP", processors)];
            let said = said_to(kernel, "races.sh", "ext4", &words);
            let races = line_of(&said, " 0 files left");
            figure(&format!(
                "races, Linux {}, processors: {processors}: {races}",
                kernel.name
            ));
        }
    }
}

/// What a script of the tests says that makes its own disk, by night and in every kernel; else why it was not run.
fn of_a_debian(script: &str) -> Result<Vec<String>, String> {
    of_guests(script, "debian", "userland")
}

/// The same of a userland, which is kept in a folder beside the others that are made of it.
fn of_guests(script: &str, userland: &str, kept: &str) -> Result<Vec<String>, String> {
    if !is_long() {
        return Err("by night only: a guest in an emulated kernel takes up to an hour".into());
    }
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(kept);
    let of = |kernel: &Kernel| {
        let out = Command::new(Path::new(SCRIPTS).join(script))
            .arg(BIN)
            .args([&kernel.image, &kernel.modules, &scratch])
            .env("USERLAND", userland)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        let error = String::from_utf8_lossy(&out.stderr);
        let end = end_of(&said);
        assert!(out.status.success(), "{}\n{end}\n{error}", kernel.name);
        let of_kernel = |line: &str| format!("{script}, Linux {}: {line}", kernel.name);
        said.lines().map(of_kernel).collect::<Vec<_>>()
    };
    Ok(bootable()?.iter().flat_map(of).collect())
}

/// nginx and PostgreSQL in two guests, while every package of one of them is installed anew.
#[test]
fn no_request_is_lost_by_guests_under_load() {
    match of_a_debian("load.sh") {
        Ok(said) => said.iter().for_each(|line| figure(line)),
        Err(why) => skip!("{why}"),
    }
}

/// The units, in a host with systemd: guests start after them, and the daemon's death and hanging deny nobody.
#[test]
fn the_units_hold_what_they_say() {
    match of_a_debian("service.sh") {
        Ok(said) => said.iter().for_each(|line| figure(line)),
        Err(why) => skip!("{why}"),
    }
}

/// Package managers, editors and tools in a guarded guest, beside the same in a plain one.
#[test]
fn a_userland_does_what_it_does_alone() {
    // Another test has the same Alpine.
    for (userland, kept) in [("debian", "userland"), ("alpine", "guests")] {
        if let Err(why) = of_guests("programs.sh", userland, kept) {
            skip!("{why}");
        }
    }
}

/// Of each case that fails once the guide's table says so.
#[test]
fn the_guide_names_what_fails_once() {
    let read = |path: &str| std::fs::read_to_string(Path::new(SCRIPTS).join(path)).unwrap();
    let cases = read("programs/debian/cases") + &read("programs/alpine/cases");
    let guide = read("../../examples/guide/guardd.md").replace('`', "");
    let mut once = cases.lines().filter(|case| case.contains("\ttwice\t"));
    let is_told = |case: &str| {
        let name = case.split(['\t', ',']).next().unwrap();
        let mut rows = guide.lines().filter(|line| line.contains("| fails once"));
        rows.any(|row| row.contains(name))
    };
    assert_eq!(once.clone().count(), 6);
    assert_eq!(once.find(|case| !is_told(case)), None);
}

/// Sealed files, in a kernel and on a disk that have fs-verity.
#[test]
fn sealed_files_live_where_files_can_be_sealed() {
    armed!();
    let all = match bootable() {
        Ok(all) => all,
        Err(why) => skip!("{why}"),
    };
    let kernel = &all[0];
    let said = said_in(kernel, "verity.sh", "ext4");
    let killed = line_of(&said, " wrong");
    figure(&format!("verity, Linux {}: {killed}", kernel.name));
}

/// The compiled programs are what their source says. Another clang makes other instructions of it.
#[test]
fn the_programs_are_compiled_from_their_source() {
    let version = Command::new("clang").arg("--version").output();
    let version = version.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    if !version.is_ok_and(|version| version.contains("clang version 14.")) {
        skip!("clang 14 is not here, which has made the guard's programs");
    }
    let lab = lab!(Disk::Own);
    let made = lab.path("guard.bpf.o");
    let compiled = Command::new("clang")
        .args(["-O2", "-g", "-target", "bpf", "-c", "guard.bpf.c"])
        .arg(format!("-fdebug-prefix-map={SOURCE}=."))
        .arg("-o")
        .arg(&made)
        .current_dir(SOURCE)
        .status();
    assert!(compiled.unwrap().success());
    let strip = ["llvm-strip", "llvm-strip-14"]
        .into_iter()
        .find(|tool| has(tool));
    let Some(strip) = strip else {
        skip!("llvm-strip is not here");
    };
    assert!(
        Command::new(strip)
            .arg("-g")
            .arg(&made)
            .status()
            .unwrap()
            .success()
    );
    let kept = std::fs::read(Path::new(SOURCE).join("guard.bpf.o")).unwrap();
    assert!(
        std::fs::read(&made).unwrap() == kept,
        "guard.bpf.o is not what guard.bpf.c says: make it anew, as its head tells"
    );
}

/// Without the guard nothing is planned with it, what is missing is said, and nothing is there afterwards.
#[test]
fn where_it_is_not_loaded_it_is_refused() {
    let now = unify(&["guard", "--json"]).expect(0).json();
    if now["loaded"] == true {
        skip!("the guard is loaded into this kernel");
    }
    let lab = lab!(Disk::Ext4);
    let twins = lab.twins(&[("/usr/share/f", File::new("f"))]);
    let plan = lab.path("plan.json");
    let [plan, a, b] = [&plan, twins[0].root(), twins[1].root()].map(|p| p.to_str().unwrap());
    let words = [
        "plan",
        "--protect",
        "guard",
        "--not-a-root",
        "-o",
        plan,
        a,
        b,
    ];
    let out = unify(&words).expect(8);
    assert!(out.stderr.contains("unify guard load"), "{}", out.stderr);
    assert!(!Path::new(plan).exists());
    assert!(!lab.base().exists());
    unify(&["guard", "load", "--leave-unprotected"]).expect(2);
    unify(&["guard", "unload"]).expect(0);
}
