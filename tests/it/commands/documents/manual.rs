//! `unify man` and `unify completions`: shells and `man` take what they make, and every command is in it.

use std::path::Path;
use std::process::Command;

use crate::support::{Disk, unify};

/// The commands that `unify --help` shows.
fn commands() -> Vec<String> {
    let help = unify(&["-h"]).expect(0).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let rows = list.lines().take_while(|line| line.starts_with("  "));
    let names = rows.filter(|line| !line.starts_with("   "));
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_command_has_a_page() {
    let lab = lab!(Disk::Own);
    let dir = lab.path("man8");
    let args = [std::ffi::OsStr::new("man"), dir.as_os_str()];
    let out = unify(&args).expect(0);
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    let count = format!("Wrote {} manual pages to ", commands.len() + 1);
    assert!(out.stderr.starts_with(&count), "{}", out.stderr);
    let mut pages: Vec<String> = commands
        .iter()
        .map(|name| format!("unify-{name}.8"))
        .collect();
    pages.push("unify.8".into());
    for page in &pages {
        is_a_page(&dir.join(page));
    }
    assert_eq!(
        std::fs::read_dir(&dir).unwrap().count(),
        pages.len(),
        "and no page is left over"
    );
    unify(&args).expect(0);
}

fn is_a_page(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let text = std::fs::read_to_string(path).unwrap();
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "everybody may read {path:?}");
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXIT STATUS",
        "FILES",
    ] {
        let there = text.contains(&format!("\n.SH {section}\n"))
            || text.contains(&format!("\n.SH \"{section}\"\n"));
        assert!(there, "{path:?} has no {section}");
    }
    assert!(text.contains("BASE/quarantine"), "{path:?}");
    let Some(shown) = rendered(path) else {
        return;
    };
    for words in [
        "130, 143",
        "ended by a signal, batch finished or taken back",
        ".unify",
    ] {
        assert!(
            shown.contains(words),
            "{path:?} does not say {words}:\n{shown}"
        );
    }
}

/// As `man` shows it, and it warns of nothing; `None` where there is no `man`.
fn rendered(path: &Path) -> Option<String> {
    let mut man = Command::new("man");
    man.args(["--warnings", "-E", "UTF-8", "-l", "-P", "cat"])
        .arg(path)
        .env("MANWIDTH", "100");
    let out = man.output().ok()?;
    assert_eq!(String::from_utf8_lossy(&out.stderr), "", "{path:?}");
    assert!(out.status.success(), "{path:?}");
    // A letter that is shown bold is typed twice, with a step back between.
    let mut shown = String::new();
    for c in String::from_utf8_lossy(&out.stdout).chars() {
        if c == '\u{8}' {
            shown.pop();
        } else {
            shown.push(c);
        }
    }
    Some(shown)
}

#[test]
fn a_page_takes_the_place_of_files_only() {
    let lab = lab!(Disk::Own);
    std::fs::write(lab.path("file"), "").unwrap();
    for wrong in ["file", "none/man8"] {
        let path = lab.path(wrong);
        unify(&["man".as_ref(), path.as_os_str()]).expect(1);
    }
    std::fs::create_dir(lab.path("man8")).unwrap();
    std::os::unix::fs::symlink(lab.path("file"), lab.path("man8/unify.8")).unwrap();
    unify(&["man".as_ref(), lab.path("man8").as_os_str()]).expect(1);
    assert_eq!(
        std::fs::read(lab.path("file")).unwrap(),
        b"",
        "nothing is written through a link"
    );
}

/// What bash would offer for the last of these words.
fn offered(script: &Path, words: &[&str]) -> Vec<String> {
    let (last, before) = (words.last().unwrap(), words[words.len() - 2]);
    let typed: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let ask = format!(
        "compopt() {{ :; }}; source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _unify unify '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        typed.join(" "),
        words.len() - 1
    );
    let out = Command::new("bash").args(["-euc", &ask]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.is_empty(), "{words:?}: {said}");
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_codes() {
    let lab = lab!(Disk::Own);
    let script = lab.path("unify.bash");
    std::fs::write(&script, unify(&["completions", "bash"]).expect(0).stdout).unwrap();
    let parsed = Command::new("bash")
        .arg("-n")
        .arg(&script)
        .status()
        .unwrap();
    assert!(parsed.success());
    let offered = |words: &[&str]| offered(&script, words);
    let first = offered(&["unify", ""]);
    let commands = commands();
    assert!(
        commands.iter().all(|name| first.contains(name)),
        "{first:?}"
    );
    assert!(
        !first.iter().any(|word| word == "watchdog"),
        "nobody types that: {first:?}"
    );
    let codes = offered(&["unify", "plan", "--allow", "pr"]);
    assert_eq!(codes, ["privileged"]);
    let codes = offered(&["unify", "explain", "config-"]);
    assert_eq!(codes, ["config-file", "config-sidecar"]);
    assert_eq!(offered(&["unify", "undo", "--run", "l"]), ["last"]);
    assert!(offered(&["unify", "apply", "--acc"]).contains(&"--accept-edits".to_owned()));
    let modes = offered(&["unify", "plan", "--protect", "i"]);
    assert_eq!(modes, ["iunlink", "immutable"]);
    std::fs::write(lab.path("plan.json"), "").unwrap();
    let file = lab.path("pl").display().to_string();
    assert_eq!(
        offered(&["unify", "plan", "--output", &file]),
        [format!("{file}an.json")]
    );
}

/// The other shells, where they are here.
#[test]
fn other_shells_take_their_completions() {
    let lab = lab!(Disk::Own);
    for (shell, check) in [
        ("zsh", "-n"),
        ("fish", "-n"),
        ("elvish", "-compileonly"),
        ("powershell", ""),
    ] {
        let text = unify(&["completions", shell]).expect(0).stdout;
        assert!(
            text.contains("exclude-from") && !text.contains("watchdog"),
            "{shell}"
        );
        let script = lab.path(shell);
        std::fs::write(&script, text).unwrap();
        if let Ok(parsed) = Command::new(shell).arg(check).arg(&script).status() {
            assert!(parsed.success(), "{shell}");
        }
    }
    let wrong = unify(&["completions", "csh"]).expect(2);
    assert!(
        wrong.stderr.contains("[possible values: bash, "),
        "{}",
        wrong.stderr
    );
}
