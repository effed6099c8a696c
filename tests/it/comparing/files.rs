//! One file of two guests.

use std::fs;

use serde_json::Value;

use crate::support::{Disk, File, Guest, Out, content, unify};

fn diff(old: (&Guest, &str), new: (&Guest, &str), options: &[&str]) -> Out {
    let arg = |(guest, path): (&Guest, &str)| format!("{}:{path}", guest.arg());
    let (old, new) = (arg(old), arg(new));
    unify(
        &[
            &["diff", "--exit-code", old.as_str(), new.as_str()],
            options,
        ]
        .concat(),
    )
}

fn both(web: &Guest, db: &Guest, path: &str, options: &[&str]) -> Out {
    diff((web, path), (db, path), options)
}

#[test]
fn texts_are_shown_line_by_line_and_harmless() {
    let lab = lab!(Disk::Own);
    let lines: String = (0..20).map(|n| format!("line {n}\n")).collect();
    let [web, db] = lab.twins(&[("/etc/f", File::new(lines.clone()))]);
    let same = both(&web, &db, "/etc/f", &[]).expect(0).stdout;
    assert!(same.contains("The content is the same."), "{same}");
    let hostile = lines.replace("line 10\n", "\u{1b}[2Jx\u{202e}\n::error::y\n") + "no end";
    db.put(
        "/etc/f",
        &File::new(hostile).mode(0o600).mtime(1_600_000_000, 0),
    );
    let text = both(&web, &db, "/etc/f", &[]).expect(10).stdout;
    let want = "--- web:/etc/f\n+++ db:/etc/f\n@@ -8,7 +8,8 @@\n line 7\n line 8\n line 9\n-line 10\n+\\x1b[2Jx\\u{202e}\n+\\x3a:error::y\n line 11\n";
    assert!(text.contains(want), "{text}");
    assert!(
        text.contains("+no end\n\\ No newline at end of file\n"),
        "{text}"
    );
    assert!(
        text.contains("~  mode") && text.contains("~  mtime"),
        "{text}"
    );
    let said = both(&web, &db, "/etc/f", &["--json"]).expect(10).json();
    assert_eq!(
        said["fields"],
        serde_json::json!(["content", "mode"]),
        "{said}"
    );
    assert_eq!(
        said["hunks"][0]["hunk_lines"][4]["text"],
        "\u{1b}[2Jx\u{202e}"
    );
    assert_eq!(said["first_difference"], 70, "{said}");
    let stat = both(&web, &db, "/etc/f", &["--stat"]).expect(10).stdout;
    assert!(!stat.contains("@@"), "{stat}");
}

#[test]
fn bytes_and_large_files_are_summed_up() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/bytes", File::new([b"a\0", &content(1)[..]].concat())),
        ("/usr/large", File::new(vec![b'x'; (1 << 20) + 1])),
        ("/usr/many", File::new(vec![b'\n'; 50_001])),
        ("/usr/holes", File::new("x").in_holes_of(1 << 40)),
    ]);
    db.put("/usr/bytes", &File::new([b"a\0", &content(2)[..]].concat()));
    db.put(
        "/usr/large",
        &File::new([vec![b'x'; 1 << 20], vec![b'y']].concat()),
    );
    db.put("/usr/many", &File::new("x"));
    db.put("/usr/holes", &File::new("y").in_holes_of(1 << 40));
    let said = |path: &str| both(&web, &db, path, &["--json"]).expect(10).json();
    let facts = |said: &Value| (said["not_shown"].clone(), said["first_difference"].clone());
    assert_eq!(facts(&said("/usr/bytes")), ("binary".into(), 10.into()));
    assert_eq!(
        facts(&said("/usr/large")),
        ("too-large".into(), (1 << 20).into())
    );
    assert_eq!(facts(&said("/usr/many")), ("too-large".into(), 0.into()));
    let holes = said("/usr/holes");
    assert_eq!(facts(&holes), ("too-large".into(), (1_u64 << 40).into()));
    assert_eq!(
        holes["old_file"]["sha256"],
        Value::Null,
        "holes are not read"
    );
    let text = both(&web, &db, "/usr/bytes", &[]).expect(10).stdout;
    assert!(
        text.contains("differs from byte 10 on") && text.contains("sha256:"),
        "{text}"
    );
}

#[test]
fn links_are_shown_and_what_leads_to_a_file_is_followed() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/bin/sh", File::new("sh"))]);
    for guest in [&web, &db] {
        guest.symlink("usr/bin", "/bin");
        guest.symlink("/etc/passwd", "/usr/secret");
        guest.symlink("../../../../../../etc", "/out");
    }
    db.symlink("/etc/group", "/usr/other");
    let text = both(&web, &db, "/bin/sh", &[]).expect(0).stdout;
    assert!(
        text.contains("web:/usr/bin/sh") && text.contains("(web:/bin is a link to usr/bin)"),
        "{text}"
    );
    let said = diff((&web, "/usr/secret"), (&db, "/usr/other"), &["--json"])
        .expect(10)
        .json();
    assert_eq!(said["fields"], serde_json::json!(["target"]));
    assert_eq!(
        said["old_file"]["entry"]["link_target"]["text"],
        "/etc/passwd"
    );
    assert_eq!(
        said["same_bytes"],
        Value::Null,
        "nothing is read through a link: {said}"
    );
    let out = both(&web, &db, "/out/passwd", &[]).expect(1).stdout;
    assert!(out.contains("Neither has it"), "{out}");
    fs::remove_file(db.host("/usr/bin/sh")).unwrap();
    let said = both(&web, &db, "/bin/sh", &["--json"]).expect(10).json();
    assert_eq!(
        (&said["new_file"]["entry"], &said["fields"][0]),
        (&Value::Null, &"type".into())
    );
}

#[test]
fn guests_are_known_by_plan_and_base_and_directory() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/a", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let path = plan.path.to_str().unwrap();
    let files = ["web:/usr/a", "db:/usr/a"];
    let ask = |options: &[&str]| unify(&[&["diff", "--exit-code"][..], &files, options].concat());
    ask(&["--plan", path]).expect(0);
    ask(&[]).expect(2);
    unify(&["diff", "--plan", path, "web:/usr/a", "nobody:/usr/a"]).expect(2);
    plan.apply().expect(0);
    let base = lab.base();
    ask(&["--base", base.to_str().unwrap()]).expect(0);
    unify(&[
        "diff",
        "--base",
        base.to_str().unwrap(),
        "web:/usr/a",
        "nobody:/usr/a",
    ])
    .expect(2);
    for wrong in [
        &["diff", "web:/usr/a"][..],
        &["diff", "web:/usr/a", path],
        &["diff", "web:/usr/../a", "db:/x"],
    ] {
        unify(&[wrong, &["--plan", path]].concat()).expect(2);
    }
}
