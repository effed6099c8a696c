//! Action lines that lie about a name or its evidence.

use serde_json::{Value, json};

use super::{Case, Draft, edit, never};

/// Executed, or refused line by line.
const ANY: &[i32] = &[0, 4];

/// Refused line by line.
const PART: &[i32] = &[4];

/// Changes the link line of `db:/usr/b`.
fn change(draft: &mut Draft, change: impl FnOnce(&mut Value)) {
    let at = draft.link("db", "/usr/b");
    draft.edit(at, change);
}

fn set(draft: &mut Draft, field: &str, value: Value) {
    change(draft, |line| line[field] = value);
}

fn path(draft: &mut Draft, path: &str) {
    set(draft, "path", json!(path));
}

/// The line of `db:/usr/two`, the guest's last, gets one name, which keeps the order if it begins with `/usr/d`
/// or more.
fn last_path(draft: &mut Draft, path: &str) {
    let at = draft.link("db", "/usr/two");
    draft.edit(at, |line| {
        line["path"] = json!(path);
        line.as_object_mut().unwrap().remove("also");
    });
}

fn before(draft: &mut Draft, field: &str, value: Value) {
    change(draft, |line| line["before"][field] = value);
}

fn without(draft: &mut Draft, field: &str) {
    change(draft, |line| {
        let fields = line["before"].as_object_mut().unwrap();
        fields.remove(field).expect(field);
    });
}

pub const PATHS: &[Case] = &[
    never("`..` in the path", |_, d| path(d, "/usr/../../db/usr/b")),
    never("`..` at the end", |_, d| path(d, "/usr/..")),
    never("a relative path", |_, d| path(d, "usr/b")),
    never("an empty path", |_, d| path(d, "")),
    never("NUL in the path", |_, d| path(d, "/usr/b\0")),
    never("a double slash", |_, d| path(d, "/usr//b")),
    never("a dot component", |_, d| path(d, "/usr/./b")),
    never("a slash at the end", |_, d| path(d, "/usr/b/")),
    never("a component of 300 bytes", |_, d| {
        path(d, &format!("/usr/{}", "b".repeat(300)));
    }),
    never("a path of 70,000 bytes", |_, d| {
        path(d, &"/b".repeat(35_000));
    }),
    never("the root, out of order", |_, d| path(d, "/")),
    edit("a path of 60,000 bytes", PART, |_, d| {
        path(d, &format!("/usr/b{}", "/b".repeat(29_990)));
    }),
    edit("the absolute path of a host file", PART, |yard, d| {
        last_path(d, &format!("/usr/out{}", yard.canary("a")));
    }),
    edit("a name that is not there", PART, |_, d| {
        path(d, "/usr/b.none");
    }),
    edit("a symbolic link", PART, |_, d| last_path(d, "/usr/link")),
    edit("through a symbolic link to the outside", PART, |_, d| {
        last_path(d, "/usr/out/a");
    }),
    edit("a FIFO", PART, |_, d| last_path(d, "/usr/lost/fifo")),
    edit("a directory", PART, |_, d| last_path(d, "/usr/lost")),
    edit("a file of other content", PART, |_, d| {
        last_path(d, "/usr/own");
    }),
    never("path_b64 that is no base64", |_, d| {
        set(d, "path_b64", json!("*"));
    }),
    never("path_b64 of `..`", |_, d| {
        set(d, "path_b64", json!("L3Vzci8uLi9l6Q=="));
    }),
    never("path_b64 of another file", |_, d| {
        set(d, "path_b64", json!("L3Vzci9j"));
    }),
    never("path_b64 that says something else", |_, d| {
        set(d, "path_b64", json!("L3Vzci9ib+k="));
    }),
    never("the path of another guest's line", |_, d| {
        set(d, "guest", json!("web"));
    }),
    never("a guest that is not declared", |_, d| {
        set(d, "guest", json!("mail"));
    }),
    edit("the evidence of another guest's file", PART, |_, d| {
        let web = d.link("web", "/usr/b");
        let mut other = Value::Null;
        d.edit(web, |line| other = line["before"].clone());
        set(d, "before", other);
    }),
];

pub const EVIDENCE: &[Case] = &[
    never("no dev", |_, d| without(d, "dev")),
    never("no ino", |_, d| without(d, "ino")),
    never("no nlink", |_, d| without(d, "nlink")),
    never("no mode", |_, d| without(d, "mode")),
    never("no uid", |_, d| without(d, "uid")),
    never("no gid", |_, d| without(d, "gid")),
    never("no size", |_, d| without(d, "size")),
    never("no mtime", |_, d| without(d, "mtime")),
    never("no ctime", |_, d| without(d, "ctime")),
    never("no evidence", |_, d| {
        change(d, |line| {
            drop(line.as_object_mut().unwrap().remove("before"));
        });
    }),
    never("evidence that is null", |_, d| {
        set(d, "before", Value::Null);
    }),
    never("a negative nlink", |_, d| before(d, "nlink", json!(-1))),
    never("a huge nlink", |_, d| before(d, "nlink", json!(u64::MAX))),
    never("a float as uid", |_, d| before(d, "uid", json!(0.5))),
    never("a text as gid", |_, d| before(d, "gid", json!("0"))),
    never("a number as ino", |_, d| before(d, "ino", json!(12))),
    never("an inode beyond 64 bits", |_, d| {
        before(d, "ino", json!("99999999999999999999"));
    }),
    never("a mode beyond its bits", |_, d| {
        before(d, "mode", json!("100644"));
    }),
    never("a negative size", |_, d| set(d, "size", json!(-1))),
    never("a size of 1e308", |_, d| set(d, "size", json!(1e308))),
    never("a time beyond 64 bits", |_, d| {
        before(d, "ctime", json!("99999999999999999999.000000000"));
    }),
    edit("the last second of all times", PART, |_, d| {
        before(d, "ctime", json!(format!("{}.999999999", i64::MAX)));
    }),
    edit("a wrong size", &[0, 4, 5], |_, d| {
        set(d, "size", json!(9_001));
    }),
    edit("a huge size that wraps when added", &[0, 4, 5], |_, d| {
        set(d, "size", json!(u64::MAX));
    }),
    edit("huge sizes that wrap when added", &[0, 4, 5], |_, d| {
        for guest in ["db", "web"] {
            for path in ["/usr/a", "/usr/b", "/usr/c"] {
                let at = d.link(guest, path);
                d.edit(at, |line| {
                    line["size"] = json!(u64::MAX);
                    line["saves"] = json!(u64::MAX);
                });
            }
        }
    }),
    edit("a wrong nlink", PART, |_, d| before(d, "nlink", json!(2))),
    edit("a wrong size in the evidence", &[4, 5], |_, d| {
        before(d, "size", json!(8_999));
    }),
    edit("huge sizes in the evidence", &[4, 5], |_, d| {
        before(d, "size", json!(u64::MAX));
    }),
];

pub const NAMES: &[Case] = &[
    never("further names: the same name", |_, d| {
        set(d, "also", json!([{"path": "/usr/b"}]));
    }),
    never("further names: out of order", |_, d| {
        set(d, "also", json!([{"path": "/usr/d"}, {"path": "/usr/c"}]));
    }),
    never("further names: one climbs", |_, d| {
        set(d, "also", json!([{"path": "/usr/../x"}]));
    }),
    edit(
        "further names: those of the other guest",
        PART,
        |yard, d| {
            let other =
                format!("{}/usr/b", yard.web.root().display()).replacen("/tmp", "/usr/x", 1);
            set(d, "also", json!([{"path": format!("/usr/z{other}")}]));
        },
    ),
    edit("further names: another file of the guest", PART, |_, d| {
        change(d, |line| {
            line["also"] = json!([{"path": "/usr/c"}]);
            line["before"]["nlink"] = json!(2);
        });
    }),
    edit("further names: 100,000 of them", PART, |_, d| {
        let names = (0..100_000).map(|n| json!({"path": format!("/usr/b.{n:06}")}));
        set(d, "also", names.collect());
    }),
    edit("a name of a file with two is left out", PART, |_, d| {
        last_path(d, "/usr/two");
    }),
];

pub const ACTIONS: &[Case] = &[
    never("an unknown action", |_, d| {
        set(d, "action", json!("remove"));
    }),
    never("an action that is no text", |_, d| {
        set(d, "action", json!(["link"]));
    }),
    never("an unknown method", |_, d| {
        set(d, "method", json!("rename"));
    }),
    never("a method to come", |_, d| {
        set(d, "method", json!("reflink"));
    }),
    never("an unknown way to make", |_, d| {
        set(d, "makes", json!("move"));
    }),
    never("an unknown reason", |_, d| {
        set(d, "reason", json!("because"));
    }),
    never("an unknown key", |_, d| set(d, "exec", json!("/bin/sh"))),
    never("an unknown key in the evidence", |_, d| {
        before(d, "exec", json!(1));
    }),
    never("a key twice", |_, d| {
        let at = d.link("db", "/usr/b");
        d.swap_text(at, r#""size":9000,"#, r#""size":9000,"size":9000,"#);
    }),
    never("a path twice in one line", |_, d| {
        let at = d.link("db", "/usr/b");
        d.swap_text(
            at,
            r#""path":"/usr/b","#,
            r#""path":"/usr/b","path":"/usr/c","#,
        );
    }),
    never("an action twice in one line", |_, d| {
        let at = d.link("db", "/usr/b");
        d.swap_text(at, r#""link","#, r#""link","action":"skip","#);
    }),
    never("a line twice", |_, d| {
        let at = d.link("db", "/usr/b");
        d.insert(at, &d.with_comma(at));
    }),
    never("a path twice with different objects", |_, d| {
        let (a, at) = (d.link("db", "/usr/a"), d.link("db", "/usr/b"));
        let mut twice = d.with_comma(a).replace("/usr/a", "/usr/b");
        twice = twice.replace(r#""seal":""#, r#""seal":"0"#);
        d.insert(at, &twice);
    }),
    never("lines in another order", |_, d| {
        let (a, b) = (d.link("db", "/usr/a"), d.link("db", "/usr/b"));
        d.0.swap(a, b);
    }),
    edit("no seals", ANY, |_, d| {
        for at in d.link("db", "/usr/a")..d.link("web", "/usr/a") {
            d.edit(at, |line| {
                drop(line.as_object_mut().unwrap().remove("seal"));
            });
        }
    }),
    edit("a skip turned into a link", ANY, |_, d| {
        for guest in ["db", "web"] {
            let root = d.guest(guest);
            let mut line: Value = Value::Null;
            d.edit(d.link(guest, "/usr/a"), |like| line = like.clone());
            d.edit(root, |_| ());
            line["path"] = json!("/etc/passwd");
            let at = d.find(&format!(
                r#"{{"action":"skip","guest":"{guest}","path":"/etc/passwd""#
            ));
            d.0[at] = format!("{line},");
        }
    }),
];
