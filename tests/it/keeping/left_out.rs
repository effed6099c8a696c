//! What people left out of a plan stays out of what a refreeze shares again.

use super::maintain::{is_maintained, listings, maintain, others_unchanged, shared};
use super::{FILES, alike, are_protected};
use crate::support::{Disk, File, action_of, content, edited, id, unify_with};

#[test]
fn what_a_reviewer_left_out_stays_private() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    let [a, b, c] = &guests;
    let plan = lab.plan(&[a, b, c], &["--protect", "immutable"]);
    let cut = edited(&lab, &plan, |lines| {
        let before = lines.len();
        lines.retain(|line| {
            let line = action_of(line).unwrap_or_default();
            line["action"] != "link" || line["guest"] != "a" || line["path"] != FILES[1]
        });
        assert_eq!(lines.len(), before - 1);
    });
    let cut = cut.to_str().unwrap();
    unify_with(&[], &["apply", "--yes", "--accept-edits", cut]).expect(0);
    for guest in &guests {
        guest.put("/usr/share/new", &File::new(content("new")));
    }
    let private = [FILES[1], "/usr/share/new"].map(|path| (path, id(&a.host(path))));
    let before = listings(&guests);
    let out = maintain(&lab, &["--all"], "a", "true").expect(0);
    for (path, inode) in private {
        assert_eq!(id(&a.host(path)), inode, "{path}");
        assert_ne!(inode, id(&b.host(path)), "{path}");
    }
    assert!(shared(&guests, FILES[0]) && shared(&guests, FILES[2]));
    assert!(out.stderr.contains("4 further files"), "{}", out.stderr);
    assert!(!is_maintained(&lab) && are_protected(&lab));
    others_unchanged(&guests, &before);
}
