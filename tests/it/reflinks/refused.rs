//! Lines that may not be done, or only in part: each is refused by its own reason, and the rest goes on.

use serde_json::Value;

use crate::support::{
    Disk, File, Guest, Lab, Planned, TRIED_FIRST, action_of, apply_while, content, edited,
    lift_flags, line_of, shares_blocks, soon_has_its_own, unify, unify_with,
};

const REFLINK: &[&str] = &["--method", "reflink"];

/// Two guests with these files, each of 360,000 bytes of its own.
fn twins(lab: &Lab, names: &[&str]) -> [Guest; 2] {
    ["a", "b"].map(|name| {
        let guest = lab.apart(name);
        for name in names {
            let text: Vec<u8> = (0..40)
                .flat_map(|n| content(format!("{name}{n}")))
                .collect();
            guest.put(format!("/usr/share/{name}"), &File::new(&*text));
        }
        guest
    })
}

/// The line of the guest's file in the last receipt; whichever of the two was to get the other's blocks.
fn told(lab: &Lab, plan: &Planned, name: &str) -> Value {
    let link = link_of(plan, name);
    let (guest, path) = (
        link["guest"].as_str().unwrap(),
        link["path"].as_str().unwrap(),
    );
    line_of(&lab.receipt(), guest, path).clone()
}

fn link_of<'p>(plan: &'p Planned, name: &str) -> &'p Value {
    let path = format!("/usr/share/{name}");
    let links = plan.actions("link");
    let link = links.into_iter().find(|link| link["path"] == *path);
    link.unwrap_or_else(|| panic!("no line about {path}"))
}

fn host(guests: &[Guest; 2], line: &Value) -> std::path::PathBuf {
    let guest = guests
        .iter()
        .find(|guest| guest.name() == line["guest"])
        .unwrap();
    guest.host(line["path"].as_str().unwrap())
}

#[test]
fn what_changed_since_the_plan_is_refused() {
    let lab = memory_lab!(Disk::Xfs);
    let names = [
        "fine",
        "touched",
        "gone",
        "source-touched",
        "source-gone",
        "moved",
    ];
    let guests = twins(&lab, &names);
    let plan = lab.plan(&[&guests[0], &guests[1]], REFLINK);
    let file = |name: &str| host(&guests, link_of(&plan, name));
    let source = |name: &str| host(&guests, &link_of(&plan, name)["source"]);
    let touch = |path: std::path::PathBuf| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_len(360_001).unwrap();
    };
    touch(file("touched"));
    std::fs::remove_file(file("gone")).unwrap();
    touch(source("source-touched"));
    std::fs::remove_file(source("source-gone")).unwrap();
    let moved = file("moved");
    std::fs::rename(&moved, moved.with_file_name("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", &moved).unwrap();
    plan.apply().expect(4);
    let code = |name: &str| told(&lab, &plan, name)["refusal"]["code"].clone();
    assert_eq!(told(&lab, &plan, "fine")["outcome"], "done");
    assert_eq!(code("touched"), "changed");
    assert_eq!(code("gone"), "gone");
    assert_eq!(code("source-touched"), "source-changed");
    assert_eq!(code("source-gone"), "source-gone");
    assert_eq!(code("moved"), "changed");
    assert!(shares_blocks(&file("fine")));
    for name in ["touched", "source-touched"] {
        assert!(!shares_blocks(&file(name)), "{name}");
    }
}

/// Copies the bytes, and shares no block.
fn rewrite(from: &std::path::Path, to: &std::path::Path) {
    std::fs::write(to, std::fs::read(from).unwrap()).unwrap();
}

/// The guest acts after everything was looked at, right before the kernel is asked.
#[test]
fn what_happens_at_the_last_moment_is_seen_by_the_kernel() {
    armed!();
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let guests = twins(&lab, &["one"]);
        let try_with = |command: &str, code: i32| {
            let plan = lab.plan(&[&guests[0], &guests[1]], REFLINK);
            let link = link_of(&plan, "one").clone();
            let (file, source) = (host(&guests, &link), host(&guests, &link["source"]));
            let command = command.replace("FILE", file.to_str().unwrap());
            let command = command.replace("SOURCE", source.to_str().unwrap());
            let first = format!("dedupe#{}", TRIED_FIRST + 1);
            apply_while(&plan, &[(&first, command)]).expect(code);
            let line = told(&lab, &plan, "one");
            (file, source, line)
        };
        let write = "printf X | dd of=FILE bs=1 seek=100000 conv=notrunc status=none";
        let (file, source, line) = try_with(write, 4);
        assert_eq!(line["refusal"]["code"], "differs-from-source", "{disk:?}");
        assert_eq!(std::fs::read(&file).unwrap()[100_000], b'X', "{disk:?}");
        assert!(!shares_blocks(&file), "{disk:?}");
        rewrite(&source, &file);

        let (file, source, line) = try_with("truncate -s 100000 FILE", 4);
        assert!(line["refusal"].is_object(), "{disk:?}: {line}");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 100_000, "{disk:?}");
        rewrite(&source, &file);

        let (file, _, line) = try_with("chattr +i FILE", 4);
        assert_eq!(line["refusal"]["code"], "unchangeable", "{disk:?}");
        assert!(!shares_blocks(&file), "{disk:?}");
        lift_flags(&file);

        // The names are moved away: by its handle the file is what it was, and nobody else's file is touched.
        let swap = "mv FILE FILE.mine && cp --reflink=never SOURCE FILE";
        let (file, _, line) = try_with(swap, 0);
        assert_eq!(line["outcome"], "done", "{disk:?}");
        assert!(
            !shares_blocks(&file),
            "{disk:?}: another file is left alone"
        );
    }
}

/// The machine fails: the line says so, the rest goes on, and nothing is lost.
#[test]
fn errors_of_the_machine_are_told() {
    armed!();
    let lab = memory_lab!(Disk::Xfs);
    let guests = twins(&lab, &["one", "two"]);
    let plan = lab.plan(&[&guests[0], &guests[1]], REFLINK);
    let path = plan.path.to_str().unwrap();
    for (errno, code) in [
        ("EIO", "failed"),
        ("ENOSPC", "no-room"),
        ("EDQUOT", "no-room"),
        ("EINVAL", "no-copy-on-write"),
        ("ETXTBSY", "no-copy-on-write"),
        ("EPERM", "unchangeable"),
        ("EXDEV", "other-filesystem"),
    ] {
        let fault = format!("dedupe#{}={errno}", TRIED_FIRST + 1);
        unify_with(&[("UNIFY_FAULT", &fault)], &["apply", "--yes", path]).expect(4);
        let receipt = lab.receipt();
        let outcomes: Vec<&Value> = receipt
            .iter()
            .filter(|line| line["method"] == "reflink")
            .collect();
        let bad = outcomes.iter().filter(|line| match code {
            "failed" => line["outcome"] == "failed",
            _ => line["refusal"]["code"] == code,
        });
        assert_eq!(
            (bad.count(), outcomes.len()),
            (1, 2),
            "{errno}: {outcomes:?}"
        );
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    }
}

/// Limits, selectors and the rehearsal mean the same as for hard links.
#[test]
fn limits_selectors_and_the_rehearsal() {
    let lab = memory_lab!(Disk::Xfs);
    let guests = twins(&lab, &["one", "two", "three"]);
    let plan = lab.plan(&[&guests[0], &guests[1]], REFLINK);
    let path = plan.path.to_str().unwrap();
    let file = |name: &str| host(&guests, link_of(&plan, name));
    let shared = || ["one", "two", "three"].map(|name| shares_blocks(&file(name)));
    let dry = unify(&["apply", "--dry-run", "--json", path])
        .expect(0)
        .json();
    assert_eq!(dry["totals"]["reflinked"], 3, "{dry}");
    assert_eq!(shared(), [false; 3], "a rehearsal changes nothing");
    let one = ["apply", "--yes", "--path", "/usr/share/one", path];
    unify(&one).expect(0);
    assert_eq!(shared(), [true, false, false]);
    unify(&["apply", "--yes", "--max-actions", "1", path]).expect_one_of(&[0, 4]);
    assert_eq!(shared().iter().filter(|it| **it).count(), 2, "one more");
    unify(&["apply", "--yes", path]).expect(0);
    assert_eq!(shared(), [true; 3]);
    let undo = ["--run", "all", "--yes", "--path", "/usr/share/two"];
    lab.on_base("undo", &undo).expect(0);
    assert!(soon_has_its_own(&file("two")));
    assert_eq!(shared(), [true, false, true]);
    let dry = lab.on_base("undo", &["--run", "all", "--dry-run", "--json"]);
    assert_eq!(dry.expect(0).json()["files"], 2);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let apart = ["one", "two", "three"].map(|name| soon_has_its_own(&file(name)));
    assert_eq!(apart, [true; 3]);
}

/// A field of a line, another value of it, and what the line comes to with `--accept-edits`: nothing that the plan
/// alone says is believed.
type FieldEdit = (&'static str, fn(&mut Value), &'static str);

const EDITS: &[FieldEdit] = &[
    (
        "content",
        |l| l["content"] = format!("sha256:{}", "0".repeat(64)).into(),
        "changed",
    ),
    ("size", |l| l["size"] = 1.into(), "differs-from-source"),
    (
        "source",
        |l| l["source"]["path"] = "/usr/share/two".into(),
        "source-changed",
    ),
    ("before", |l| l["before"]["mode"] = "0600".into(), "changed"),
    (
        "before",
        |l| l["before"]["ctime"] = "1.000000000".into(),
        "changed",
    ),
    ("before", |l| l["before"]["size"] = 7.into(), "changed"),
    (
        "source_before",
        |l| l["source_before"]["ino"] = "7".into(),
        "source-changed",
    ),
    (
        "path",
        |l| l["also"] = serde_json::json!([{"path": "/usr/share/two"}]),
        "changed",
    ),
    // Nobody but `show` tells it, as what the plan promises.
    ("saves", |l| l["saves"] = 7.into(), "done"),
    // What nothing can prove stays as it was.
    ("package", |l| l["package"] = "bash".into(), ""),
    ("reason", |l| l["reason"] = "identical".into(), ""),
];

#[test]
fn each_field_that_an_edit_can_set_is_proven_anew_or_refused() {
    let lab = lab!(Disk::Xfs);
    let guests = twins(&lab, &["one", "two"]);
    let plan = lab.plan(&[&guests[0], &guests[1]], REFLINK);
    let link = link_of(&plan, "one").clone();
    for (field, edit, becomes) in EDITS {
        let path = edited(&lab, &plan, |lines| {
            let is = |line: &&mut String| action_of(line).as_ref() == Some(&link);
            let line = lines.iter_mut().find(is).unwrap();
            let mut value = link.clone();
            edit(&mut value);
            let comma = if line.ends_with(',') { "," } else { "" };
            *line = format!("{value}{comma}");
        });
        let path = path.to_str().unwrap();
        let said = unify(&["apply", "--yes", path]).expect(5).stderr;
        assert!(said.contains(&format!("`{field}`")), "{field}: {said}");
        let accepted = ["apply", "--yes", "--accept-edits", path];
        if becomes.is_empty() {
            let said = unify(&accepted).expect(5).stderr;
            assert!(said.contains("nothing can prove"), "{field}: {said}");
            continue;
        }
        unify(&accepted).expect_one_of(&[0, 4]);
        let line = told(&lab, &plan, "one");
        let code = line["refusal"]["code"]
            .as_str()
            .or(line["outcome"].as_str());
        assert_eq!(code, Some(*becomes), "{field}: {line}");
        assert_eq!(
            shares_blocks(&host(&guests, &link)),
            *becomes == "done",
            "{field}"
        );
        // What was done is true afterwards, whatever the line says.
        let verified = unify(&["verify", "--json", path])
            .expect_one_of(&[0, 6])
            .json();
        assert!(
            verified["differences"].as_array().unwrap().is_empty(),
            "{field}: {verified}"
        );
        if *becomes == "done" {
            assert_eq!(line["saved"], 360_448, "{line}");
        }
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    }
}

/// The receipt says how long the file was: a guest that made it longer or shorter has written to it. Receipts of before
/// do not say so, and are read.
#[test]
fn receipts_know_the_size_and_older_ones_are_read() {
    let lab = lab!(Disk::Xfs);
    let guests = twins(&lab, &["one", "two"]);
    let plan = lab.plan(&[&guests[0], &guests[1]], REFLINK);
    plan.apply().expect(0);
    assert_eq!(told(&lab, &plan, "one")["size"], 360_000);
    let runs = std::fs::read_dir(lab.base().join("runs")).unwrap();
    for run in runs {
        let receipt = run.unwrap().path().join("receipt.jsonl");
        let text = std::fs::read_to_string(&receipt).unwrap();
        let older: Vec<String> = text.lines().map(without_size).collect();
        std::fs::write(&receipt, older.join("\n") + "\n").unwrap();
    }
    lab.on_base("status", &[]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    for name in ["one", "two"] {
        assert!(
            soon_has_its_own(&host(&guests, link_of(&plan, name))),
            "{name}"
        );
    }
}

/// The line as an earlier program wrote it: without the size, and without a check.
fn without_size(line: &str) -> String {
    let without = line.replace("\"size\":360000,", "");
    match without.rsplit_once(",\"check\":") {
        Some((line, _)) => format!("{line}}}"),
        None => without,
    }
}
