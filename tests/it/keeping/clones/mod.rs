//! `clone` makes a guest from another one: whole, with all metadata, without what stands for one machine, and sharing
//! what the other shares; or nothing at all.

mod cut_short;
mod identity;
mod refused;
mod restless;
mod shared;
mod whole;

use std::path::Path;

use crate::support::{Guest, Lab, Listing, Out, unify_with};

/// What stands for one machine in the guests of these tests.
const IDENTITY: &[&str] = &[
    "/etc/machine-id",
    "/etc/ssh/ssh_host_",
    "/var/lib/systemd/random-seed",
    "/var/lib/cloud/instance",
];

/// Runs `unify clone` for a new guest of this name beside the other.
#[track_caller]
fn clone(lab: &Lab, guest: &Guest, name: &str, options: &[&str]) -> (Out, Guest) {
    clone_with(lab, guest, name, options, &[])
}

#[track_caller]
fn clone_with(
    lab: &Lab,
    guest: &Guest,
    name: &str,
    options: &[&str],
    env: &[(&str, &str)],
) -> (Out, Guest) {
    let new = lab.there(name);
    let (from, to) = (guest.arg(), new.arg());
    let out = unify_with(env, &[&["clone", &from, &to], options].concat());
    (out, new)
}

/// Everything that differs between the two, but for what stands for one machine. The size of a directory is that of
/// what is in it.
fn differences(guest: &Guest, new: &Guest) -> Vec<String> {
    let all = Listing::of(guest.root()).diff(&Listing::of(new.root()));
    meant(all, guest)
}

fn meant(all: Vec<String>, guest: &Guest) -> Vec<String> {
    let is_meant = |line: &String| {
        let directory = line.split(": size was").next().filter(|path| *path != line);
        let directory = directory.is_some_and(|path| guest.host(path).is_dir());
        !directory && !IDENTITY.iter().any(|path| line.starts_with(path))
    };
    all.into_iter().filter(is_meant).collect()
}

#[track_caller]
fn assert_equal(guest: &Guest, new: &Guest) {
    let differs = differences(guest, new);
    assert!(differs.is_empty(), "{differs:#?}");
}

/// What a clone that was cut short has left beside guests.
fn left_in(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("unify-clone")).collect()
}
