//! A guest that runs and writes down how far it is, so that a test sees whether it still goes on.

use std::time::{Duration, Instant};

use super::Cgroup;
use crate::support::{File, Lab, content, unify_with};

/// Goes on for as long as it is let, and writes down how far it is.
pub const ALIVE: &str = "while :; do echo x >> ../pulse; sleep 0.01; done";

/// Guests may be frozen, and stand still for as long as a busy machine takes.
pub const LONG: [&str; 3] = ["--allow-running", "--max-freeze", "60s"];

/// Fails unless the guest goes on within two minutes.
#[track_caller]
pub fn assert_alive(lab: &Lab, what: &str) {
    let pulse = lab.path("guests/pulse");
    let length = || std::fs::metadata(&pulse).map_or(0, |meta| meta.len());
    let (start, before) = (Instant::now(), length());
    while length() <= before + 2 {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{what}: the guest stands still"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Shares two guests, of which one runs, and lists by name the calls that the shim sees `apply` make.
pub fn calls_of_apply(disk: &Lab, cgroup: &Cgroup) -> Vec<String> {
    let lab = disk.part("trace");
    let [web, db] = lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(2))),
    ]);
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[&web, &db], &[]);
    let trace = lab.path("trace");
    unify_with(
        &[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())],
        &[
            &["apply", "--yes"],
            &LONG[..],
            &[plan.path.to_str().unwrap()],
        ]
        .concat(),
    )
    .expect(0);
    let text = std::fs::read_to_string(trace).unwrap();
    text.lines().map(str::to_owned).collect()
}
