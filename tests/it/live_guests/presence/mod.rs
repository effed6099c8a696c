//! Everything by which a process, a mount or the kernel reaches a guest keeps a run away from it, and nothing else
//! does.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `processes` | what a process holds: descriptors, mappings, programs, threads |
//! | `mounts` | mounts in other namespaces, overlays, what the kernel serves |
//! | `passes` | whether all processes were looked at |
//! | `base` | others that reach the base |

mod base;
mod mounts;
mod passes;
mod processes;

use std::path::Path;

use crate::support::{
    File, Guest, Inside, Lab, Planned, content, id, inside, line_of, listings, strings_in,
    unchanged,
};

/// A shell outside of every guest that runs a script, says that it is ready, and waits. The arguments are `$1` and on.
fn shell(script: &str, args: &[&Path]) -> Option<Inside> {
    let script = format!("{script}; cd / && echo inside && read wait");
    start("sh", &script, args)
}

/// The same in a mount namespace of its own.
fn unshared(script: &str, args: &[&Path]) -> Option<Inside> {
    let script = format!("{script} && cd / && echo inside && read wait");
    let args: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
    let begin = ["--mount", "sh", "-c", &script, "sh"];
    inside("unshare", &[&begin, &args[..]].concat(), Path::new("/"))
}

/// A program in perl, which prints the line itself.
fn perl(script: &str, args: &[&Path]) -> Option<Inside> {
    let args: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
    inside(
        "perl",
        &[&["-e", script], &args[..]].concat(),
        Path::new("/"),
    )
}

/// The number of `unshare(2)`, by which a thread of perl gets a working directory of its own.
fn unshare_number() -> Option<u32> {
    match std::env::consts::ARCH {
        "x86_64" => Some(272),
        "aarch64" | "riscv64" => Some(97),
        _ => None,
    }
}

fn start(program: &str, script: &str, args: &[&Path]) -> Option<Inside> {
    let args: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
    let begin = ["-c", script, program];
    inside(program, &[&begin, &args[..]].concat(), Path::new("/"))
}

/// With this going on `db` is left alone, for a reason that says `why`; and once it is over no more.
#[track_caller]
fn assert_left_alone(lab: &Lab, guests: [&Guest; 2], process: Inside, why: &str) {
    let [web, db] = guests;
    let plan = lab.plan(&[web, db], &[]);
    assert!(runs(&plan, "db"), "{why}: the plan says that it runs");
    assert_refused(lab, guests, &plan, why);
    drop(process);
    lab.plan(&[web, db], &[]).apply().expect(0);
    assert!(shared(guests), "{why}: once it is over");
}

#[track_caller]
fn assert_refused(lab: &Lab, guests: [&Guest; 2], plan: &Planned, why: &str) {
    let before = listings(&guests);
    plan.apply().expect(4);
    let line = line_of(&lab.receipt(), "db", "/usr/share/f").clone();
    let said = strings_in(&line);
    assert!(said.contains(&"guest-running"), "{why}: {line}");
    assert!(said.iter().any(|text| text.contains(why)), "{why}: {line}");
    assert!(!shared(guests), "{why}");
    unchanged(&guests, &before, why);
}

fn shared([web, db]: [&Guest; 2]) -> bool {
    id(&web.host("/usr/share/f")) == id(&db.host("/usr/share/f"))
}

/// Does the plan say that a guest runs, or that this cannot be told?
fn runs(plan: &Planned, guest: &str) -> bool {
    line(plan, guest)["running"].as_bool().unwrap()
}

#[track_caller]
fn assert_quiet(plan: &Planned, guest: &str) {
    let line = line(plan, guest);
    assert_eq!(line["running"], false, "{line}");
}

fn line<'p>(plan: &'p Planned, guest: &str) -> &'p serde_json::Value {
    let guests = plan.json["guests"].as_array().unwrap();
    let mut guests = guests.iter().filter(|line| line["name"] == guest);
    guests.next().unwrap()
}

/// Two guests with an equal file.
fn two(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[("/usr/share/f", File::new(content(1)))])
}
