//! The README is true: its commands run, the plan that it shows is a plan, and its table of exit codes is that of the
//! program.

use std::path::Path;
use std::process::Command;

use crate::support::{BIN, Disk, Lab, debian, unify, validate};

const TOP: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    std::fs::read_to_string(Path::new(TOP).join("README.md")).unwrap()
}

/// The insides of all fenced blocks in a language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let fence = format!("\n```{language}\n");
    let parts = text.split(&*fence).skip(1);
    parts
        .map(|part| part.split("\n```").next().unwrap().to_owned())
        .collect()
}

/// Commands of all console blocks, in order.
fn console() -> Vec<String> {
    let lines = blocks("console").join("\n");
    lines
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_owned)
        .collect()
}

/// A shell that knows `unify`, with the README's guests where the lab has them.
fn shell(lab: &Lab, line: &str) -> std::process::Output {
    let line = line.replace("/srv/guests", lab.guests().to_str().unwrap());
    let program = Path::new(BIN).parent().unwrap().display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c", &line])
        .current_dir(lab.path(""))
        .env("PATH", path);
    command
        .env("EDITOR", "true")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_commands_of_the_readme_run() {
    let lab = lab!(Disk::Own);
    let [web, db] = debian(&lab);
    for (guest, name) in [(web, "web1"), (db, "db1")] {
        std::fs::rename(guest.root(), lab.guests().join(name)).unwrap();
    }
    let commands = console();
    for word in ["plan", "show", "apply", "verify", "status", "undo", "gc"] {
        assert!(
            commands
                .iter()
                .any(|line| line.contains(&format!("unify {word} "))),
            "the README shows `unify {word}`"
        );
    }
    for line in commands {
        let out = shell(&lab, &line);
        assert!(
            out.status.success(),
            "{line}\n{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let runs = std::fs::read_dir(lab.base().join("runs")).unwrap();
    assert!(
        runs.count() >= 3,
        "one apply and two undos left their receipts"
    );
    assert_eq!(lab.objects().len(), 0, "gc removed what the last undo left");
}

#[test]
fn the_set_up_is_two_scripts() {
    let lines = blocks("sh").join("\n");
    let scripts: Vec<&str> = lines
        .lines()
        .map(|line| line.split_whitespace().next().unwrap_or_default())
        .collect();
    assert_eq!(scripts, ["examples/two-guests.sh", "tests/run.sh"]);
    for script in scripts.iter().chain(&["examples/make-guest.sh", ".ci/run"]) {
        let path = Path::new(TOP).join(script);
        let parsed = Command::new("bash").arg("-n").arg(&path).status().unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        assert!(
            parsed.success() && mode & 0o111 != 0,
            "{script} is a script that can be run"
        );
    }
}

/// The first of the two, on the guests that the other tests use.
#[test]
fn the_demonstration_runs() {
    let lab = lab!(Disk::Own);
    debian(&lab);
    let script = Path::new(TOP).join("examples/two-guests.sh");
    let guests = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests");
    let out = Command::new(script)
        .envs([
            ("UNIFY", BIN.as_ref()),
            ("SCRATCH", lab.path("").as_os_str()),
            ("GUESTS", guests.as_os_str()),
        ])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    assert!(said.contains("nothing was lost"), "{said}");
}

/// The plan that is explained is an example that the program reads.
#[test]
fn its_plan_is_the_example() {
    let example = Path::new(TOP).join("examples/plans/two-guests.json");
    let example = std::fs::read_to_string(example).unwrap();
    assert_eq!(blocks("json"), [example.trim_end()]);
    assert_eq!(validate(&serde_json::from_str(&example).unwrap()), [""; 0]);
}

/// Rows such as `| 5 | plan refused as a whole |`.
fn exit_codes() -> Vec<(String, String)> {
    let text = readme();
    let (_, text) = text.split_once("## Exit codes").expect("its heading");
    let row = |line: &str| {
        let (code, meaning) = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split_once(" | ")?;
        code.starts_with(|c: char| c.is_ascii_digit())
            .then(|| (code.to_owned(), meaning.replace('`', "")))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn its_exit_codes_are_those_of_the_help() {
    let help = unify(&["--help"]).expect(0).stdout.replace('`', "");
    let (_, list) = help
        .split_once("xit codes")
        .expect("`unify --help` lists exit codes");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let table = exit_codes();
    assert!(table.len() > 10, "{table:?}");
    for (code, meaning) in &table {
        let row = words(&format!("{code} {meaning}"));
        assert!(
            words(list).contains(&row),
            "`unify --help` does not say: {row}"
        );
    }
    let numbers = list.lines().filter_map(|line| {
        line.split_whitespace()
            .next()?
            .trim_end_matches(',')
            .parse::<u32>()
            .ok()
    });
    for number in numbers {
        let known = table
            .iter()
            .any(|(code, _)| code.split(", ").any(|code| code == number.to_string()));
        assert!(known, "the README does not explain exit code {number}");
    }
}

/// The unit that heals at boot calls a command that exists, with arguments that it takes.
#[test]
fn the_unit_calls_what_is_there() {
    let unit = Path::new(TOP).join("examples/systemd/unify-recover@.service");
    let text = std::fs::read_to_string(&unit).unwrap();
    let start = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/bin/unify "));
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
