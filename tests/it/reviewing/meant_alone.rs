//! What a selector does not mean stays as it is: other guests, other files, and the protection of what is shared.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::{Disk, File, Guest, Lab, Planned, content, is_immutable, unify};

/// Guests that share `/usr/lib/f1` and `/usr/lib/f2`, and have a link `/lib` to `usr/lib`.
fn scene<const N: usize>(lab: &Lab, names: [&str; N]) -> ([Guest; N], Planned) {
    let guests = names.map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/lib/f1", &File::new(content(1)));
        guest.put("/usr/lib/f2", &File::new(content(2)));
        guest.symlink("usr/lib", "/lib");
        guest
    });
    let plan = lab.plan(&guests.each_ref(), &[]);
    (guests, plan)
}

fn apply(plan: &Path, options: &[&str]) -> crate::support::Out {
    unify(&[&["apply", plan.to_str().unwrap()][..], options].concat())
}

/// Is the file of each guest an object?
fn shared<const N: usize>(guests: &[Guest; N], name: &str) -> [bool; N] {
    guests
        .each_ref()
        .map(|guest| is_immutable(&guest.host(name)))
}

#[test]
fn the_name_of_a_guest_means_that_guest_alone() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab, ["web[1]", "web1", "x"]);
    let chosen = ["--guest", "web[1]", "--guest", "x"];
    apply(&plan.path, &[&["--yes"][..], &chosen].concat()).expect(0);
    assert_eq!(shared(&guests, "/usr/lib/f1"), [true, false, true]);
    apply(&plan.path, &["--yes"]).expect(0);
    let undo = |guest: &str, options: &[&str]| {
        let args = ["--run", "all", "--yes", "--guest", guest];
        lab.on_base("undo", &[&args[..], options].concat())
            .expect(0);
    };
    undo("web[1]", &["--path", "/usr/lib/f1"]);
    assert_eq!(shared(&guests, "/usr/lib/f1"), [false, true, true]);
    let placed = format!("web[1]={}", guests[0].host("/").display());
    undo(&placed, &[]);
    assert_eq!(shared(&guests, "/usr/lib/f2"), [false, true, true]);
    undo("*", &["--not-guest", "web[1]", "--path", "/usr/lib/f1"]);
    assert_eq!(shared(&guests, "/usr/lib/f1"), [false; 3]);
}

/// No reason is one against protection.
#[test]
fn what_is_linked_is_protected_whatever_reasons_are_selected() {
    for (number, reasons) in [
        ["--not-reason", "protect-shared"],
        ["--reason", "identical"],
    ]
    .iter()
    .enumerate()
    {
        let lab = lab!(Disk::Own);
        let (guests, plan) = scene(&lab, ["web", "db"]);
        let selectors = [&reasons[..], &["--path", "/usr/lib/f1"]].concat();
        if number == 0 {
            let narrow = lab.path("narrow.json");
            let cut = ["cut", plan.path.to_str().unwrap(), "-o"];
            let cut = [&cut[..], &[narrow.to_str().unwrap()], &selectors].concat();
            unify(&cut).expect(0);
            let narrow = Planned::read(&narrow);
            assert_eq!(narrow.actions("flag").len(), 1, "{reasons:?}");
        }
        let out = apply(&plan.path, &[&["--yes"][..], &selectors].concat()).expect(0);
        assert!(!out.stderr.contains("NOT be protected"), "{}", out.stderr);
        assert_eq!(shared(&guests, "/usr/lib/f1"), [true, true], "{reasons:?}");
        assert_eq!(shared(&guests, "/usr/lib/f2"), [false, false]);
    }
}

/// A hand took the flag line of one object out: its maker is copied, and both commands warn.
#[test]
fn a_dry_run_warns_of_what_apply_warns_of() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab, ["web", "db"]);
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let flag = text
        .lines()
        .find(|line| line.contains("\"protect-shared\""))
        .unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| *line != flag).collect();
    std::fs::write(&plan.path, kept.join("\n") + "\n").unwrap();
    let inodes = || {
        ["/usr/lib/f1", "/usr/lib/f2"].map(|name| {
            guests
                .each_ref()
                .map(|guest| std::fs::metadata(guest.host(name)).unwrap().ino())
        })
    };
    let before = inodes();
    let warning = "1 shared file will NOT be protected";
    for how in ["--dry-run", "--yes"] {
        let out = apply(&plan.path, &["--accept-edits", how]).expect(0);
        assert!(out.stderr.contains(warning), "{how}: {}", out.stderr);
    }
    let open = ["/usr/lib/f1", "/usr/lib/f2"].map(|name| shared(&guests, name) == [false, false]);
    assert_ne!(open[0], open[1], "one of them has its flag");
    let at = usize::from(open[1]);
    let (was, is) = (before[at], inodes()[at]);
    assert!(
        is[0] == is[1] && !was.contains(&is[0]),
        "adopted without its flag"
    );
}

#[test]
fn an_undo_leaves_out_what_a_link_of_the_guest_leads_to() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab, ["web", "db"]);
    plan.apply().expect(0);
    let args = ["--run", "all", "--guest", "web", "--not-path", "/lib/f1"];
    let undo = |how: &str| lab.on_base("undo", &[&args[..], &[how]].concat()).expect(0);
    assert!(undo("--dry-run").stdout.contains("1 file"));
    undo("--yes");
    assert_eq!(shared(&guests, "/usr/lib/f1"), [true, true]);
    assert_eq!(shared(&guests, "/usr/lib/f2"), [false, true]);
}
