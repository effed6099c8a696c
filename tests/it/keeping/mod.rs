//! What is shared stays protected, and everybody is told what the world has done to it meanwhile.

mod between_two_nights;
mod clones;
mod forget;
mod guard;
mod left_out;
mod lost_receipts;
mod maintain;
mod maintenance_told;
mod moved_protection;
mod orphans;
mod protection;
mod restored_bases;
mod thawed_by;

use crate::support::{File, Guest, Lab, content, is_immutable};

/// Files that all guests of a scene share.
const FILES: [&str; 3] = ["/usr/share/f", "/usr/share/g", "/usr/share/h"];

/// Three guests that have them.
fn alike(lab: &Lab) -> [Guest; 3] {
    ["a", "b", "c"].map(|name| {
        let guest = lab.guest(name);
        for path in FILES {
            guest.put(path, &File::new(content(path)));
        }
        guest
    })
}

/// The same, sharing their files under the flag.
fn applied(lab: &Lab) -> [Guest; 3] {
    let guests = alike(lab);
    let [a, b, c] = &guests;
    lab.plan(&[a, b, c], &["--protect", "immutable"])
        .apply()
        .expect(0);
    guests
}

fn are_protected(lab: &Lab) -> bool {
    lab.objects().iter().all(|object| is_immutable(object))
}
