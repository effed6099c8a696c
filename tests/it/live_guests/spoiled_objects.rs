//! A process changes an object, takes a name of it or deletes it in the very moment in which its flag is off.

use crate::support::{
    Disk, File, apply_while, content, id, is_immutable, line_of, nlink, one_exchange, unify_with,
};

/// An unknown process took a name of the object while its flag was off: from then on the flag stays on.
#[test]
fn an_object_that_gains_a_holder_is_opened_no_more() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = one_exchange(&lab);
    plan.apply().expect(0);
    let third = lab.guest("third");
    for path in ["/usr/f", "/usr/g"] {
        third.put(path, &File::new(content(1)));
    }
    let plan = lab.plan(&[&third], &[]);
    let link = format!(
        "exchange#1=run:ln {} {}",
        web.host("/usr/f").display(),
        lab.path("unknown").display()
    );
    // One name a batch.
    let plan = plan.path.to_str().unwrap();
    let apply = ["apply", "--yes", "--rate", "4", plan];
    unify_with(&[("UNIFY_FAULT", &link)], &apply).expect(4);
    let object = id(&web.host("/usr/f"));
    let shared = ["/usr/f", "/usr/g"].map(|path| id(&third.host(path)) == object);
    assert_eq!(shared, [false, false]);
    for path in ["/usr/f", "/usr/g"] {
        let line = line_of(&lab.receipt(), "third", path).clone();
        assert!(line.to_string().contains("holder-unknown"), "{line}");
    }
    assert!(is_immutable(&web.host("/usr/f")));
}

/// `gc` looks at the count once more when the flag is off.
#[test]
fn an_object_that_gains_a_name_is_not_collected() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = one_exchange(&lab);
    plan.apply().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let [object] = &lab.objects()[..] else {
        panic!("one object");
    };
    let link = format!(
        "ln {} {}",
        object.display(),
        web.host("/usr/held").display()
    );
    // Of the five times that the flags are read, the last is right after the flag came off.
    let fault = format!("getflags#5=run:{link}");
    let base = lab.base();
    unify_with(
        &[("UNIFY_FAULT", &fault)],
        &["gc", "--base", base.to_str().unwrap()],
    )
    .expect(0);
    assert_eq!(
        nlink(&web.host("/usr/held")),
        2,
        "the object is still there"
    );
    assert!(is_immutable(object), "and has its flag again");
}

/// A file that is deleted right before it becomes an object is refused alone, and the run goes on: its twin makes the
/// object.
#[test]
fn a_file_that_is_gone_before_it_is_adopted_stops_nobody_else() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(2))),
    ]);
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(plan.link("db", "/usr/f").unwrap()["makes"], "adopt");
    let f = db.host("/usr/f");
    apply_while(&plan, &[("link#1", format!("rm -f {}", f.display()))]).expect(4);
    assert!(!f.exists());
    assert_eq!(std::fs::read(web.host("/usr/f")).unwrap(), content(1));
    assert!(is_immutable(&web.host("/usr/f")), "it is the object");
    assert_eq!(nlink(&web.host("/usr/f")), 2);
    assert_eq!(
        id(&web.host("/usr/g")),
        id(&db.host("/usr/g")),
        "the rest is done"
    );
    assert_eq!(lab.objects().len(), 2);
    assert_eq!(lab.staged(), Vec::<std::path::PathBuf>::new());
    lab.on_base("recover", &[]).expect(0);
}

/// Between an undo's preparation and the moment in which it takes the flag off, another hand takes it off: the guest
/// that still shares the object is not left without it.
#[test]
fn an_undo_leaves_no_shared_object_without_its_flag() {
    armed!();
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = one_exchange(&lab);
    plan.apply().expect(0);
    let base = lab.base();
    let clear = format!("exchange#1=run:chattr -i {}", db.host("/usr/f").display());
    let lost_before = format!("lease#1=run:chattr -i {}", db.host("/usr/f").display());
    for (fault, guest) in [(lost_before, "web"), (clear, "db")] {
        let undo = ["undo", "--yes", "--run", "all", "--guest", guest];
        let undo = [&undo[..], &["--base", base.to_str().unwrap()]].concat();
        unify_with(&[("UNIFY_FAULT", &fault)], &undo).expect(0);
        if guest == "web" {
            assert_eq!(
                nlink(&db.host("/usr/f")),
                2,
                "db shares it with the base alone"
            );
            assert_eq!(nlink(&web.host("/usr/f")), 1);
        }
        let [object] = &lab.objects()[..] else {
            panic!("one object");
        };
        assert!(is_immutable(object), "after the undo of {guest}");
    }
}
