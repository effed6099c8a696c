//! Guests that are images: read once, without root, and compared with directories and with each other.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `forms` | the same plan from a directory and from every form of image made of it |
//! | `hostile` | archives that programs read in different ways, and damaged ones |
//! | `layered` | layers, digests, and which of several images is meant |
//! | `asking` | how images are given, named, refused, and asked about |
//! | `checked` | what `check` finds in them |
//! | `compared` | `diff` of them, and of one file in them |
//! | `mounted` | file systems in files |
//! | `archives` | makes archives block by block, and layouts |

mod archives;
mod asking;
mod checked;
mod compared;
mod forms;
mod hostile;
mod layered;
mod mounted;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::{Lab, Out, Planned, unify};

/// `unify plan` of one image, with a line for every name.
fn try_image(lab: &Lab, image: &str) -> (Out, Option<Planned>) {
    try_images(lab, &[&format!("x={image}")])
}

/// The same of several, each given as on a command line, or of other options.
fn try_images(lab: &Lab, args: &[&str]) -> (Out, Option<Planned>) {
    let path = lab.path("image-plan.json");
    std::fs::remove_file(&path).ok();
    let first = ["plan", "--skips", "all", "-o", path.to_str().unwrap()];
    let out = unify(&[&first[..], args].concat());
    let plan = path.exists().then(|| Planned::read(&path));
    (out, plan)
}

/// A plan of images that can be read.
#[track_caller]
fn images(lab: &Lab, args: &[&str]) -> Planned {
    let (out, plan) = try_images(lab, args);
    out.expect(0);
    plan.expect("a plan")
}

/// All names that the lines of a plan are about, without the slash in front.
fn names_of(plan: &Planned) -> Vec<String> {
    let mut names = BTreeSet::new();
    for line in plan.json["actions"].as_array().unwrap() {
        let also = line["also"].as_array().into_iter().flatten();
        let paths = [&line["path"]].into_iter().chain(also);
        names.extend(paths.filter_map(|path| Some(path.as_str()?[1..].to_owned())));
    }
    names.into_iter().collect()
}

/// `tar` of a directory with all that a guest has.
fn make_tar(root: &Path, to: &Path, more: &[&str]) {
    let done = Command::new("tar")
        .args([
            "--format=posix",
            "--sort=name",
            "--numeric-owner",
            "--xattrs",
            "--xattrs-include=*",
        ])
        .args(more)
        .arg("-cf")
        .arg(to)
        .arg("-C")
        .arg(root)
        .arg(".")
        .status();
    assert!(done.unwrap().success());
}
