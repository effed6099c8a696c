//! What guests are called that are given by their paths alone, and what is said where a name is not what the base
//! knows.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Disk, File, Guest, Lab, Out, Planned, content, id, unify};

/// A root at this path, with a file that all of them have.
fn root(lab: &Lab, path: &str) -> PathBuf {
    let root = lab.guests().join(path);
    std::fs::create_dir_all(root.join("usr/lib")).unwrap();
    let file = root.join("usr/lib/f");
    std::fs::write(&file, content(1)).unwrap();
    let time = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    let open = std::fs::File::options().write(true).open(file).unwrap();
    open.set_times(time).unwrap();
    root
}

fn plan(lab: &Lab, guests: &[&str]) -> (Out, PathBuf) {
    let path = lab.path("named.json");
    std::fs::remove_file(&path).ok();
    let base = lab.base();
    let fixed = [
        "plan",
        "--protect",
        "immutable",
        "--base",
        base.to_str().unwrap(),
        "-o",
        path.to_str().unwrap(),
    ];
    (unify(&[&fixed[..], guests].concat()), path)
}

/// The names of the guests, with their roots, in the order of the plan.
fn named(lab: &Lab, guests: &[&str]) -> Vec<(String, PathBuf)> {
    let (out, path) = plan(lab, guests);
    out.expect(0);
    let guests = Planned::read(&path).json["guests"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let guests = guests.as_array().unwrap().iter();
    guests
        .map(|guest| (text(&guest["name"]), text(&guest["root"]).into()))
        .collect()
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_guest_is_called_by_what_is_its_own() {
    let lab = lab!(Disk::Own);
    let web1 = root(&lab, "lxc/web1/rootfs");
    let web2 = root(&lab, "lxc/web2/rootfs");
    let names = named(&lab, &[shown(&web2), shown(&web1)]);
    let want = [("web1".to_owned(), web1.clone()), ("web2".to_owned(), web2)];
    assert_eq!(names, want);

    // Where that is not enough, by more of the path, and in any order; a name that is given stays.
    let other = root(&lab, "incus/web1/rootfs");
    let third = root(&lab, "plain/web1");
    let given = format!("web2={}", shown(&third));
    let names = named(&lab, &[shown(&other), &given, shown(&web1)]);
    let want = [
        ("incus-web1".to_owned(), other.clone()),
        ("lxc-web1".to_owned(), web1.clone()),
        ("web2".to_owned(), third),
    ];
    assert_eq!(names, want);

    // Two that are given stay as well.
    let twice = [&web1, &other].map(|root| format!("x={}", shown(root)));
    let said = plan(&lab, &[&twice[0], &twice[1]]).0.expect(2).stderr;
    assert!(said.contains("two guests are called x"), "{said}");
    assert!(
        said.contains(shown(&web1)) && said.contains(shown(&other)),
        "{said}"
    );
}

#[test]
fn a_guest_keeps_the_name_that_the_base_knows() {
    let lab = lab!(Disk::Own);
    let [web, db] = ["web/rootfs", "db/rootfs"].map(|path| root(&lab, path));
    let (alpha, beta) = (
        format!("alpha={}", shown(&web)),
        format!("beta={}", shown(&db)),
    );
    let (out, path) = plan(&lab, &[&alpha, &beta]);
    out.expect(0);
    unify(&["apply", "--yes", shown(&path)]).expect(0);
    assert_eq!(id(&web.join("usr/lib/f")), id(&db.join("usr/lib/f")));

    let third = root(&lab, "third/rootfs");
    let names = named(&lab, &[shown(&web), shown(&third)]);
    let want = [
        ("alpha".to_owned(), web.clone()),
        ("third".to_owned(), third.clone()),
    ];
    assert_eq!(names, want);

    // Who gives it another name is told, and who gives that name to another.
    let (out, path) = plan(&lab, &[&format!("web={}", shown(&web))]);
    let said = out.expect(0).stderr;
    assert!(
        said.contains("OTHER NAME: web: the base knows this root as alpha"),
        "{said}"
    );
    let noticed = &Planned::read(&path).json["guests"][0]["noticed"];
    let other = serde_json::json!({"code": "other-name", "known_as": "alpha"});
    assert!(noticed.as_array().unwrap().contains(&other), "{noticed}");

    let (out, path) = plan(&lab, &[&format!("alpha={}", shown(&third))]);
    let said = out.expect(0).stderr;
    let want = format!(
        "NAME TAKEN: alpha: the base knows another guest of this name, at {}",
        shown(&web)
    );
    assert!(said.contains(&want), "{said}");
    let noticed = &Planned::read(&path).json["guests"][0]["noticed"];
    let taken = serde_json::json!({"code": "name-taken", "root": shown(&web)});
    assert!(noticed.as_array().unwrap().contains(&taken), "{noticed}");
    unify(&["apply", "--yes", shown(&path)]).expect(5);

    // A guest that would only by its directory be called as another is, is not.
    let twin = root(&lab, "elsewhere/alpha");
    let names = named(&lab, &[shown(&twin)]);
    assert_eq!(names, [("elsewhere-alpha".to_owned(), twin)]);
}

/// Nothing is said where nothing is odd.
#[test]
fn a_name_that_is_free_again_is_no_matter() {
    let lab = lab!(Disk::Own);
    let [a, b] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&a, &b], &[]).apply().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let renamed = format!("other={}", a.root().display());
    let said = plan(&lab, &[&renamed, &Guest::arg(&b)]).0.expect(0).stderr;
    assert!(!said.contains("OTHER NAME"), "{said}");
}
