//! `check` of a plan: what it says of its guests, what it would link, and whether that is still so.

use std::collections::{BTreeMap, BTreeSet};

use super::between::differences::RULES;
use super::between::sharing::{below, budget};
use super::blind::{databases, unread_at};
use super::options::CheckOptions;
use super::papers::CheckPapers;
use crate::engine::inspecting::stale::stale;
use crate::engine::{EngineError, PlanFile, WholePlan, sandbox};
use crate::model::{
    Action, BlockSource, CheckOutcome, CheckPolicy, CheckRule, FileLine, Finding, FindingFacts,
    FindingPlace, GuestName, GuestPath, Link, Method, Moved, NearMiss, ObjectId, Observer,
    PlannedGuest, Policy, Reflink, SameSecret, SecretKind, Shift, SkipReason, StaleLine, Summary,
};
use crate::rules::care::Care;
use crate::rules::findings::judge::FoundAll;
use crate::rules::findings::secret::SecretPlaces;
use crate::rules::selectors::Selection;
use crate::sys::Reads;

/// Rules that are asked of a plan.
const OF_PLANS: &[CheckRule] = &[
    CheckRule::SharedSecret,
    CheckRule::OwnerDiffers,
    CheckRule::ModeDiffers,
    CheckRule::XattrDiffers,
    CheckRule::SharingBelow,
    CheckRule::BudgetExceeded,
    CheckRule::ConfigLinked,
    CheckRule::DatabaseDamaged,
    CheckRule::InputUnread,
    CheckRule::IgnoreExpired,
    CheckRule::IgnoreUnused,
];

/// Checks a plan. With `now` its files are looked at, too: nothing of them is read.
pub fn check_plan(
    plan: &mut PlanFile,
    now: bool,
    options: &CheckOptions,
    mut papers: CheckPapers,
    observer: &dyn Observer,
) -> Result<(CheckOutcome, CheckPapers), EngineError> {
    let guests = plan.guests()?;
    let roots: Vec<&std::path::Path> = guests.iter().map(|guest| guest.root.as_path()).collect();
    papers.open(&roots)?;
    let reads = if now { Reads::Disk } else { Reads::Papers };
    sandbox::to_checking(reads, &papers.directories(), observer);
    let care = Care::new(&Policy::default(), Method::Hardlink)?;
    let mut lines = LinkLines::new(care, &options.policy);
    let whole = plan.read(&mut |action| {
        lines.take(action);
        Ok(())
    })?;
    let mut found = FoundAll {
        guests: guests.into_iter().map(|guest| guest.name).collect(),
        findings: said(&whole, &lines, options),
        not_here: not_here(&whole.closing.summary, now),
        ..FoundAll::default()
    };
    found.findings.append(&mut lines.found);
    if now {
        found.findings.extend(stale_lines(plan, observer)?);
    }
    Ok((options.judge(found)?, papers))
}

/// Rules that cannot be asked of this plan.
fn not_here(summary: &Summary, now: bool) -> BTreeMap<CheckRule, &'static str> {
    let others = CheckRule::ALL
        .iter()
        .filter(|rule| !OF_PLANS.contains(rule));
    let mut not_here: BTreeMap<CheckRule, &'static str> = others
        .map(|rule| (*rule, "a plan does not say it: name the guests"))
        .collect();
    if now {
        not_here.remove(&CheckRule::PlanStale);
    } else {
        not_here.insert(CheckRule::PlanStale, "give --stale to look at the guests");
    }
    if has_shared(summary) {
        let why = "some files are shared already, and a plan does not say whose: name the guests";
        let bounds = [CheckRule::SharingBelow, CheckRule::BudgetExceeded];
        not_here.extend(bounds.map(|rule| (rule, why)));
    }
    not_here
}

/// What header, guests and summary say.
fn said(whole: &WholePlan, lines: &LinkLines, options: &CheckOptions) -> Vec<Finding> {
    let summary = &whole.closing.summary;
    let mut found: Vec<Finding> = whole.guests.iter().flat_map(blindness).collect();
    let places = SecretPlaces::default();
    found.extend(
        summary
            .same_secrets
            .iter()
            .map(|same| secret(same, &places)),
    );
    found.extend(summary.near_misses.listed.iter().flat_map(differs));
    found.extend(summary.near_misses.shifted.iter().map(shifted));
    found.extend(bounds(&whole.guests, summary, lines, options));
    found
}

fn blindness(guest: &PlannedGuest) -> Vec<Finding> {
    let mut found = databases(&guest.name, &guest.databases);
    if let (true, Some(why)) = (found.is_empty(), &guest.left_out) {
        found.push(unread_at(&guest.name, None, why));
    }
    if guest.unread > 0 {
        let why = format!(
            "{} names could not be read when the plan was made",
            guest.unread
        );
        found.push(unread_at(&guest.name, None, &why));
    }
    found
}

/// `GUEST:PATH` as a plan shows it.
fn place(shown: &str) -> Option<FindingPlace> {
    let (guest, path) = shown.split_once(':')?;
    Some(FindingPlace {
        guest: GuestName::new(guest).ok()?,
        path: GuestPath::new(path.as_bytes()).ok(),
    })
}

fn secret(same: &SameSecret, places: &SecretPlaces) -> Finding {
    let named: Vec<FindingPlace> = same.files.iter().filter_map(|file| place(file)).collect();
    let paths = named.iter().filter_map(|place| place.path.as_ref());
    let kinds = paths.filter_map(|path| places.kind_by_name(path.as_bytes()));
    let kind = kinds.min().unwrap_or(SecretKind::PrivateKey);
    let mut finding = Finding::at(
        CheckRule::SharedSecret,
        named,
        FindingFacts::SameSecret(kind),
    );
    finding.more = finding.more.saturating_add(same.more);
    finding
}

fn differs(miss: &NearMiss) -> Vec<Finding> {
    let places = [&miss.files.0, &miss.files.1]
        .into_iter()
        .filter_map(|file| place(file));
    let places: Vec<FindingPlace> = places.collect();
    let of_rule = |(rule, about): &(CheckRule, &[Moved])| {
        let fields = miss.differs.iter().filter(|field| about.contains(field));
        let fields: Vec<Moved> = fields.copied().collect();
        let facts = FindingFacts::Differs {
            fields: fields.clone(),
            sides: Vec::new(),
            bytes: miss.bytes,
        };
        (!fields.is_empty()).then(|| Finding::at(*rule, places.clone(), facts))
    };
    RULES.iter().filter_map(of_rule).collect()
}

fn shifted(shift: &Shift) -> Finding {
    let whole = |guest: &GuestName| FindingPlace {
        guest: guest.clone(),
        path: None,
    };
    let facts = FindingFacts::Shifted {
        uid: shift.uid,
        gid: shift.gid,
        files: shift.count.files,
        bytes: shift.count.bytes,
    };
    let places = [whole(&shift.guests.0), whole(&shift.guests.1)];
    Finding::at(CheckRule::OwnerDiffers, places, facts)
}

/// What the policy's bounds say of the sums. Which files keep guests apart stands in no plan.
fn bounds(
    guests: &[PlannedGuest],
    summary: &Summary,
    lines: &LinkLines,
    options: &CheckOptions,
) -> Vec<Finding> {
    let policy = &options.policy;
    let bytes: BTreeMap<&GuestName, u64> = guests
        .iter()
        .map(|guest| (&guest.name, guest.bytes))
        .collect();
    let of = |guest: &GuestName| bytes.get(guest).copied().unwrap_or(0);
    let mut found = Vec::new();
    if has_shared(summary) {
        return found;
    }
    for pair in &summary.shared {
        let (one, other) = (&pair.guests.0, &pair.guests.1);
        let smaller = of(one).min(of(other));
        found.extend(below(policy, (one, other, pair.bytes, smaller), Vec::new));
    }
    for guest in guests {
        let unique = guest.bytes.saturating_sub(lines.shared(&guest.name));
        found.extend(budget(policy, &guest.name, unique, Vec::new));
    }
    found
}

/// Do names refer to objects already? Their bytes are counted together, and not by guest.
fn has_shared(summary: &Summary) -> bool {
    let shared = summary.skipped.get(SkipReason::AlreadyShared.code());
    shared.is_some_and(|count| count.files > 0)
}

/// What link lines say together.
struct LinkLines {
    care: Care,
    /// The bytes of each guest in each object; kept only where a budget asks for them, for they grow with the plan.
    objects: Option<BTreeMap<ObjectId, BTreeMap<GuestName, u64>>>,
    /// Bytes of files that have their blocks in common with another guest.
    reflinked: BTreeMap<GuestName, u64>,
    /// Files of other guests that reflinks take their blocks from; kept as the objects are.
    sources: Option<BTreeSet<(GuestName, GuestPath)>>,
    found: Vec<Finding>,
}

impl LinkLines {
    fn new(care: Care, policy: &CheckPolicy) -> LinkLines {
        let asked = policy.level(CheckRule::BudgetExceeded).is_some();
        LinkLines {
            care,
            objects: asked.then(BTreeMap::new),
            reflinked: BTreeMap::new(),
            sources: asked.then(BTreeSet::new),
            found: Vec::new(),
        }
    }

    fn take(&mut self, action: &Action) {
        match action {
            Action::Link(link) => self.object(link),
            Action::Reflink(line) => self.blocks(line),
            Action::Flag(_) | Action::Skip(_) => {}
        }
        let kept = action.shares().and_then(|line| private(&self.care, &line));
        self.found.extend(kept);
    }

    fn object(&mut self, link: &Link) {
        if let Some(objects) = &mut self.objects {
            let guests = objects.entry(link.object).or_default();
            let sum = guests.entry(link.guest.clone()).or_default();
            *sum = sum.saturating_add(link.size);
        }
    }

    /// Equal files of one guest make nothing of it another guest's as well.
    fn blocks(&mut self, line: &Reflink) {
        let BlockSource { guest, path } = &line.source;
        let Some(sources) = self.sources.as_mut().filter(|_| *guest != line.guest) else {
            return;
        };
        let is_new = sources.insert((guest.clone(), path.clone()));
        for guest in [Some(&line.guest), is_new.then_some(guest)]
            .into_iter()
            .flatten()
        {
            let sum = self.reflinked.entry(guest.clone()).or_default();
            *sum = sum.saturating_add(line.size);
        }
    }

    /// Bytes of a guest that another guest has as well.
    fn shared(&self, guest: &GuestName) -> u64 {
        let all = self.objects.iter().flat_map(BTreeMap::values);
        let several = all.filter(|guests| guests.len() > 1);
        let bytes = several.filter_map(|guests| guests.get(guest));
        let bytes = bytes.chain(self.reflinked.get(guest));
        bytes.fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }
}

/// A line whose name is configuration, state or a secret by the care rules, whatever the plan's policy allowed.
fn private(care: &Care, link: &FileLine<'_>) -> Option<Finding> {
    let named = link.names().find_map(|path| {
        let kept = care.path_rule(path.as_bytes())?;
        is_private(kept.reason).then_some((path, kept.reason))
    });
    let (path, reason) = named?;
    let place = FindingPlace {
        guest: link.guest.clone(),
        path: Some(path.clone()),
    };
    let facts = FindingFacts::Linkable {
        care: reason.code(),
    };
    Some(Finding::at(CheckRule::ConfigLinked, [place], facts))
}

/// What is a guest's own. Caches and boot files may be shared where somebody says so.
fn is_private(reason: SkipReason) -> bool {
    use SkipReason as Is;
    matches!(
        reason,
        Is::MachineIdentity
            | Is::RandomSeed
            | Is::Secret
            | Is::UserDatabase
            | Is::PackageState
            | Is::NetworkIdentity
            | Is::CloudInit
            | Is::ConfigSidecar
            | Is::Etc
            | Is::Var
            | Is::Home
    )
}

fn stale_lines(plan: &mut PlanFile, observer: &dyn Observer) -> Result<Vec<Finding>, EngineError> {
    let mut found = Vec::new();
    let mut tell = |line: &StaleLine<'_>| {
        let place = FindingPlace {
            guest: line.guest.clone(),
            path: Some(line.path.clone()),
        };
        let facts = FindingFacts::Stale(line.why.clone());
        found.push(Finding::at(CheckRule::PlanStale, [place], facts));
        Ok(())
    };
    let freshness = stale(plan, &Selection::default(), &mut tell, observer)?;
    if freshness.unread > 0 {
        let why = format!(
            "{} lines of the plan could not be looked at",
            freshness.unread
        );
        let first = plan.guests()?.into_iter().next();
        found.extend(first.map(|guest| unread_at(&guest.name, None, &why)));
    }
    Ok(found)
}
