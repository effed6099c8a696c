//! Names, packages, versions, attributes and policies that look like what they are not, or like an order to the runner
//! of a CI job: no output of any command has them as they are.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Disk, File, Guest, Lab, Out, content, unify};

/// Characters that hide, turn, take no room, or mean nothing yet.
const DECEIVING: &str = "\u{1b}\u{9b}\u{7f}\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\u{200b}\u{200f}\u{2028}\u{2029}\u{202e}\u{2060}\u{2066}\u{2800}\u{3000}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{fffb}\u{378}\u{e000}\u{1d173}\u{e0001}\u{e0041}\u{e0100}\u{f0000}\u{10ffff}";

const ORDERS: [&str; 8] = [
    "::error file=a::b",
    "::set-output name=x::y",
    "##[group]x",
    "##[error]x",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[message text='x']",
    "x\n::error::next line",
    "section_start:1:a\r\u{1b}[0Kb",
];

fn names() -> Vec<String> {
    let mut names: Vec<String> = DECEIVING
        .chars()
        .map(|c| format!("sshd{c}_config"))
        .collect();
    names.extend(ORDERS.map(str::to_owned));
    names.extend([
        "\u{301}mark".into(),
        "end ".into(),
        "a`b|<b>c</b>[x](http:evil)".into(),
        format!("a{}", "\u{301}".repeat(9)),
    ]);
    names
}

fn fill(guest: &Guest, time: i64) {
    for (n, name) in names().iter().enumerate() {
        guest.put(format!("/usr/d/{name}"), &File::new(content(n)));
        guest.put(
            format!("/etc/{name}"),
            &File::new(content(format!("etc {n}"))),
        );
        guest.put(
            format!("/usr/near/{name}/f"),
            &File::new(content(format!("near {n}"))).mtime(time, 0),
        );
        let attribute = format!("user.{name}");
        if !name.contains('\n') {
            guest.put(
                format!("/usr/x/{n}"),
                &File::new(content(format!("x {n}"))).xattr(&attribute, b"v"),
            );
        }
    }
    let mut status = String::new();
    for (n, name) in names()
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.contains(['\n', '\r']))
    {
        status += &format!(
            "Package: p{n}\nStatus: install ok installed\nArchitecture: all\nVersion: {name}\nConffiles:\n /etc/{name} 00000000000000000000000000000000\n\n"
        );
        guest.put(
            format!("/var/lib/dpkg/info/p{n}.list"),
            &File::new(format!("/.\n/usr\n/usr/d\n/usr/d/{name}\n")),
        );
    }
    guest.put("/var/lib/dpkg/status", &File::new(status));
    guest.dir("/var/lib/dpkg/updates");
}

/// Looks at all that was printed. JSON may hold the names of programs, but nothing that drives who shows it.
#[track_caller]
fn assert_tame(out: &Out) {
    for text in [&out.stdout, &out.stderr] {
        for line in text.split('\n') {
            let bad = line
                .chars()
                .find(|c| c.is_control() || DECEIVING.contains(*c));
            assert_eq!(bad, None, "unify {}: {line:?}", out.args);
            let order = line.trim_start().starts_with("::") || line.contains("##");
            let looks = ["##", "##vso[", "##teamcity["]
                .iter()
                .any(|order| line.trim_start().starts_with(order) && line.contains('['));
            // Headings of markdown are ours.
            let heading = line.starts_with("## ") || line.starts_with("# ");
            assert!(
                !looks && (heading || !order),
                "unify {}: {line:?}",
                out.args
            );
            let marks = line.split('\u{301}').next().unwrap_or_default();
            assert!(
                marks.len() == line.len() || out.stdout.starts_with('{') || marks.ends_with('a'),
                "unify {}: {line:?}",
                out.args
            );
        }
    }
}

struct Said<'a> {
    lab: &'a Lab,
}

impl Said<'_> {
    fn run(&self, codes: &[i32], args: &[&str]) -> Out {
        let out = unify(args);
        assert_tame(&out);
        out.expect_one_of(codes)
    }

    fn base(&self, codes: &[i32], command: &str, args: &[&str]) -> Out {
        let base = self.lab.base().display().to_string();
        self.run(codes, &[&[command, "--base", &base], args].concat())
    }
}

#[test]
fn nothing_that_is_printed_deceives_or_orders() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| lab.guest(name));
    fill(&guests[0], 1_600_000_000);
    fill(&guests[1], 1_700_000_000);
    let (said, plan) = (Said { lab: &lab }, lab.path("p.json"));
    let (plan, [web, db]) = (plan.to_str().unwrap(), guests.each_ref().map(Guest::arg));
    let exclude = "--exclude=/usr/d/##[error]*";
    let args = [
        "--skips=all",
        "--protect=immutable",
        exclude,
        "-o",
        plan,
        &web,
        &db,
    ];
    said.base(&[0, 3], "plan", &args);
    said.base(
        &[0, 3],
        "plan",
        &["--json", "-o", &format!("{plan}.2"), &web, &db],
    );
    said.base(&[0, 3], "plan", &["-o", "-", &web, &db]);
    shown_and_explained(&said, plan);
    let changed = guests[1].host("/usr/d/::error file=a::b");
    std::fs::write(changed, "other").unwrap();
    said.run(&[4], &["apply", "--yes", plan]);
    std::fs::remove_file(guests[0].host("/var/lib/dpkg/status")).unwrap();
    for command in ["status", "verify"] {
        said.base(&[0, 3, 6], command, &[]);
        said.base(&[0, 3, 6], command, &["--json"]);
    }
    said.run(&[0, 3, 6], &["verify", plan]);
    said.base(&[0, 4], "undo", &["--run", "all", "--yes"]);
    said.base(&[0], "gc", &[]);
}

fn shown_and_explained(said: &Said<'_>, plan: &str) {
    for by in ["guest", "reason", "directory", "package"] {
        for format in ["--format=text", "--format=markdown", "--format=json"] {
            let args = ["show", "--lines", "--near-misses", "--by", by, format, plan];
            said.run(&[0], &args);
        }
    }
    let names = [
        "::error file=a::b",
        "##[group]x",
        "sshd\u{e0041}_config",
        "\u{301}mark",
    ];
    for name in names {
        for at in ["/usr/d/", "/etc/", "/no/such/"] {
            let what = format!("web:{at}{name}");
            for json in [&["--json"][..], &[]] {
                let args = [&["explain", "--plan", plan, &what], json].concat();
                said.run(&[0, 1, 2, 3, 6], &args);
            }
        }
    }
}

/// What the command line and papers say is no better.
#[test]
fn what_cannot_be_done_is_said_without_deceiving() {
    let lab = lab!(Disk::Own);
    let [web, db] = crate::support::two_guests(&lab);
    let said = Said { lab: &lab };
    let policy = lab.path("policy.toml");
    for bad in names() {
        let no = &[1, 2, 3, 5, 8][..];
        said.run(no, &[&bad]);
        said.run(no, &["show", &bad]);
        said.run(no, &["show", "--by", &bad, "x"]);
        said.run(no, &["explain", &bad]);
        said.base(no, "undo", &["--run", &bad]);
        said.base(no, "plan", &[&format!("/{bad}"), &db.arg()]);
        said.base(
            &[0, 1, 2],
            "plan",
            &[&format!("{bad}\u{ad}={}", web.root().display()), &db.arg()],
        );
        said.base(
            &[0, 2],
            "plan",
            &["--exclude", &format!("[{bad}"), &web.arg(), &db.arg()],
        );
        std::fs::write(&policy, format!("{bad} = 1\n\"{bad}\" = [\"{bad}\"]\n")).unwrap();
        said.base(
            no,
            "plan",
            &["--policy", policy.to_str().unwrap(), &web.arg(), &db.arg()],
        );
        let plan = lab.path("bad.json");
        std::fs::write(&plan, format!("{{\"kind\":\"{bad}\",\"{bad}\":1}}\n")).unwrap();
        said.run(no, &["apply", "--yes", plan.to_str().unwrap()]);
    }
    let odd = OsStr::from_bytes(b"\xff##[error]");
    let out = std::process::Command::new(crate::support::BIN)
        .arg(odd)
        .output()
        .unwrap();
    assert!(
        !String::from_utf8_lossy(&out.stderr).contains("##["),
        "{out:?}"
    );
}
