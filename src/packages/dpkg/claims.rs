//! What follows from dpkg's files for single names: the claims. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diversions::Diversion;
use crate::model::SkipReason;
use crate::packages::listing::Claim;

/// Conffiles, existing or not, with the package of each where one is known.
pub type Conffiles = BTreeMap<Vec<u8>, Option<Arc<str>>>;

/// One claim for each conffile and each statoverride, two for each diversion that matters.
pub fn claims(
    conffiles: Conffiles,
    diversions: &[Diversion],
    overrides: Vec<Vec<u8>>,
) -> Vec<Claim> {
    let mut claims = diverted(diversions, &conffiles);
    claims.extend(overrides.into_iter().map(mode_override));
    claims.extend(conffiles.into_iter().map(conffile));
    claims
}

fn conffile((path, package): (Vec<u8>, Option<Arc<str>>)) -> Claim {
    Claim {
        path,
        why: SkipReason::ConfigFile,
        per: "dpkg",
        package,
        sidecars: true,
    }
}

fn mode_override(path: Vec<u8>) -> Claim {
    Claim {
        path,
        why: SkipReason::ModeOverride,
        per: "dpkg-statoverride",
        package: None,
        sidecars: false,
    }
}

/// Both sides of every diversion that the administrator made, or that moves a conffile: `status` goes on naming
/// the first, while the shipped conffile lies at the second.
fn diverted(all: &[Diversion], conffiles: &Conffiles) -> Vec<Claim> {
    let mut claims = Vec::new();
    for diversion in all {
        let moves_conffile = conffiles.contains_key(&diversion.from);
        if !diversion.local && !moves_conffile {
            continue;
        }
        claims.extend([&diversion.from, &diversion.to].map(|path| Claim {
            path: path.clone(),
            why: SkipReason::Diverted,
            per: "dpkg-divert",
            package: diversion.package.clone(),
            sidecars: moves_conffile,
        }));
    }
    claims
}
