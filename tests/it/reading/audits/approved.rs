//! What was approved of an audit is approved of the plan that decides the same, and of no other.

use super::{audit, text};
use crate::support::{Disk, File, Guest, Out, Planned, content, edited, id, unify};

fn apply(plan: &Planned, approved: &str) -> Out {
    let path = plan.path.to_str().unwrap();
    unify(&["apply", "--yes", "--approved", approved, path])
}

fn is_shared(web: &Guest, db: &Guest) -> bool {
    id(&web.host("/usr/a")) == id(&db.host("/usr/a"))
}

/// The first digits of a decision are enough, and one less is not.
#[test]
fn a_decision_is_approved_by_its_first_digits() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[("/usr/a", File::new(content(1)))]);
    let audit = audit(&lab, &[&web, &db], &[]);
    let plan = lab.plan(&[&web, &db], &[]);
    let decision = text(&audit, "decision");
    let digits = &decision["sha256:".len()..];
    apply(&plan, &digits[..11]).expect(2);
    assert!(!is_shared(&web, &db));
    let said = apply(&plan, &digits[..12]).expect(0).stderr;
    assert!(said.contains("Approved by its decision digest"), "{said}");
    assert!(said.contains(decision), "{said}");
    assert!(is_shared(&web, &db));
}

/// What was approved is no other plan: not one without protection, with a line less, or of other guests.
#[test]
fn a_decision_is_approved_and_nothing_else() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ]);
    let approved = audit(&lab, &[&web, &db], &[]);
    let approved = text(&approved, "decision");
    let open = lab.plan(&[&web, &db], &["--protect", "none", "--protect", "none"]);
    apply(&open, approved).expect(5);
    let loose = lab.plan(&[&web, &db], &["--ignore", "mtime"]);
    apply(&loose, approved).expect(5);
    let plan = lab.plan(&[&web, &db], &[]);
    for gone in ["flag", "link"] {
        let begin = format!("{{\"action\":\"{gone}\"");
        let fewer = edited(&lab, &plan, |lines| {
            let at = lines
                .iter()
                .position(|line| line.starts_with(&begin))
                .unwrap();
            lines.remove(at);
        });
        let fewer = Planned::read(&fewer);
        apply(&fewer, approved).expect(5);
    }
    assert!(!is_shared(&web, &db) && lab.objects().is_empty());
    // By its content it is approved as before, and that is said.
    let said = apply(&plan, text(&plan, "content")).expect(0).stderr;
    assert!(said.contains("Approved by its content digest"), "{said}");
    assert!(is_shared(&web, &db));
}
