//! What a plan finds is the same wherever a guest is: in a directory, or in memory, as an image would be.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::base::Index;
use crate::engine::activity::Activity;
use crate::engine::guest::GuestIdentity;
use crate::engine::roots::notes::Background;
use crate::model::{
    Count, FileId, GuestName, Ignored, Method, NearMisses, Objects, Policy, Quiet, SameSecret,
    SkipReason,
};
use crate::rules::crossing::Crossing;
use crate::rules::reading::{Disk, Machine, Reading};
use crate::scan::GuestDirectory;
use crate::sys::Dir;
use crate::sys::PageCache;
use crate::sys::guest::tests::in_memory::InMemory;
use crate::sys::guest::{GuestFiles, Sharing};

/// All that matching and its neighbours say of some guests.
#[derive(Debug, PartialEq)]
struct Findings {
    /// The names of equal files, by the digest of their content.
    groups: BTreeMap<String, Vec<String>>,
    skipped: Vec<BTreeMap<SkipReason, Count>>,
    near_misses: NearMisses,
    secrets: (Vec<SameSecret>, u64),
}

fn policy() -> Policy {
    Policy {
        ignore: vec![Ignored::Mtime],
        objects: Objects::Copy,
        ..Policy::default()
    }
}

fn find(guests: [Box<dyn GuestFiles>; 2]) -> Findings {
    let (policy, index, memory) = (policy(), Index::default(), Memory::default());
    let care = Care::new(&policy, Method::Hardlink).unwrap();
    let judge = Judge {
        maintained: &[],
        care: &care,
        secrets: &Secrets::new(),
        index: &index,
        policy: &policy,
        most_stored: MostStored::default(),
        beyond: &[],
    };
    let opened = ["a", "b"].into_iter().zip(guests).map(opened).collect();
    let machine = Machine {
        disk: Disk::Other,
        cores: 2,
        descriptors: 1024,
    };
    let threads = Threads::start(Reading::of(machine, None)).unwrap();
    let surveyed = threads.work(|| survey_all(opened, &judge, &Quiet));
    let (surveys, classified) = surveyed.unwrap();
    let reader = Reader {
        surveys: &surveys,
        care: &care,
        policy: &policy,
        crossing: &Crossing::default(),
        memory: &memory,
        shared: &SharedInodes::default(),
        threads: &threads,
        cache: PageCache::AsItWas,
        sharing: &Sharing::default(),
        crowded: AtomicBool::new(false),
    };
    let matched = Matcher::new(&reader, &index).run(&classified, &Quiet);
    assert!(matched.dropped.is_empty(), "{:?}", matched.dropped);
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, _, member) in matched.groups.all() {
        let id = matched.groups.id(group as usize).unwrap();
        let survey = &surveys[member.which.guest as usize];
        let names = groups.entry(id.content.to_string()).or_default();
        names.push(survey.shown(member.which.file as usize));
    }
    // A file that was read to its end may be a group of its own; whether it was read so far depends on how.
    groups.retain(|_, names| names.len() > 1);
    Findings {
        groups,
        near_misses: Near(&reader).sum(&Near(&reader).find(&classified, &matched).0),
        secrets: same_secrets(&surveys, &classified),
        skipped: classified.into_iter().map(|one| one.skipped).collect(),
    }
}

fn opened((name, files): (&str, Box<dyn GuestFiles>)) -> OpenedGuest {
    let guest = GuestIdentity {
        name: GuestName::new(name).unwrap(),
        path: name.into(),
        id: FileId { dev: 0, ino: 0 },
    };
    OpenedGuest {
        guest,
        condition: Activity::default(),
        clearing: None,
        files,
        background: Background::default(),
    }
}

/// A guest that shares much with every other, and has a large and a small file of its own.
fn fill(root: &Path, own: &str) {
    let long = |end: &str| ["x".repeat(200_000), end.to_owned()].concat();
    let files = [
        ("usr/bin/tool", long("same")),
        ("usr/bin/other", long(own)),
        ("usr/share/doc", "small and the same".to_owned()),
        ("usr/share/own", own.to_owned()),
        ("usr/share/mode", "only the mode differs".to_owned()),
        (
            "etc/machine-id",
            "0123456789abcdef0123456789abcdef\n".to_owned(),
        ),
        ("var/lib/dbus/machine-id", "uninitialized\n".to_owned()),
    ];
    for (name, content) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    }
    let mode = if own == "a" { 0o644 } else { 0o755 };
    let path = root.join("usr/share/mode");
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    fs::hard_link(root.join("usr/bin/tool"), root.join("usr/bin/twin")).unwrap();
}

#[test]
fn a_plan_finds_the_same_of_a_directory_and_of_its_copy_in_memory() {
    let top = tempfile::tempdir().unwrap();
    let root = |name: &str| top.path().join(name);
    for name in ["a", "b"] {
        fs::create_dir(root(name)).unwrap();
        fill(&root(name), name);
    }
    let on_disk = |name: &str| -> Box<dyn GuestFiles> {
        Box::new(GuestDirectory::of(&Dir::open(&root(name)).unwrap()).unwrap())
    };
    let in_memory =
        |name: &str| -> Box<dyn GuestFiles> { Box::new(InMemory::copy_of(&root(name)).unwrap()) };
    let found = find([on_disk("a"), on_disk("b")]);
    let groups: Vec<&Vec<String>> = found.groups.values().collect();
    assert!(groups.contains(&&vec!["a:/usr/bin/tool".into(), "b:/usr/bin/tool".into()]));
    assert_eq!(groups.len(), 2, "{groups:?}");
    assert_eq!(found.near_misses.all.files, 1);
    assert_eq!(found.secrets.0.len(), 1);
    assert_eq!(find([in_memory("a"), in_memory("b")]), found);
    assert_eq!(find([on_disk("a"), in_memory("b")]), found);
    assert_eq!(find([in_memory("a"), on_disk("b")]), found);
}
