//! Receipts, totals and `status` say what the disk says, also where a run refused files late, where it was interrupted,
//! and where another run healed it.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::support::{
    Disk, File, Guest, Lab, Planned, apply_while, content, disk_use, id, interrupt, is_immutable,
    line_of, listings, unchanged, unify_with,
};

/// Three guests with one file.
fn three(lab: &Lab) -> [Guest; 3] {
    ["a", "b", "c"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest
    })
}

/// The guest whose file the object is made from, and the two others.
fn maker<'g>(plan: &Planned, guests: &'g [Guest; 3]) -> (&'g Guest, [&'g Guest; 2]) {
    let makes = |guest: &Guest| !plan.link(guest.name(), "/usr/f").unwrap()["makes"].is_null();
    let one = guests.iter().find(|guest| makes(guest)).expect("a maker");
    let others: Vec<&Guest> = guests.iter().filter(|guest| !makes(guest)).collect();
    (one, others.try_into().expect("two others"))
}

/// Bytes of the guests' files and of the objects, each inode once.
fn used(lab: &Lab, guests: &[Guest]) -> u64 {
    let objects = lab.base().join("objects");
    let roots = guests.iter().map(Guest::root);
    disk_use(&roots.chain([&*objects]).collect::<Vec<_>>())
}

fn saved(receipt: &[Value]) -> u64 {
    receipt
        .iter()
        .filter_map(|line| line["saved"].as_u64())
        .sum()
}

/// The file that an object was copied from is refused after that, and keeps its room: the first of the others that
/// share the object gives back nothing but what the object took, in whatever batch it comes.
#[test]
fn an_object_is_paid_for_when_its_file_is_refused() {
    armed!();
    for pace in ["1000", "4"] {
        let lab = lab!(Disk::Own);
        let guests = three(&lab);
        let plan = lab.plan(&guests.each_ref(), &["--objects", "copy"]);
        let (one, others) = maker(&plan, &guests);
        let before = used(&lab, &guests);
        // The copy is whole and gets its name.
        let change = format!("link#2=run:chmod 0600 {}", one.host("/usr/f").display());
        let apply = [
            "apply",
            "--yes",
            "--rate",
            pace,
            plan.path.to_str().unwrap(),
        ];
        unify_with(&[("UNIFY_FAULT", &change)], &apply).expect(4);
        assert_eq!(id(&others[0].host("/usr/f")), id(&others[1].host("/usr/f")));
        assert_ne!(id(&others[0].host("/usr/f")), id(&one.host("/usr/f")));
        let freed = before - used(&lab, &guests);
        assert!(freed > 0);
        let receipt = lab.receipt();
        assert_eq!(saved(&receipt), freed, "pace {pace}: {receipt:#?}");
        let totals = receipt.iter().find(|line| line["bytes"].is_u64());
        assert_eq!(totals.expect("totals")["bytes"], freed, "pace {pace}");
    }
}

/// Opens what is in flight for writing, and goes on when one is open, nothing is there, or it waits for a lease.
fn opened(staging: &Path, mark: &Path) -> String {
    let (files, mark) = (staging.join("*/*"), mark.display());
    let files = files.display();
    format!(
        "( (for f in {files}; do exec 9>>$f; touch {mark}; sleep 3; done); touch {mark}) > /dev/null 2>&1 & \
         for n in $(seq 3000); do [ -e {mark} ] && break; for f in {files}; do [ -e $f ] && \
         grep -q \"BREAKING.*:$(stat -c %i $f) \" /proc/locks && break 2; done; sleep 0.01; done"
    )
}

/// A guest opens what came out for writing at any moment until it is dropped: it is kept, and the totals do not
/// say that its room came back.
#[test]
fn what_is_kept_in_the_end_gives_no_room_back() {
    armed!();
    let mut kept_late = 0;
    for look in 1..=24 {
        let lab = lab!(Disk::Own);
        let guests = three(&lab);
        let plan = lab.plan(&guests.each_ref(), &["--objects", "copy"]);
        let before = used(&lab, &guests);
        let open = opened(&lab.base().join("staging"), &lab.path("opened"));
        let at = format!("getlease#{look}=run:{open}");
        let path = plan.path.to_str().unwrap();
        unify_with(&[("UNIFY_FAULT", &at)], &["apply", "--yes", path]);
        let quarantine = lab.base().join("quarantine");
        let kept = disk_use(&[&quarantine]) > 0;
        let freed = before - used(&lab, &guests);
        let freed = freed.saturating_sub(disk_use(&[&quarantine]));
        let receipt = lab.receipt();
        let totals = receipt.iter().find(|line| line["bytes"].is_u64());
        assert_eq!(totals.expect("totals")["bytes"], freed, "look {look}");
        kept_late += u32::from(kept && saved(&receipt) > freed);
    }
    assert!(kept_late > 0, "none was kept behind its line");
}

/// A process opened the old file for writing when a run was killed after its commit, which says that all is done:
/// the name stays with the object, and the old file is kept for a person with what is written to it.
#[test]
fn what_is_committed_stays_done() {
    traced!();
    for writes_first in [false, true] {
        let lab = lab!(Disk::Own);
        let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
        let was = [&web, &db].map(|guest| id(&guest.host("/usr/f")));
        let plan = lab.plan(&[&web, &db], &[]);
        let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
        interrupt("unlinkat", 1, &apply);
        let [out] = &lab.staged()[..] else {
            panic!("one file is in flight: {:?}", lab.staged());
        };
        assert!(was.contains(&id(out)));
        let mut writer = std::fs::File::options().append(true).open(out).unwrap();
        if writes_first {
            writer.write_all(b"more\n").unwrap();
        }
        lab.on_base("recover", &[]).expect(12);
        if !writes_first {
            writer.write_all(b"more\n").unwrap();
        }
        assert_eq!(id(&web.host("/usr/f")), id(&db.host("/usr/f")));
        assert!(std::fs::read(web.host("/usr/f")).unwrap() == content(1));
        let [kept] = &lab.quarantined()[..] else {
            panic!("one file is kept");
        };
        let more = [&content(1)[..], b"more\n"].concat();
        assert!(std::fs::read(kept).unwrap() == more);
        for guest in ["web", "db"] {
            let line = line_of(&lab.receipt(), guest, "/usr/f").clone();
            assert_eq!(line["outcome"], "done", "{line}");
        }
        plan.verify().expect(0);
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        let drifted = |guest: &Value| guest["drifted"] != serde_json::json!([]);
        assert!(
            !status["guests"].as_array().unwrap().iter().any(drifted),
            "{status}"
        );
    }
}

/// A run that was healed needs no person any more, and did not end by itself.
#[test]
fn status_knows_a_run_that_was_healed() {
    traced!();
    for at in [("renameat2", 1), ("unlinkat", 1)] {
        let lab = lab!(Disk::Own);
        let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
        let plan = lab.plan(&[&web, &db], &[]);
        interrupt(at.0, at.1, &["apply", "--yes", plan.path.to_str().unwrap()]);
        let status = || {
            let json = lab.on_base("status", &["--json"]).json();
            (json["runs"].clone(), lab.on_base("status", &[]).stdout)
        };
        let (runs, text) = status();
        assert_eq!(runs[0]["end"], "unfinished", "{runs}");
        assert!(text.contains("UNFINISHED"), "{text}");
        lab.on_base("recover", &[]).expect(0);
        let (runs, text) = status();
        assert_eq!(runs[0]["end"], "recovered", "{runs}");
        assert!(
            !text.contains("UNFINISHED") && text.contains("recovered"),
            "{text}"
        );
        // The file that was rolled back has another ctime now.
        plan.apply().expect_one_of(&[0, 4]);
        let (runs, _) = status();
        assert_eq!(runs[1]["end"], "whole", "{runs}");
        // The receipt of the interrupted run has no totals, and that of its healing has all of its own.
        let healed = recovered(&lab);
        let done = healed
            .iter()
            .filter(|line| line["outcome"] == "done")
            .count();
        let totals = healed.last().cloned().unwrap_or_default();
        assert_eq!(done > 0, at.0 == "unlinkat", "{healed:?}");
        if done > 0 {
            assert_eq!(
                (&totals["done"], &totals["names"]),
                (&done.into(), &done.into())
            );
        }
    }
}

/// The lines of the receipt that healing wrote.
fn recovered(lab: &Lab) -> Vec<Value> {
    let runs = std::fs::read_dir(lab.base().join("runs")).unwrap();
    let papers = runs.map(|run| run.unwrap().path().join("recovered.jsonl"));
    let texts = papers.filter_map(|paper| std::fs::read_to_string(paper).ok());
    let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

/// Files and names are counted apart in the receipt of what healing finished.
#[test]
fn healing_counts_files_and_names() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for (file, other) in [("/usr/a", "/usr/b"), ("/usr/c", "/usr/d")] {
            guest.put(file, &File::new(content(file)));
            guest.hard_link(file, other);
        }
        guest
    });
    let plan = lab.plan(&guests.each_ref(), &["--objects", "copy"]);
    interrupt(
        "unlinkat",
        1,
        &["apply", "--yes", plan.path.to_str().unwrap()],
    );
    lab.on_base("recover", &[]).expect(0);
    let healed = recovered(&lab);
    let totals = healed.last().unwrap();
    assert_eq!(
        (&totals["done"], &totals["names"]),
        (&4.into(), &8.into()),
        "{totals}"
    );
}

/// Twins of a file that was to be adopted and is refused are not refused with it: another of them makes the
/// object.
#[test]
fn twins_of_a_file_that_is_over_are_shared_all_the_same() {
    armed!();
    let gone: fn(&Path) -> (&'static str, String) =
        |f| ("link#1", format!("rm -f {}", f.display()));
    let written: fn(&Path) -> (&'static str, String) = |f| {
        // The run must not go on before the writer waits for the lease.
        let waits = format!("BREAKING.*:{} ", id(f).1);
        let writer = format!(
            "(echo more >> {}) > /dev/null 2>&1 & for n in $(seq 3000); do grep -q '{waits}' /proc/locks && break; sleep 0.01; done",
            f.display()
        );
        ("exchange#1", writer)
    };
    for (what, code) in [(gone, "gone"), (written, "open-for-writing")] {
        let lab = lab!(Disk::Own);
        let guests = three(&lab);
        let plan = lab.plan(&guests.each_ref(), &[]);
        let (one, others) = maker(&plan, &guests);
        assert_eq!(plan.link(one.name(), "/usr/f").unwrap()["makes"], "adopt");
        let before = listings(&others);
        apply_while(&plan, &[what(&one.host("/usr/f"))]).expect(4);
        let receipt = lab.receipt();
        let refused = receipt.iter().filter(|line| line["outcome"] == "refused");
        let refused: Vec<&Value> = refused.collect();
        assert_eq!(refused.len(), 1, "{receipt:#?}");
        assert!(refused[0].to_string().contains(code), "{refused:?}");
        let [first, second] = others.map(|guest| guest.host("/usr/f"));
        assert_eq!(id(&first), id(&second), "{code}");
        assert!(
            is_immutable(&first),
            "{code}: the plan's flag line is obeyed"
        );
        assert!(std::fs::read(&first).unwrap() == content(1), "{code}");
        unchanged(&others, &before, code);
        let flag = receipt
            .iter()
            .find(|line| line["guest"].is_null() && line["object"].is_string());
        assert_eq!(flag.expect("a flag line")["outcome"], "done", "{code}");
        assert_eq!(lab.objects().len(), 1, "{code}");
        assert_eq!(lab.staged().len(), 0, "{code}");
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        unchanged(&others, &before, "after undo");
    }
}

/// A flag line whose object cannot be reached is answered with the reason, like the links of that object.
#[test]
fn a_flag_whose_object_cannot_be_reached_is_refused() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let holder = "use Fcntl; $SIG{IO} = 'IGNORE'; open(F, '<', $ARGV[0]) or die; \
         fcntl(F, 1024, 1) or die; print \"held\\n\"; close STDOUT; sleep 120";
    let mut holder = std::process::Command::new("perl")
        .args(["-e", holder])
        .arg(&lab.objects()[0])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    std::io::Read::read_to_string(holder.stdout.as_mut().unwrap(), &mut held).unwrap();
    assert_eq!(held, "held\n");
    let out = plan.apply();
    holder.kill().unwrap();
    holder.wait().unwrap();
    out.expect(4);
    let receipt = lab.receipt();
    let flags = receipt
        .iter()
        .filter(|line| line["guest"].is_null() && line["object"].is_string());
    let flags: Vec<&Value> = flags.collect();
    assert_eq!(flags.len(), 1, "{receipt:#?}");
    assert_eq!(flags[0]["outcome"], "refused", "{flags:?}");
    assert!(
        flags[0].to_string().contains("open-for-writing"),
        "{flags:?}"
    );
    plan.apply().expect(0);
}
