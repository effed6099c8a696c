//! What a line that both plans have says otherwise, by the keys of the plan.

use crate::model::{Action, Before, Left, Link, ObjectId, Owner, Reflink, Skip};

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is decided.
    Decision,
    /// Everything that the line says.
    Evidence,
}

/// Keys, and whether each differs.
type KeyFacts = Vec<(&'static str, bool)>;

/// The keys that differ, in the order of the plan.
pub fn changed_fields(old: &Action, new: &Action, depth: Depth) -> Vec<&'static str> {
    let facts = match (old, new) {
        (Action::Link(old), Action::Link(new)) => links(old, new, depth),
        (Action::Reflink(old), Action::Reflink(new)) => reflinks(old, new, depth),
        (Action::Skip(old), Action::Skip(new)) => skips(old, new, depth),
        _ => verdicts(old, new),
    };
    let differ = facts.into_iter().filter(|(_, differs)| *differs);
    differ.map(|(key, _)| key).collect()
}

/// Another verdict has another reason, too; two link lines may differ in their method alone.
fn verdicts(old: &Action, new: &Action) -> KeyFacts {
    let object = |action: &Action| match action {
        Action::Link(link) => Some(plain(&link.object)),
        Action::Skip(skip) => skip.object().map(plain),
        Action::Reflink(_) | Action::Flag(_) => None,
    };
    let both_share = match (old.shares(), new.shares()) {
        (Some(old), Some(new)) => Some(old.reason != new.reason),
        _ => None,
    };
    vec![
        ("action", both_share.is_none()),
        ("method", both_share.is_some()),
        ("object", object(old) != object(new)),
        ("reason", both_share.unwrap_or(true)),
    ]
}

fn links(old: &Link, new: &Link, depth: Depth) -> KeyFacts {
    let mut facts = vec![
        ("also", old.also != new.also),
        ("object", plain(&old.object) != plain(&new.object)),
        ("reason", old.reason != new.reason),
    ];
    if depth == Depth::Evidence {
        let owner = |link: &Link| link.owner.clone();
        facts.extend([
            ("generation", old.object.generation != new.object.generation),
            ("makes", old.makes != new.makes),
            ("size", old.size != new.size),
            ("saves", old.saves != new.saves),
            ("package", package(owner(old)) != package(owner(new))),
            ("version", version(owner(old)) != version(owner(new))),
            ("note", old.note != new.note),
        ]);
        facts.extend(before(old.before, new.before));
    }
    facts
}

fn reflinks(old: &Reflink, new: &Reflink, depth: Depth) -> KeyFacts {
    let mut facts = vec![
        ("also", old.also != new.also),
        ("source", old.source != new.source),
        ("content", old.content != new.content),
        ("reason", old.reason != new.reason),
    ];
    if depth == Depth::Evidence {
        let owner = |line: &Reflink| line.owner.clone();
        facts.extend([
            ("size", old.size != new.size),
            ("saves", old.saves != new.saves),
            ("package", package(owner(old)) != package(owner(new))),
            ("version", version(owner(old)) != version(owner(new))),
            ("note", old.note != new.note),
            ("source_before", old.source_before != new.source_before),
        ]);
        facts.extend(before(old.before, new.before));
    }
    facts
}

fn skips(old: &Skip, new: &Skip, depth: Depth) -> KeyFacts {
    let object = |skip: &Skip| skip.object().map(plain);
    let mut facts = vec![
        ("object", object(old) != object(new)),
        ("reason", old.reason != new.reason),
        ("per", old.per != new.per),
        ("package", old.package != new.package),
        ("rule", old.rule != new.rule),
        ("with", old.with != new.with),
    ];
    if depth == Depth::Evidence {
        let generation = |skip: &Skip| skip.object().map(|object| object.generation);
        facts.extend([
            ("generation", generation(old) != generation(new)),
            ("version", old.version != new.version),
            ("size", size(old) != size(new)),
            ("files", beneath(old).0 != beneath(new).0),
            ("bytes", beneath(old).1 != beneath(new).1),
            ("note", old.note != new.note),
        ]);
    }
    facts
}

/// The number of an object depends on how many names an inode may have where it is.
fn plain(object: &ObjectId) -> ObjectId {
    ObjectId {
        generation: 0,
        ..*object
    }
}

fn package(owner: Option<Owner>) -> Option<String> {
    owner.map(|owner| owner.package)
}

fn version(owner: Option<Owner>) -> Option<String> {
    owner?.version
}

fn size(skip: &Skip) -> Option<u64> {
    match skip.left {
        Left::Name { size, .. } => size,
        Left::Beneath { .. } | Left::Flag { .. } => None,
    }
}

fn beneath(skip: &Skip) -> (u64, u64) {
    match skip.left {
        Left::Beneath { files, bytes, .. } => (files, bytes),
        Left::Name { .. } | Left::Flag { .. } => (0, 0),
    }
}

fn before(old: Option<Before>, new: Option<Before>) -> KeyFacts {
    let (Some(old), Some(new)) = (old, new) else {
        return vec![("before", old.is_some() != new.is_some())];
    };
    vec![
        ("dev", old.dev != new.dev),
        ("ino", old.ino != new.ino),
        ("nlink", old.nlink != new.nlink),
        ("mode", old.mode != new.mode),
        ("uid", old.uid != new.uid),
        ("gid", old.gid != new.gid),
        ("mtime", old.mtime != new.mtime),
        ("ctime", old.ctime != new.ctime),
    ]
}
