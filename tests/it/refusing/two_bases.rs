//! Two bases on one file system with the same guests: one inode never becomes an object of both.

use std::path::{Path, PathBuf};

use crate::support::{
    BIN, Disk, File, Guest, Lab, Out, Planned, apply_while, content, id, is_immutable, listings,
    nlink, unchanged, unify, unify_with,
};

/// Two guests, one plan for the usual base and one for another.
fn two_plans(lab: &Lab) -> ([Guest; 2], Planned, Planned) {
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let other = plan_of_other(lab, &[&web, &db]);
    ([web, db], plan, other)
}

fn other_base(lab: &Lab) -> PathBuf {
    let place = lab.guests().join("other");
    std::fs::create_dir_all(&place).unwrap();
    place.join(".unify")
}

/// Plans for the other base: what the program says, and where the plan is.
fn try_plan_of_other(lab: &Lab, guests: &[&Guest]) -> (Out, PathBuf) {
    let (base, path) = (other_base(lab), lab.path("other.json"));
    let mut args = vec![
        "plan",
        "--protect",
        "immutable",
        "-o",
        text(&path),
        "--base",
        text(&base),
    ];
    args.extend(guests.iter().map(|guest| text(guest.root())));
    let out = unify(&args);
    (out, path)
}

fn plan_of_other(lab: &Lab, guests: &[&Guest]) -> Planned {
    let (out, path) = try_plan_of_other(lab, guests);
    out.expect(0);
    Planned::read(&path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A shell command that applies a plan and does not see the run that it interrupts, so that only the files can tell.
fn apply_unseen(lab: &Lab, plan: &Planned) -> String {
    let (path, code) = (text(&plan.path), lab.path("code"));
    format!(
        "UNIFY_FAULT= UNIFY_ANY_PID_NAMESPACE=1 unshare -m --pid --fork --mount-proc {BIN} apply --yes {path}; echo $? > {}",
        text(&code)
    )
}

fn code(lab: &Lab) -> String {
    std::fs::read_to_string(lab.path("code")).unwrap()
}

/// Everything can be given back, by both.
fn assert_both_undo(lab: &Lab, guests: &[&Guest]) {
    for base in [lab.base(), other_base(lab)] {
        let undo = ["undo", "--run", "all", "--yes", "--base", text(&base)];
        unify(&undo).expect(0);
        unify(&["gc", "--base", text(&base)]).expect(0);
    }
    for guest in guests {
        let f = guest.host("/usr/f");
        assert!(!is_immutable(&f) && nlink(&f) == 1, "{f:?}");
    }
}

/// The other base's run comes between the look at the files and the first name in the base, and is over before that.
#[test]
fn what_another_base_has_taken_is_refused() {
    armed!();
    for disk in [Disk::Own, Disk::Xfs] {
        let lab = lab!(disk);
        let ([web, db], plan, other) = two_plans(&lab);
        let before = listings(&[&web, &db]);
        apply_while(&plan, &[("link#1", apply_unseen(&lab, &other))]).expect(4);
        assert_eq!(code(&lab), "0\n", "{disk:?}");
        let f = [&web, &db].map(|guest| guest.host("/usr/f"));
        assert!(is_immutable(&f[0]), "{disk:?}: the other's flag stays");
        assert_eq!(id(&f[0]), id(&f[1]), "{disk:?}");
        assert_eq!(lab.objects().len(), 0, "{disk:?}");
        assert_both_undo(&lab, &[&web, &db]);
        unchanged(&[&web, &db], &before, "after both undos");
    }
}

/// Another base has given the inode a name, and has not protected it yet: before this one has, and after.
#[test]
fn an_inode_with_a_name_too_many_is_no_object() {
    armed!();
    for moment in ["link#1", "link#3", "setflags#3"] {
        let lab = lab!(Disk::Own);
        let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
        db.put("/usr/own", &File::new(content(2)));
        let before = listings(&[&web, &db]);
        let (plan, theirs) = (lab.plan(&[&web, &db], &[]), lab.path("theirs"));
        let name = format!("ln {} {}", text(&db.host("/usr/f")), text(&theirs));
        apply_while(&plan, &[(moment, name)]).expect(4);
        let f = db.host("/usr/f");
        assert_eq!((id(&f), nlink(&f)), (id(&theirs), 2), "{moment}");
        assert!(!is_immutable(&f), "{moment}");
        unchanged(&[&web, &db], &before, moment);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(lab.objects().len(), 0, "{moment}");
    }
}

#[test]
fn a_run_of_another_base_is_met_before_it_does_anything() {
    armed!();
    let lab = lab!(Disk::Own);
    let (_, plan, other) = two_plans(&lab);
    let (answer, said) = (lab.path("code"), lab.path("said"));
    let second = format!(
        "UNIFY_FAULT= {BIN} apply --yes {} 2> {}; echo $? > {}",
        text(&other.path),
        text(&said),
        text(&answer)
    );
    apply_while(&plan, &[("exchange#1", second)]).expect(0);
    assert_eq!(code(&lab), "7\n");
    let said = std::fs::read_to_string(said).unwrap();
    assert!(
        said.contains("another run, with another base, is at work in guest db"),
        "{said}"
    );
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
}

/// Whatever moves names in a guest waits for the run of another base that is at work there.
#[test]
fn nobody_undoes_forgets_or_heals_while_another_base_is_at_work() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let both = |path: &str, seed: u32| {
        for guest in [&web, &db] {
            guest.put(path, &File::new(content(seed)));
        }
    };
    let (base, codes) = (lab.base(), lab.path("codes"));
    let call = |command: &str| {
        let (base, codes) = (text(&base), text(&codes));
        format!("UNIFY_FAULT= {BIN} {command} --base {base}; echo $? >> {codes}; ")
    };
    both("/usr/g", 2);
    let script = call("undo --run all --yes") + &call("forget --yes db");
    apply_while(
        &plan_of_other(&lab, &[&web, &db]),
        &[("exchange#1", script)],
    )
    .expect(0);
    both("/usr/h", 3);
    let cut = lab.plan(&[&web, &db], &[]);
    unify_with(
        &[("UNIFY_FAULT", "exchange#1=kill")],
        &["apply", "--yes", text(&cut.path)],
    );
    assert_eq!(lab.staged().len(), 1);
    both("/usr/i", 4);
    let other = plan_of_other(&lab, &[&web, &db]);
    apply_while(&other, &[("exchange#1", call("recover"))]).expect(0);
    assert_eq!(std::fs::read_to_string(&codes).unwrap(), "7\n7\n7\n");
    assert!(is_immutable(&db.host("/usr/f")), "nothing was done");
    lab.on_base("recover", &[]).expect(0);
    assert_both_undo(&lab, &[&web, &db]);
}

/// Any process of a guest can take a lock: it keeps nobody from the other guests.
#[test]
fn a_lock_of_the_guests_own_keeps_nobody_out() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    let root = std::fs::File::open(web.root()).unwrap();
    rustix::fs::flock(&root, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let out = plan.apply();
    assert_eq!(out.code, 4, "it is inside, and no run: {}", out.stderr);
    drop(root);
    plan.apply().expect(0);
}

#[test]
fn what_another_base_holds_is_seen_by_a_plan() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let (out, path) = try_plan_of_other(&lab, &[&web, &db]);
    let want = format!(
        "HELD ELSEWHERE: guests share 1 file, 8.78 KiB that are immutable and no objects of this base; another base may hold them: plan with --base {}",
        text(&lab.base())
    );
    let said = out.expect(0).stderr;
    assert!(said.lines().any(|line| line == want), "{said}");
    let plan = Planned::read(&path);
    assert_eq!(plan.json["summary"]["unprotected"]["immutable"]["files"], 1);
    assert_eq!(plan.names(), []);
}
