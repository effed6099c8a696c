//! What guests and plans may try: names that deceive, files that wait or hold more than they seem to, much of all.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{BIN, Disk, File, Lab, Planned, content, edited, figure, make_fifo, unify};

/// Names that no terminal should see.
const NAMES: &[&[u8]] = &[
    b"\x1b[2J\x07",
    b"not \xff text",
    b"::error::x",
    b"a\nb",
    "x\u{202e}y".as_bytes(),
    b"-rf",
];

fn tame(text: &str) {
    let bad = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    assert!(!text.contains(bad), "{text:?}");
    let order = |line: &str| {
        line.trim_start_matches(['+', '-', '~', '?', ' '])
            .starts_with("::")
    };
    assert!(
        !text
            .lines()
            .any(|line| line.trim_start().starts_with("::") || order(line)),
        "{text}"
    );
}

#[test]
fn names_are_shown_escaped_and_kept_in_json() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/a", File::new(content(1)))]);
    for (n, name) in NAMES.iter().enumerate() {
        let path = [b"/usr/", *name].concat();
        let path = OsStr::from_bytes(&path);
        web.put(path, &File::new(content(n + 2)));
        db.put(path, &File::new(content(if n == 0 { 99 } else { n + 2 })));
    }
    let plan = lab.plan(&[&web, &db], &[]);
    for name in NAMES {
        db.put(
            OsStr::from_bytes(&[b"/usr/", *name].concat()),
            &File::new(content(77)),
        );
    }
    let guests = [web.arg(), db.arg()];
    let again = lab.plan(&[&web, &db], &[]);
    for what in [
        [guests[0].as_str(), guests[1].as_str()],
        [plan.path.to_str().unwrap(), again.path.to_str().unwrap()],
    ] {
        for options in [&["--all"][..], &["--json"], &["--evidence", "--all"]] {
            let out = unify(&[&["diff"][..], &what, options].concat()).expect_one_of(&[0, 2]);
            tame(&out.stdout);
        }
    }
    let said = unify(&["diff", "--json", &guests[0], &guests[1]])
        .expect(0)
        .json();
    let told = said["changes"].as_array().unwrap().iter();
    let mut told: Vec<Vec<u8>> = told.map(crate::support::bytes_of).collect();
    let mut want: Vec<Vec<u8>> = NAMES
        .iter()
        .map(|name| [b"/usr/", *name].concat())
        .collect();
    told.sort();
    want.sort();
    assert_eq!(told, want);
    let mut file = guests[0].clone().into_bytes();
    file.extend_from_slice(b":/usr/not \xff text");
    let mut other = guests[1].clone().into_bytes();
    other.extend_from_slice(b":/usr/not \xff text");
    let words = [
        OsStr::new("diff"),
        OsStr::from_bytes(&file),
        OsStr::from_bytes(&other),
    ];
    tame(&unify(&words).expect(0).stdout);
}

/// Nothing waits for a FIFO, and a hole costs nothing; what the walk met and cannot open is told.
#[test]
fn nothing_is_waited_for() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/holes", File::new("x").in_holes_of(1 << 42)),
        ("/usr/fifo", File::new("x")),
    ]);
    for guest in [&web, &db] {
        fs::remove_file(guest.host("/usr/fifo")).unwrap();
        make_fifo(&guest.host("/usr/fifo"));
        guest.deep("/usr/deep", "d", 900, b"bottom");
    }
    db.put("/usr/holes", &File::new("y").in_holes_of(1 << 42));
    let (old, new) = (web.arg(), db.arg());
    let said = unify(&["diff", "--json", &old, &new])
        .expect_one_of(&[0, 3])
        .json();
    let changes = said["changes"].as_array().unwrap();
    let differ: Vec<&str> = changes
        .iter()
        .filter(|change| change["what"] == "changed")
        .map(|change| change["path"].as_str().unwrap())
        .collect();
    assert_eq!(differ, ["/usr/holes"]);
    let fifo = |guest: &str| format!("{guest}:/usr/fifo");
    unify(&["diff", "--exit-code", &fifo(&old), &fifo(&new)]).expect(0);
    // A root that is a FIFO is no plan, either.
    let pipe = lab.path("pipe");
    make_fifo(&pipe);
    let out = Command::new("timeout")
        .args(["20", BIN, "diff"])
        .arg(&pipe)
        .arg(&pipe)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!([1, 5].contains(&out.status.code().unwrap()), "{out:?}");
}

/// What another user may not read is told, and is no equality.
#[test]
fn what_cannot_be_read_is_not_the_same() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/etc/shadow", File::new("x").mode(0o600)),
        ("/etc/open", File::new("x")),
    ]);
    for guest in [&web, &db] {
        guest.dir("/root/closed");
        let closed = fs::Permissions::from_mode(0o700);
        fs::set_permissions(guest.host("/root/closed"), closed).unwrap();
    }
    let out = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", BIN])
        .args(["diff", "--json", "--exit-code", &web.arg(), &db.arg()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    if out.status.code() != Some(3) && said.contains("Permission denied") {
        skip!("another user cannot reach the scratch directory or the program");
    }
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let unknown = said["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (&change["path"], &change["what"]));
    let unknown: Vec<_> = unknown.collect();
    assert_eq!(
        unknown,
        [
            (&"/etc/shadow".into(), &"unknown".into()),
            (&"/root/closed".into(), &"unknown".into())
        ]
    );
}

/// Two plans of so many lines, of which half are not in the other.
fn long_plans(lab: &Lab, plan: &Planned, lines: u32) -> [PathBuf; 2] {
    let deep = "directory/".repeat(20);
    [1, 2].map(|step| {
        let path = edited(lab, plan, |all| {
            let at = all.iter().position(|line| line.contains("\"actions\""));
            all.retain(|line| !line.contains("\"action\":"));
            let line = |n: u32| {
                let comma = if n + 1 < lines { "," } else { "" };
                let n = n * step;
                format!("{{\"action\":\"skip\",\"guest\":\"db\",\"path\":\"/{deep}{n:09}\",\"reason\":\"unique\",\"size\":{n}}}{comma}")
            };
            let text: Vec<String> = (0..lines).map(line).collect();
            all.insert(at.unwrap() + 1, text.join("\n"));
        });
        let to = lab.path(&format!("{lines}-{step}.json"));
        fs::rename(path, &to).unwrap();
        to
    })
}

/// The most memory that it took while it wrote its answer, in KiB, and how long that was.
fn peak(plans: &[PathBuf; 2]) -> (u64, usize) {
    let mut child = Command::new(BIN)
        .args(["diff", "--json"])
        .args(plans)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut most, mut length) = (0, 0);
    let mut out = child.stdout.take().unwrap();
    let mut piece = vec![0; 1 << 20];
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(now.unwrap_or(0));
        match out.read(&mut piece).unwrap() {
            0 => break,
            read => length += read,
        }
    }
    assert!(child.wait().unwrap().success());
    (most, length)
}

/// Memory does not grow with the plans.
#[test]
fn long_plans_take_no_more_memory_than_short_ones() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/a", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let (few, _) = peak(&long_plans(&lab, &plan, 2_000));
    let long = long_plans(&lab, &plan, 40_000);
    let (many, length) = peak(&long);
    let size = fs::metadata(&long[0]).unwrap().len() / 1024;
    assert!(length > 10 << 20, "the whole answer: {length}");
    figure(&format!(
        "diff of two plans of {size} KiB: {many} KiB of memory, and {few} KiB of 2,000 lines"
    ));
    assert!(
        many < few + size / 4,
        "{few} KiB of memory, then {many} of plans of {size} KiB"
    );
}
