//! People may delete lines of a plan, turn them into skips and write notes, and `apply` obeys. It refuses a plan with
//! any other edit as a whole.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{
    Disk, File, Guest, Lab, Planned, action_of, content, edited, id, is_immutable, listings,
    unchanged, unify, unify_with, without_flag_of,
};

/// Three pairs of files, so that there are lines before and after an edited one.
fn lab_with_plan(lab: &Lab) -> ([Guest; 2], Planned) {
    let files = [1, 2, 3].map(|n| (["/usr/a", "/usr/b", "/usr/c"][n - 1], File::new(content(n))));
    let [web, db] = lab.twins(&files);
    let plan = lab.plan(&[&web, &db], &[]);
    ([web, db], plan)
}

/// Where the link line of a name stands, from 0.
fn line_of(lines: &[String], guest: &str, path: &str) -> usize {
    let about =
        |line: &String| action_of(line).is_some_and(|a| a["guest"] == guest && a["path"] == path);
    lines
        .iter()
        .position(about)
        .expect("the line is in the plan")
}

/// Changes the fields of one action line and leaves its comma.
fn change(line: &mut String, change: impl FnOnce(&mut Value)) {
    let comma = if line.ends_with(',') { "," } else { "" };
    let mut value = action_of(line).expect("an action line");
    change(&mut value);
    *line = format!("{value}{comma}");
}

fn apply(plan: &Path) -> crate::support::Out {
    unify(&["apply".as_ref(), "--yes".as_ref(), plan.as_os_str()])
}

/// The lines of `/usr/b`, away in both guests.
fn assert_b_is_left_alone(guests: &[Guest; 2], edited: &Path) {
    let [web, db] = guests;
    let before = listings(&[web, db]);
    apply(edited).expect(0);
    unchanged(&[web, db], &before, "after apply");
    assert_ne!(
        id(&web.host("/usr/b")),
        id(&db.host("/usr/b")),
        "what was taken out is left alone"
    );
    for path in ["/usr/a", "/usr/c"] {
        assert_eq!(id(&web.host(path)), id(&db.host(path)), "{path} is applied");
    }
    unify(&["verify".as_ref(), edited.as_os_str()]).expect(0);
}

#[test]
fn a_deleted_line_is_obeyed() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = lab_with_plan(&lab);
    let path = edited(&lab, &plan, |lines| {
        for guest in ["web", "db"] {
            lines.remove(line_of(lines, guest, "/usr/b"));
        }
    });
    assert_b_is_left_alone(&guests, &path);
}

#[test]
fn a_link_turned_into_a_skip_is_obeyed() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = lab_with_plan(&lab);
    let path = edited(&lab, &plan, |lines| {
        let n = line_of(lines, "web", "/usr/b");
        change(&mut lines[n], |line| line["action"] = json!("skip"));
        let n = line_of(lines, "db", "/usr/b");
        let skip = json!({"action": "skip", "guest": "db", "path": "/usr/b", "reason": "held", "note": "ask Ada"});
        change(&mut lines[n], |line| *line = skip);
    });
    assert_b_is_left_alone(&guests, &path);
}

/// The object of the line stays open, and no other.
#[test]
fn a_deleted_flag_line_is_obeyed() {
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = lab_with_plan(&lab);
    let object = plan.link("web", "/usr/b").unwrap()["object"].clone();
    assert!(plan.actions("flag").iter().all(|flag| flag["names"] == 2));
    let path = edited(&lab, &plan, |lines| {
        lines.retain(|line| {
            action_of(line).is_none_or(|a| a["action"] != "flag" || a["object"] != object)
        });
    });
    apply(&path).expect(0);
    let flagged = ["/usr/a", "/usr/b", "/usr/c"].map(|path| is_immutable(&web.host(path)));
    assert_eq!(flagged, [true, false, true]);
}

#[test]
fn the_last_line_may_go_too() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = lab_with_plan(&lab);
    let path = edited(&lab, &plan, |lines| {
        let last = lines
            .iter()
            .rposition(|line| action_of(line).is_some())
            .unwrap();
        lines.remove(last);
    });
    let before = listings(&[&web, &db]);
    apply(&path).expect(0);
    unchanged(&[&web, &db], &before, "after apply");
}

#[test]
fn a_note_changes_nothing() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = lab_with_plan(&lab);
    let path = edited(&lab, &plan, |lines| {
        let n = line_of(lines, "db", "/usr/a");
        change(&mut lines[n], |line| {
            line["note"] = json!("seen, fine \u{1b}[31m");
        });
    });
    apply(&path).expect(0);
    assert_eq!(id(&web.host("/usr/a")), id(&db.host("/usr/a")));
}

/// A field of the link line of `db:/usr/b`, and what is done to it.
type Edit = (&'static str, fn(&mut Value));

const REFUSED: &[Edit] = &[
    ("path", |line| line["path"] = json!("/usr/a2")),
    ("path", |line| line["path"] = json!("/usr/../etc/shadow")),
    ("path", |line| line["path"] = json!("usr/b")),
    ("path", |line| line["path"] = json!("/usr//b")),
    ("guest", |line| line["guest"] = json!("web")),
    ("guest", |line| line["guest"] = json!("nobody")),
    ("size", |line| line["size"] = json!(9_001)),
    ("saves", |line| line["saves"] = json!(1)),
    ("method", |line| line["method"] = json!("rename")),
    ("object", |line| {
        line["object"] = json!(line["object"].as_str().unwrap().replace(['0', '1'], "2"));
    }),
    ("object", |line| {
        line["object"] = json!("sha256:../../../../etc/passwd");
    }),
    ("action", |line| line["action"] = json!("copy")),
    ("before", |line| {
        drop(line.as_object_mut().unwrap().remove("before"));
    }),
    ("ctime", |line| {
        drop(line["before"].as_object_mut().unwrap().remove("ctime"));
    }),
    ("ctime", |line| {
        line["before"]["ctime"] = json!("1700000000.5");
    }),
    ("before", |line| line["before"]["mode"] = json!("4755")),
    ("ino", |line| line["before"]["ino"] = json!(12)),
    ("size", |line| {
        drop(line.as_object_mut().unwrap().remove("size"));
    }),
    ("seal", |line| {
        drop(line.as_object_mut().unwrap().remove("seal"));
    }),
    ("surprise", |line| line["surprise"] = json!(true)),
];

#[test]
fn everything_else_is_refused_by_line_and_field() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = lab_with_plan(&lab);
    let before = listings(&[&web, &db]);
    for (n, (field, edit)) in REFUSED.iter().enumerate() {
        let mut number = 0;
        let path = edited(&lab, &plan, |lines| {
            number = line_of(lines, "db", "/usr/b");
            change(&mut lines[number], edit);
        });
        let said = apply(&path).expect(5).stderr;
        assert!(
            said.contains(field),
            "edit {n}: wanted the field {field} in: {said}"
        );
        let line = (number + 1).to_string();
        let words: Vec<&str> = said.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        assert!(
            words.contains(&line.as_str()),
            "edit {n} of {field}: wanted line {line} in: {said}"
        );
        assert_eq!(
            lab.objects().len(),
            0,
            "edit {n} of {field}: nothing is done"
        );
    }
    unchanged(&[&web, &db], &before, "after all of them");
    plan.apply().expect(0);
}

/// Where things are and how they are protected is not a hand's to change either.
#[test]
fn the_head_is_refused_by_line_and_field() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = lab_with_plan(&lab);
    let before = listings(&[&web, &db]);
    let (base, other) = (lab.base(), lab.guests().join("other"));
    let (base, other) = (base.to_str().unwrap(), other.to_str().unwrap());
    for (from, to, field) in [
        (base, other, "base"),
        ("\"mode\":\"immutable\"", "\"mode\":\"none\"", "protection"),
        ("\"ignore\":[]", "\"ignore\":[\"mtime\"]", "policy"),
        ("\"flags\":3", "\"flags\":1", "totals"),
        ("\"running\":false", "\"running\":true", "running"),
    ] {
        let mut number = 0;
        let path = edited(&lab, &plan, |lines| {
            number = lines
                .iter()
                .position(|line| line.contains(from))
                .expect(from);
            lines[number] = lines[number].replacen(from, to, 1);
        });
        let said = apply(&path).expect(5).stderr;
        let want = format!("line {}, changed by hand: field `{field}`", number + 1);
        assert!(said.contains(&want), "wanted {want} in: {said}");
        let made = [base, other].map(|dir| Path::new(dir).exists());
        assert_eq!(
            made,
            [false, false],
            "{field}: no base is made for a refused plan"
        );
    }
    unchanged(&[&web, &db], &before, "after all of them");
    plan.apply().expect(0);
}

#[test]
fn a_plan_cut_short_is_refused() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = lab_with_plan(&lab);
    let before = listings(&[&web, &db]);
    let whole = std::fs::read(&plan.path).unwrap();
    let path = lab.path("cut.json");
    let end = whole.trim_ascii_end().len();
    for length in (0..end).step_by(end / 40).chain([end - 1]) {
        std::fs::write(&path, &whole[..length]).unwrap();
        apply(&path).expect(5);
        assert_eq!(
            lab.objects().len(),
            0,
            "{length} of {end} bytes: nothing is done"
        );
    }
    unchanged(&[&web, &db], &before, "after all of them");
}

#[test]
fn an_added_line_is_refused() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = lab_with_plan(&lab);
    let before = listings(&[&web, &db]);
    let path = edited(&lab, &plan, |lines| {
        let n = line_of(lines, "db", "/usr/b");
        let twice = lines[n].clone();
        lines.insert(n, twice);
    });
    apply(&path).expect(5);
    unchanged(&[&web, &db], &before, "after apply");
    assert_eq!(lab.objects().len(), 0, "nothing is done");
}

#[test]
fn an_approval_binds_to_what_would_be_done() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = lab_with_plan(&lab);
    let digest = plan.json["digest"]["content"].as_str().unwrap().to_owned();
    let again = lab.plan(&[&web, &db], &[]);
    assert_eq!(
        again.json["digest"]["content"], digest,
        "a second plan says the same"
    );
    let (head, last) = digest.split_at(digest.len() - 1);
    let other = format!("{head}{}", if last == "0" { "1" } else { "0" });
    let plan_arg = again.path.to_str().unwrap();
    unify(&["apply", "--yes", "--approved", &other, plan_arg]).expect(5);
    assert_eq!(lab.objects().len(), 0, "nothing is done");
    unify(&["apply", "--yes", "--approved", &digest, plan_arg]).expect(0);
    assert_eq!(id(&web.host("/usr/a")), id(&db.host("/usr/a")));
}

#[test]
fn without_a_terminal_apply_wants_a_word() {
    let lab = lab!(Disk::Own);
    let (_guests, plan) = lab_with_plan(&lab);
    unify(&["apply".as_ref(), plan.path.as_os_str()]).expect(2);
    assert_eq!(lab.objects().len(), 0, "nothing is done");
}

/// By hand, a name is given another object that is there at that point, of the same size and metadata: the bytes
/// themselves are compared.
#[test]
fn another_object_of_the_same_size_is_refused() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ]);
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &[]);
    let edited = edited(&lab, &plan, |lines| {
        let other = action_of(&lines[line_of(lines, "web", "/usr/a")]).unwrap()["object"].clone();
        let at = line_of(lines, "web", "/usr/b");
        change(&mut lines[at], |line| line["object"] = other);
    });
    let path = edited.to_str().unwrap();
    unify(&["apply", "--yes", "--accept-edits", path]).expect(4);
    assert_ne!(id(&web.host("/usr/a")), id(&web.host("/usr/b")));
    unchanged(&[&web, &db], &before, "after apply");
}

/// What else an edit can say of a hard link is proven anew, or refused where nothing proves it.
#[test]
fn no_field_is_believed_because_edits_are_accepted() {
    let facts: [(&str, Value, i32); 4] = [
        ("size", json!(9_001), 4),
        ("package", json!("bash"), 5),
        ("reason", json!("same-content"), 5),
        ("saves", json!(7), 0),
    ];
    for (field, value, code) in facts {
        let lab = lab!(Disk::Own);
        let ([web, db], plan) = lab_with_plan(&lab);
        let before = listings(&[&web, &db]);
        let edited = edited(&lab, &plan, |lines| {
            let at = line_of(lines, "web", "/usr/b");
            change(&mut lines[at], |line| line[field] = value);
        });
        let path = edited.to_str().unwrap();
        unify(&["apply", "--yes", path]).expect(5);
        unify(&["apply", "--yes", "--accept-edits", path]).expect(code);
        let shared = id(&web.host("/usr/b")) == id(&db.host("/usr/b"));
        assert_eq!(shared, code == 0, "{field}");
        unchanged(&[&web, &db], &before, field);
    }
}

/// Two files with more twins than an object may have names, and one of the two flag lines deleted: later objects of the
/// one are protected like its first, and those of the other are not.
#[test]
fn a_later_generation_is_protected_like_the_first() {
    armed!();
    // Batches of one name too: the flag line is then read long before the last object is made.
    for pace in [&[][..], &["--rate", "4"]] {
        let lab = lab!(Disk::Own);
        let guest = lab.guest("web");
        for n in 0..7 {
            guest.put(format!("/usr/a{n}"), &File::new(content("a")));
            guest.put(format!("/usr/b{n}"), &File::new(content("b")));
        }
        let plan = lab.plan(&[&guest], &[]);
        let object = |name: &str| plan.link("web", name).unwrap()["object"].clone();
        let (kept, dropped) = (object("/usr/a0"), object("/usr/b0"));
        assert_ne!(kept, dropped);
        let edited = without_flag_of(&lab, &plan, &dropped);
        let args = [&["apply", "--yes"], pace, &[edited.to_str().unwrap()]].concat();
        unify_with(&[("UNIFY_MAX_LINKS", "4")], &args).expect(0);
        let names = |kind: &str| {
            (0..7)
                .map(|n| guest.host(format!("/usr/{kind}{n}")))
                .collect()
        };
        let (a, b): (Vec<PathBuf>, Vec<PathBuf>) = (names("a"), names("b"));
        assert_ne!(id(&a[0]), id(&a[6]), "one object has not room for all");
        for (a, b) in a.iter().zip(&b) {
            assert!(is_immutable(a), "{a:?}");
            assert!(!is_immutable(b), "{b:?}");
        }
    }
}
