//! Small sets of guests that several test files begin with.

use serde_json::Value;

use super::{File, Guest, Lab, Planned, content};

/// Two guests with a file that has a twin.
pub fn two_guests(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[("/usr/f", File::new(content(1)))])
}

/// Three guests with one file; `a`, the first, makes the object.
pub fn three_guests(lab: &Lab) -> [Guest; 3] {
    ["a", "b", "c"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest
    })
}

/// Two guests with one equal file; the object is made of that of `web`, so the name of `db` is exchanged.
pub fn one_exchange(lab: &Lab) -> ([Guest; 2], Planned) {
    let guests = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let [web, db] = &guests;
    let plan = lab.plan(&[db, web], &[]);
    let exchanged = plan.link("web", "/usr/f").unwrap();
    assert_eq!(exchanged["makes"], Value::Null, "web's name is exchanged");
    (guests, plan)
}
