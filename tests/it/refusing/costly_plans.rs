//! A plan that says little costs `apply` little, whatever it says.

use crate::support::{Disk, File, content, edited, listings, unchanged, unify_with};

const FILES: usize = 30;

/// Lines name the last generation of objects that are not there: what is there is looked up, and nothing is tried.
#[test]
fn generations_are_not_tried_one_by_one() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for n in 0..FILES {
            guest.put(format!("/usr/{n}"), &File::new(content(n)));
        }
        guest
    });
    let both = [&guests[0], &guests[1]];
    let before = listings(&both);
    let plan = lab.plan(&both, &[]);
    let calls = |plan: &std::path::Path, code: i32| {
        let trace = lab.path("trace");
        std::fs::remove_file(&trace).ok();
        let env = [("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
        let plan = plan.to_str().unwrap();
        unify_with(&env, &["apply", "--yes", "--accept-edits", plan]).expect(code);
        std::fs::read_to_string(&trace).unwrap().lines().count()
    };
    let hostile = edited(&lab, &plan, |lines| {
        lines.retain(|line| !line.contains("\"action\":\"flag\""));
        for (n, line) in lines
            .iter_mut()
            .enumerate()
            .filter(|(_, line)| line.contains("\"link\""))
        {
            let object = line.find("\"object\":\"sha256:").unwrap() + 17;
            let end = object + line[object..].find('"').unwrap();
            line.replace_range(end..end, ".9999");
            line.replace_range(object..object + 64, &format!("{n:064x}"));
        }
    });
    let hostile = calls(&hostile, 4);
    unchanged(&both, &before, "after a hostile plan");
    let honest = calls(&plan.path, 0);
    assert!(
        hostile < 3 * honest,
        "{hostile} calls, of the honest plan {honest}"
    );
}
