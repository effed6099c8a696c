//! What a pipeline asks, each as one command with an exit code: a secret that images share, configuration that would be
//! linked, bytes over a budget, a plan that does not hold any more. Of images wherever images can be asked.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Disk, File, Guest, Lab, content, unify};

/// Archives of two guests, each with bytes of its own, a host key in common, and a config file in common.
fn archives(lab: &Lab) -> [(Guest, PathBuf); 2] {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n";
    let both = lab.twins(&[
        ("/usr/bin/tool", File::new(content(1)).mode(0o755)),
        ("/etc/agent.conf", File::new("shared = yes\n")),
        ("/etc/ssh/ssh_host_ed25519_key", File::new(key).mode(0o600)),
    ]);
    both.map(|guest| {
        guest.put("/usr/lib/own", &File::new(content(guest.name()).repeat(40)));
        let path = lab.path(&format!("{}.tar", guest.name()));
        let tar = Command::new("tar")
            .arg("-cf")
            .arg(&path)
            .arg("-C")
            .arg(guest.root())
            .arg(".")
            .status();
        assert!(tar.unwrap().success());
        (guest, path)
    })
}

#[test]
fn each_wish_of_a_pipeline_is_one_command() {
    let lab = lab!(Disk::Own);
    let [(web, web_tar), (db, db_tar)] = archives(&lab);
    let (web_tar, db_tar) = (web_tar.to_str().unwrap(), db_tar.to_str().unwrap());
    let off = ["--level", "baked-identity=off"];
    // (a) Two images have one host key.
    let key = unify(&[&["check"][..], &off, &[web_tar, db_tar]].concat()).expect(11);
    assert!(
        key.stdout.contains("web:/etc/ssh/ssh_host_ed25519_key"),
        "{}",
        key.stdout
    );
    let off = [&off[..], &["--level", "shared-secret=off"]].concat();
    unify(&[&["check"], &off[..], &[web_tar, db_tar]].concat()).expect(0);
    // (b) A config file would be linked.
    let (plan, allowed) = (lab.path("plan.json"), lab.path("allowed.json"));
    let (plan, allowed) = (plan.to_str().unwrap(), allowed.to_str().unwrap());
    unify(&["plan", "-o", plan, web_tar, db_tar]).expect(0);
    unify(&["plan", "--allow", "etc", "-o", allowed, web_tar, db_tar]).expect(0);
    let no_secret = ["--level", "shared-secret=off", "--plan"];
    unify(&[&["check"][..], &no_secret, &[plan]].concat()).expect(0);
    let linked = unify(&[&["check"][..], &no_secret, &[allowed]].concat()).expect(11);
    assert!(linked.stdout.contains("config-linked"), "{}", linked.stdout);
    // (c) A guest has more bytes of its own than it may.
    let size = content("web").len() * 40;
    for (most, code) in [(size - 1, 11), (size + 1000, 0)] {
        let most = most.to_string();
        let budget = ["--max-unique-bytes", &most, web_tar, db_tar];
        unify(&[&["check"], &off[..], &budget].concat()).expect(code);
    }
    // (d) A plan does not hold any more: of directories, for images do not change.
    let of_directories = lab.plan(&[&web, &db], &[]);
    let of_directories = of_directories.path.to_str().unwrap();
    let stale = [&["check", "--stale"][..], &no_secret, &[of_directories]].concat();
    unify(&stale).expect(0);
    db.put("/usr/bin/tool", &File::new("another one").mode(0o755));
    let said = unify(&stale).expect(11);
    assert!(said.stdout.contains("plan-stale"), "{}", said.stdout);
}
