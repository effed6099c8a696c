use super::*;
use crate::sys::host::presence::processes::seen::TaskFile;

const DISK: BlockDevice = BlockDevice { major: 8, minor: 1 };

fn trees() -> Vec<UsedTree> {
    let tree = || UsedTree {
        device: DISK,
        mounted: BTreeMap::new(),
    };
    vec![tree(), tree()]
}

/// Process 7, `nginx`, has inode 70 of the first tree open.
fn census() -> Census {
    let mut census = Census::default();
    let seen = SeenProcess {
        command: b"nginx".to_vec(),
        files: vec![TaskFile {
            tree: 0,
            inode: 70,
            writes: false,
        }],
        ..SeenProcess::default()
    };
    census.seen.insert(7, seen);
    census
}

fn lock(inode: u64, pid: u32) -> SeenLock {
    SeenLock {
        device: DISK,
        inode,
        kind: "flock",
        pid: Some(pid),
    }
}

fn uses(locks: &LockList, ours: &[u32], inode: u64) -> Vec<(FileUse, String)> {
    let all = files_in_use(&census(), locks, AllMarks::default(), ours, trees());
    let found = all[0].of_inode(inode);
    found.map(|(used, who)| (used, who.to_owned())).collect()
}

#[test]
fn a_lock_is_whose_inode_it_is() {
    let locks = || LockList {
        locks: [lock(70, 7), lock(71, 7), lock(72, std::process::id())].into(),
        missed: None,
    };
    let found = uses(&locks(), &[], 70);
    assert_eq!(found[0], (FileUse::Locked, "flock of nginx".to_owned()));
    let nobodys = vec![(FileUse::Locked, "flock".to_owned())];
    assert_eq!(uses(&locks(), &[], 71), nobodys);
    // Our own number, but we have no such inode: whoever took the lock had that number before us.
    assert_eq!(uses(&locks(), &[std::process::id()], 72), nobodys);
}

#[test]
fn our_own_locks_do_not_count() {
    let file = tempfile::tempfile().unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap());
    let locks = LockList {
        locks: [lock(inode, std::process::id())].into(),
        missed: None,
    };
    assert_eq!(uses(&locks, &[std::process::id()], inode), []);
}

/// Whoever takes very many locks makes unknown what is open, which may be locked, and nothing else.
#[test]
fn where_the_locks_are_not_known_what_is_open_may_be_locked() {
    let locks = || LockList {
        locks: BTreeSet::new(),
        missed: Some("there are more"),
    };
    let maybe = "perhaps one of nginx (there are more)".to_owned();
    let open = (FileUse::Open, "nginx".to_owned());
    assert_eq!(uses(&locks(), &[], 70), [(FileUse::Locked, maybe), open]);
    assert_eq!(uses(&locks(), &[], 71), []);
    let all = files_in_use(&census(), &locks(), AllMarks::default(), &[], trees());
    assert!(all.iter().all(|uses| uses.unknown().is_none()));
}

#[test]
fn watches_are_unknown_of_one_tree() {
    let marks = AllMarks {
        missed: [(1, "too many")].into(),
        ..AllMarks::default()
    };
    let all = files_in_use(&census(), &LockList::default(), marks, &[], trees());
    let unknown = all.iter().map(FilesInUse::unknown);
    assert_eq!(unknown.collect::<Vec<_>>(), [None, Some("too many")]);
}
