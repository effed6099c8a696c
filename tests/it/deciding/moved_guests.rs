//! A guest is not where the base remembers it: it was renamed or moved, it is gone, or two guests have one name.

use crate::support::{
    Disk, File, Guest, Lab, content, edited, id, inside, is_immutable, line_of, listings,
    strings_in, unchanged, unify,
};

/// Two guests that share a file, and a third that could share it.
fn shared(lab: &Lab) -> [Guest; 3] {
    let [a, b] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    a.hard_link("/usr/f", "/usr/g");
    b.hard_link("/usr/f", "/usr/g");
    lab.plan(&[&a, &b], &[]).apply().expect(0);
    let c = lab.guest("third");
    c.put("/usr/f", &File::new(content(1)));
    [a, b, c]
}

#[test]
fn a_flag_stays_on_while_a_holder_cannot_be_found() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = shared(&lab);
    let b = lab.renamed(&b, "elsewhere");
    let before = listings(&[&a, &b, &c]);
    let process = inside("sh", &["-c", "echo inside; read wait"], &b.host("/usr"));
    assert!(process.is_some());

    lab.plan(&[&c], &[]).apply().expect(4);
    let line = line_of(&lab.receipt(), "third", "/usr/f").clone();
    assert!(strings_in(&line).contains(&"holder-unknown"), "{line}");
    lab.on_base("undo", &["--run", "all", "--guest", "web", "--yes"])
        .expect(4);
    let line = line_of(&lab.receipt(), "web", "/usr/f").clone();
    assert!(strings_in(&line).contains(&"holder-unknown"), "{line}");
    assert_eq!(id(&a.host("/usr/f")), id(&b.host("/usr/f")));
    assert_ne!(id(&a.host("/usr/f")), id(&c.host("/usr/f")));
    assert!(is_immutable(&a.host("/usr/f")));
    unchanged(&[&a, &b, &c], &before, "after two refusals");

    // Known again, it is seen to run; once it is quiet, all is as ever.
    let plan = lab.plan(&[&b, &c], &[]);
    plan.apply().expect(4);
    let line = line_of(&lab.receipt(), "third", "/usr/f").clone();
    assert!(strings_in(&line).contains(&"holder-running"), "{line}");
    drop(process);
    lab.plan(&[&b, &c], &[]).apply().expect(0);
    assert_eq!(id(&a.host("/usr/f")), id(&c.host("/usr/f")));
    unchanged(&[&a, &b, &c], &before, "after apply");
}

#[test]
fn a_renamed_guest_is_learned_and_undone() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = shared(&lab);
    let before = listings(&[&a, &b, &c]);
    let b = lab.renamed(&b, "elsewhere");
    lab.plan(&[&b, &c], &[]).apply().expect(0);
    // The old name of the guest has nothing any more; it is answered once, and then forgotten.
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(4);
    let names = [&a, &b, &c].map(|guest| id(&guest.host("/usr/f")));
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    assert_eq!(
        id(&b.host("/usr/f")),
        id(&b.host("/usr/g")),
        "names of one file stay together"
    );
    unchanged(&[&a, &b, &c], &before, "after undo");
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0);
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    assert!(!status.to_string().contains("drifted\":[{"), "{status}");
}

#[test]
fn a_guest_keeps_its_name_at_a_new_place() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = shared(&lab);
    let before = listings(&[&a, &b, &c]);
    let b_elsewhere = lab.renamed(&b, "elsewhere");
    let arg = format!("{}={}", b.name(), b_elsewhere.root().display());
    let (path, base) = (lab.path("moved.json"), lab.base());
    let args = ["plan", "--base", base.to_str().unwrap(), "-o"];
    let third = c.arg();
    let args = [&args[..], &[path.to_str().unwrap(), &arg, &third]].concat();
    crate::support::unify(&args).expect(0);
    crate::support::unify(&["apply", "--yes", path.to_str().unwrap()]).expect(0);
    assert_eq!(id(&a.host("/usr/f")), id(&c.host("/usr/f")));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&[&a, &b_elsewhere, &c], &before, "after undo");
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0);
}

#[test]
fn two_guests_of_one_name_are_refused() {
    let lab = lab!(Disk::Own);
    let [a, _b, c] = shared(&lab);
    let before = listings(&[&a, &c]);
    let (path, base) = (lab.path("namesake.json"), lab.base());
    let arg = format!("{}={}", a.name(), c.root().display());
    let args = ["plan", "--base", base.to_str().unwrap(), "-o"];
    let args = [&args[..], &[path.to_str().unwrap(), &arg]].concat();
    crate::support::unify(&args).expect(0);
    crate::support::unify(&["apply", "--yes", path.to_str().unwrap()]).expect(5);
    assert_ne!(id(&a.host("/usr/f")), id(&c.host("/usr/f")));
    unchanged(&[&a, &c], &before, "after the refusal");
}

#[test]
fn undo_of_a_guest_that_is_away_is_not_done() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = shared(&lab);
    let before = listings(&[&b]);
    let away = lab.path("away");
    std::fs::rename(b.root(), &away).unwrap();
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(4);
    let line = line_of(&lab.receipt(), "db", "/usr/f").clone();
    assert!(strings_in(&line).contains(&"root-changed"), "{line}");
    assert_eq!(
        id(&a.host("/usr/f")),
        id(&away.join("usr/f")),
        "no flag came off for the other guest either"
    );
    std::fs::rename(&away, b.root()).unwrap();
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&[&b], &before, "back and undone");
    assert_ne!(id(&a.host("/usr/f")), id(&b.host("/usr/f")));
    drop(c);
}

/// A guest that is planned by another name is the same guest where it was.
#[test]
fn one_guest_by_two_names() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = shared(&lab);
    let before = listings(&[&a, &b, &c]);
    let (path, base) = (lab.path("renamed.json"), lab.base());
    let (other, third) = (format!("other={}", b.root().display()), c.arg());
    let args = ["plan", "--base", base.to_str().unwrap(), "-o"];
    let args = [&args[..], &[path.to_str().unwrap(), &other, &third]].concat();
    crate::support::unify(&args).expect(0);
    crate::support::unify(&["apply", "--yes", path.to_str().unwrap()]).expect(0);
    assert_eq!(id(&b.host("/usr/f")), id(&c.host("/usr/f")));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&[&a, &b, &c], &before, "after undo");
    assert_eq!(id(&b.host("/usr/f")), id(&b.host("/usr/g")));
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0);
}

/// Two guests that are gone had files with one first name: which of the two a moved one was cannot be said, and
/// all of its names are learned nevertheless.
#[test]
fn two_renamed_guests_are_learned_whole() {
    for order in [[0, 1], [1, 0]] {
        let lab = lab!(Disk::Own);
        let [a, x, y] = ["a", "x", "y"].map(|name| {
            let guest = lab.guest(name);
            guest.put("/usr/f", &File::new(content(1)));
            guest
        });
        x.hard_link("/usr/f", "/usr/g");
        y.hard_link("/usr/f", "/usr/h");
        let both = [&x, &y];
        for at in order {
            lab.plan(&[&a, both[at]], &[]).apply().expect(0);
        }
        let before = listings(&[&a, &x, &y]);
        let (x, y) = (lab.renamed(&x, "x2"), lab.renamed(&y, "y2"));
        lab.plan(&[&a, &x, &y], &[]).apply().expect(0);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(4);
        let own = [&a, &x, &y].map(|guest| id(&guest.host("/usr/f")));
        assert!(
            own[0] != own[1] && own[1] != own[2] && own[0] != own[2],
            "{order:?}"
        );
        unchanged(&[&a, &x, &y], &before, "after undo");
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(lab.objects().len(), 0);
    }
}

/// A reviewer took the line of the first name out: the others tell of the whole file.
#[test]
fn any_name_teaches_all_of_its_file() {
    let lab = lab!(Disk::Own);
    let [a, b, _] = shared(&lab);
    let before = listings(&[&a, &b]);
    let b = lab.renamed(&b, "elsewhere");
    let plan = lab.plan(&[&a, &b], &[]);
    let edited = edited(&lab, &plan, |lines| {
        let all = lines.len();
        let other = |line: &String| {
            !(line.contains(r#""guest":"elsewhere""#) && line.contains(r#""/usr/f""#))
        };
        lines.retain(other);
        assert_eq!(lines.len(), all - 1);
    });
    unify(&["apply", "--yes", edited.to_str().unwrap()]).expect(0);
    let line = line_of(&lab.receipt(), "elsewhere", "/usr/f").clone();
    assert_eq!(line["also"][0]["path"], "/usr/g", "{line}");
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(4);
    let own = [&a, &b].map(|guest| ["/usr/f", "/usr/g"].map(|name| id(&guest.host(name))));
    assert!(own[0][0] == own[0][1] && own[1][0] == own[1][1] && own[0] != own[1]);
    unchanged(&[&a, &b], &before, "after undo");
}

#[test]
fn a_guest_that_is_known_by_two_names_is_undone_whole() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = shared(&lab);
    let before = listings(&[&a, &b, &c]);
    // The base is told of the same root by another name.
    let alias = format!("alias={}", a.host("/").display());
    let third = c.host("/").display().to_string();
    let plan = lab.path("alias.json");
    let base = lab.base();
    let args = [
        "plan",
        "--base",
        base.to_str().unwrap(),
        "-o",
        plan.to_str().unwrap(),
    ];
    unify(&[&args[..], &[&alias, &third]].concat()).expect(0);
    unify(&["apply", "--yes", plan.to_str().unwrap()]).expect(0);
    assert_eq!(id(&a.host("/usr/f")), id(&c.host("/usr/f")));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let names = [&a, &b, &c].map(|guest| id(&guest.host("/usr/f")));
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    unchanged(&[&a, &b, &c], &before, "after the undo");
}
