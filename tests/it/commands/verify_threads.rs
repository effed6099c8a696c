//! `verify` with many threads finds what one thread finds, and says it in the same order.

use std::collections::BTreeMap;
use std::path::Path;

use rustix::fs::{IFlags, Mode, OFlags};
use serde_json::Value;

use crate::support::{Disk, File, Guest, Lab, Out, Planned, content, rot, unify};

/// So many lines that the plan is read ahead, in more than one stretch.
const FILES: usize = 700;

/// Guests that share files; each tenth has three names in `web`.
fn shared(lab: &Lab) -> ([Guest; 2], Planned) {
    let guests = ["db", "web"].map(|name| lab.guest(name));
    for n in 0..FILES {
        for guest in &guests {
            guest.put(format!("/usr/{n:03}"), &File::new(content(n)));
        }
        if n % 10 == 0 {
            guests[1].hard_link(format!("/usr/{n:03}"), format!("/usr/{n:03}.also"));
            guests[1].put(format!("/opt/{n:03}"), &File::new(content(n)));
        }
    }
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    assert!(plan.actions("link").len() + plan.actions("flag").len() > 2 * 1024);
    plan.apply().expect(0);
    (guests, plan)
}

fn take_flag_off(path: &Path) {
    let file = rustix::fs::open(path, OFlags::RDONLY, Mode::empty()).unwrap();
    let flags = rustix::fs::ioctl_getflags(&file).unwrap();
    rustix::fs::ioctl_setflags(&file, flags - IFlags::IMMUTABLE).unwrap();
}

/// What is wrong: in both guests, with objects, flags and names, all over the plan.
fn spoiled(lab: &Lab) -> Planned {
    let ([db, web], plan) = shared(lab);
    for n in [10, 333, 650] {
        rot(&db.host(format!("/usr/{n:03}")));
    }
    for n in [20, 21, 698] {
        take_flag_off(&web.host(format!("/usr/{n:03}")));
    }
    for n in [30, 400, 699] {
        for guest in [&db, &web] {
            let name = guest.host(format!("/usr/{n:03}"));
            take_flag_off(&name);
            std::fs::remove_file(&name).unwrap();
            guest.put(format!("/usr/{n:03}"), &File::new("their own"));
        }
    }
    plan
}

fn differences(out: &Out) -> Vec<Value> {
    out.json()["differences"].as_array().unwrap().clone()
}

fn with_jobs(plan: &Planned, jobs: &str) -> Out {
    let plan = plan.path.to_str().unwrap();
    unify(&["verify", "--json", "--jobs", jobs, plan]).expect(6)
}

#[test]
fn many_threads_find_what_one_finds_in_the_order_of_the_plan() {
    let lab = lab!(Disk::Own);
    let plan = spoiled(&lab);
    let one = with_jobs(&plan, "1");
    assert!(differences(&one).len() > 20, "{}", one.json());
    for jobs in ["2", "8", "8", "8"] {
        assert_eq!(with_jobs(&plan, jobs).json(), one.json(), "--jobs {jobs}");
    }
    // Names of links come in the order of the plan's lines.
    let place: BTreeMap<(String, Vec<u8>), usize> = plan.names().into_iter().zip(0..).collect();
    let named = |it: &Value| {
        let path = it["path"].as_str()?.as_bytes().to_vec();
        Some((it["guest"].as_str()?.to_owned(), path))
    };
    let order: Vec<usize> = differences(&one)
        .iter()
        .filter_map(named)
        .map(|name| place[&name])
        .collect();
    assert!(order.len() > 12 && order.is_sorted(), "{order:?}");
}

#[test]
fn a_damaged_object_is_told_once_and_every_name_that_reaches_it() {
    let lab = lab!(Disk::Own);
    let ([db, _], plan) = shared(&lab);
    rot(&db.host("/usr/650"));
    for jobs in ["1", "8"] {
        let found = with_jobs(&plan, jobs);
        let all = differences(&found);
        let code = |code: &'static str| all.iter().filter(move |it| it["code"] == code);
        assert_eq!(code("object-damaged").count(), 1, "{all:?}");
        let names: Vec<String> = code("reaches-damage")
            .map(|it| format!("{}:{}", it["guest"], it["path"]).replace('"', ""))
            .collect();
        let want = [
            "db:/usr/650",
            "web:/opt/650",
            "web:/usr/650",
            "web:/usr/650.also",
        ];
        assert_eq!(names, want, "{all:?}");
        assert_eq!(all.len(), 5, "{all:?}");
        // All objects were read, each once.
        assert_eq!(found.json()["objects"], FILES, "{}", found.json());
    }
}

#[test]
fn a_scrub_with_many_threads_says_what_one_says() {
    let lab = lab!(Disk::Own);
    let plan = spoiled(&lab);
    drop(plan);
    let scrub = |jobs: &str| {
        lab.on_base("verify", &["--json", "--jobs", jobs])
            .expect(6)
            .json()
    };
    let one = scrub("1");
    let all = one["differences"].as_array().unwrap();
    let code = |code: &'static str| all.iter().filter(move |it| it["code"] == code);
    assert_eq!(code("object-damaged").count(), 3, "{one}");
    assert_eq!(code("not-flagged").count(), 6, "{one}");
    let mut reached: Vec<&str> = code("reaches-damage")
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    reached.sort_unstable();
    let shared = ["/usr/010", "/usr/333", "/usr/650"].into_iter();
    let mut want: Vec<&str> = shared.flat_map(|path| [path; 2]).collect();
    want.extend(["/opt/010", "/opt/650", "/usr/010.also", "/usr/650.also"]);
    want.sort_unstable();
    assert_eq!(reached, want, "{one}");
    for jobs in ["2", "8", "8"] {
        assert_eq!(scrub(jobs), one, "--jobs {jobs}");
    }
}
