//! A plan for programs, whole.

use super::*;

#[test]
fn json_is_one_object_with_documented_keys() {
    let show = Show {
        format: Format::Json,
        by: Some(By::Directory),
        near_misses: true,
        lines: true,
        ..PLAIN
    };
    let text = shown(show, &Sample::troubled(), &small_plan());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let want = serde_json::json!({
        "kind": "unify.show",
        "plan": "unify.plan",
        "created": "2026-01-02T03:04:05Z",
        "tool": "unify 0.1.0",
        "base": {"root": "/srv/guests/.unify", "filesystem": "ext4"},
        "protection": {"asked": "auto", "mode": "immutable", "why": "the flag works here"},
        "content": format!("sha256:{}", "3f".repeat(32)),
        "decision": format!("sha256:{}", "4d".repeat(32)),
        "totals": {"links": 3, "names": 4, "bytes": 12_000_000, "saves": 8_000_000, "objects": 1, "flags": 1, "skips": 3},
        "memory": 8_003_584,
        "on_top": "the base's own folders and records come on top of this and are not counted",
        "made_with": {"links": 3, "names": 4, "bytes": 12_000_000, "saves": 8_000_000, "objects": 1, "flags": 1, "skips": 3},
        "edited": {"links_removed": 0, "flags_removed": 0, "added": 0},
        "guests": guests(),
        "skipped": {
            "config-file": {"files": 1, "bytes": 3223},
            "cache": {"files": 120, "bytes": 5_000_000},
            "unreadable": {"files": 1, "bytes": 0},
            "unique": {"files": 2870, "bytes": 30_000_000},
        },
        "sentences": {
            "config-file": "config file",
            "cache": "cache",
            "unreadable": "could not be read",
            "unique": "no other name has this content and metadata",
        },
        "shared": [{"guests": ["web1", "web2"], "files": 1, "bytes": 4_000_000, "percent": [10, 20]}],
        "near_misses": {"all": {"files": 0, "bytes": 0}, "by": {}, "shifted": [], "listed": []},
        "same_secrets": [],
        "without_effect": [],
        "grouped_by": "directory",
        "groups": groups(),
        "next": [],
        "actions": actions(),
    });
    assert_eq!(value, want);
    assert!(text.starts_with("{\"kind\":\"unify.show\","));
    assert!(text.ends_with("]}\n"));
}

fn guests() -> serde_json::Value {
    let no =
        || serde_json::json!({"answer": "no", "why": "it drops the capability", "manager": "lxc"});
    serde_json::json!([
        {"name": "web1", "root": "/srv/guests/web1", "files": 1500, "bytes": 40_000_000, "links": 2, "unread": 0,
         "running": false, "running_unknown": null, "uses_unknown": null, "flag_clearing": no(),
         "left_out": null, "damaged_databases": []},
        {"name": "web2", "root": "/srv/guests/web2", "files": 1500, "bytes": 20_000_000, "links": 1, "unread": 1,
         "running": true, "running_unknown": null, "uses_unknown": null, "flag_clearing": no(),
         "left_out": null, "damaged_databases": []},
        {"name": "db1", "root": "/srv/guests/db1", "files": 1500, "bytes": 0, "links": 0, "unread": 0,
         "running": false, "running_unknown": null, "uses_unknown": null, "flag_clearing": no(),
         "left_out": "its package database is damaged", "damaged_databases": [
            {"manager": "dpkg", "state": "damaged", "packages": 0, "config_files": 0,
             "problem": "/var/lib/dpkg/status line 7: no colon"}]},
    ])
}

fn groups() -> serde_json::Value {
    let group = |name: &str, links: u64, saves: u64, flags: u64, files: u64, bytes: u64| {
        let mut group = serde_json::json!({
            "group": name, "links": links, "bytes": links * 4_000_000, "saves": saves, "flags": flags,
            "skipped_files": files, "skipped_bytes": bytes,
            "in_guests": match name { "/usr/bin" => 2, "(no directory)" => 0, _ => 1 },
        });
        if name.starts_with('/') {
            group["path"] = name.into();
        }
        group
    };
    serde_json::json!([
        group("/usr/bin", 2, 4_000_000, 0, 0, 0),
        group("/usr/lib", 1, 4_000_000, 0, 0, 0),
        group("/var/cache", 0, 0, 0, 120, 5_000_000),
        group("/etc/ssh", 0, 0, 0, 1, 3223),
        group("/root", 0, 0, 0, 1, 0),
        group("(no directory)", 0, 0, 1, 0, 0),
    ])
}

fn actions() -> serde_json::Value {
    let object = format!("sha256:{}-{}", "5b".repeat(32), "5b".repeat(16));
    let twin = "same content and metadata as other names";
    serde_json::json!([
        {"action": "link", "guest": "web1", "path": "/usr/bin/perl", "object": object, "bytes": 4_000_000, "saves": 0,
         "reason": "identical", "sentence": format!("{twin}; the object is a copy of it")},
        {"action": "flag", "object": object, "names": 4, "reason": "protect-shared",
         "sentence": "a shared file must not be changed by one guest for all"},
        {"action": "link", "guest": "web1", "path": "/usr/lib/perl", "object": object, "bytes": 4_000_000,
         "saves": 4_000_000, "reason": "identical", "sentence": twin},
        {"action": "skip", "guest": "web1", "path": "/var/cache", "files": 120, "bytes": 5_000_000, "reason": "cache",
         "sentence": "cache"},
        {"action": "skip", "guest": "web2", "path": "/etc/ssh/sshd_config", "bytes": 3223, "reason": "config-file",
         "sentence": "config file per dpkg (openssh-server)"},
        {"action": "link", "guest": "web2", "path": "/usr/bin/perl", "also": [{"path": "/usr/bin/perl5.40"}],
         "object": object, "bytes": 4_000_000, "saves": 4_000_000, "reason": "identical", "sentence": twin},
        {"action": "skip", "guest": "web2", "path": "/root/x", "reason": "unreadable",
         "sentence": "could not be read: permission denied"},
    ])
}

#[test]
fn json_without_lines_or_actions_is_still_json() {
    for lines in [false, true] {
        let show = Show {
            format: Format::Json,
            lines,
            ..PLAIN
        };
        let text = shown(show, &Sample::empty(), &[]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.get("actions").is_some(), lines);
        assert_eq!(value.get("groups"), None);
    }
}
