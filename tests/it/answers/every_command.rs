//! Every command answers in JSON.

use crate::support::{Disk, File, content, unify};

#[track_caller]
fn asked(args: &[&str], kind: &str) {
    let answer = unify(args).expect(0).json();
    assert_eq!(answer["kind"], kind, "{args:?}");
}

/// Each command that has an answer for programs, in a scene where it has something to say.
#[test]
fn every_command_answers_in_json() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(2))),
    ]);
    web.put(
        "/etc/machine-id",
        &File::new("0123456789abcdef0123456789abcdef\n"),
    );
    let plan = lab.path("p.json");
    let plan = plan.to_str().unwrap();
    let base = lab.base().display().to_string();
    let guests = [web.root().to_str().unwrap(), db.root().to_str().unwrap()];
    asked(
        &[&["plan", "--json", "-o", plan][..], &guests].concat(),
        "unify.show",
    );
    asked(
        &[
            "show",
            "--json",
            "--lines",
            "--near-misses",
            "--by",
            "directory",
            plan,
        ],
        "unify.show",
    );
    asked(&["explain", "--json", "config-file"], "unify.explain-code");
    asked(
        &["explain", "--json", "--plan", plan, "web:/usr/f"],
        "unify.explain",
    );
    asked(&["rules", "--json"], "unify.rules");
    asked(&["guard", "--json"], "unify.guard");
    for command in ["status", "gc", "recover"] {
        asked(
            &[command, "--json", "--if-base-exists", "--base", &base],
            "unify.no-base",
        );
    }
    asked(&["show", "--json", "--stale", plan], "unify.stale");
    narrowed(plan, lab.path("narrow.json").to_str().unwrap());
    asked(&["apply", "--dry-run", "--json", plan], "unify.dry-run");
    let new = lab.path("guests/new");
    let clone = [guests[0], new.to_str().unwrap()];
    asked(
        &[&["clone", "--json", "--plan-only"][..], &clone].concat(),
        "unify.clone",
    );
    runs(plan, &base);
}

fn narrowed(plan: &str, narrow: &str) {
    asked(
        &["cut", "--json", "--path", "/usr/f", "-o", narrow, plan],
        "unify.cut",
    );
}

/// What changes guests, and what looks at a base.
fn runs(plan: &str, base: &str) {
    asked(&["apply", "--yes", "--json", plan], "unify.apply");
    asked(&["verify", "--json", plan], "unify.verify");
    asked(&["verify", "--json", "--base", base], "unify.scrub");
    asked(&["status", "--json", "--base", base], "unify.status");
    asked(&["recover", "--json", "--base", base], "unify.recover");
    asked(
        &["recover", "--json", "--restored", "--base", base],
        "unify.recover",
    );
    asked(
        &[
            "gc",
            "--json",
            "--dry-run",
            "--keep-runs",
            "1",
            "--base",
            base,
        ],
        "unify.gc",
    );
    asked(
        &[
            "undo",
            "--json",
            "--dry-run",
            "--run",
            "all",
            "--base",
            base,
        ],
        "unify.undo-dry-run",
    );
    asked(
        &[
            "undo", "--json", "--yes", "--run", "last", "--guest", "web", "--base", base,
        ],
        "unify.undo",
    );
    maintenance(base);
    asked(
        &["forget", "--json", "--yes", "--base", base, "db"],
        "unify.forget",
    );
    asked(
        &["undo", "--json", "--yes", "--run", "all", "--base", base],
        "unify.undo",
    );
    asked(&["gc", "--json", "--base", base], "unify.gc");
}

fn maintenance(base: &str) {
    asked(
        &["protect", "--json", "--base", base, "immutable"],
        "unify.protect",
    );
    asked(
        &["thaw", "--json", "--dry-run", "--base", base, "db"],
        "unify.undo-dry-run",
    );
    asked(&["thaw", "--json", "--base", base, "db"], "unify.undo");
    asked(&["refreeze", "--json", "--base", base, "db"], "unify.apply");
    asked(
        &[
            "maintain", "--json", "--base", base, "db", "--", "echo", "{}",
        ],
        "unify.maintain",
    );
}
