//! The same selectors mean the same lines in every command.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{
    Disk, File, Guest, Lab, Out, Planned, content, id, is_immutable, listings, unchanged, unify,
};

/// Three guests that share three files; `/usr/lib/b` has two names in `web`, and `/etc/conf` is configuration.
fn scene(lab: &Lab) -> ([Guest; 3], Planned) {
    let guests = ["web", "db", "app"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/bin/a", &File::new(content(1)));
        guest.put("/usr/lib/b", &File::new(content(2)));
        guest.put("/usr/lib/big", &File::new(vec![7; 200_000]));
        guest.dpkg("conf", &["/etc/conf"]);
        guest.put("/etc/conf", &File::new(content("conf")));
        guest
    });
    guests[0].hard_link("/usr/lib/b", "/usr/lib/b2");
    let plan = lab.plan(&guests.each_ref(), &[]);
    (guests, plan)
}

fn cut(plan: &Path, to: &Path, selectors: &[&str]) -> Out {
    let args = [Path::new("cut"), plan, Path::new("-o"), to].map(|arg| arg.as_os_str().to_owned());
    let selectors = selectors.iter().map(|arg| (*arg).into());
    unify(&args.into_iter().chain(selectors).collect::<Vec<_>>())
}

fn on(command: &str, plan: &Path, options: &[&str]) -> Out {
    let args = [command.into(), plan.as_os_str().to_owned()];
    let options = options.iter().map(|arg| (*arg).into());
    unify(&args.into_iter().chain(options).collect::<Vec<_>>())
}

/// Names that are shared in each guest, by the disk.
fn shared(guests: &[Guest; 3]) -> BTreeMap<String, Vec<&'static str>> {
    let names = ["/usr/bin/a", "/usr/lib/b", "/usr/lib/b2", "/usr/lib/big"];
    let of = |guest: &Guest| {
        let shared = names.iter().filter(|name| {
            let host = guest.host(name);
            host.exists() && is_immutable(&host)
        });
        (guest.name().to_owned(), shared.copied().collect())
    };
    guests.iter().map(of).collect()
}

#[test]
fn a_plan_that_was_cut_is_a_plan_and_is_applied_as_one() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    let narrow = lab.path("narrow.json");
    let selectors = ["--guest", "web", "--guest", "db", "--not-path", "/usr/bin"];
    cut(&plan.path, &narrow, &selectors).expect(0);
    let left = Planned::read(&narrow);
    let text = fs::read_to_string(&plan.path).unwrap();
    for line in fs::read_to_string(&narrow).unwrap().lines() {
        let line = line.trim_end_matches(',');
        assert!(text.contains(line), "a line that was changed: {line}");
    }
    let names = left.names();
    assert!(
        names
            .iter()
            .all(|(guest, path)| guest != "app" && !path.starts_with(b"/usr/bin"))
    );
    assert!(
        left.link("web", "/usr/lib/b2").is_some(),
        "names of a file move together"
    );
    assert_eq!(
        left.actions("flag").len(),
        2,
        "no flag of what is not linked"
    );
    // Without a question, for every line is as it was; and what is gone is counted.
    let applied = on("apply", &narrow, &["--yes", "--json"]).expect(0).json();
    let gone = plan.actions("link").len() + plan.actions("flag").len()
        - left.actions("link").len()
        - left.actions("flag").len();
    assert_eq!(applied["totals"]["held"], gone);
    let both = vec!["/usr/lib/b", "/usr/lib/big"];
    let web = vec!["/usr/lib/b", "/usr/lib/b2", "/usr/lib/big"];
    let want = [("app", vec![]), ("db", both), ("web", web)];
    assert_eq!(
        shared(&guests),
        want.map(|(name, names)| (name.to_owned(), names)).into()
    );
    on("verify", &narrow, &[]).expect(0);
}

#[test]
fn apply_with_selectors_is_apply_of_the_cut_plan() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    let selectors = ["--path", "/usr/lib/b", "--not-guest", "app"];
    let before = listings(&guests.each_ref());
    let applied = on(
        "apply",
        &plan.path,
        &[&["--yes", "--json"][..], &selectors].concat(),
    );
    let applied = applied.expect(0);
    assert!(
        !applied.stderr.contains("NOT be protected"),
        "{}",
        applied.stderr
    );
    let run = applied.json()["run"].as_str().unwrap().to_owned();
    unchanged(&guests.each_ref(), &before, "after apply");
    let want = [
        ("app", vec![]),
        ("db", vec!["/usr/lib/b"]),
        ("web", vec!["/usr/lib/b", "/usr/lib/b2"]),
    ];
    assert_eq!(
        shared(&guests),
        want.map(|(name, names)| (name.to_owned(), names)).into()
    );
    let narrow = lab.path("narrow.json");
    cut(&plan.path, &narrow, &selectors).expect(0);
    let copy = lab.base().join("runs").join(run).join("plan");
    assert_eq!(
        fs::read(copy).unwrap(),
        fs::read(&narrow).unwrap(),
        "what was executed"
    );
}

/// The same selectors say what holds, what is not applied, and what goes back.
#[test]
fn what_was_selected_is_verified_shown_and_undone_by_the_same_words() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    let selectors = ["--path", "/usr/lib/b", "--not-guest", "app"];
    let apply = [&["--yes"][..], &selectors].concat();
    on("apply", &plan.path, &apply).expect(0);
    on("verify", &plan.path, &selectors).expect(0);
    on("verify", &plan.path, &["--path", "/usr/bin"]).expect(6);
    let shown = on("show", &plan.path, &[&["--json"][..], &selectors].concat())
        .expect(0)
        .json();
    assert_eq!(
        (&shown["totals"]["links"], &shown["totals"]["flags"]),
        (&2.into(), &1.into())
    );
    assert!(
        shown.get("shared").is_none() && shown.get("same_secrets").is_none(),
        "{shown}"
    );
    // Files go back by what the plan said of them.
    lab.on_base("undo", &["--run", "all", "--yes", "--min-saves", "1M"])
        .expect(1);
    assert_eq!(shared(&guests)["db"], ["/usr/lib/b"]);
    lab.on_base(
        "undo",
        &[
            "--run",
            "all",
            "--yes",
            "--guest",
            "web",
            "--reason",
            "identical",
        ],
    )
    .expect(0);
    assert_eq!(
        (&shared(&guests)["web"][..], &shared(&guests)["db"][..]),
        (&[][..], &["/usr/lib/b"][..])
    );
}

#[test]
fn a_path_may_go_through_a_link_of_the_guest_in_every_command() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/lib/b", &File::new(content(2)));
        guest.put("/usr/bin/a", &File::new(content(1)));
        guest.symlink("usr/lib", "/lib");
        guest
    });
    let plan = lab.plan(&guests.each_ref(), &[]);
    let (through, spelt, but) = (
        lab.path("through.json"),
        lab.path("spelt.json"),
        lab.path("but.json"),
    );
    cut(&plan.path, &through, &["--path", "/lib/b"]).expect(0);
    cut(&plan.path, &spelt, &["--path", "/usr/lib/b"]).expect(0);
    cut(
        &plan.path,
        &but,
        &["--not-path", "web:/lib", "--guest", "web"],
    )
    .expect(0);
    assert_eq!(
        fs::read(&through).unwrap(),
        fs::read(&spelt).unwrap(),
        "a link leads where the name does"
    );
    let left = Planned::read(&but).names();
    assert_eq!(left.len(), 1, "{left:?}");
    let lib = ["--path", "/lib/b"];
    let [shown, same] = [["--path", "/lib/b"], ["--path", "/usr/lib/b"]].map(|path| {
        let options = [&["--json", "--lines"][..], &path].concat();
        on("show", &plan.path, &options).expect(0).stdout
    });
    assert_eq!(shown, same);
    on("apply", &plan.path, &[&["--dry-run"][..], &lib].concat()).expect(0);
    on("apply", &plan.path, &[&["--yes"][..], &lib].concat()).expect(0);
    on("verify", &plan.path, &lib).expect(0);
    let names = |name: &str| {
        guests
            .each_ref()
            .map(|guest| is_immutable(&guest.host(name)))
    };
    assert_eq!(names("/usr/lib/b"), [true, true]);
    assert_eq!(names("/usr/bin/a"), [false, false]);
    let undo = |how: &'static str| {
        let args = ["--run", "last", how, "--path", "/lib/b"];
        lab.on_base("undo", &args).expect(0)
    };
    assert!(undo("--dry-run").stdout.contains("2 files"));
    undo("--yes");
    assert_eq!(names("/usr/lib/b"), [false, false]);
}

#[test]
fn every_form_of_a_plan_can_be_cut() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    let paths: Vec<PathBuf> = ["json", "jsonl", "json.zst", "jsonl.zst"]
        .map(|form| lab.path(&format!("narrow.{form}")))
        .into();
    let mut from = plan.path.clone();
    let mut digests: Vec<Value> = Vec::new();
    // Each is cut out of the one before it, so that all are read and written.
    for path in &paths {
        let said = cut(&from, path, &["--not-guest", "app", "--json"]).expect_one_of(&[0, 2]);
        if said.code == 2 {
            // The guest is in the plan still, with no line.
            panic!("{}", said.stderr);
        }
        digests.push(said.json()["content"].clone());
        let dry = on("apply", path, &["--dry-run"]).expect(0);
        assert!(dry.stdout.contains("DRY RUN"), "{}", dry.stdout);
        from = path.clone();
    }
    assert!(
        digests.windows(2).all(|pair| pair[0] == pair[1]),
        "{digests:?}"
    );
    let approved = digests[0].as_str().unwrap();
    on("apply", &paths[3], &["--yes", "--approved", approved]).expect(0);
    assert_eq!(
        id(&guests[0].host("/usr/lib/big")),
        id(&guests[1].host("/usr/lib/big"))
    );
    assert!(!is_immutable(&guests[2].host("/usr/lib/big")));
}

#[test]
fn what_cannot_be_meant_is_refused_and_nothing_is_written() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    let narrow = lab.path("narrow.json");
    let slips: [(&[&str], i32); 6] = [
        (&[], 2),
        (&["--guest", "wbe"], 2),
        (&["--reason", "no-such"], 2),
        (&["--path", ""], 2),
        (&["--min-saves", "1T"], 1),
        (&["--reason", "config-file"], 1),
    ];
    for (selectors, code) in slips {
        cut(&plan.path, &narrow, selectors).expect(code);
        assert!(!narrow.exists(), "{selectors:?}");
        if !selectors.is_empty() {
            on("apply", &plan.path, &[&["--yes"][..], selectors].concat()).expect(code);
        }
    }
    assert!(
        !lab.base().exists(),
        "nothing was applied, and no base was left"
    );
    fs::write(&narrow, "mine").unwrap();
    cut(&plan.path, &narrow, &["--guest", "web"]).expect(1);
    assert_eq!(fs::read(&narrow).unwrap(), b"mine");
    cut(&plan.path, &narrow, &["--guest", "web", "--force"]).expect(0);
    assert_eq!(Planned::read(&narrow).names().len(), 4);
    let inside = guests[0].host("/plan.json");
    cut(&plan.path, &inside, &["--guest", "web"]).expect(2);
    assert!(!inside.exists());
}

/// A line that a hand has changed is not sealed anew by `cut`.
#[test]
fn a_cut_plan_hides_no_edit() {
    let lab = lab!(Disk::Own);
    let (_, plan) = scene(&lab);
    let text = fs::read_to_string(&plan.path).unwrap();
    let edited = lab.path("edited.json");
    fs::write(&edited, text.replace("\"size\":200000", "\"size\":200001")).unwrap();
    let narrow = lab.path("narrow.json");
    cut(&edited, &narrow, &["--path", "/usr/lib"]).expect(0);
    on("apply", &narrow, &["--yes"]).expect(5);
    on("apply", &edited, &["--yes", "--path", "/usr/lib"]).expect(5);
    assert!(!lab.base().exists());
    on("apply", &edited, &["--yes", "--not-path", "big"]).expect(0);
}

#[test]
fn show_gives_what_was_asked_for_and_not_the_page() {
    let lab = lab!(Disk::Own);
    let (_, plan) = scene(&lab);
    let page = on("show", &plan.path, &[]).expect(0).stdout;
    assert!(page.starts_with("Plan of "), "{page}");
    let by = on("show", &plan.path, &["--by", "guest"]).expect(0).stdout;
    assert!(
        !by.contains("Plan of ") && !by.contains("(no guest)") && !by.contains("guests"),
        "{by}"
    );
    assert_eq!(by.lines().count(), 4, "a heading and three guests: {by}");
    let lines = on("show", &plan.path, &["--lines", "--guest", "db"])
        .expect(0)
        .stdout;
    let links = lines.lines().filter(|line| line.starts_with("= "));
    assert!(
        links.clone().all(|line| line.starts_with("= db:")),
        "{lines}"
    );
    assert_eq!(links.count(), 3, "{lines}");
    let some = on("show", &plan.path, &["--reason", "config-file"])
        .expect(0)
        .stdout;
    assert!(
        some.contains("config-file") && some.contains("db:/etc/conf"),
        "{some}"
    );
    let status = lab.on_base("status", &["--guest", "web"]);
    assert_eq!(status.code, 1, "there is no base");
    on("apply", &plan.path, &["--yes"]).expect(0);
    let status = lab
        .on_base("status", &["--json", "--guest", "w*"])
        .expect(0)
        .json();
    assert_eq!(status["guests"].as_array().unwrap().len(), 1, "{status}");
    lab.on_base("status", &["--guest", "wbe"]).expect(2);
}

#[test]
fn the_first_lines_of_a_guest_are_of_its_files() {
    let lab = lab!(Disk::Own);
    let guests = ["app", "web"].map(|name| {
        let guest = lab.guest(name);
        (10..40).for_each(|at| guest.put(format!("/usr/lib/{at}"), &File::new(content(at))));
        guest
    });
    let plan = lab.plan(&guests.each_ref(), &["--protect", "immutable"]);
    // Flag lines stand after an object's first line, which is another guest's, and sort before its names.
    let shown = on("show", &plan.path, &["--guest", "web"]).expect(0);
    let text = &shown.stdout;
    let first: Vec<_> = text.lines().skip_while(|line| *line != "Lines:").collect();
    let of_files = first
        .iter()
        .filter(|line| line.starts_with("= web:/usr/lib/"));
    assert_eq!(of_files.count(), 20, "{text}");
    assert_eq!(
        first.last(),
        Some(&"… and 40 more lines: --lines shows all")
    );
}
