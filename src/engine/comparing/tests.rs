//! What differs is the same wherever the two guests are: in directories, or in memory, as images would be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::entry::{ComparedSide, Comparison, NameResult};
use super::packages::Packages;
use super::walk::{MetPair, WalkInStep};
use crate::model::EntryVerdict;
use crate::scan::GuestDirectory;
use crate::sys::Dir;
use crate::sys::guest::GuestFiles;
use crate::sys::guest::tests::in_memory::InMemory;

type Files = Box<dyn GuestFiles>;

fn directory(root: &Path) -> Files {
    Box::new(GuestDirectory::of(&Dir::open(root).unwrap()).unwrap())
}

fn in_memory(root: &Path) -> Files {
    Box::new(InMemory::copy_of(root).unwrap())
}

/// `PATH VERDICT` of every name that is not the same.
fn differences(old: Files, new: Files) -> Vec<String> {
    let side = |files: Files| ComparedSide {
        packages: Packages::of(&*files),
        files,
    };
    let both = Comparison::of(side(old), side(new), true);
    let (mut walk, mut met) = WalkInStep::new(&*both.old.files, &*both.new.files);
    while let Some(more) = walk.next_names() {
        met.extend(more);
    }
    let told = met.iter().filter_map(|met| {
        let MetPair::Name(seen) = met else {
            panic!("everything can be read");
        };
        match both.compare(seen) {
            NameResult::Different(name) => Some(match &name.verdict {
                EntryVerdict::Differs(fields) => format!("{} {}", name.path, fields.join(",")),
                EntryVerdict::Only(side) => format!("{} {side:?}", name.path),
                EntryVerdict::Unknown(why) => panic!("{}: {why}", name.path),
            }),
            _ => None,
        }
    });
    told.collect()
}

fn put(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(time))
        .unwrap();
}

#[test]
fn guests_of_every_form_are_compared_alike() {
    let scratch = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| scratch.path().join(name));
    for root in [&old, &new] {
        put(root, "usr/same", "same");
        put(root, "usr/mode", "mode");
        put(root, "usr/kind", "kind");
        put(root, "usr.d/x", "x");
        symlink("nowhere", root.join("usr/link")).unwrap();
        symlink("loop", root.join("usr/loop")).unwrap();
    }
    put(&old, "usr/text", "one");
    put(&new, "usr/text", "two");
    put(&old, "usr/old/x", "x");
    put(&new, "new", "x");
    let mode = fs::Permissions::from_mode(0o4755);
    fs::set_permissions(new.join("usr/mode"), mode).unwrap();
    fs::remove_file(new.join("usr/kind")).unwrap();
    symlink("same", new.join("usr/kind")).unwrap();
    fs::remove_file(new.join("usr/link")).unwrap();
    symlink("same", new.join("usr/link")).unwrap();
    let want = [
        "/new New",
        "/usr/kind type",
        "/usr/link target",
        "/usr/mode mode",
        "/usr/old Old",
        "/usr/old/x Old",
        "/usr/text content",
    ];
    assert_eq!(differences(directory(&old), directory(&new)), want);
    assert_eq!(differences(in_memory(&old), in_memory(&new)), want);
    assert_eq!(differences(directory(&old), in_memory(&new)), want);
    assert_eq!(differences(in_memory(&old), directory(&new)), want);
    assert_eq!(differences(in_memory(&old), directory(&old)), [""; 0]);
}
