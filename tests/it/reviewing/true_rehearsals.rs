//! What is told of a run that is not made: the figures that it would have, refused where it would be refused, and whole
//! JSON whatever happens.

use std::path::Path;

use serde_json::Value;

use crate::support::{Disk, File, Planned, content, inside, unify, unify_with};

fn dry(plan: &Planned, options: &[&str]) -> Vec<String> {
    let path = plan.path.to_str().unwrap();
    let words = [&["apply", "--dry-run"][..], options, &[path]].concat();
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Files that one object serves are counted alike in one batch and in three.
#[test]
fn twins_of_later_batches_are_names_and_give_their_room_back() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db", "app"].map(|name| lab.guest(name));
    for guest in &guests {
        guest.put("/usr/f", &File::new(content(1)));
    }
    // What is not on the disk yet may have no blocks.
    rustix::fs::sync();
    let plan = lab.plan(&guests.each_ref(), &[]);
    let told = |options: &[&str]| {
        let said = unify(&dry(&plan, &[&["--json"], options].concat())).expect(0);
        said.json()
    };
    let (one, three) = (told(&[]), told(&["--rate", "4"]));
    assert!(one["totals"]["bytes"].as_u64().unwrap() > 0, "{one}");
    assert_eq!(three["totals"], one["totals"], "one name a batch");
    let words = ["apply", "--yes", "--json", plan.path.to_str().unwrap()];
    let done = unify(&words).expect(0).json();
    assert_eq!(done["totals"]["bytes"], one["totals"]["bytes"]);
}

/// What comes back is that of the lines that would be done, not what the plan promised for all.
#[test]
fn refused_lines_promise_nothing() {
    let lab = lab!(Disk::Own);
    let [_, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ]);
    let web = lab.guests().join("web");
    let plan = Planned::read(&{
        let path = lab.path("p.json");
        let [web, db] = [web.as_path(), db.root()].map(|root| root.to_str().unwrap());
        unify(&["plan", "-o", path.to_str().unwrap(), web, db]).expect(0);
        path
    });
    for name in ["/usr/a", "/usr/b"] {
        std::fs::write(web.join(&name[1..]), "other").unwrap();
        std::fs::write(db.host(name), "another").unwrap();
    }
    let said = unify(&dry(&plan, &["--bytes"])).expect(4).stdout;
    assert!(said.contains("up to 0 B would come back"), "{said}");
    assert!(!said.contains("Next:"), "there is nothing to do: {said}");
}

#[track_caller]
fn is_whole(out: &crate::support::Out) -> Value {
    serde_json::from_str(&out.stdout).unwrap_or_else(|e| panic!("{e}: {:?}", out.stdout))
}

/// An error in the middle ends the answer, which says so.
#[test]
fn an_answer_that_has_begun_is_ended() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ]);
    let plan = lab.plan(&[&web, &db], &[]);
    std::fs::remove_file(db.host("/usr/a")).unwrap();
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let cut = lab.path("cut.json");
    let last = text.rfind("{\"action\":\"link\"").unwrap();
    std::fs::write(&cut, format!("{}{{\"action\":7}}\n", &text[..last])).unwrap();
    let out = unify(&["show", "--stale", "--json", cut.to_str().unwrap()]).expect(5);
    let said = is_whole(&out);
    assert_eq!(said["kind"], "unify.stale");
    assert_eq!(said["lines"].as_array().unwrap().len(), 1, "{said}");
    assert_eq!(
        (&said["error"]["kind"], &said["error"]["exit"]),
        (&"unify.error".into(), &5.into())
    );
    assert!(said["ok"].is_null(), "it is not known: {said}");
    // Where nothing was found before, the error alone is the answer.
    let first = text.find("{\"action\":\"link\"").unwrap();
    std::fs::write(&cut, format!("{}{{\"action\":7}}\n", &text[..first])).unwrap();
    let out = unify(&["show", "--stale", "--json", cut.to_str().unwrap()]).expect(5);
    assert_eq!(is_whole(&out)["kind"], "unify.error");
}

/// The same of a dry run, wherever the machine fails.
#[test]
fn a_dry_run_ends_its_answer_wherever_the_machine_fails() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
        ("/usr/c", File::new(content(3))),
    ]);
    let plan = lab.plan(&[&web, &db], &[]);
    std::fs::remove_file(db.host("/usr/a")).unwrap();
    let args = dry(&plan, &["--json", "--rate", "40"]);
    let mut begun = 0;
    for nth in 1..40 {
        let fault = format!("proc#{nth}+=EIO");
        let out = unify_with(&[("UNIFY_FAULT", &fault)], &args);
        let said = is_whole(&out);
        begun += u64::from(said["kind"] == "unify.dry-run" && !said["error"].is_null());
    }
    crate::support::figure(&format!("dry runs that ended with an error: {begun} of 39"));
}

/// A base that none can be made at, or that others reach, refuses a look as it refuses the work.
#[test]
fn what_refuses_the_work_refuses_the_look() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/a", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    std::os::unix::fs::symlink("elsewhere/base", lab.base()).unwrap();
    let said = unify(&dry(&plan, &[])).expect(1).stderr;
    assert!(said.contains("is a link that leads to nothing"), "{said}");
    std::fs::remove_file(lab.base()).unwrap();
    std::fs::create_dir(lab.base()).unwrap();
    let base = lab.base();
    let mount = |words: &[&str]| {
        let mut mount = std::process::Command::new(words[0]);
        assert!(
            mount
                .args(&words[1..])
                .arg(&base)
                .status()
                .unwrap()
                .success()
        );
    };
    mount(&["mount", "--bind", base.to_str().unwrap()]);
    let (look, work) = (unify(&dry(&plan, &[])), plan.apply());
    mount(&["umount"]);
    assert_eq!(look.code, work.code, "{}", look.stderr);
    assert!(look.stderr.contains("is a mount point"), "{}", look.stderr);
    std::fs::remove_dir(&base).unwrap();
    plan.apply().expect(0);
    let look = |options: &[&str]| {
        let words = [&["--dry-run", "--run", "last"], options].concat();
        lab.on_base("undo", &words)
    };
    let script = r#"mount --bind "$1" /mnt && cd / && echo inside && read wait"#;
    let words = ["--mount", "sh", "-c", script, "sh", base.to_str().unwrap()];
    let other = inside("unshare", &words, Path::new("/"));
    if other.is_none() {
        skip!("no mount namespace can be made");
    }
    let said = look(&[]).expect(8).stderr;
    assert!(said.contains("in other hands"), "{said}");
    drop(other);
    let said = look(&["--json"]).expect(0).json();
    assert_eq!(said["next"][0]["command"][1], "undo");
    let words = said["next"][0]["command"].to_string();
    assert!(!words.contains("--dry-run"), "{words}");
}
