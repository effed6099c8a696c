//! The scripts can be run, and look for what they need before they install anything; the unit and the CI job call what
//! is there.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use super::pages::TOP;
use crate::support::{BIN, Disk, File, Lab, content, unify};

const SCRIPTS: &[&str] = &[
    "examples/two-guests.sh",
    "examples/make-guest.sh",
    "examples/ci/approve.sh",
    "examples/ci/check-guests.sh",
    "examples/ci/compare.sh",
    "examples/ci/mkosi.finalize",
    "examples/ci/mmdebstrap-hook.sh",
    "examples/ci/pipeline.sh",
    "tests/run.sh",
    ".ci/run",
];

#[test]
fn scripts_can_be_run() {
    for script in SCRIPTS {
        let path = Path::new(TOP).join(script);
        let parsed = Command::new("bash").arg("-n").arg(&path).status().unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert!(
            parsed.success() && mode & 0o111 != 0,
            "{script} is a script that can be run"
        );
    }
}

/// A machine without apt-get, on which these commands are all there is beside what every script needs.
fn bare(lab: &Lab, commands: &[(&str, &str)]) -> Command {
    let bin = lab.path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for tool in [
        "bash", "cut", "dirname", "grep", "head", "id", "mktemp", "paste", "rm", "sed", "sort",
        "tail",
    ] {
        let found = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(tool));
        let found = found.into_iter().find(|path| path.exists()).unwrap();
        symlink(found, bin.join(tool)).unwrap_or_default();
    }
    for (name, text) in commands {
        let path = bin.join(name);
        std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new("env");
    command
        .args(["-i", &format!("PATH={}", bin.display())])
        .arg(format!("SCRATCH={}", lab.path("").display()))
        .stdin(std::process::Stdio::null());
    command
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

/// What both scripts say, in one line, on a machine with these commands.
fn refused(commands: &[(&str, &str)], wanted: &[&str]) {
    for script in ["examples/two-guests.sh", "tests/run.sh"] {
        let lab = lab!(Disk::Own);
        let out = bare(&lab, commands)
            .arg(Path::new(TOP).join(script))
            .output()
            .unwrap();
        let said = said(&out);
        assert_eq!(
            (out.status.code(), said.lines().count()),
            (Some(1), 1),
            "{said}"
        );
        for words in wanted {
            assert!(said.contains(words), "{said}");
        }
    }
}

const CARGO: (&str, &str) = ("cargo", "echo cargo 1.95.0");
const RUSTC: (&str, &str) = ("rustc", "echo rustc 1.95.0");
const CC: (&str, &str) = ("cc", "exit 0");

#[test]
fn a_toolchain_is_looked_for_before_anything_else() {
    let (wanted, by_hand) = (
        "needs Rust 1.87 or newer",
        "type: curl -sSf https://sh.rustup.rs | sh",
    );
    refused(
        &[CC],
        &[wanted, "cargo is not there, rustc is not there", by_hand],
    );
    refused(
        &[CC, CARGO, ("rustc", "echo rustc 1.85.1")],
        &[wanted, "(rustc is 1.85.1)", by_hand],
    );
    let old = ("cargo", "echo cargo 1.65.0");
    refused(
        &[CC, old, RUSTC, ("rustup", "exit 0")],
        &["(cargo is 1.65.0)", "type: rustup update stable"],
    );
    refused(
        &[CARGO, RUSTC],
        &["needs a C compiler (cc is not there): install gcc"],
    );
    refused(&[], &[wanted, "; and a C compiler: install gcc"]);
}

/// Where apt-get is, and this is root: what it is asked for, in this order.
#[test]
fn on_debian_what_is_missing_is_installed_after_a_word() {
    let lab = lab!(Disk::Own);
    let debian = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !debian.lines().any(|line| line == "ID=debian") {
        skip!("this is not Debian");
    }
    let asked = lab.path("asked");
    let install = format!(
        "echo \"$@\" >> '{0}'; case $* in *' install '*) printf '#!/bin/bash\\necho rust 1.97.1\\n' > {1}/cargo; \
         cp {1}/cargo {1}/rustc; chmod +x {1}/cargo {1}/rustc ;; esac",
        asked.display(),
        lab.path("bin").display()
    );
    let offer = "case $2 in cargo-web) echo ' cargo-web | 1.96.0+dfsg1-1 | http://a.example/d bookworm-security/main amd64 Packages' ;; \
                 cargo) echo ' cargo | 0.66.0 | http://a.example/d bookworm/main amd64 Packages' ;; esac";
    let mut command = bare(&lab, &[("apt-get", &install), ("apt-cache", offer), CC]);
    for tool in ["awk", "cp", "chmod", "sleep"] {
        let found = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(tool));
        symlink(
            found.iter().find(|path| path.exists()).unwrap(),
            lab.path("bin").join(tool),
        )
        .unwrap();
    }
    let script = format!(
        "set -euo pipefail; . '{TOP}/examples/prepare.bash'; prepare_build; prepare_tools jq.x=jq mkfs.x=fs chattr.x=fs"
    );
    let out = command.args(["bash", "-c", &script]).output().unwrap();
    let said = said(&out);
    assert!(out.status.success(), "{said}");
    let told = [
        "needs Rust 1.87 or newer",
        "installing cargo-web rustc-web 1.96.0+dfsg1-1 from bookworm-security",
        "installing fs jq",
    ];
    let places: Vec<_> = told.iter().map(|words| said.find(words)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{said}"
    );
    let asked = std::fs::read_to_string(asked).unwrap();
    let lines: Vec<&str> = asked.lines().collect();
    assert_eq!(lines.len(), 3, "{asked}");
    assert!(
        lines[1].contains("--no-install-recommends cargo-web rustc-web"),
        "{asked}"
    );
    assert!(lines[2].ends_with("fs jq"), "{asked}");
}

/// The CI job passes guests that are as they should be, and fails where they have a key in common.
#[test]
fn the_ci_job_judges() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/bin/tool", File::new(content(1)))]);
    let run = |budget: &str| {
        let program = Path::new(BIN).parent().unwrap().display().to_string();
        Command::new(Path::new(TOP).join("examples/ci/check-guests.sh"))
            .args([web.root(), db.root()])
            .env(
                "PATH",
                format!("{program}:{}", std::env::var("PATH").unwrap_or_default()),
            )
            .env("BUDGET", budget)
            .output()
            .unwrap()
    };
    let fine = run("0");
    assert!(fine.status.success(), "{}", said(&fine));
    assert!(!lab.base().exists(), "a check changes nothing");
    web.put("/usr/share/own", &File::new(content(2)));
    let large = run("100");
    assert_eq!(large.status.code(), Some(1), "{}", said(&large));
    assert!(
        said(&large).contains("9000 bytes are in no other guest, 100 were allowed"),
        "{}",
        said(&large)
    );
    for guest in [&web, &db] {
        guest.put(
            "/etc/ssh/ssh_host_rsa_key",
            &File::new("secret").mode(0o600),
        );
    }
    let secret = run("9000");
    assert_eq!(secret.status.code(), Some(1), "{}", said(&secret));
    assert!(
        said(&secret).contains("secrets in common: "),
        "{}",
        said(&secret)
    );
}

/// The unit of the guard calls a command that exists; it comes before the one that marks what a base shares.
#[test]
fn the_unit_of_the_guard_comes_first() {
    let read = |name: &str| {
        let unit = Path::new(TOP).join("examples/systemd").join(name);
        std::fs::read_to_string(unit).unwrap()
    };
    let (guard, recover) = (read("unify-guard.service"), read("unify-recover@.service"));
    let of = |text: &str, key: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(key));
        lines.next().unwrap().to_owned()
    };
    let start = of(&guard, "ExecStart=/usr/local/bin/unify ");
    assert_eq!(start, "guard load");
    assert_eq!(of(&recover, "After="), "unify-guard.service");
    assert_eq!(of(&guard, "Before="), of(&recover, "Before="));
    // A daemon that looked for bases by itself could take one that a guest has made.
    let guardd = read("unify-guardd.service");
    let daemon = of(&guardd, "ExecStart=/usr/local/bin/unify ");
    assert_eq!(daemon, "guardd --base /srv/guests/.unify");
    // A healing that proves all objects takes as long as it takes, and guests are not to be left out for it.
    assert_eq!(of(&guardd, "TimeoutStartSec="), "infinity");
    let mut lines = recover.lines();
    assert!(lines.any(|line| line == "Before=unify-guardd.service"));
}

/// The unit that heals at boot calls a command that exists, with arguments that it takes.
#[test]
fn the_unit_calls_what_is_there() {
    let unit = Path::new(TOP).join("examples/systemd/unify-recover@.service");
    let text = std::fs::read_to_string(&unit).unwrap();
    let start = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/unify "));
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", crate::support::File::new("f"))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let base = lab.base().display().to_string();
    let words: Vec<String> = start
        .unwrap()
        .split(' ')
        .map(|word| word.replace("%f", &base))
        .collect();
    unify(&words).expect(0);
    let quarantine = text
        .lines()
        .find(|line| line.starts_with("SuccessExitStatus="));
    assert_eq!(quarantine, Some("SuccessExitStatus=12"));
    let before = text
        .lines()
        .find(|line| line.starts_with("Before="))
        .unwrap();
    assert!(
        before.contains("lxc.service")
            && before.contains("incus.service")
            && before.contains("machines.target")
    );
}
