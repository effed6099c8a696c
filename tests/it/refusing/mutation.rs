//! This test switches each defence off in turn (`UNIFY_WEAK`, see `src/sys/fault.rs`), and some test of this suite must
//! fail by that. The test runs again in a process of its own, by the very program that this is.

use std::process::Command;

/// Which test misses which defence.
const CAUGHT: [(&str, &str); 16] = [
    (
        "PlainRename",
        "live_guests::races::a_file_replaced_at_the_last_moment_is_the_guests",
    ),
    ("NoLease", "refusing::changed_files::a_writer_is_refused"),
    (
        "LeaseReleasedEarly",
        "live_guests::races::a_waiting_writer_writes_where_the_name_is",
    ),
    (
        "NoLastLook",
        "live_guests::races::a_mode_changed_at_the_last_moment_is_kept",
    ),
    (
        "NoMountCheck",
        "live_guests::occupied_guests::a_name_that_is_a_mount_point",
    ),
    (
        "AdoptAlways",
        "live_guests::frozen_guests::objects_of_running_guests_are_copies",
    ),
    (
        "SizeOnlyCompare",
        "refusing::edited_plans::another_object_of_the_same_size_is_refused",
    ),
    ("ShortDigest", "reading::file_systems::on_ext4"),
    (
        "DropBeforeSync",
        "live_guests::races::nothing_is_dropped_before_it_is_durable",
    ),
    (
        "JournalWithoutSync",
        "live_guests::races::nothing_is_dropped_before_it_is_durable",
    ),
    (
        "BlockingOpen",
        "live_guests::races::leases_of_a_guest_keep_nobody_waiting",
    ),
    (
        "PathInsteadOfDescriptor",
        "refusing::changed_files::what_changed_is_refused_and_the_rest_is_applied",
    ),
    (
        "NoCtime",
        "live_guests::races::a_file_rewritten_with_the_same_bytes_is_refused",
    ),
    (
        "ThawWhileRunning",
        "live_guests::occupied_guests::a_running_holder_keeps_its_objects_closed",
    ),
    (
        "NoLookAfterFlag",
        "live_guests::spoiled_objects::an_object_changed_while_its_flag_is_off_does_not_spread",
    ),
    (
        "RestoreTimesAlways",
        "live_guests::races::the_time_of_a_directory_that_others_use_stays_theirs",
    ),
];

#[test]
fn every_defence_is_missed() {
    armed!();
    let (mut caught, mut missed) = (0, Vec::new());
    for (weak, test) in CAUGHT {
        let again = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env("UNIFY_WEAK", weak)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&again.stdout).into_owned()
            + &String::from_utf8_lossy(&again.stderr);
        assert!(said.contains("1 test"), "there is no test {test}");
        match (again.status.success(), said.contains("SKIPPED")) {
            (false, _) => caught += 1,
            (true, true) => {}
            (true, false) => missed.push(format!("{test} passes with {weak}")),
        }
    }
    crate::support::figure(&format!("weak builds: {caught} of {} caught", CAUGHT.len()));
    assert!(missed.is_empty(), "{missed:#?}");
}
