//! The decision digest: equal for equal guests wherever they are, and for nothing else.

use super::image_plan::{image_actions, image_header};
use super::sample::*;
use crate::ledger::Form;
use crate::model::*;

fn decided(header: &Header, guests: &[PlannedGuest], actions: &[Action]) -> Digest {
    let text = write_with(Form::Lines, header, guests, actions);
    read(text).unwrap().closing.digest_now.decision.unwrap()
}

fn of(actions: &[Action]) -> Digest {
    decided(&header(), &guests(), actions)
}

/// Does another header have another digest?
fn header_counts(change: impl Fn(&mut Header)) -> bool {
    let mut changed = header();
    change(&mut changed);
    decided(&changed, &guests(), &actions()) != of(&actions())
}

/// Does another line?
fn link_counts(change: impl Fn(&mut Link)) -> bool {
    let mut changed = actions();
    if let Action::Link(link) = &mut changed[4] {
        change(link);
    }
    of(&changed) != of(&actions())
}

fn target(header: &mut Header) -> &mut PlanTarget {
    header.target.as_mut().unwrap()
}

#[test]
fn where_the_guests_are_does_not_count() {
    assert!(!header_counts(|h| target(h).host = "other".into()));
    assert!(!header_counts(
        |h| target(h).base.path = "/other/.unify".into()
    ));
    assert!(!header_counts(|h| target(h).base.max_links = 7));
    assert!(!header_counts(|h| h.created = "2027-01-01T00:00:00Z".into()));
    assert!(!header_counts(
        |h| h.policy.patterns[0].from = "policy.toml:3".into()
    ));
    assert!(!header_counts(|h| h.policy.skips = SkipDetail::All));
    let mut moved = guests();
    for guest in &mut moved {
        (guest.root, guest.dev, guest.ino) = ("/elsewhere".into(), 1, 2);
    }
    assert_eq!(decided(&header(), &moved, &actions()), of(&actions()));
    assert!(!link_counts(|l| l.before.as_mut().unwrap().ctime = time(9)));
    assert!(!link_counts(|l| l.before.as_mut().unwrap().ino = 9));
    assert!(!link_counts(|l| l.object = l.object.next_generation()));
    assert!(!link_counts(|l| l.note = Some("x".into())));
    assert!(!link_counts(|l| l.saves = 1));
    let mut fewer = actions();
    fewer.remove(0);
    assert_eq!(of(&fewer), of(&actions()), "skips are not done");
}

#[test]
fn what_was_decided_counts() {
    assert!(header_counts(|h| h.policy.ignore.clear()));
    assert!(header_counts(
        |h| h.policy.patterns[0].glob = "/srv/**".into()
    ));
    assert!(header_counts(|h| h.policy.allow.clear()));
    assert!(header_counts(|h| target(h)
        .protection
        .as_mut()
        .unwrap()
        .mode = Protect::None));
    let mut renamed = guests();
    renamed[1].name = guest("web3");
    assert_ne!(
        decided(&header(), &renamed, &actions()[..3]),
        of(&actions()[..3])
    );
    assert!(link_counts(|l| l.path = path(b"/usr/bin/perm")));
    assert!(link_counts(|l| l.also = vec![path(b"/usr/bin/perm")]));
    assert!(link_counts(|l| l.reason = LinkReason::IdenticalObject));
    assert!(link_counts(|l| l.object.content = Digest([1; 32])));
    assert!(link_counts(|l| l.object.metadata = MetadataDigest([1; 16])));
    for gone in [1, 2, 3, 4] {
        let mut fewer = actions();
        fewer.remove(gone);
        assert_ne!(of(&fewer), of(&actions()), "line {gone}");
    }
}

/// One approval serves the images that were looked at and the hosts that their guests run on.
#[test]
fn an_image_plan_has_that_of_a_plan() {
    let audit = decided(&image_header(), &guests(), &image_actions());
    assert_eq!(audit, of(&actions()));
    let text = write_with(Form::Lines, &image_header(), &guests(), &image_actions());
    let content = read(text).unwrap().closing.digest_now.content;
    let plan = read(plan(Form::Lines)).unwrap().closing.digest_now.content;
    assert_ne!(content, plan, "nobody approves for a host what is of none");
}
