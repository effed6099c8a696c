//! Action lines that lie about objects: what is made, of what, how often, and how it is protected.

use serde_json::{Value, json};

use super::{Case, Draft, edit, never};

/// Executed, or refused line by line.
const ANY: &[i32] = &[0, 4];

/// Refused line by line.
const PART: &[i32] = &[4];

/// Gives the object of the link line of a guest's `/usr/b` another name.
fn rename(draft: &mut Draft, guest: &str, name: impl FnOnce(&str) -> String) {
    let at = draft.link(guest, "/usr/b");
    draft.edit(at, |line| {
        line["object"] = json!(name(line["object"].as_str().unwrap()));
    });
}

fn makes(draft: &mut Draft, guest: &str, how: Value) {
    let at = draft.link(guest, "/usr/b");
    draft.edit(at, |line| line["makes"] = how);
}

/// Changes the first flag line.
fn flag(draft: &mut Draft, change: impl FnOnce(&mut Value)) {
    let at = draft.flag();
    draft.edit(at, change);
}

/// The object of the link line of `/usr/c`.
fn of_c(draft: &mut Draft) -> Value {
    let mut object = Value::Null;
    let at = draft.link("db", "/usr/c");
    draft.edit(at, |line| object = line["object"].clone());
    object
}

/// The name with its first digit changed.
fn other(name: &str) -> String {
    let digit = if &name[7..8] == "0" { "1" } else { "0" };
    format!("sha256:{digit}{}", &name[8..])
}

pub const CASES: &[Case] = &[
    edit("another content digest", PART, |_, d| {
        rename(d, "db", other);
    }),
    edit("another metadata digest", PART, |_, d| {
        rename(d, "db", |name| {
            format!("{}{}", &name[..name.len() - 4], "0000")
        });
    }),
    never("a digest that is too short", |_, d| {
        rename(d, "db", |name| name[..name.len() - 1].into());
    }),
    never("a digest that is too long", |_, d| {
        rename(d, "db", |name| format!("{name}0"));
    }),
    never("a digest of other digits", |_, d| {
        rename(d, "db", |name| {
            name.replacen("sha256:", "sha256:g", 1).replacen('a', "", 1)
        });
    }),
    never("a digest of another kind", |_, d| {
        rename(d, "db", |name| name.replacen("sha256", "sha512", 1));
    }),
    never("an object that climbs", |_, d| {
        rename(d, "db", |_| "sha256:../../../../etc/passwd".into());
    }),
    never("a generation beyond 32 bits", |_, d| {
        rename(d, "db", |name| format!("{name}.4294967296"));
    }),
    never("generation 0", |_, d| {
        rename(d, "db", |name| format!("{name}.0"));
    }),
    edit("generation 1", ANY, |_, d| {
        rename(d, "db", |name| format!("{name}.1"));
    }),
    edit("the last generation", ANY, |_, d| {
        for guest in ["db", "web"] {
            rename(d, guest, |name| format!("{name}.9999"));
        }
    }),
    never("a generation behind the last", |_, d| {
        rename(d, "db", |name| format!("{name}.10000"));
    }),
    never("generation four thousand million", |_, d| {
        for guest in ["db", "web"] {
            rename(d, guest, |name| format!("{name}.4000000000"));
        }
    }),
    edit("the object of another line", PART, |_, d| {
        let object = of_c(d);
        rename(d, "web", |_| object.as_str().unwrap().into());
    }),
    edit(
        "the object of another line, and it makes it",
        PART,
        |_, d| {
            let object = of_c(d);
            rename(d, "db", |_| object.as_str().unwrap().into());
        },
    ),
    edit("an object that nobody makes", ANY, |_, d| {
        let at = d.link("db", "/usr/b");
        d.edit(at, |line| {
            drop(line.as_object_mut().unwrap().remove("makes"));
        });
    }),
    edit("an object that two lines make", ANY, |_, d| {
        makes(d, "web", json!("copy"));
    }),
    edit("an object that two files become", ANY, |_, d| {
        makes(d, "web", json!("adopt"));
    }),
    edit("an object that the victim already is", ANY, |_, d| {
        makes(d, "db", json!("copy"));
        makes(d, "web", json!("adopt"));
    }),
    never("makes nothing known", |_, d| {
        makes(d, "db", json!(["adopt"]));
    }),
    edit("a flag for an object that is not there", ANY, |_, d| {
        flag(d, |line| {
            line["object"] = json!(other(line["object"].as_str().unwrap()));
        });
    }),
    edit("a flag for the object of other lines", ANY, |_, d| {
        let object = of_c(d);
        flag(d, |line| line["object"] = object);
    }),
    edit("a flag for the last generation", ANY, |_, d| {
        flag(d, |line| {
            line["object"] = json!(format!("{}.{}", line["object"].as_str().unwrap(), 9_999));
        });
    }),
    never("a flag that is not known", |_, d| {
        flag(d, |line| line["set"] = json!(["append"]));
    }),
    never("a flag line without flags", |_, d| {
        flag(d, |line| line["set"] = json!([]));
    }),
    edit("a flag twice", ANY, |_, d| {
        flag(d, |line| line["set"] = json!(["immutable", "immutable"]));
    }),
    edit("a flag for names without number", ANY, |_, d| {
        flag(d, |line| line["names"] = json!(u64::MAX));
    }),
    edit("a flag line twice", ANY, |_, d| {
        let at = d.flag();
        d.insert(at, &d.with_comma(at));
        d.edit(at, |line| line["names"] = json!(7));
    }),
    edit("a flag line with a guest's path", &[5], |_, d| {
        flag(d, |line| line["path"] = json!("/usr/a"));
    }),
    edit("flags before their objects", ANY, |_, d| {
        let at = d.flag();
        let line = d.0.remove(at);
        let first = d.find(r#"{"action""#);
        d.insert(first, &line);
        d.edit(first, |line| line["names"] = json!(1));
    }),
];
