//! Files of equal content that differ in owner, mode or extended attributes: the near misses of a plan, each under the
//! rules of what differs. A difference in time alone is none.
//!
//! Where all owners of a guest are those of another plus a constant, that is one finding and not thousands.

use std::collections::BTreeMap;

use crate::engine::checking::sight::{Unseen, metadata, shown_path};
use crate::engine::planning::near_misses::Miss;
use crate::engine::planning::purposes::seen::SeenGuests;
use crate::engine::planning::survey::Survey;
use crate::model::{
    CheckRule, FileState, Finding, FindingFacts, FindingLevel, FindingPlace, Moved, Side, Xattr,
};

/// From this many files on, owners that differ by one constant are a shift of the whole guest.
const SHIFTED: u64 = 3;

/// Rules, and what of a file each is about.
pub(in crate::engine::checking) const RULES: &[(CheckRule, &[Moved])] = &[
    (CheckRule::OwnerDiffers, &[Moved::Uid, Moved::Gid]),
    (CheckRule::ModeDiffers, &[Moved::Mode]),
    (CheckRule::XattrDiffers, &[Moved::Xattrs]),
];

/// Guests, and the constants between their owners.
type ShiftOf = (usize, usize, i64, i64);

/// Everything about files that could share an inode but for these.
pub(in crate::engine::checking) fn differences(
    seen: &SeenGuests<'_>,
    unseen: &Unseen,
) -> Vec<Finding> {
    let misses = Misses {
        surveys: seen.surveys,
        unseen,
    };
    let shifts = misses.shifts(seen.misses);
    let is_shifted = |miss: &&Miss| {
        misses
            .shift(miss)
            .is_some_and(|of| shifts.contains_key(&of))
    };
    let single = seen.misses.iter().filter(|miss| !is_shifted(miss));
    let mut found: Vec<Finding> = single.flat_map(|miss| misses.findings(miss)).collect();
    found.extend(shifts.iter().map(|(of, sum)| misses.shifted(*of, *sum)));
    found
}

struct Misses<'a> {
    surveys: &'a [Survey],
    unseen: &'a Unseen,
}

impl Misses<'_> {
    fn state(&self, at: (usize, usize)) -> FileState {
        self.surveys[at.0].scan.tree.state(at.1)
    }

    fn place(&self, at: (usize, usize)) -> FindingPlace {
        let survey = &self.surveys[at.0];
        FindingPlace {
            guest: survey.guest.name.clone(),
            path: Some(shown_path(survey, at.1)),
        }
    }

    fn findings(&self, miss: &Miss) -> Vec<Finding> {
        let (a, b) = both(miss);
        let rules = RULES.iter().filter_map(|(rule, about)| {
            let fields = miss.differs.iter().filter(|field| about.contains(field));
            let fields: Vec<Moved> = fields.copied().collect();
            (!fields.is_empty() && self.can_tell(*rule, a, b)).then_some((*rule, fields))
        });
        let executable = self.state(b).mode & 0o111 != 0;
        let finding = |(rule, fields): (CheckRule, Vec<Moved>)| {
            let facts = FindingFacts::Differs {
                sides: self.sides(rule, a, b),
                fields,
                bytes: miss.bytes,
            };
            let finding = Finding::at(rule, [self.place(a), self.place(b)], facts);
            match executable {
                true => finding.weighing(FindingLevel::Warn),
                false => finding,
            }
        };
        rules.map(finding).collect()
    }

    /// What a form of guests cannot hold is no difference.
    fn can_tell(&self, rule: CheckRule, a: (usize, usize), b: (usize, usize)) -> bool {
        let holds = |at: (usize, usize)| self.surveys[at.0].files.precision().keeps_xattrs();
        rule != CheckRule::XattrDiffers || holds(a) && holds(b)
    }

    fn sides(&self, rule: CheckRule, a: (usize, usize), b: (usize, usize)) -> Vec<Side> {
        let states = [a, b].map(|at| self.state(at));
        let values = match rule {
            CheckRule::OwnerDiffers => states.map(|state| format!("{}:{}", state.uid, state.gid)),
            CheckRule::ModeDiffers => states.map(|state| format!("{:04o}", state.mode)),
            _ => match self.xattrs(a, b) {
                Some(values) => values,
                None => return Vec::new(),
            },
        };
        let sides = [a, b].into_iter().zip(values);
        let side = |(at, value): ((usize, usize), String)| Side {
            guest: self.surveys[at.0].guest.name.clone(),
            value,
        };
        sides.map(side).collect()
    }

    /// The names of attributes that differ. Their values may be anything, and are not shown.
    fn xattrs(&self, a: (usize, usize), b: (usize, usize)) -> Option<[String; 2]> {
        let read = |at: (usize, usize)| {
            let survey = &self.surveys[at.0];
            let name = survey.scan.tree.names_of(at.1).next()?;
            let read = metadata(survey, name);
            self.unseen.or_note(survey, name, read)
        };
        let (one, other) = (read(a)?.xattrs, read(b)?.xattrs);
        Some([only(&one, &other), only(&other, &one)])
    }

    /// By how much the owners of the later guest's file differ, where nothing else does.
    fn shift(&self, miss: &Miss) -> Option<ShiftOf> {
        let (a, b) = both(miss);
        let owners = |moved: &Moved| matches!(moved, Moved::Uid | Moved::Gid);
        if a.0 == b.0 || !miss.differs.iter().all(owners) {
            return None;
        }
        let (a, b) = (a.min(b), a.max(b));
        let (from, to) = (self.state(a), self.state(b));
        let uid = i64::from(to.uid) - i64::from(from.uid);
        let gid = i64::from(to.gid) - i64::from(from.gid);
        Some((a.0, b.0, uid, gid))
    }

    fn shifts(&self, misses: &[Miss]) -> BTreeMap<ShiftOf, (u64, u64)> {
        let mut all: BTreeMap<ShiftOf, (u64, u64)> = BTreeMap::new();
        for miss in misses {
            if let Some(of) = self.shift(miss) {
                let sum = all.entry(of).or_default();
                *sum = (sum.0 + 1, sum.1.saturating_add(miss.bytes));
            }
        }
        all.retain(|_, (files, _)| *files >= SHIFTED);
        all
    }

    fn shifted(&self, (a, b, uid, gid): ShiftOf, (files, bytes): (u64, u64)) -> Finding {
        let whole = |guest: usize| FindingPlace {
            guest: self.surveys[guest].guest.name.clone(),
            path: None,
        };
        let facts = FindingFacts::Shifted {
            uid,
            gid,
            files,
            bytes,
        };
        Finding::at(CheckRule::OwnerDiffers, [whole(a), whole(b)], facts)
    }
}

/// The two files: guest and file.
fn both(miss: &Miss) -> ((usize, usize), (usize, usize)) {
    let at = |guest: u32, file: u32| (guest as usize, file as usize);
    (
        at(miss.with.guest, miss.with.file),
        at(miss.of.guest, miss.of.file),
    )
}

/// Names of attributes that one side alone has, or has with another value.
fn only(one: &[Xattr], other: &[Xattr]) -> String {
    let differ = one.iter().filter(|xattr| !other.contains(xattr));
    let names: Vec<String> = differ
        .map(|xattr| String::from_utf8_lossy(&xattr.name).into())
        .collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}
