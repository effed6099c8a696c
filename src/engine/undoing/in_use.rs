//! What was in use as it got a file of its own. A lock, a watch or an open file belongs to the inode, which the guest's
//! name leads to no more: no copy can hide that, and it is told.
//!
//! The look is the one by which running guests are judged, before they are frozen. Locks and watches are known by inode
//! alone, so those of other guests on the shared file are told as well: they lose nothing. What begins after the look
//! is not seen.

use crate::engine::activity::Activity;
use crate::model::{FileUse, GuestName, GuestPath, Outcome, PartedInUse, ReceiptLine, UsedFile};

/// How a file is used, and by whom.
pub type UsesNow = Vec<(FileUse, String)>;

/// How the file with these names is used now.
pub fn uses_of(condition: &Activity, inode: u64, names: &[GuestPath]) -> UsesNow {
    let uses = condition.uses.of_file(inode, names.iter());
    uses.map(|(used, who)| (used, who.to_owned())).collect()
}

/// Notes a guest of which not all uses are known. Nobody watches in a guest that does not run.
pub fn not_all_known(guest: &GuestName, condition: &Activity, told: &mut PartedInUse) {
    let why = condition.uses_unknown();
    if let Some(why) = why.filter(|_| condition.running.is_some()) {
        told.unknown.entry(guest.clone()).or_insert(why);
    }
}

/// What is to be told of a line: nothing where it was not done.
pub fn of_line(line: &ReceiptLine, uses: &[(FileUse, String)]) -> Vec<UsedFile> {
    let (Outcome::Done { .. }, Some(guest), Some(path)) =
        (&line.outcome, line.guest(), line.paths().first())
    else {
        return Vec::new();
    };
    let uses = uses.iter();
    let told = uses.map(|(used, who)| UsedFile {
        guest: guest.clone(),
        path: path.clone(),
        how: used.reason(),
        who: who.clone(),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{About, Digest, MetadataDigest, ObjectId, Refusal};

    #[test]
    fn what_is_not_known_is_told_of_guests_that_run() {
        let (web, mut told) = (GuestName::new("web").unwrap(), PartedInUse::default());
        let mut condition = Activity::default();
        condition.unknown = Some("it hides".into());
        not_all_known(&web, &condition, &mut told);
        assert!(told.unknown.is_empty(), "nobody watches there");
        condition.running = Some("sh".into());
        not_all_known(&web, &condition, &mut told);
        assert_eq!(told.unknown[&web], "it hides");
    }

    #[test]
    fn what_was_refused_keeps_its_users() {
        let uses = vec![(FileUse::Locked, "flock of sh".to_owned())];
        let line = |outcome| ReceiptLine {
            about: About::Names {
                guest: GuestName::new("web").unwrap(),
                paths: vec![GuestPath::new(b"/usr/f").unwrap()],
                object: ObjectId {
                    content: Digest([1; 32]),
                    metadata: MetadataDigest([2; 16]),
                    generation: 0,
                },
            },
            outcome,
        };
        let done = Outcome::Done {
            made: None,
            saved: 0,
            mtime: None,
        };
        let told = of_line(&line(done), &uses);
        assert_eq!((told.len(), told[0].how.code()), (1, "locked"));
        let refused = Outcome::Refused(Refusal::NotShared {});
        assert_eq!(of_line(&line(refused), &uses), []);
    }
}
