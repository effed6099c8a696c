//! Two plans: what is new, gone and changed, and what counts.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{BIN, Disk, File, Guest, Lab, Out, Planned, content, edited, unify};

fn diff(old: &Path, new: &Path, options: &[&str]) -> Out {
    let plans = [old.to_str().unwrap(), new.to_str().unwrap()];
    unify(&[&["diff", "--exit-code"][..], &plans, options].concat())
}

/// The answer for programs. The digests and the lines must say the same of what is decided.
#[track_caller]
fn answer(old: &Path, new: &Path, options: &[&str], code: i32) -> Value {
    let said = diff(old, new, &[&["--json"][..], options].concat())
        .expect(code)
        .json();
    assert_eq!(said["same"], code == 0, "{said}");
    let decides = |change: &&Value| {
        let acts = |side: &str| {
            ["link", "flag"].contains(&change[side]["action"].as_str().unwrap_or("skip"))
        };
        acts("old") || acts("new")
    };
    let lines = said["changes"].as_array().unwrap();
    let header = said["header_changes"].as_array().unwrap();
    let guests = said["guest_changes"].as_array().unwrap();
    let is_decided = lines.iter().any(|change| decides(&change))
        || header.iter().any(|change| change["decides"] == true)
        || guests.iter().any(|guest| !guest["only_in"].is_null());
    if options.is_empty() {
        assert_eq!(said["same_decision"], !is_decided, "{said}");
    }
    assert_eq!(said["changed"], lines.len(), "{said}");
    said
}

/// `SIGN GUEST:PATH FIELDS` of every change.
fn told(said: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let line = |change: &Value| {
        let fields = change["fields"].as_array().unwrap().iter().map(text);
        let fields: Vec<String> = fields.collect();
        let name = format!("{}:{}", text(&change["guest"]), text(&change["path"]));
        format!("{} {name} {}", text(&change["what"]), fields.join(","))
            .trim_end()
            .to_owned()
    };
    said["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

fn scene(lab: &Lab) -> ([Guest; 2], Planned) {
    let guests = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
        ("/usr/c", File::new(content(3))),
    ]);
    let plan = lab.plan(&guests.each_ref(), &[]);
    (guests, plan)
}

/// The same bytes and times in another inode.
fn another_inode(guest: &Guest, path: &str) {
    let (old, new) = (guest.host(path), guest.host("/usr/new"));
    let done = Command::new("cp").arg("-a").args([&old, &new]).status();
    assert!(done.unwrap().success());
    fs::rename(new, old).unwrap();
}

#[test]
fn what_a_reviewer_did_is_told() {
    let lab = lab!(Disk::Own);
    let (_, plan) = scene(&lab);
    for options in [&[][..], &["--evidence"]] {
        let same = answer(&plan.path, &plan.path, options, 0);
        assert_eq!(told(&same), [""; 0]);
    }
    let object = plan.link("web", "/usr/c").unwrap()["object"].clone();
    let cut = edited(&lab, &plan, |lines| {
        lines.retain(|line| !(line.contains("\"web\"") && line.contains("\"/usr/a\"")));
        for line in lines {
            if line.contains("\"web\"") && line.contains("\"/usr/b\"") {
                *line = line.replacen("\"link\"", "\"skip\"", 1);
            }
            if line.contains("\"flag\"") && line.contains(object.as_str().unwrap()) {
                *line = line.replacen("\"flag\"", "\"skip\"", 1);
            }
            if line.contains("\"db\"") && line.contains("\"/usr/a\"") {
                *line = line.replacen("\"reason\"", "\"note\":\"looked at\",\"reason\"", 1);
            }
        }
    });
    let said = answer(&plan.path, &cut, &[], 10);
    let mut want = vec![
        "gone web:/usr/a".to_owned(),
        "changed web:/usr/b action,reason".to_owned(),
        "gone :".to_owned(),
        "new :".to_owned(),
    ];
    let mut lines = told(&said);
    lines.sort();
    want.sort();
    assert_eq!(
        lines, want,
        "a note and what stands around a flag are no decision"
    );
    let flags = (&said["new_flags"], &said["gone_flags"]);
    assert_eq!(flags, (&1.into(), &1.into()), "{said}");
    let with_all = told(&answer(&plan.path, &cut, &["--evidence"], 10));
    assert!(
        with_all.contains(&"changed db:/usr/a note".to_owned()),
        "{with_all:?}"
    );
    // And the other way round.
    let back = told(&answer(&cut, &plan.path, &[], 10));
    assert!(back.contains(&"new web:/usr/a".to_owned()), "{back:?}");
}

#[test]
fn a_moved_inode_is_evidence_and_no_decision() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    another_inode(&guests[0], "/usr/a");
    let again = lab.plan(&guests.each_ref(), &[]);
    let said = answer(&plan.path, &again.path, &[], 0);
    assert_eq!((&said["same_content"], told(&said)), (&true.into(), vec![]));
    let text = diff(&plan.path, &again.path, &[]).expect(0).stdout;
    assert!(text.contains("No difference"), "{text}");
    let said = answer(&plan.path, &again.path, &["--evidence"], 10);
    let name = format!("{}:/usr/a ", guests[0].name());
    let [line] = &told(&said)[..] else {
        panic!("{said}");
    };
    assert!(
        line.contains(&name) && line.contains("ino") && line.contains("ctime"),
        "{line}"
    );
    let change = &said["changes"][0];
    assert_ne!(
        change["old"]["before"]["ino"],
        change["new"]["before"]["ino"]
    );
}

#[test]
fn what_the_guests_did_is_told() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    for guest in [&web, &db] {
        guest.put("/usr/a", &File::new(content(9)));
        guest.put("/usr/d", &File::new(content(4)));
    }
    fs::remove_file(db.host("/usr/b")).unwrap();
    web.dpkg("app", &["/usr/c"]);
    let again = lab.plan(&[&web, &db], &[]);
    let said = answer(&plan.path, &again.path, &[], 10);
    let lines: Vec<String> = told(&said)
        .into_iter()
        .filter(|line| !line.contains(" :"))
        .collect();
    let names = ["db:/usr/a object", "web:/usr/a object"].map(|name| format!("changed {name}"));
    for line in &names {
        assert!(lines.contains(line), "{line}: {lines:?}");
    }
    let gone = ["gone db:/usr/b", "gone web:/usr/b", "gone db:/usr/c"];
    for line in gone.iter().chain(&["new db:/usr/d", "new web:/usr/d"]) {
        assert!(lines.contains(&(*line).to_owned()), "{line}: {lines:?}");
    }
    let config = said["changes"].as_array().unwrap();
    let config = config
        .iter()
        .find(|change| change["path"] == "/usr/c" && change["guest"] == "web");
    assert_eq!(config.unwrap()["new"]["reason"], "config-file", "{said}");
    let sums = said["guest_changes"].as_array().unwrap();
    let web_sums = sums.iter().find(|guest| guest["guest"] == "web").unwrap();
    assert_eq!(
        (&web_sums["old"]["links"], &web_sums["new"]["links"]),
        (&3.into(), &2.into())
    );
    // The order is that of the plans; flags have none.
    let place = |line: &String| line.split(' ').nth(1).map(str::to_owned);
    assert!(lines.iter().map(place).is_sorted(), "{lines:?}");
}

#[test]
fn choices_and_guests_count_and_places_do_not() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    let said = answer(
        &plan.path,
        &lab.plan(&[&web, &db], &["--min-size", "1K"]).path,
        &[],
        10,
    );
    assert_eq!(said["changed"], 0);
    let choice = &said["header_changes"][0];
    assert_eq!(
        (&choice["field"], &choice["decides"]),
        (&"policy.min_size".into(), &true.into()),
        "{said}"
    );
    assert_eq!(
        (&choice["old_value"], &choice["new_value"]),
        (&"0".into(), &"1024".into())
    );
    let app = lab.guest("app");
    app.put("/usr/a", &File::new(content(1)));
    let three = lab.plan(&[&app, &web, &db], &[]);
    let said = answer(&plan.path, &three.path, &[], 10);
    assert_eq!(said["guest_changes"][0]["only_in"], "new", "{said}");
    assert!(told(&said).contains(&"new app:/usr/a".to_owned()), "{said}");
}

/// Equal guests elsewhere, and an audit of them: the same is decided, in another place.
#[test]
fn where_guests_lie_is_told_and_is_no_difference() {
    let lab = lab!(Disk::Own);
    let (_, plan) = scene(&lab);
    let there = lab.path("there");
    let copied = Command::new("cp")
        .arg("-a")
        .args([&lab.guests(), &there])
        .status();
    assert!(copied.unwrap().success());
    let roots = ["web", "db"].map(|name| format!("{name}={}", there.join(name).display()));
    let roots = roots.each_ref().map(String::as_str);
    let (other, base) = (lab.path("other.json"), there.join(".unify"));
    let base = ["--base", base.to_str().unwrap(), "--protect", "immutable"];
    let to = ["-o", other.to_str().unwrap()];
    unify(&[&["plan"][..], &base, &to, &roots].concat()).expect(0);
    let said = answer(&plan.path, &other, &[], 0);
    assert_eq!(said["same_content"], false, "{said}");
    let header = said["header_changes"].as_array().unwrap();
    let fields: Vec<&Value> = header.iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["base.path", "guests.db.root", "guests.web.root"]);
    let text = diff(&plan.path, &other, &[]).expect(0).stdout;
    assert!(text.contains("No difference in what is decided"), "{text}");
    let audit = lab.path("audit.json");
    let to = ["-o", audit.to_str().unwrap()];
    unify(&[&["plan", "--audit"][..], &to, &roots].concat()).expect(0);
    answer(&plan.path, &audit, &[], 0);
    answer(&other, &audit, &["--evidence"], 10);
}

#[test]
fn plans_of_every_form_can_be_compared() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    let args = [
        format!("web={}", web.root().display()),
        format!("db={}", db.root().display()),
    ];
    let base = lab.base();
    for name in ["p.jsonl", "p.json.zst", "p.jsonl.zst"] {
        let path = lab.path(name);
        let out = [
            "-o",
            path.to_str().unwrap(),
            "--base",
            base.to_str().unwrap(),
        ];
        let protect = ["--protect", "immutable"];
        unify(&[&["plan"][..], &out, &protect, &[&args[0], &args[1]]].concat()).expect(0);
        answer(&plan.path, &path, &[], 0);
    }
    let input = fs::File::open(lab.path("p.jsonl.zst")).unwrap();
    let out = Command::new(BIN)
        .args(["diff", "--exit-code"])
        .arg(&plan.path)
        .arg("-")
        .stdin(Stdio::from(input))
        .output()
        .unwrap();
    assert_eq!(
        out.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(String::from_utf8_lossy(&out.stdout).contains("→ -"));
}

#[test]
fn what_is_no_pair_of_plans_is_refused() {
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = scene(&lab);
    let path = plan.path.to_str().unwrap();
    let garbage = lab.path("garbage");
    fs::write(&garbage, "no plan\n").unwrap();
    diff(&plan.path, &garbage, &[]).expect(5);
    diff(&plan.path, &lab.path("missing"), &[]).expect(1);
    let cut_off = lab.path("cut-off");
    let text = fs::read(&plan.path).unwrap();
    fs::write(&cut_off, &text[..text.len() * 2 / 3]).unwrap();
    for options in [&[][..], &["--json"]] {
        let out = diff(&cut_off, &plan.path, options).expect(5);
        assert!(
            !out.stdout.contains("changes"),
            "an answer that has not begun: {}",
            out.stdout
        );
    }
    let swapped = edited(&lab, &plan, |lines| {
        let guest = |line: &String, name: &str| {
            line.contains("\"root\"") && line.contains(&format!("\"name\":\"{name}\""))
        };
        let at = lines.iter().position(|line| guest(line, "db")).unwrap();
        lines.swap(at, at + 1);
        for line in &mut lines[at..=at + 1] {
            *line = line.trim_end_matches(',').to_owned();
        }
        lines[at].push(',');
        lines.retain(|line| !line.contains("\"action\""));
    });
    diff(&plan.path, &swapped, &[]).expect(5);
    let root = web.root().to_str().unwrap();
    for wrong in [
        &["diff", "-", "-"][..],
        &["diff", path],
        &["diff", path, root],
        &["diff", "--now", path, path],
        &["diff", "--now", root],
        &["diff", "--mtime", path, path],
        &["diff", "--base", root, path, path],
        &["diff", root],
        &["diff", "--no-cache", path, path],
        &["diff", "--guest", "nobody", path, path],
        &["diff", "--stat", "--all", path, path],
    ] {
        unify(wrong).expect(2);
    }
}

#[test]
fn lines_are_selected_and_long_lists_are_cut() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins_of(30);
    let plan = lab.plan(&[&web, &db], &[]);
    let less = lab.plan(&[&web, &db], &["--exclude", "/usr/f*"]);
    let text = diff(&plan.path, &less.path, &[]).expect(10).stdout;
    let shown = text
        .lines()
        .filter(|line| line.starts_with(['~', '-', '+']))
        .count();
    assert_eq!(shown, 20, "{text}");
    assert!(text.contains("more lines: --all"), "{text}");
    let all = diff(&plan.path, &less.path, &["--all"]).expect(10).stdout;
    let shown = all
        .lines()
        .filter(|line| line.starts_with(['~', '-', '+']))
        .count();
    let said = answer(&plan.path, &less.path, &[], 10);
    assert_eq!(said["changed"], shown, "{all}");
    let stat = diff(&plan.path, &less.path, &["--stat", "--json"])
        .expect(10)
        .json();
    assert_eq!(
        (&stat["changed"], stat.get("changes")),
        (&said["changed"], None)
    );
    let one = answer(
        &plan.path,
        &less.path,
        &[
            "--guest", "web", "--path", "/usr/f07", "--reason", "excluded",
        ],
        10,
    );
    let names: Vec<String> = told(&one);
    assert_eq!(names, ["changed web:/usr/f07 action,object,reason"]);
    assert_eq!(one["header_changes"], serde_json::json!([]));
    let other = answer(&plan.path, &less.path, &["--path", "/usr/none"], 0);
    assert_eq!(other["changed"], 0);
    let quiet = diff(&plan.path, &less.path, &["-q"]).expect(10);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}
