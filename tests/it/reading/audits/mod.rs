//! `plan --audit`: what guests could share wherever they are, with no base and no place to write.

mod apart;
mod approved;

use serde_json::Value;

use crate::support::unify;
use crate::support::{Disk, File, Guest, Lab, Out, Planned, content, edited, listings, unchanged};

/// A bit of everything that has a line in a plan.
fn furnish(guest: &Guest) {
    guest.dpkg("ssh", &["/etc/ssh/config"]);
    guest.put("/etc/ssh/config", &File::new(content("config")));
    guest.put(
        "/etc/machine-id",
        &File::new(&b"0123456789abcdef0123456789abcdef\n"[..]),
    );
    guest.put("/usr/bin/tool", &File::new(content("tool")).mode(0o755));
    guest.put("/usr/bin/su", &File::new(content("su")).mode(0o4755));
    guest.put("/usr/lib/two", &File::new(content("two names")));
    guest.hard_link("/usr/lib/two", "/usr/lib/second");
    guest.put("/usr/share/unique", &File::new(content(guest.name())));
    let touched = File::new(content("touched"));
    guest.put(
        "/usr/share/near",
        &touched.mtime(guest.name().len() as i64, 0),
    );
    guest.put("/var/cache/f", &File::new(content("cache")));
}

/// `unify plan --audit` of these guests, written to this file of the lab.
fn try_audit(lab: &Lab, name: &str, guests: &[&Guest], more: &[&str]) -> (Out, Planned) {
    let path = lab.path(name);
    let args = ["plan", "--audit", "-o", path.to_str().unwrap()];
    let guests: Vec<String> = guests.iter().map(|guest| guest.arg()).collect();
    let guests: Vec<&str> = guests.iter().map(String::as_str).collect();
    let out = unify(&[&args[..], more, &guests].concat());
    let read = path.exists().then(|| Planned::read(&path));
    let planned = read.unwrap_or_else(|| panic!("no audit: {}", out.stderr));
    (out, planned)
}

#[track_caller]
fn audit(lab: &Lab, guests: &[&Guest], more: &[&str]) -> Planned {
    let (out, planned) = try_audit(lab, "audit.json", guests, more);
    out.expect(0);
    planned
}

/// The lines as both kinds of plans have them.
fn lines(plan: &Planned) -> Vec<Value> {
    let mut all = plan.json["actions"].as_array().unwrap().clone();
    for line in &mut all {
        let line = line.as_object_mut().unwrap();
        for key in ["before", "seal"] {
            line.remove(key);
        }
    }
    all
}

fn text<'a>(plan: &'a Planned, digest: &str) -> &'a str {
    plan.json["digest"][digest].as_str().unwrap()
}

/// Where both can be made they say the same; one approval serves both.
#[test]
fn an_audit_has_the_lines_of_a_plan() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    [&web, &db].into_iter().for_each(furnish);
    web.put("/usr/share/shared", &File::new(content("shared")));
    std::fs::hard_link(web.host("/usr/share/shared"), db.host("/usr/share/shared")).unwrap();
    let options = ["--skips", "all", "--exclude", "/usr/share/unique"];
    let before = listings(&[&web, &db]);
    let audit = audit(&lab, &[&web, &db], &options);
    assert!(!lab.base().exists(), "an audit makes no base");
    unchanged(&[&web, &db], &before, "after the audit");
    let plan = lab.plan(&[&web, &db], &options);

    assert_eq!(audit.json["kind"], "unify.image-plan");
    for key in ["base", "host", "protection"] {
        assert!(
            audit.json[key].is_null() && !plan.json[key].is_null(),
            "{key}"
        );
    }
    let (found, wanted) = (lines(&audit), lines(&plan));
    assert!(found.len() > 15 && found.iter().any(|line| line["reason"] == "shared-inode"));
    assert_eq!(found, wanted);
    assert!(
        audit
            .actions("link")
            .iter()
            .all(|link| link.get("before").is_none())
    );
    for key in ["guests", "summary", "policy"] {
        assert_eq!(audit.json[key], plan.json[key], "{key}");
    }
    assert_eq!(text(&audit, "decision"), text(&plan, "decision"));
    assert_ne!(text(&audit, "content"), text(&plan, "content"));
}

/// Every reader takes it, in every form; whatever would change something refuses it.
#[test]
fn an_audit_is_read_and_not_applied() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    [&web, &db].into_iter().for_each(furnish);
    let before = listings(&[&web, &db]);
    for form in ["json", "jsonl", "json.zst"] {
        let path = lab.path(&format!("audit.{form}"));
        let plan = path.to_str().unwrap();
        let args = ["plan", "--audit", "-o", plan, &web.arg(), &db.arg()];
        let report = unify(&args).expect(0).stderr;
        let first = "AUDIT ONLY: nothing can be applied from this, and nothing was changed.\n";
        assert!(report.starts_with(first), "{report}");
        for promise in ["up to ", "NOT TRIED: "] {
            assert!(report.contains(promise), "{promise}: {report}");
        }
        assert!(!report.contains("unify apply"), "{report}");
        // A table is what was asked for, and not the page again.
        for view in [&["--by", "package"][..], &["--near-misses"], &["--lines"]] {
            let shown = unify(&[&["show", plan], view].concat()).expect(0).stdout;
            assert!(shown.lines().count() > 2, "{shown}");
            assert!(shown.starts_with(first), "{view:?}: {shown}");
        }
        for view in [&[][..], &["--format", "markdown"]] {
            let shown = unify(&[&["show", plan], view].concat()).expect(0).stdout;
            assert!(shown.contains("AUDIT ONLY: "), "{shown}");
        }
        let shown = unify(&["show", "--json", "--near-misses", plan])
            .expect(0)
            .json();
        assert_eq!(shown["plan"], "unify.image-plan");
        assert!(
            shown["base"].is_null() && shown["protection"].is_null(),
            "{shown}"
        );
        assert_eq!(shown["near_misses"]["listed"].as_array().unwrap().len(), 1);
        let told = unify(&["explain", "--plan", plan, "web:/usr/bin/tool"])
            .expect(0)
            .stdout;
        assert!(told.contains("db:/usr/bin/tool"), "{told}");
        unify(&["explain", "--plan", plan, "web:/etc/ssh/config"]).expect(0);
        let refused = [
            &["verify", plan][..],
            &["apply", "--yes", plan],
            &["apply", "--yes", "--accept-edits", plan],
        ];
        for args in refused {
            let said = unify(args).expect(5).stderr;
            let hint = said.contains("audit") && said.contains("unify plan");
            assert!(hint, "{args:?}: {said}");
        }
    }
    assert!(!lab.base().exists());
    unchanged(&[&web, &db], &before, "after all of them");
}

/// A hand on the lines of an audit.
type Edit<'a> = dyn Fn(&mut Vec<String>) + 'a;

/// The evidence is missing, whatever the head of the plan says.
#[test]
fn no_edit_makes_an_audit_appliable() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[("/usr/a", File::new(content(1)))]);
    let (audit, plan) = (audit(&lab, &[&web, &db], &[]), lab.plan(&[&web, &db], &[]));
    let before = listings(&[&web, &db]);
    let head = |line: &String| line.starts_with("\"guests\"");
    let of_plan = std::fs::read_to_string(&plan.path).unwrap();
    let of_plan: Vec<String> = of_plan.lines().map(str::to_owned).collect();
    let renamed = |lines: &mut Vec<String>| {
        for line in lines {
            *line = line
                .replace("unify.image-plan", "unify.plan")
                .replace("image-plan:1", "plan:1");
        }
    };
    // The whole head of a plan, with a seal that fits it.
    let headed = |lines: &mut Vec<String>| {
        let (end, taken) = (lines.iter().position(head), of_plan.iter().position(head));
        lines.splice(..end.unwrap(), of_plan[..taken.unwrap()].iter().cloned());
    };
    let edits: [&Edit<'_>; 2] = [&renamed, &headed];
    for edit in edits {
        let path = edited(&lab, &audit, edit);
        for more in [&[][..], &["--accept-edits"]] {
            let args = [&["apply", "--yes", path.to_str().unwrap()], more].concat();
            unify(&args).expect(5);
        }
        unify(&["show".as_ref(), path.as_os_str()]).expect(5);
    }
    unchanged(&[&web, &db], &before, "after all of them");
    assert_eq!(lab.objects().len(), 0);
}
