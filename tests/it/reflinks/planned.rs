//! Plans of reflinks: which files may have their blocks in common, what comes back, and by which method files are
//! shared.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Disk, File, Guest, Lab, Planned, content, unify};

/// Bytes of a file that is not a whole number of blocks, and more than lies beside the metadata anywhere.
const LARGE: usize = (1 << 20) + 5;
/// Bytes that it takes in blocks of 4 KiB.
const TAKEN: u64 = (1 << 20) + 4096;

const REFLINK: &[&str] = &["--method", "reflink"];

/// Random enough that no file system makes it smaller.
fn noise(seed: u64) -> Vec<u8> {
    let words =
        (0..=LARGE as u64 / 8).map(|n| (n ^ seed << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let bytes = words.flat_map(|n| (n ^ n >> 29).to_le_bytes());
    bytes.take(LARGE).collect()
}

fn run(command: &str, args: &[&Path]) -> bool {
    let mut words = command.split(' ');
    let done = Command::new(words.next().unwrap())
        .args(words)
        .args(args)
        .output();
    done.unwrap().status.success()
}

/// Two guests, on btrfs each a subvolume of its own.
fn guests(lab: &Lab, disk: Disk) -> [Guest; 2] {
    ["web1", "web2"].map(|name| match disk {
        Disk::Btrfs => {
            let made = run("btrfs subvolume create", &[&lab.guests().join(name)]);
            assert!(made, "no subvolume");
            lab.there(name)
        }
        _ => lab.guest(name),
    })
}

fn both(guests: &[Guest; 2], path: &str, file: &File) {
    guests.iter().for_each(|guest| guest.put(path, file));
}

fn left(plan: &Planned, reason: &str) -> u64 {
    plan.json["summary"]["skipped"][reason]["files"]
        .as_u64()
        .unwrap_or(0)
}

fn digests(plan: &Planned) -> [&Value; 2] {
    ["content", "decision"].map(|which| &plan.json["digest"][which])
}

#[test]
fn files_share_blocks_across_guests_and_subvolumes_whatever_their_metadata_are() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let [web, db] = guests(&lab, disk);
        web.put("/usr/bin/tool", &File::new(noise(1)));
        let other = File::new(noise(1))
            .mode(0o4755)
            .owner(7, 8)
            .mtime(1_600_000_000, 1);
        db.put("/opt/tool", &other.xattr("user.x", b"y"));
        both(
            &[web.clone(), db.clone()],
            "/etc/tool.conf",
            &File::new(content("conf")),
        );
        let plan = lab.plan(&[&web, &db], REFLINK);
        let links = plan.actions("link");
        assert_eq!(links.len(), 1, "{disk:?}: {links:?}");
        let line = plan.link("web2", "/opt/tool").unwrap();
        assert_eq!(line["method"], "reflink");
        assert_eq!(line["source"]["guest"], "web1");
        assert_eq!(line["source"]["path"], "/usr/bin/tool");
        assert_eq!(line["reason"], "same-content");
        assert_eq!(line["saves"], TAKEN, "{disk:?}");
        assert_eq!(line["before"]["mode"], "4755");
        assert_eq!(line["source_before"]["mode"], "0644");
        let apart = line["before"]["dev"] != line["source_before"]["dev"];
        assert_eq!(apart, disk == Disk::Btrfs, "{disk:?}");
        assert!(plan.actions("flag").is_empty() && plan.json["protection"].is_null());
        assert_eq!(plan.json["sharing"]["mode"], "reflink");
        assert_eq!(plan.json["summary"]["totals"]["reflinks"]["saves"], TAKEN);
        assert_eq!(left(&plan, "etc"), 2, "{disk:?}");
        let again = lab.plan(&[&web, &db], REFLINK);
        assert_eq!(digests(&again), digests(&plan), "{disk:?}");
        let config = lab.plan(&[&web, &db], &["--method", "reflink", "--reflink-config"]);
        assert!(config.link("web2", "/etc/tool.conf").is_some(), "{disk:?}");
        plan.apply().expect(0);
        let after = lab.plan(&[&web, &db], REFLINK);
        assert!(after.actions("link").is_empty(), "{disk:?}");
        assert_eq!(left(&after, "blocks-shared"), 2, "{disk:?}");
    }
}

#[test]
fn what_is_shared_already_or_cannot_be_says_so() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let both_of = guests(&lab, disk);
        let [web, db] = &both_of;
        std::fs::create_dir_all(db.host("/usr")).unwrap();
        web.put("/usr/cloned", &File::new(noise(1)));
        let clone = [web, db].map(|guest| guest.host("/usr/cloned"));
        assert!(
            run("cp --reflink=always", &[&clone[0], &clone[1]]),
            "{disk:?}"
        );
        for guest in &both_of {
            guest.put("/usr/set-aside", &File::new(""));
            let place = guest.host("/usr/set-aside");
            assert!(run("fallocate -l 100000", &[&place]));
        }
        both(&both_of, "/usr/small", &File::new("a few bytes"));
        web.put("/usr/one", &File::new(noise(3)));
        web.put("/usr/two", &File::new(noise(3)));
        if disk == Disk::Btrfs {
            std::fs::write(web.host("/usr/in-place"), "").unwrap();
            assert!(run("chattr +C", &[&web.host("/usr/in-place")]));
            std::fs::write(web.host("/usr/in-place"), noise(4)).unwrap();
            db.put("/usr/in-place", &File::new(noise(4)));
        }
        let plan = lab.plan(&[web, db], REFLINK);
        assert_eq!(left(&plan, "blocks-shared"), 2, "{disk:?}");
        assert_eq!(
            plan.skip("web2", "/usr/set-aside").unwrap()["reason"],
            "no-data"
        );
        assert_eq!(left(&plan, "own-guest"), 2, "{disk:?}");
        let small = plan.link("web2", "/usr/small");
        match disk {
            Disk::Btrfs => {
                assert_eq!((left(&plan, "inline-data"), small), (2, None));
                let kept = plan.skip("web1", "/usr/in-place").unwrap();
                assert_eq!(kept["reason"], "no-copy-on-write");
            }
            _ => assert_eq!(small.unwrap()["saves"], 4096),
        }
        let within = lab.plan(&[web, db], &["--method", "reflink", "--within"]);
        let line = within.link("web1", "/usr/two").unwrap();
        assert_eq!(line["source"]["path"], "/usr/one", "{disk:?}");
    }
}

/// An immutable file gives its blocks, and where two are it is the second that gets none.
#[test]
fn immutable_files_give_and_get_none() {
    let lab = lab!(Disk::Xfs);
    let both_of = guests(&lab, Disk::Xfs);
    let [web, db] = &both_of;
    both(&both_of, "/usr/fixed", &File::new(noise(2)));
    both(&both_of, "/usr/giving", &File::new(noise(5)));
    web.put("/usr/third", &File::new(noise(2)));
    let fixed = [
        web.host("/usr/fixed"),
        db.host("/usr/fixed"),
        db.host("/usr/giving"),
    ];
    for path in &fixed {
        assert!(run("chattr +i", &[path]));
    }
    let plan = lab.plan(&[web, db], REFLINK);
    let third = plan.link("web1", "/usr/third").unwrap();
    assert_eq!(third["source"]["path"], "/usr/fixed");
    let giving = plan.link("web1", "/usr/giving").unwrap();
    assert_eq!(giving["source"]["guest"], "web2");
    let other = if third["source"]["guest"] == "web1" {
        "web2"
    } else {
        "web1"
    };
    assert_eq!(
        plan.skip(other, "/usr/fixed").unwrap()["reason"],
        "immutable-file"
    );
    plan.apply().expect(0);
    for path in &fixed {
        assert!(run("chattr -i", &[path]));
    }
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
}

/// Every other file would lie in as many pieces as the source.
#[test]
fn the_file_in_fewest_pieces_gives_its_blocks() {
    let lab = memory_lab!(Disk::Xfs);
    let [web, db] = guests(&lab, Disk::Xfs);
    db.put("/usr/whole", &File::new(noise(1)));
    web.put("/usr/whole", &File::new(""));
    let whole = std::fs::File::create(web.host("/usr/whole")).unwrap();
    for at in (0..LARGE.div_ceil(32768)).rev() {
        let bytes = &noise(1)[at * 32768..LARGE.min((at + 1) * 32768)];
        std::os::unix::fs::FileExt::write_all_at(&whole, bytes, at as u64 * 32768).unwrap();
        whole.sync_all().unwrap();
    }
    let plan = lab.plan(&[&web, &db], REFLINK);
    let line = plan
        .link("web1", "/usr/whole")
        .expect("a line of the file in pieces");
    assert_eq!(line["source"]["guest"], "web2");
}

#[test]
fn swap_is_left_alone() {
    let lab = memory_lab!(Disk::Xfs);
    let both_of = guests(&lab, Disk::Xfs);
    both(&both_of, "/usr/swap", &File::new(vec![0; 1 << 20]));
    let place = both_of[1].host("/usr/swap");
    assert!(run(
        "mkswap -q -U 00000000-0000-0000-0000-000000000001",
        &[&place]
    ));
    std::fs::copy(&place, both_of[0].host("/usr/swap")).unwrap();
    if !run("swapon", &[&place]) {
        skip!("this machine swaps to no file");
    }
    let (_, plan) = lab.try_plan(&[&both_of[0], &both_of[1]], REFLINK);
    assert!(run("swapoff", &[&place]));
    let plan = plan.unwrap();
    assert_eq!(
        plan.skip("web2", "/usr/swap").unwrap()["reason"],
        "swap-file"
    );
}

#[test]
fn the_method_is_tried_and_the_header_says_which_was_taken() {
    let lab = memory_lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[("/usr/bin/tool", File::new(content(1)))]);
    let (out, plan) = lab.try_plan(&[&web, &db], REFLINK);
    let said = out.expect(8).stderr;
    assert!(
        plan.is_none() && said.contains("--method hardlink"),
        "{said}"
    );
    let auto = lab.plan(&[&web, &db], &["--method", "auto"]);
    assert_eq!(auto.json["sharing"]["mode"], "hardlink");
    let usual = lab.plan(&[&web, &db], &[]);
    assert!(usual.json["sharing"].is_null() && usual.json["policy"]["method"].is_null());
    assert_eq!(auto.json["actions"], usual.json["actions"]);
    assert_eq!(
        auto.json["digest"]["content"],
        usual.json["digest"]["content"]
    );

    let lab = memory_lab!(Disk::Xfs);
    let both_of = guests(&lab, Disk::Xfs);
    both(&both_of, "/usr/bin/tool", &File::new(content(1)));
    let auto = lab.plan(&[&both_of[0], &both_of[1]], &["--method", "auto"]);
    assert_eq!(auto.json["sharing"]["mode"], "reflink");
    assert_eq!(auto.actions("link").len(), 1);
    let usual = lab.plan(&[&both_of[0], &both_of[1]], &[]);
    assert_eq!(
        usual.link("web2", "/usr/bin/tool").unwrap()["method"],
        "hardlink"
    );
}

#[test]
fn a_plan_of_reflinks_is_shown_explained_and_audited() {
    let lab = memory_lab!(Disk::Xfs);
    let both_of = guests(&lab, Disk::Xfs);
    both(&both_of, "/usr/bin/tool", &File::new(noise(1)));
    let plan = lab.plan(&[&both_of[0], &both_of[1]], REFLINK);
    let file = plan.path.to_str().unwrap();
    let shown = unify(&["show", "--json", "--lines", file]).expect(0).json();
    assert_eq!(
        (&shown["memory"], &shown["totals"]["saves"]),
        (&0.into(), &TAKEN.into())
    );
    assert_eq!(shown["actions"][0]["source"]["guest"], "web1");
    let text = unify(&["show", file]).expect(0).stdout;
    assert!(
        text.contains("method   reflink") && text.contains("none is shared"),
        "{text}"
    );
    let explain = |name: &str| {
        let told = unify(&["explain", "--json", "--plan", file, name]);
        told.expect(0).json()
    };
    let source = explain("web1:/usr/bin/tool");
    assert_eq!(source["no_line"], "source");
    assert_eq!(source["twins"][0]["guest"], "web2", "{source}");
    let line = explain("web2:/usr/bin/tool");
    assert_eq!(line["plan_line"]["source"]["guest"], "web1", "{line}");
    assert_eq!(
        line["change"]["effect"]["bytes"].as_u64().unwrap_or(TAKEN),
        TAKEN
    );
    let audit = lab.path("audit.json");
    let roots = both_of.each_ref().map(Guest::arg);
    let args = [
        "plan",
        "--audit",
        "--method",
        "reflink",
        "-o",
        audit.to_str().unwrap(),
    ];
    unify(&[&args[..], &[&roots[0], &roots[1]]].concat()).expect(0);
    let audit = Planned::read(&audit);
    let line = audit.link("web2", "/usr/bin/tool").unwrap();
    assert!(
        line["before"].is_null() && line["source_before"].is_null(),
        "{line}"
    );
}

/// What btrfs compresses is shared like the rest, and promised as no more than a bound; on a snapshot that is read-only
/// root may share blocks, and where the mount is, nothing is planned.
#[test]
fn compressed_files_read_only_snapshots_and_unwritten_room() {
    let lab = match Lab::formatted("btrfs", &[], "loop,compress-force=zstd") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let both_of = guests(&lab, Disk::Btrfs);
    let [web, db] = &both_of;
    both(
        &both_of,
        "/usr/text",
        &File::new("the same words again ".repeat(20_000)),
    );
    for guest in &both_of {
        guest.put("/usr/ahead", &File::new(noise(1)));
        assert!(run(
            "fallocate -n -o 2M -l 1M",
            &[&guest.host("/usr/ahead")]
        ));
    }
    rustix::fs::sync();
    let plan = lab.plan(&[web, db], REFLINK);
    let caveats = &plan.json["summary"]["caveats"];
    assert!(caveats["unsure"].as_u64().unwrap() > 0, "{caveats}");
    let ahead = plan.link("web2", "/usr/ahead").unwrap();
    assert_eq!(ahead["size"], LARGE);
    plan.apply().expect(0);
    plan.verify().expect(0);
    let after = lab.plan(&[web, db], REFLINK);
    assert_eq!(
        left(&after, "blocks-shared"),
        4,
        "{:?}",
        after.json["summary"]
    );
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);

    let frozen = lab.guests().join("frozen");
    assert!(run(
        "btrfs -q subvolume snapshot -r",
        &[web.root(), &frozen]
    ));
    let frozen = lab.there("frozen");
    let plan = lab.plan(&[db, &frozen], REFLINK);
    let line = plan.link("frozen", "/usr/ahead");
    if line.is_some() {
        plan.apply().expect(0);
    }
    assert_eq!(frozen.read("/usr/ahead"), noise(1));
    assert!(run("mount -o remount,ro", &[&lab.path(".")]));
    let (out, none) = lab.try_plan(&[web, db], REFLINK);
    assert!(run("mount -o remount,rw", &[&lab.path(".")]));
    assert!(none.is_none(), "{out:?}");
    out.expect(8);
}
