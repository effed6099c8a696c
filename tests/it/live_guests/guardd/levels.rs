//! What is to be done for a writer: as much as the kernel can, or less.

use super::shared;
use crate::support::{Asking, Disk, Kernel, append, content, id, nlink};

/// With `--level deny-first` the kernel denies a first write by itself; the copy is there for the next.
#[test]
fn a_write_that_was_denied_first_finds_its_copy() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    let mut kernel = Kernel::start(&lab, &[], &["--level", "deny-first"]);
    assert_eq!(kernel.level, "DenyFirst");
    let [f, g] = ["/usr/lib/f", "/usr/other/g"].map(|name| web.host(name));
    let denied = Asking {
        waits: false,
        ..Asking::to(&f)
    };
    kernel.meets(&denied, "LookAgain");
    assert!(id(&f) == id(&g) && nlink(&f) == 2);
    append(&f, b"+");
    assert_eq!(web.read("/usr/other/g"), [&content(1)[..], b"+"].concat());
    assert_eq!(db.read("/usr/lib/f"), content(1));
    // A second one of the same moment, by a path that it walked before.
    let one = db.host("/usr/lib/one");
    let late = Asking {
        stale: true,
        waits: false,
        ..Asking::to(&one)
    };
    kernel.meets(&late, "LookAgain");
    assert_eq!(nlink(&one), 3);
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
    let kernel = Kernel::start(&lab, &[], &[]);
    assert_eq!(kernel.level, "RestartByTaskWork", "as much as can be done");
}
