//! A guest that runs and could take flags off: the plan says so, and the refusal names what ends it for its manager.

use serde_json::Value;

use crate::support::{ALIVE, Disk, File, Guest, Lab, Out, Planned, content, id, inside, unify};

const DROPS: &str = "[Exec]\nDropCapability=CAP_LINUX_IMMUTABLE\n";

fn two(lab: &Lab, nspawn: &str) -> [Guest; 2] {
    std::fs::write(lab.guests().join("db.nspawn"), nspawn).unwrap();
    lab.twins(&[("/usr/f", File::new(content(1)))])
}

fn apply(plan: &Planned, options: &[&str]) -> Out {
    let plan = plan.path.to_str().unwrap();
    unify(&[&["apply", "--yes", "--allow-running"], options, &[plan]].concat())
}

fn answer<'p>(plan: &'p Planned, name: &str) -> &'p Value {
    let guests = plan.json["guests"].as_array().unwrap();
    let guest = guests.iter().find(|guest| guest["name"] == name);
    &guest.unwrap()["flag_clearing"]
}

/// The bytes of a plan that are the same for the same guests.
fn from_guests(plan: &Planned) -> String {
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let (_, from) = text.split_once("\"guests\"").expect("guests");
    from.to_owned()
}

#[test]
fn the_refusal_names_the_line_and_the_line_ends_it() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab, "[Exec]\nBoot=yes\n");
    let file = lab.guests().join("db.nspawn");
    let cgroup = cgroup!("clears");
    let guest = cgroup.start_mighty(db.root(), ALIVE);
    let (out, plan) = lab.try_plan(&[&web, &db], &[]);
    let plan = plan.unwrap();
    let line = format!(
        "write DropCapability=CAP_LINUX_IMMUTABLE under [Exec] in {}, and restart the guest",
        file.display()
    );
    let said = format!("may take flags off files (CAP_LINUX_IMMUTABLE)): {line}\n");
    let next = "(at its next start systemd-nspawn keeps CAP_LINUX_IMMUTABLE, and ";
    for said in [&said, next, "in guest db, process "] {
        assert!(out.stderr.contains(said), "{said}: {}", out.stderr);
    }
    let told = answer(&plan, "db");
    assert_eq!(
        (told["answer"].as_str(), told["remedy"].as_str()),
        (Some("yes"), Some(&*line))
    );
    let out = apply(&plan, &[]).expect(4);
    assert!(
        out.stdout.contains(&format!("\n  db: {line}\n")),
        "{}",
        out.stdout
    );
    let next = "\nNext: do what is said above for each guest that was not frozen, or stop the running guests, then unify apply ";
    assert!(out.stdout.contains(next), "{}", out.stdout);
    let json = apply(&plan, &["--json"]).expect(4).json();
    assert_eq!(json["not_frozen"][0]["guest"], "db");
    assert_eq!(json["not_frozen"][0]["remedy"].as_str(), Some(&*line));
    let refused = crate::support::line_of(&lab.receipt(), "db", "/usr/f").to_string();
    assert!(
        refused.contains("DropCapability=CAP_LINUX_IMMUTABLE under"),
        "{refused}"
    );

    // It is done: the line is written, and the guest started again as its manager would.
    std::fs::write(&file, DROPS).unwrap();
    drop(guest);
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[&web, &db], &["--flag-clearers", "refuse"]);
    assert_eq!(answer(&plan, "db")["answer"], "no");
    let out = apply(&plan, &[]).expect(0);
    assert!(!out.stdout.contains("Not frozen"), "{}", out.stdout);
    assert_eq!(id(&web.host("/usr/f")), id(&db.host("/usr/f")));
}

#[test]
fn the_next_start_counts_and_no_process_is_named() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab, "[Exec]\nBoot=yes\n");
    let cgroup = cgroup!("next");
    // Started again it is the same guest, and its plan the same plan.
    let plans = [0, 1].map(|_| {
        let _guest = cgroup.start_mighty(db.root(), ALIVE);
        from_guests(&lab.plan(&[&web, &db], &[]))
    });
    assert_eq!(plans[0], plans[1]);
    // What runs could not, and what is started next could: the worse counts.
    let _guest = cgroup.start(db.root(), ALIVE);
    let kept = lab.plan(&[&web, &db], &["--flag-clearers", "refuse"]);
    assert!(kept.names().is_empty(), "{:?}", kept.names());
    let told = answer(&kept, "db");
    assert_eq!(told["answer"], "yes");
    let why = told["why"].as_str().unwrap();
    assert!(
        why.starts_with("none of its processes has") && why.contains("but at its next start"),
        "{why}"
    );
}

/// An administrator's shell in a guest that is configured well.
#[test]
fn who_came_in_by_another_way_is_named() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab, DROPS);
    let cgroup = cgroup!("shell");
    let _guest = cgroup.start_mighty(db.root(), "sleep 600 & wait");
    let plan = lab.plan(&[&web, &db], &["--flag-clearers", "refuse"]);
    let told = answer(&plan, "db");
    assert_eq!(told["answer"], "yes");
    let remedy = told["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("which came in by another way") && remedy.contains("db.nspawn drops"),
        "{remedy}"
    );
    assert!(plan.names().is_empty(), "the worse of both counts");
}

/// A process of the host that has a file of a guest open, as the monitor of LXC has, says nothing of the guest.
#[test]
fn a_process_of_the_host_is_not_the_guests() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab, DROPS);
    let script = "exec 9< usr/f && cd / && echo inside && exec sleep 600";
    let process = inside("sh", &["-c", script], db.root());
    assert!(process.is_some(), "the process started");
    let options = ["--flag-clearers", "refuse", "--allow", "open"];
    let plan = lab.plan(&[&web, &db], &options);
    assert_eq!(answer(&plan, "db")["answer"], "no");
    let out = apply(&plan, &[]).expect(4);
    let said = "which is of this host and has a file of the guest open";
    assert!(out.stdout.contains(said), "{}", out.stdout);
}
