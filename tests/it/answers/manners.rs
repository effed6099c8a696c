//! Manners that all commands share: quiet, a base that is found, a screen that is not too small, help whose examples
//! run.

use std::process::{Command, Stdio};

use crate::support::{BIN, Disk, File, Lab, content, unify, unify_with};

/// Where nothing is wrong, cron has nothing to mail; where something is, it has.
#[test]
fn a_quiet_program_is_silent_when_all_is_well() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let (plan, base) = (lab.path("p.json"), lab.base().display().to_string());
    let (plan, web_root) = (plan.to_str().unwrap(), web.root().to_str().unwrap());
    let db_root = db.root().to_str().unwrap();
    let silent = |args: &[&str]| {
        let out = unify(args).expect(0);
        assert_eq!(
            (out.stdout.as_str(), out.stderr.as_str()),
            ("", ""),
            "{args:?}"
        );
    };
    silent(&["status", "-q", "--if-base-exists", "--base", &base]);
    silent(&["-q", "plan", "-o", plan, web_root, db_root]);
    let narrow = lab.path("narrow.json");
    let narrow = narrow.to_str().unwrap();
    silent(&["cut", "-q", plan, "-o", narrow, "--guest", "web"]);
    silent(&["apply", "-q", "--dry-run", plan]);
    silent(&["apply", "--quiet", "--yes", plan]);
    silent(&["undo", "-q", "--dry-run", "--run", "all", "--base", &base]);
    silent(&["verify", "-q", plan]);
    silent(&["verify", "-q", "--base", &base]);
    silent(&["status", "-q", "--base", &base]);
    silent(&["recover", "-q", "--base", &base]);
    silent(&["gc", "-q", "--base", &base]);
    assert!(
        unify(&["show", "-q", plan])
            .expect(0)
            .stdout
            .contains("files to link"),
        "what is asked for is told"
    );
    assert!(
        !unify(&["status", "-q", "--json", "--base", &base])
            .expect(0)
            .stdout
            .is_empty()
    );
    crate::support::lift_flags(web.root());
    let told = unify(&["status", "-q", "--base", &base]).expect_one_of(&[0, 10]);
    assert!(
        told.stdout.is_empty() && told.stderr.contains("UNPROTECTED"),
        "{}",
        told.stderr
    );
    lab.on_base("recover", &[]).expect(0);
    silent(&["undo", "-q", "--yes", "--run", "all", "--base", &base]);
    web.put("/usr/f", &File::new("other"));
    let failed = unify(&["apply", "-q", "--yes", plan]).expect(4);
    assert!(
        failed.stdout.is_empty() && failed.stderr.contains("changed since the plan"),
        "{}",
        failed.stderr
    );
    let failed = unify(&["status", "-q", "--base", "/no/such/base"]).expect(1);
    assert!(failed.stderr.contains("/no/such/base"), "{}", failed.stderr);
}

/// Exit code, answer and messages of a program that begins there.
fn inside(at: &std::path::Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut program = Command::new(BIN);
    let out = program.args(args).current_dir(at).stdin(Stdio::null());
    let out = out.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

/// The base is found where there is one, is asked for where there are several, and is never one of a guest's making.
#[test]
fn the_base_is_found() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let base = lab.base().display().to_string();
    let found = format!("Base {base}: ");
    for at in [lab.guests(), lab.base(), web.root().to_owned()] {
        let (code, out, err) = inside(&at, &["status"]);
        assert_eq!(code, Some(0), "{at:?}: {err}");
        assert!(
            out.contains(&found) && err.contains(&base),
            "{at:?}: {out}{err}"
        );
    }
    let above = lab.guests().display().to_string();
    assert!(
        unify(&["status", "--base", &above])
            .expect(0)
            .stdout
            .contains(&found),
        "its parent is given"
    );
    assert!(
        unify_with(&[("UNIFY_BASE", &above)], &["status"])
            .expect(0)
            .stdout
            .contains(&found)
    );
    let (code, _, err) = inside("/".as_ref(), &["status"]);
    assert!(code == Some(2) && err.contains("--base DIR"), "{err}");
    assert_eq!(
        inside("/".as_ref(), &["status", "--if-base-exists"]),
        (Some(0), String::new(), String::new())
    );
    std::fs::create_dir_all(web.host("/.unify")).unwrap();
    std::fs::write(web.host("/.unify/format"), "unify base 1\n").unwrap();
    std::fs::create_dir_all(web.host("/etc")).unwrap();
    let (code, out, err) = inside(web.root(), &["status"]);
    assert!(
        code == Some(0) && out.contains(&found),
        "what lies in a guest is no base: {err}"
    );
    let second = lab.path(".unify");
    std::fs::create_dir(&second).unwrap();
    std::fs::write(second.join("format"), "unify base 1\n").unwrap();
    let (code, _, err) = inside(&lab.guests(), &["status"]);
    assert!(
        code == Some(2) && err.contains(&base) && err.contains(second.to_str().unwrap()),
        "{err}"
    );
}

/// A plan that a group may read, and none that it may not.
#[test]
fn a_plan_is_read_by_those_whom_its_writer_allows() {
    use std::os::unix::fs::PermissionsExt;
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let mode = |lab: &Lab, options: &[&str]| {
        let plan = lab.plan(&[&web, &db], options);
        std::fs::metadata(&plan.path).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!(mode(&lab, &[]), 0o600);
    assert_eq!(mode(&lab, &["--mode", "0640"]), 0o640);
    assert_eq!(mode(&lab, &["--mode", "644"]), 0o644);
    let plan = lab.plan(&[&web, &db], &[]).path;
    let (plan, cut) = (plan.to_str().unwrap(), lab.path("cut.json"));
    let args = ["cut", plan, "--guest", "web", "--force", "-o"];
    for (options, wanted) in [(&["--mode", "0640"][..], 0o640), (&[], 0o600)] {
        let args = [&args[..], &[cut.to_str().unwrap()], options].concat();
        unify(&args).expect(0);
        let mode = std::fs::metadata(&cut).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, wanted);
    }
    let (out, plan) = lab.try_plan(&[&web, &db], &["--mode", "0666"]);
    out.expect(2);
    assert!(plan.is_none());
}

/// Every line of what `status` and `verify` say fits the screen, but for names, which are not cut.
#[test]
fn status_and_verify_fit_the_screen() {
    let lab = lab!(Disk::Own);
    let guests = [
        "a-guest-with-a-long-name",
        "another-guest-with-a-longer-name",
    ]
    .map(|name| lab.guest(name));
    for guest in &guests {
        for n in 0..30 {
            guest.put(format!("/usr/f{n:02}"), &File::new(content(n)));
        }
    }
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    plan.apply().expect(0);
    crate::support::lift_flags(guests[0].root());
    for n in 0..25 {
        std::fs::remove_file(guests[0].host(format!("/usr/f{n:02}"))).unwrap();
    }
    std::fs::rename(guests[1].root(), lab.path("elsewhere")).unwrap();
    let (base, path) = (
        lab.base().display().to_string(),
        plan.path.to_str().unwrap(),
    );
    for columns in ["80", "60"] {
        for args in [&["status", "--base", &base][..], &["verify", path]] {
            let out = unify_with(&[("COLUMNS", columns)], args).expect_one_of(&[3, 6, 10]);
            for line in out.stdout.lines() {
                let one_word = line.split_whitespace().count() < 2
                    || line.contains('`')
                    || line.contains(&base);
                let fits = line.chars().count() <= columns.parse().unwrap();
                assert!(fits || one_word, "{args:?}: {line:?}");
            }
            assert!(
                out.stdout.contains("--all or --json lists all"),
                "{}",
                out.stdout
            );
            let all = [args, &["--all"]].concat();
            let all = unify_with(&[("COLUMNS", columns)], &all).expect_one_of(&[3, 6, 10]);
            assert!(
                !all.stdout.contains("lists all") && all.stdout.contains("/usr/f24"),
                "{}",
                all.stdout
            );
        }
    }
}

/// So does what the commands say that change something, and no command that is advised is broken.
#[test]
fn runs_fit_the_screen() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(2))),
    ]);
    let plan = lab.plan(&[&web, &db], &[]);
    std::fs::write(db.host("/usr/g"), "other").unwrap();
    let (base, path) = (
        lab.base().display().to_string(),
        plan.path.to_str().unwrap().to_owned(),
    );
    let on_base = ["--base", &base];
    let runs: [(&[&str], i32); 7] = [
        (&["apply", "--dry-run", &path], 4),
        (&["apply", "--yes", &path], 4),
        (&["recover"], 0),
        (&["undo", "--dry-run", "--run", "last"], 0),
        (&["undo", "--yes", "--run", "last"], 0),
        (&["gc", "--dry-run"], 0),
        (&["gc", "--keep-runs", "1"], 0),
    ];
    for (words, code) in runs {
        let words = match words[0] {
            "apply" => words.to_vec(),
            _ => [words, &on_base].concat(),
        };
        let said = unify_with(&[("COLUMNS", "50")], &words).expect(code).stdout;
        for line in said.lines() {
            let is_command = line.contains("unify ") || line.trim_start().starts_with('/');
            let fits = line.chars().count() <= 50 || line.split_whitespace().count() < 2;
            assert!(fits || is_command, "{words:?}: {line:?}\n{said}");
        }
        for line in said.lines().filter(|line| line.contains("unify ")) {
            let whole = line.contains(&base) || line.contains(&path);
            assert!(whole, "a command is broken: {line:?}");
        }
    }
}

/// The commands of a help text, with what follows a backslash.
fn examples(help: &str) -> Vec<String> {
    let (_, text) = help.split_once("Examples:\n").unwrap_or_default();
    let text = text.split("\n\n").next().unwrap_or_default();
    let text = text.replace("\\\n", " ").replace("&&\n", "&& ");
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// How many options of a help text stand under no heading of their own.
fn without_heading(help: &str) -> usize {
    let options = help
        .split("\nOptions:\n")
        .nth(1)
        .unwrap_or_default()
        .lines();
    let options = options.take_while(|line| line.is_empty() || line.starts_with(' '));
    options.filter(|line| line.starts_with("      --")).count()
}

/// Help fits the usual screen, its options stand under headings, and its examples run as they stand, in their order.
#[test]
fn help_fits_and_its_examples_run() {
    let lab = lab!(Disk::Own);
    let guests = ["web1", "db1"].map(|name| lab.guest(name));
    for guest in &guests {
        guest.put("/usr/share/common", &File::new(content("common")));
    }
    let top = unify(&["--help"]).expect(0).stdout;
    let commands: Vec<&str> = top
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty() && *word != "help")
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    let order = [
        "plan", "show", "diff", "explain", "check", "clone", "apply", "verify", "status", "undo",
        "maintain", "thaw", "refreeze", "protect", "gc", "recover", "forget",
    ];
    let mut sorted: Vec<&str> = order.to_vec();
    sorted.extend(commands.iter().filter(|word| !order.contains(word)));
    // Their examples write where a shell and `man` look.
    sorted.retain(|command| !["completions", "man"].contains(command));
    for command in sorted {
        for asked in [&[command, "--help"][..], &[command, "-h"]] {
            let help = unify(asked).expect(0).stdout;
            let wide: Vec<&str> = help
                .lines()
                .filter(|line| line.chars().count() > 80)
                .collect();
            assert!(wide.is_empty(), "{command}: {wide:#?}");
        }
        let help = unify(&[command, "--help"]).expect(0).stdout;
        let options = without_heading(&help);
        assert!(options <= 5, "{command}: options without a heading\n{help}");
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{command}: no examples\n{help}");
        // What changes the kernel is left alone, and what serves it; and no program of guests is run, which are none.
        let harmless = |line: &String| {
            !["guard load", "unload", "guardd", "chroot"]
                .iter()
                .any(|word| line.contains(word))
        };
        for line in examples.into_iter().filter(harmless) {
            let out = shell(&lab, &line);
            let said = String::from_utf8_lossy(&out.stderr);
            // Without a person to ask, what asks is refused; and cron is told that there is something.
            let fine = match out.status.code() {
                Some(0) => true,
                Some(2) => said.contains("--yes"),
                Some(10) => line.contains("--exit-code"),
                _ => false,
            };
            assert!(fine, "{line}: {:?}\n{said}", out.status);
        }
    }
}

/// A shell that knows `unify`, with the guests of the examples where the lab has them.
fn shell(lab: &Lab, line: &str) -> std::process::Output {
    let line = line.replace("/srv/guests", lab.guests().to_str().unwrap());
    let program = std::path::Path::new(BIN)
        .parent()
        .unwrap()
        .display()
        .to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap_or_default());
    Command::new("bash")
        .args(["-c", &line])
        .current_dir(lab.path(""))
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Words of other tools lead to what they are called here.
#[test]
fn commands_of_other_tools_are_understood() {
    for (word, wanted) in [
        ("version", "unify --version"),
        ("dedup", "unify plan"),
        ("rollback", "unify undo"),
        ("delete", "unify forget"),
        ("fsck", "unify verify"),
    ] {
        let out = unify(&[word]).expect(2);
        assert!(out.stderr.contains(wanted), "{word}: {}", out.stderr);
        let error = unify(&[word, "--json"]).expect(2).json();
        assert!(
            error["hint"].as_str().unwrap().contains(wanted),
            "{word}: {error}"
        );
    }
    let verify = unify(&["verify"]).expect(2).stderr;
    assert!(
        verify.contains("verify PLAN") && verify.contains("--base"),
        "{verify}"
    );
}
