//! What was done with a file when the batch was looked at: a lock, a watch or a reader that has come since the plan.
//! The look is the one by which running guests are judged, so it costs no pass of its own. What comes between that
//! look and the exchange is not seen, a writer excepted, whom the lease finds.

use crate::engine::activity::Activity;
use crate::engine::exchange::job::Fate;
use crate::model::{FileState, FileUse, Link, Method, Policy, Refusal};
use crate::rules::care_uses::UseRules;

/// Refuses a file that is in use in a way that the policy does not let in.
pub fn not_in_use(
    link: &Link,
    state: &FileState,
    condition: &Activity,
    policy: &Policy,
) -> Result<(), Fate> {
    let uses = &condition.uses;
    if uses.is_empty() {
        return Ok(());
    }
    let rules = UseRules::new(policy, Method::Hardlink);
    let mounted = link.names().filter_map(|name| uses.mounted(name));
    let mounted = mounted.map(|at| (FileUse::Mounted, at));
    let mut all = uses.of_inode(state.id.ino).chain(mounted);
    let kept = |used: &(FileUse, &str)| rules.keeps(used.0, link.owner.is_some()).is_some();
    all.find(kept).map_or(Ok(()), |(used, who)| {
        Err(Fate::Refused(refusal(used, who.to_owned())))
    })
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
