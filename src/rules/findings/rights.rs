//! Which programs have more rights in one guest than in another: setuid, setgid and file capabilities.
//!
//! No path is exempt. What a guest lacks because it has not the package is only said.

use super::capabilities::permitted;
use crate::model::{
    CheckRule, Finding, FindingFacts, FindingLevel, FindingPlace, GuestName, GuestPath, Owner, Side,
};

/// The rights of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The value of `security.capability`; empty where there is none.
    pub capabilities: Vec<u8>,
}

impl Rights {
    /// Does the file give more rights than its user has?
    pub fn is_privileged(&self) -> bool {
        self.mode & 0o6000 != 0 || !self.capabilities.is_empty()
    }

    fn shown(&self) -> String {
        let Rights { mode, uid, gid, .. } = self;
        let plain = format!("{mode:04o} {uid}:{gid}");
        match permitted(&self.capabilities) {
            None => plain,
            Some(named) => format!("{plain} {named}"),
        }
    }
}

/// What a guest has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtPath {
    /// A file.
    File(Rights),
    /// Nothing, and it lacks the package as well that has the file elsewhere.
    NoPackage,
    /// Nothing, for no such reason.
    Nothing,
}

/// A path that is privileged in one guest, and what each of them has there.
pub struct RightsAtPath<'a> {
    /// The path.
    pub path: &'a GuestPath,
    /// What each guest has.
    pub sides: Vec<(&'a GuestName, AtPath)>,
    /// The package of the file where it is privileged.
    pub package: Option<Owner>,
}

/// The finding, where the guests differ.
pub fn differ(at: &RightsAtPath<'_>) -> Option<Finding> {
    let same = at.sides.windows(2).all(|two| two[0].1 == two[1].1);
    if same || at.sides.len() < 2 {
        return None;
    }
    let files = at.sides.iter().filter_map(|(_, at)| match at {
        AtPath::File(rights) => Some(rights),
        _ => None,
    });
    let files: Vec<&Rights> = files.collect();
    let agree = files.windows(2).all(|two| two[0] == two[1]);
    let only_packages = !at.sides.iter().any(|(_, at)| *at == AtPath::Nothing);
    let has_file = at
        .sides
        .iter()
        .filter(|(_, side)| matches!(side, AtPath::File(_)));
    let places = has_file.map(|(guest, _)| FindingPlace {
        guest: (*guest).clone(),
        path: Some(at.path.clone()),
    });
    let facts = FindingFacts::Rights {
        sides: at.sides.iter().map(|(guest, at)| side(guest, at)).collect(),
        package: at.package.clone(),
    };
    let finding = Finding::at(CheckRule::SetuidDiffers, places.collect::<Vec<_>>(), facts);
    Some(match agree && only_packages {
        true => finding.weighing(FindingLevel::Info),
        false => finding,
    })
}

fn side(guest: &GuestName, at: &AtPath) -> Side {
    let value = match at {
        AtPath::File(rights) => rights.shown(),
        AtPath::NoPackage => "absent, and so is the package".to_owned(),
        AtPath::Nothing => "absent".to_owned(),
    };
    Side {
        guest: guest.clone(),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32) -> AtPath {
        AtPath::File(Rights {
            mode,
            ..Rights::default()
        })
    }

    fn level(sides: Vec<AtPath>) -> Option<Option<FindingLevel>> {
        let (a, b) = (GuestName::new("a").unwrap(), GuestName::new("b").unwrap());
        let path = GuestPath::new(b"/bin/su").unwrap();
        let at = RightsAtPath {
            path: &path,
            sides: [&a, &b].into_iter().zip(sides).collect(),
            package: None,
        };
        differ(&at).map(|finding| finding.level)
    }

    #[test]
    fn what_differs_is_a_finding_and_a_missing_package_is_only_said() {
        assert_eq!(level(vec![file(0o4755), file(0o4755)]), None);
        assert_eq!(level(vec![file(0o4755), file(0o755)]), Some(None));
        assert_eq!(level(vec![file(0o4755), AtPath::Nothing]), Some(None));
        assert_eq!(
            level(vec![file(0o4755), AtPath::NoPackage]),
            Some(Some(FindingLevel::Info))
        );
    }
}
