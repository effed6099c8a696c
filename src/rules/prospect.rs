//! What can be had on a host and in a directory, by what was tried there.
//!
//! What was not tried is not known: a prospect is certain only where all that it rests on was seen.

use crate::model::{Ability, Method, Offer, Prospect, Protect, Trial, TrialVerdict, TriedAbility};

/// What this program offers, the best first.
const OFFERED: &[(Offer, &[Ability])] = &[
    (Offer::Method(Method::Hardlink), NAMES),
    (Offer::Method(Method::Reflink), BLOCKS),
    (Offer::Protect(Protect::Guard), MARKS),
    (Offer::Protect(Protect::Verity), SEAL),
    (Offer::Protect(Protect::Immutable), FLAG),
    (Offer::Protect(Protect::None), NAMES),
];

/// What every change of a guest's names rests on.
const NAMES: &[Ability] = &[
    Ability::FullRoot,
    Ability::AllProcesses,
    Ability::NamelessFiles,
    Ability::HardLinks,
    Ability::Exchange,
    Ability::LinkLife,
    Ability::Leases,
    Ability::Unencrypted,
];

/// What sharing blocks rests on, and giving them back.
const BLOCKS: &[Ability] = &[
    Ability::FullRoot,
    Ability::Reflink,
    Ability::NamelessFiles,
    Ability::Unencrypted,
];

const MARKS: &[Ability] = &[Ability::FullRoot, Ability::BpfLsm, Ability::GuardMarks];

const SEAL: &[Ability] = &[Ability::FullRoot, Ability::Verity];

const FLAG: &[Ability] = &[
    Ability::FullRoot,
    Ability::ImmutableFlag,
    Ability::OlderWriters,
];

/// What can be had, in the order in which it is offered.
pub fn prospects(host: &[TriedAbility], place: &[TriedAbility]) -> Vec<Prospect> {
    let all: Vec<&TriedAbility> = host.iter().chain(place).collect();
    let offers = OFFERED.iter();
    offers
        .map(|(offer, rests_on)| prospect(*offer, rests_on, &all))
        .collect()
}

/// The worst of what it rests on decides, and is named.
fn prospect(offer: Offer, rests_on: &[Ability], all: &[&TriedAbility]) -> Prospect {
    let verdict_of = |ability: Ability| {
        let tried = all.iter().find(|tried| tried.ability == ability);
        tried.map_or(TrialVerdict::Untried, |tried| {
            as_needed(ability, &tried.trial)
        })
    };
    let verdicts = rests_on
        .iter()
        .map(|ability| (*ability, verdict_of(*ability)));
    let verdicts: Vec<(Ability, TrialVerdict)> = verdicts.collect();
    for worst in [
        TrialVerdict::Cannot,
        TrialVerdict::Untried,
        TrialVerdict::Partly,
    ] {
        let these = verdicts.iter().filter(|(_, verdict)| *verdict == worst);
        let because: Vec<Ability> = these.map(|(ability, _)| *ability).collect();
        if !because.is_empty() {
            return Prospect {
                offer,
                verdict: worst,
                because,
            };
        }
    }
    Prospect {
        offer,
        verdict: TrialVerdict::Can,
        because: Vec::new(),
    }
}

/// What the flag does not stop is no reason to have none: who asks for it by name gets it. Who is not root now may be
/// later.
fn as_needed(ability: Ability, trial: &Trial) -> TrialVerdict {
    match (ability, trial.verdict) {
        (Ability::OlderWriters, TrialVerdict::Cannot) => TrialVerdict::Partly,
        (Ability::FullRoot, TrialVerdict::Cannot) => TrialVerdict::Untried,
        (_, verdict) => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_can() -> Vec<TriedAbility> {
        let all = Ability::OF_HOST.iter().chain(&Ability::ON_FILES);
        let all = all.chain(&Ability::BY_LOOKING);
        let can = |ability: &Ability| TriedAbility {
            ability: *ability,
            trial: Trial::can(""),
        };
        all.map(can).collect()
    }

    fn with(changes: &[(Ability, Trial)]) -> Vec<Prospect> {
        let mut all = all_can();
        for (ability, trial) in changes {
            for tried in &mut all {
                if tried.ability == *ability {
                    tried.trial = trial.clone();
                }
            }
        }
        prospects(&all, &[])
    }

    fn verdicts(changes: &[(Ability, Trial)]) -> Vec<TrialVerdict> {
        with(changes).iter().map(|one| one.verdict).collect()
    }

    #[test]
    fn all_is_had_where_all_works() {
        assert_eq!(verdicts(&[]), [TrialVerdict::Can; 6]);
        assert_eq!(
            verdicts(&[(Ability::IdmappedMounts, Trial::cannot(""))]),
            [TrialVerdict::Can; 6],
            "nothing rests on it"
        );
    }

    #[test]
    fn the_worst_decides_and_is_named() {
        use TrialVerdict::{Can, Cannot, Partly, Untried};
        let no = || Trial::cannot("");
        assert_eq!(
            verdicts(&[(Ability::OlderWriters, no())]),
            [Can, Can, Can, Can, Partly, Can]
        );
        assert_eq!(
            verdicts(&[(Ability::ImmutableFlag, no())]),
            [Can, Can, Can, Can, Cannot, Can]
        );
        assert_eq!(
            verdicts(&[(Ability::Verity, no())]),
            [Can, Can, Can, Cannot, Can, Can]
        );
        for missing in [Ability::BpfLsm, Ability::GuardMarks] {
            let want = [Can, Can, Cannot, Can, Can, Can];
            assert_eq!(verdicts(&[(missing, no())]), want);
        }
        let links = [
            (Ability::HardLinks, no()),
            (Ability::Leases, Trial::untried("")),
        ];
        let had = with(&links);
        assert_eq!(had[0].verdict, Cannot);
        assert_eq!(had[0].because, [Ability::HardLinks]);
        let user = [(Ability::FullRoot, no())];
        assert_eq!(verdicts(&user), [Untried; 6], "root may be had");
    }

    #[test]
    fn what_was_not_tried_is_not_known() {
        for prospect in prospects(&[], &[]) {
            assert_eq!(prospect.verdict, TrialVerdict::Untried);
        }
    }
}
