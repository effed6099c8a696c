//! A file system says no to one name: to its link or to its exchange. That costs this line, the rest is done, and the
//! next plan and apply finish the work.

use crate::support::{
    Disk, File, Lab, Planned, content, is_immutable, listings, nlink, strings_in, unchanged,
    unify_with,
};

const PATHS: [&str; 3] = ["/usr/lib/a", "/usr/lib/b", "/usr/lib/c"];

/// The call that fails, and its error: the names of adopted files are linked first, then what is exchanged.
const REFUSED: [(&str, &str); 4] = [
    ("link#1", "EXDEV"),
    ("link#6", "ENOSPC"),
    ("exchange#2", "EXDEV"),
    ("exchange#1", "EDQUOT"),
];

fn apply_with(plan: &Planned, fault: &str) -> crate::support::Out {
    let path = plan.path.to_str().unwrap();
    unify_with(&[("UNIFY_FAULT", fault)], &["apply", "--yes", path])
}

fn is_shared(lab: &Lab) -> bool {
    let names = PATHS.map(|path| lab.guests().join("web").join(&path[1..]));
    names
        .iter()
        .all(|name| nlink(name) == 3 && is_immutable(name))
}

#[test]
fn one_name_that_cannot_be_linked_or_exchanged_is_one_line() {
    armed!();
    let whole = lab!(Disk::Own);
    for (call, errno) in REFUSED {
        let what = format!("{call}={errno}");
        let lab = whole.part(&what);
        let files = PATHS.map(|path| (path, File::new(content(path))));
        let [web, db] = lab.twins(&files);
        let before = listings(&[&web, &db]);
        let plan = lab.plan(&[&web, &db], &[]);
        assert_eq!(plan.actions("link").len(), 6, "{what}");

        apply_with(&plan, &what).expect(4);

        unchanged(&[&web, &db], &before, &what);
        assert!(
            lab.staged().is_empty(),
            "{what}: nothing is left in staging"
        );
        let receipt = lab.receipt();
        let bad = |line: &&serde_json::Value| {
            line["path"].is_string() && !["done", "already-done"].contains(&outcome(line))
        };
        let bad: Vec<_> = receipt.iter().filter(bad).collect();
        assert_eq!(bad.len(), 1, "{what}: {receipt:?}");
        let says_why = strings_in(bad[0]).iter().any(|text| match errno {
            "EXDEV" => *text == "cannot-cross",
            "EDQUOT" => text.contains("quota"),
            _ => text.contains("space"),
        });
        assert!(says_why, "{what}: {}", bad[0]);
        lab.plan(&[&web, &db], &[]).apply().expect(0);
        assert!(is_shared(&lab), "{what}: the next run does what is left");
        unchanged(&[&web, &db], &before, "after the second run");
    }
}

fn outcome(line: &serde_json::Value) -> &str {
    line["outcome"].as_str().unwrap_or_default()
}
