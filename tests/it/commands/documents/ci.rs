//! What `examples/ci` shows works: the pipeline with and without a service around it, the approval, the hooks.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::pages::TOP;
use crate::support::{BIN, Disk, File, Guest, Lab, content, is_immutable};

/// A directory as a service checks it out, with the guests as its images, and a machine with `unify` and `sudo`.
fn checked_out(lab: &Lab, guests: &[&Guest]) {
    let work = lab.path("work");
    fs::create_dir_all(work.join("images")).unwrap();
    symlink(Path::new(TOP).join("examples"), work.join("examples")).unwrap();
    for guest in guests {
        symlink(guest.root(), work.join("images").join(guest.name())).unwrap();
    }
    let bin = lab.path("bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(BIN, bin.join("unify")).unwrap();
    let sudo = bin.join("sudo");
    fs::write(
        &sudo,
        "#!/bin/bash\n[ \"$1\" = -E ] && shift\nexec \"$@\"\n",
    )
    .unwrap();
    fs::set_permissions(&sudo, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a line of shell there, as a service does.
fn run(lab: &Lab, line: &str, env: &[(&str, &str)]) -> Output {
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", line])
        .current_dir(lab.path("work"))
        .env("PATH", format!("{}:{path}", lab.path("bin").display()))
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

#[track_caller]
fn ends(out: &Output, code: i32, wanted: &str) {
    let said = said(out);
    assert_eq!(out.status.code(), Some(code), "{said}");
    assert!(said.contains(wanted), "{wanted}: {said}");
}

fn scene(lab: &Lab) -> [Guest; 2] {
    let guests = lab.twins(&[
        ("/usr/bin/tool", File::new(content(1))),
        ("/usr/share/doc", File::new(content(2))),
    ]);
    checked_out(lab, &guests.each_ref());
    guests
}

/// The commands of a YAML file behind this.
fn block(file: &str, begin: &str) -> String {
    let text = fs::read_to_string(Path::new(TOP).join("examples/ci").join(file)).unwrap();
    let at = text.find(begin).unwrap() + begin.len();
    let mut lines = text[at..].lines().skip(1);
    let first = lines.next().unwrap();
    let depth = first.len() - first.trim_start().len();
    let rest = lines.take_while(|line| line.len() - line.trim_start().len() >= depth);
    let all = std::iter::once(first).chain(rest);
    let line = |line: &str| line.trim_start().trim_start_matches("- ").to_owned() + "\n";
    all.map(line).collect()
}

#[test]
fn a_pipeline_needs_no_service_and_fits_into_each() {
    let lab = lab!(Disk::Own);
    let [web, db] = scene(&lab);
    let shell = "examples/ci/pipeline.sh out images/*";
    ends(&run(&lab, shell, &[]), 0, "this is the first run");
    ends(&run(&lab, shell, &[]), 0, "No difference");
    for guest in [&web, &db] {
        guest.put("/usr/share/doc", &File::new(content(3)));
    }
    ends(&run(&lab, shell, &[]), 0, "~ db:/usr/share/doc  object");
    let summary = lab.path("work/summary");
    let env = [
        ("BUDGET", "1000000"),
        ("APPROVED", "unify.approved"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let github = block("github.yml", "run: |");
    assert!(
        github.contains("pipeline.sh") && github.contains("exit"),
        "{github}"
    );
    let approved = lab.path("work/unify.approved");
    fs::write(&approved, "sha256:00\n").unwrap();
    ends(&run(&lab, &github, &env), 1, "would be decided");
    let text = fs::read_to_string(&summary).unwrap();
    let digest = text
        .lines()
        .find_map(|line| line.strip_prefix("    sha256:"));
    fs::write(&approved, format!("sha256:{}\n", digest.unwrap())).unwrap();
    ends(&run(&lab, &github, &env), 0, "is what would be decided");
    let gitlab = block("gitlab.yml", "script:");
    assert_eq!(gitlab.trim(), shell);
    ends(&run(&lab, &gitlab, &env), 0, "is what would be decided");
    assert!(!lab.base().exists(), "nothing was changed");
    for image in fs::read_dir(lab.path("work/images")).unwrap() {
        fs::remove_file(image.unwrap().path()).unwrap();
    }
    assert!(
        !run(&lab, shell, &[]).status.success(),
        "there are no images"
    );
}

#[test]
fn what_is_approved_in_ci_is_applied_on_the_host() {
    let lab = lab!(Disk::Own);
    let [web, db] = scene(&lab);
    // The images of CI are copies of what the host has.
    let images = lab.path("work/images");
    fs::remove_dir_all(&images).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .args([lab.guests(), images])
        .status();
    assert!(copied.unwrap().success());
    let out = run(&lab, "examples/ci/approve.sh plan images/*", &[]);
    ends(&out, 0, "To approve it, commit this line");
    let said = said(&out);
    let digest = said.lines().last().unwrap().trim();
    fs::write(lab.path("work/unify.approved"), format!("{digest}\n")).unwrap();
    ends(
        &run(&lab, "examples/ci/approve.sh check images/*", &[]),
        0,
        "",
    );
    let on_host = block("gitlab.yml", "$CI_DEFAULT_BRANCH\n  script:");
    let apply = on_host.replace("/srv/guests", lab.guests().to_str().unwrap());
    assert!(
        apply.starts_with("examples/ci/approve.sh apply /"),
        "{apply}"
    );
    let protect = [("PLAN_OPTIONS", "--protect immutable")];
    db.put("/usr/share/doc", &File::new("another"));
    ends(&run(&lab, &apply, &protect), 5, "was approved");
    assert!(
        !is_immutable(&web.host("/usr/bin/tool")),
        "nothing was done"
    );
    db.put("/usr/share/doc", &File::new(content(2)));
    ends(&run(&lab, &apply, &protect), 0, "");
    for guest in [&web, &db] {
        assert!(is_immutable(&guest.host("/usr/bin/tool")));
        assert!(is_immutable(&guest.host("/usr/share/doc")));
    }
}

#[test]
fn hooks_compare_a_new_root_with_the_one_before() {
    let lab = lab!(Disk::Own);
    let [golden, new] = scene(&lab);
    let root = golden.root().to_str().unwrap();
    let build = new.root().to_str().unwrap();
    let mmdebstrap = format!("examples/ci/mmdebstrap-hook.sh {build}");
    let mkosi = "examples/ci/mkosi.finalize";
    ends(&run(&lab, &mmdebstrap, &[]), 0, "nothing to compare with");
    ends(
        &run(&lab, mkosi, &[("BUILDROOT", build)]),
        0,
        "nothing to compare with",
    );
    ends(&run(&lab, mkosi, &[]), 2, "BUILDROOT");
    let both = [("GOLDEN", root), ("BUILDROOT", build)];
    new.put("/usr/share/doc", &File::new(content(7)));
    for hook in [mmdebstrap.as_str(), mkosi] {
        ends(&run(&lab, hook, &both), 0, "~ /usr/share/doc  content");
    }
    new.put("/usr/bin/su", &File::new("su").mode(0o4755));
    for hook in [mmdebstrap.as_str(), mkosi] {
        ends(
            &run(&lab, hook, &both),
            1,
            "FAIL: other rights than before: \"/usr/bin/su\"",
        );
    }
    new.put("/var/lib/dpkg/status", &File::new("Package: a\nBroken\n"));
    ends(
        &run(&lab, mkosi, &both),
        1,
        "FAIL: not everything could be compared",
    );
}
