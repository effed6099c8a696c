//! Small plans for the tests of this room, friendly and hostile ones.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::model::{
    Action, BaseFacts, Before, Caveats, ClearsFlags, Count, Database, DatabaseState, Digest,
    FORMAT, Flag, FlagClearing, FlagReason, GuestName, GuestPath, Header, Left, Link, LinkReason,
    Making, MetadataDigest, MethodChoice, NearMisses, ObjectFlag, ObjectId, PlanDigest,
    PlanMethods, PlanTarget, PlannedGuest, Policy, Protect, Protection, ReflinkTotals, Shared,
    SharingMethod, Skip, SkipReason, Summary, Time, Totals, UnprotectedSharing, is_harmless,
    needs_escape,
};

use super::{PlanView, Tally};

/// What a report writes, as text.
pub fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// No character of it moves a cursor or hides text, line breaks apart, and no line is an order to a runner.
pub fn assert_tame(text: &str) {
    for line in text.split('\n') {
        let bad = line.chars().find(|c| needs_escape(*c));
        assert_eq!(bad, None, "{line:?}");
        // A heading of markdown is ours.
        let text = line.trim_start_matches("## ");
        assert!(is_harmless(text), "{line:?}");
    }
}

/// Text that tries everything.
pub const HOSTILE: &str =
    "::x::##[y]\u{e0041}\u{3164}\u{1b}[2J\r\u{9b}31m\u{7f}\u{202e}\u{200b}\n| `a` <b> @all\0";

pub fn guest(name: &str) -> GuestName {
    GuestName::new(name).unwrap()
}

pub fn path(text: &str) -> GuestPath {
    GuestPath::new(text.as_bytes()).unwrap()
}

pub fn object(byte: u8) -> ObjectId {
    ObjectId {
        content: Digest([byte; 32]),
        metadata: MetadataDigest([byte; 16]),
        generation: 0,
    }
}

pub fn link_line(name: &str, at: &str, size: u64) -> Link {
    let time = Time { sec: 1, nsec: 2 };
    Link {
        guest: guest(name),
        path: path(at),
        also: Vec::new(),
        object: object(0x5b),
        makes: None,
        size,
        saves: size,
        reason: LinkReason::Identical,
        owner: None,
        before: Some(Before {
            dev: 1,
            ino: 2,
            nlink: 1,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size,
            mtime: time,
            ctime: time,
        }),
        note: None,
    }
}

pub fn flag_line(names: u64) -> Flag {
    Flag {
        object: object(0x5b),
        set: vec![ObjectFlag::Immutable],
        names,
        reason: FlagReason::ProtectShared,
        note: None,
    }
}

pub fn skip_dir(name: &str, at: &str, reason: SkipReason, files: u64, bytes: u64) -> Skip {
    let left = Left::Beneath {
        guest: guest(name),
        top: path(at),
        files,
        bytes,
    };
    Skip::of(left, reason)
}

/// Three links of one object in two guests, its flag, a config file, a cache, something unreadable.
pub fn small_plan() -> Vec<Action> {
    let maker = Link {
        makes: Some(Making::Copy),
        saves: 0,
        ..link_line("web1", "/usr/bin/perl", 4_000_000)
    };
    let second = Link {
        also: vec![path("/usr/bin/perl5.40")],
        ..link_line("web2", "/usr/bin/perl", 4_000_000)
    };
    let config = Skip {
        per: Some("dpkg".into()),
        package: Some("openssh-server".into()),
        ..Skip::new(
            guest("web2"),
            path("/etc/ssh/sshd_config"),
            SkipReason::ConfigFile,
        )
        .sized(3223)
    };
    let unread = Skip {
        note: Some("permission denied".into()),
        ..Skip::new(guest("web2"), path("/root/x"), SkipReason::Unreadable)
    };
    vec![
        Action::Link(maker),
        Action::Flag(flag_line(4)),
        Action::Link(link_line("web1", "/usr/lib/perl", 4_000_000)),
        Action::Skip(skip_dir(
            "web1",
            "/var/cache",
            SkipReason::Cache,
            120,
            5_000_000,
        )),
        Action::Skip(config),
        Action::Link(second),
        Action::Skip(unread),
    ]
}

/// A plan without its actions.
#[derive(Debug, Clone)]
pub struct Sample {
    pub header: Header,
    pub guests: Vec<PlannedGuest>,
    pub summary: Summary,
    pub digest: Option<PlanDigest>,
}

impl Sample {
    /// The plan that [`small_plan`] belongs to, as it was made.
    pub fn small() -> Sample {
        Sample {
            header: header(),
            guests: vec![planned("web1", 40_000_000), planned("web2", 20_000_000)],
            summary: small_summary(),
            digest: Some(PlanDigest {
                content: Digest([0x3f; 32]),
                decision: Some(Digest([0x4d; 32])),
            }),
        }
    }

    /// No guests, no actions.
    pub fn empty() -> Sample {
        Sample {
            guests: Vec::new(),
            summary: Summary::default(),
            ..Sample::small()
        }
    }

    /// The same guests, only looked at.
    pub fn audit() -> Sample {
        let mut sample = Sample::small();
        sample.header.target = None;
        sample
    }

    /// Everything that can go wrong with guests: one is running, one left out, one damaged.
    pub fn troubled() -> Sample {
        let mut sample = Sample::small();
        sample.guests[1].running = true;
        sample.guests[1].unread = 1;
        let mut broken = planned("db1", 0);
        broken.left_out = Some("its package database is damaged".into());
        broken.databases = vec![Database {
            manager: "dpkg".into(),
            state: DatabaseState::Damaged,
            packages: 0,
            config_files: 0,
            problem: Some("/var/lib/dpkg/status line 7: no colon".into()),
        }];
        sample.guests.push(broken);
        sample
    }

    /// All free text is [`HOSTILE`].
    pub fn hostile() -> Sample {
        let mut sample = Sample::troubled();
        let text = || HOSTILE.to_owned();
        sample.header.created = text();
        sample.header.tool = text();
        let target = sample.header.target.as_mut().unwrap();
        target.base.filesystem = text();
        target.base.path = HOSTILE.into();
        let method = target.method.insert(SharingMethod {
            asked: MethodChoice::Auto,
            mode: PlanMethods::Hardlink,
            why: text(),
        });
        target.protection.as_mut().unwrap().why = method.why.clone();
        for guest in &mut sample.guests {
            guest.left_out = Some(text());
            guest.root = HOSTILE.into();
            for database in &mut guest.databases {
                database.manager = text();
                database.problem = Some(text());
            }
        }
        let count = Count { files: 1, bytes: 1 };
        sample.summary.skipped.insert(text(), count);
        sample
    }

    pub fn view<'a>(&'a self, tally: &'a Tally) -> PlanView<'a> {
        PlanView {
            header: &self.header,
            guests: &self.guests,
            summary: &self.summary,
            tally,
            digest: self.digest,
            file: None,
        }
    }
}

/// Lines in which all free text is [`HOSTILE`], and the names too.
pub fn hostile_plan() -> Vec<Action> {
    let name = GuestPath::new(b"/x\x1b[2J\r\xc2\x9b31m\x7f\xff\n|`a`").unwrap();
    let text = || Some(HOSTILE.to_owned());
    let mut link = link_line("web1", "/x", u64::MAX);
    (link.path, link.also, link.note) = (name.clone(), vec![name.clone()], text());
    let mut flag = flag_line(u64::MAX);
    flag.note = text();
    let skips = SkipReason::ALL.iter().map(|reason| {
        Action::Skip(Skip {
            per: text(),
            package: text(),
            rule: text(),
            with: Some(name.clone()),
            note: text(),
            ..Skip::new(guest("web|`2"), name.clone(), *reason)
        })
    });
    let lines = [Action::Link(link), Action::Flag(flag)];
    lines.into_iter().chain(skips).collect()
}

fn header() -> Header {
    Header {
        schema: "urn:unify:schema:plan:1".into(),
        format: FORMAT.into(),
        created: "2026-01-02T03:04:05Z".into(),
        tool: "unify 0.1.0".into(),
        edit: String::new(),
        target: Some(PlanTarget {
            host: String::new(),
            base: BaseFacts {
                path: "/srv/guests/.unify".into(),
                filesystem: "ext4".into(),
                max_links: 65_000,
                objects: 0,
            },
            method: None,
            protection: Some(Protection {
                asked: Protect::Auto,
                mode: Protect::Immutable,
                why: "the flag works here".into(),
            }),
        }),
        policy: Policy {
            min_size: 1,
            ..Policy::default()
        },
        unseen_attributes: Vec::new(),
    }
}

fn planned(name: &str, bytes: u64) -> PlannedGuest {
    PlannedGuest {
        name: guest(name),
        root: format!("/srv/guests/{name}").into(),
        image: None,
        dev: 1,
        ino: 2,
        files: 1500,
        bytes,
        unread: 0,
        running: false,
        running_unknown: None,
        uses_unknown: None,
        flag_clearing: Some(no_flag_clearer()),
        databases: Vec::new(),
        databases_ignored: false,
        left_out: None,
        noticed: Vec::new(),
    }
}

/// Nothing in the guest can take a flag off.
fn no_flag_clearer() -> FlagClearing {
    FlagClearing {
        answer: ClearsFlags::No,
        why: "it drops the capability".into(),
        manager: Some("lxc".into()),
        remedy: None,
    }
}

fn small_summary() -> Summary {
    let count = |files, bytes| Count { files, bytes };
    let skipped = BTreeMap::from([
        ("cache".to_owned(), count(120, 5_000_000)),
        ("config-file".to_owned(), count(1, 3223)),
        ("unique".to_owned(), count(2870, 30_000_000)),
        ("unreadable".to_owned(), count(1, 0)),
    ]);
    Summary {
        totals: Totals {
            links: 3,
            names: 4,
            bytes: 12_000_000,
            saves: 8_000_000,
            objects: 1,
            flags: 1,
            skips: 3,
            reflinks: ReflinkTotals::default(),
        },
        skipped,
        shared: vec![Shared {
            guests: (guest("web1"), guest("web2")),
            files: 1,
            bytes: 4_000_000,
        }],
        near_misses: NearMisses::default(),
        unprotected: UnprotectedSharing::default(),
        same_secrets: Vec::new(),
        more_same_secrets: 0,
        flags_lost: 0,
        without_effect: Vec::new(),
        more_without_effect: 0,
        caveats: Caveats::default(),
        more_shared: 0,
    }
}
