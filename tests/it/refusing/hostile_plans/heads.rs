//! Headers and lists of guests that lie about where things are.

use serde_json::{Value, json};

use super::{Case, Draft, Yard, edit, never};

/// Refused as a whole: as a plan, as wrong use, or by this machine.
const NO: &[i32] = &[1, 2, 5, 8];

/// Refused before or after it was understood.
const ANY: &[i32] = &[0, 1, 2, 4, 5, 8];

fn root(draft: &mut Draft, root: &str) {
    let at = draft.guest("db");
    draft.edit(at, |guest| guest["root"] = json!(root));
}

/// The root and its identity, so that nothing but the place is wrong.
fn true_root(draft: &mut Draft, path: &str) {
    let (dev, ino) = crate::support::id(std::path::Path::new(path));
    let at = draft.guest("db");
    draft.edit(at, |guest| {
        guest["root"] = json!(path);
        guest["dev"] = json!(dev.to_string());
        guest["ino"] = json!(ino.to_string());
    });
}

fn base(draft: &mut Draft, path: &str) {
    let at = draft.head("base");
    draft.edit(at, |base| base["path"] = json!(path));
}

fn text(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn head(draft: &mut Draft, key: &str, value: Value) {
    let at = draft.head(key);
    draft.edit(at, |old| *old = value);
}

fn remove(draft: &mut Draft, key: &str) {
    let at = draft.head(key);
    draft.0.remove(at);
}

fn in_db(yard: &Yard, path: &str) -> String {
    text(&yard.db.host(path))
}

pub const CASES: &[Case] = &[
    edit("the root of a guest is /", NO, |_, d| true_root(d, "/")),
    edit("the root of a guest is /etc", PART_OR_NO, |_, d| {
        true_root(d, "/etc");
    }),
    edit("the root of a guest is /proc/self/root", NO, |_, d| {
        root(d, "/proc/self/root");
    }),
    edit("the root of a guest is a symbolic link", ANY, |yard, d| {
        root(d, &text(&yard.lab.path("link-to-db")));
    }),
    edit("the root of a guest is a FIFO", NO, |yard, d| {
        root(d, &text(&yard.lab.path("fifo")));
    }),
    edit("the root of a guest is a file", NO, |yard, d| {
        root(d, &yard.canary("a"));
    }),
    edit("the root of a guest is not there", NO, |yard, d| {
        root(d, &yard.canary("none"));
    }),
    edit("the root of a guest is that of another", NO, |yard, d| {
        true_root(d, &text(yard.web.root()));
    }),
    edit("the root of a guest is in another", NO, |yard, d| {
        true_root(d, &text(&yard.web.host("/usr")));
    }),
    edit("the root of a guest is beside it", PART_OR_NO, |yard, d| {
        true_root(d, &text(&yard.lab.guests().join("canary")));
    }),
    edit("the root of a guest holds all guests", NO, |yard, d| {
        true_root(d, &text(&yard.lab.guests()));
    }),
    never("the root of a guest climbs", |yard, d| {
        root(d, &format!("{}/../web", yard.db.root().display()));
    }),
    never("the root of a guest is relative", |_, d| root(d, "db")),
    never("a guest twice", |_, d| {
        let at = d.guest("db");
        d.insert(at, &d.with_comma(at));
    }),
    never("no guests", |_, d| {
        let at = d.guest("db");
        d.0.drain(at..at + 2);
    }),
    never("a guest's name with a slash", |_, d| {
        let at = d.guest("db");
        d.edit(at, |guest| guest["name"] = json!("../db"));
    }),
    edit("the base is a guest", NO, |yard, d| {
        base(d, &text(yard.db.root()));
    }),
    edit(
        "the base is an empty directory of a guest",
        NO,
        |yard, d| {
            base(d, &in_db(yard, "/usr/empty"));
        },
    ),
    edit("the base is a new directory of a guest", NO, |yard, d| {
        base(d, &in_db(yard, "/usr/base"));
    }),
    edit(
        "the base is reached through a guest's link",
        NO,
        |yard, d| {
            base(d, &in_db(yard, "/usr/out/base"));
        },
    ),
    edit("the base is a link to a guest", NO, |yard, d| {
        base(d, &text(&yard.lab.path("link-to-db")));
    }),
    edit(
        "the base is a new directory behind a link to a guest",
        NO,
        |yard, d| {
            base(d, &text(&yard.lab.path("link-to-db/usr/base")));
        },
    ),
    edit(
        "the base is a directory of a guest with a name of orders",
        NO,
        |yard, d| {
            base(d, &in_db(yard, "/usr/\u{1b}[31m"));
        },
    ),
    edit(
        "the root of a guest is a directory with a name of orders",
        NO,
        |yard, d| {
            root(d, &in_db(yard, "/usr/\u{1b}[31m"));
        },
    ),
    edit("the roots of two guests lie in orders", NO, |yard, d| {
        true_root(d, &text(&yard.web.host("/usr/\u{1b}[31m")));
    }),
    edit("the base holds all guests", NO, |yard, d| {
        base(d, &text(&yard.lab.guests()));
    }),
    edit("the base is /", NO, |_, d| base(d, "/")),
    edit(
        "the base is a directory with other things",
        NO,
        |yard, d| base(d, &yard.canary("")),
    ),
    edit("the base is a file", NO, |yard, d| {
        base(d, &yard.canary("a"));
    }),
    edit("the base is a FIFO", NO, |yard, d| {
        base(d, &text(&yard.lab.path("fifo")));
    }),
    edit("the base is on another file system", NO, |_, d| {
        base(d, "/proc/unify-base");
    }),
    never("the base is relative", |_, d| base(d, "guests/.unify")),
    never("the base climbs", |yard, d| {
        base(d, &format!("{}/../x", yard.db.root().display()));
    }),
    never("the base's path is empty", |_, d| base(d, "")),
    never("another kind", |_, d| {
        head(d, "kind", json!("unify.receipt"));
    }),
    never("another version", |_, d| head(d, "format", json!("2.0"))),
    edit("another host", NO, |_, d| {
        head(d, "host", json!(format!("sha256:{}", "0".repeat(64))));
    }),
    edit("no protection", ANY, |_, d| {
        head(
            d,
            "protection",
            json!({"asked": "auto", "mode": "none", "why": ""}),
        );
    }),
    edit("the policy ignores times", ANY, |_, d| {
        let at = d.head("policy");
        d.edit(at, |policy| policy["ignore"] = json!(["mtime"]));
    }),
    never("a policy of 16 MiB", |_, d| {
        let at = d.head("policy");
        d.edit(at, |policy| policy["allow"] = json!("x".repeat(16 << 20)));
    }),
    never("no seal of the head", |_, d| {
        remove(d, "seal");
        remove(d, "base");
    }),
    never("an unknown key in the head", |_, d| {
        d.insert(1, "\"exec\": \"/bin/sh\",");
    }),
    never("a key of the head twice", |_, d| {
        d.insert(1, "\"kind\": \"unify.plan\",");
    }),
    never("a key of the head twice, escaped", |_, d| {
        d.insert(1, "\"\\u006bind\": \"unify.plan\",");
    }),
    never("no actions", |_, d| {
        let (from, to) = (d.find("\"actions\": ["), d.find("\"summary\": "));
        d.0.drain(from..to);
    }),
    never("no summary", |_, d| remove(d, "summary")),
    never("no digest", |_, d| {
        remove(d, "digest");
        let at = d.head("summary");
        d.0[at] = d.0[at].trim_end_matches(',').to_owned();
    }),
    edit("wrong counts", ANY, |_, d| {
        let at = d.head("summary");
        d.edit(at, |summary| summary["totals"]["links"] = json!(1));
    }),
    edit("huge counts", ANY, |_, d| {
        let at = d.head("summary");
        d.edit(at, |summary| {
            for key in [
                "links", "names", "bytes", "saves", "objects", "flags", "skips",
            ] {
                summary["totals"][key] = json!(u64::MAX);
            }
        });
    }),
    never("negative counts", |_, d| {
        let at = d.head("summary");
        d.edit(at, |summary| summary["totals"]["links"] = json!(-1));
    }),
    edit("the digest of another plan", ANY, |_, d| {
        head(
            d,
            "digest",
            json!({"content": format!("sha256:{}", "0".repeat(64)), "seal": "0000"}),
        );
    }),
    never("the digest twice", |_, d| {
        let at = d.head("digest");
        d.insert(at, &d.with_comma(at));
    }),
];

const PART_OR_NO: &[i32] = &[1, 2, 4, 5, 8];
