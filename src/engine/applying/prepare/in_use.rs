//! What was done with a file when the batch was looked at: a lock, a watch or a reader that has come since the plan.
//! The look is the one by which running guests are judged, so it costs no pass of its own. What comes between that
//! look and the exchange is not seen, a writer excepted, whom the lease finds.

use crate::engine::activity::Activity;
use crate::engine::exchange::job::Fate;
use crate::model::{FileState, FileUse, Link, Method, Policy, Refusal};
use crate::rules::care_uses::UseRules;

/// Refuses a file that is in use in a way that the policy does not let in, or of whose guest that is not known.
pub fn not_in_use(
    link: &Link,
    state: &FileState,
    condition: &Activity,
    policy: &Policy,
) -> Result<(), Fate> {
    let uses = &condition.uses;
    let mut all = uses.of_file(state.id.ino, link.names()).peekable();
    // In a guest that does not run nobody watches; of others' watches this may miss some.
    let unknown = uses.unknown().filter(|_| condition.running.is_some());
    if all.peek().is_none() && unknown.is_none() {
        return Ok(());
    }
    let rules = UseRules::new(policy, Method::Hardlink);
    let is_kept = |used| rules.keeps(used, link.owner.is_some()).is_some();
    if let Some((used, who)) = all.find(|(used, _)| is_kept(*used)) {
        return Err(Fate::Refused(refusal(used, who.to_owned())));
    }
    match unknown.filter(|_| is_kept(FileUse::Watched)) {
        Some(why) => Err(Fate::Refused(Refusal::UsesUnknown { why: why.into() })),
        None => Ok(()),
    }
}

fn refusal(used: FileUse, who: String) -> Refusal {
    match used {
        FileUse::Locked => Refusal::Locked { by: who },
        FileUse::Watched => Refusal::Watched { by: who },
        FileUse::OpenForWriting => Refusal::OpenForWriting {},
        FileUse::Open => Refusal::Open { by: who },
        FileUse::Mounted => Refusal::MountedElsewhere { at: who },
    }
}
