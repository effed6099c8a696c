//! A small plan with one line of every kind, and the strategies for random lines.

use proptest::prelude::*;

use crate::ledger::plan::line::Decoded;
use crate::ledger::{Closing, Encoded, Form, PlanError, PlanReader, PlanWriter};
use crate::model::*;

pub fn guest(name: &str) -> GuestName {
    GuestName::new(name).unwrap()
}

pub fn path(bytes: &[u8]) -> GuestPath {
    GuestPath::new(bytes).unwrap()
}

pub fn object(byte: u8) -> ObjectId {
    ObjectId {
        content: Digest([byte; 32]),
        metadata: MetadataDigest([byte; 16]),
        generation: 0,
    }
}

pub fn time(sec: i64) -> Time {
    Time {
        sec,
        nsec: 120_000_000,
    }
}

pub fn link(owner: &str, name: &[u8]) -> Link {
    Link {
        guest: guest(owner),
        path: path(name),
        also: Vec::new(),
        object: object(0x5b),
        makes: None,
        size: 3_970_312,
        saves: 3_973_120,
        reason: LinkReason::Identical,
        owner: None,
        before: Some(Before {
            dev: 64768,
            ino: u64::MAX,
            nlink: 1,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 3_970_312,
            mtime: time(-2),
            ctime: time(1_763_600_000),
        }),
        note: None,
    }
}

pub fn flag() -> Flag {
    Flag {
        object: object(0x5b),
        set: vec![ObjectFlag::Immutable],
        names: 4,
        reason: FlagReason::ProtectShared,
        note: None,
    }
}

pub fn beneath(guest: GuestName, top: GuestPath, files: u64) -> Left {
    Left::Beneath {
        guest,
        top,
        files,
        bytes: 1234,
    }
}

/// One action of every kind, in order.
pub fn actions() -> Vec<Action> {
    let config = Skip {
        per: Some("ucf".into()),
        package: Some("openssh-server".into()),
        ..Skip::new(
            guest("web1"),
            path(b"/etc/ssh/sshd_config"),
            SkipReason::ConfigFile,
        )
        .sized(3223)
    };
    let cache = Skip {
        rule: Some("/var/cache/**".into()),
        with: Some(path(b"/etc/\xff")),
        note: Some("a \u{9b}note\n".into()),
        ..Skip::of(
            beneath(guest("web2"), path(b"/var/cache"), 7),
            SkipReason::Cache,
        )
    };
    let makes = Link {
        makes: Some(Making::Copy),
        also: vec![path(b"/usr/bin/perl\xff"), path(b"/usr/bin/perl5")],
        saves: 0,
        ..link("web1", b"/usr/bin/perl")
    };
    vec![
        Action::Skip(config),
        Action::Link(Link {
            also: {
                let mut also = makes.also.clone();
                also.sort();
                also
            },
            ..makes
        }),
        Action::Flag(flag()),
        Action::Link(link("web2", b"/bin/\xc3\x28")),
        Action::Link(link("web2", b"/usr/bin/perl")),
        Action::Skip(cache),
    ]
}

pub fn header() -> Header {
    Header {
        schema: "urn:unify:schema:plan:1".into(),
        format: FORMAT.into(),
        created: "2026-01-01T00:00:00Z".into(),
        tool: "unify 0.1.0".into(),
        edit: "delete a line, or turn link or flag into skip".into(),
        target: Some(PlanTarget {
            host: "0123".into(),
            base: BaseFacts {
                path: "/srv/guests/.unify".into(),
                filesystem: "ext4".into(),
                max_links: 65_000,
                objects: 3,
            },
            method: None,
            protection: Some(Protection {
                asked: Protect::Auto,
                mode: Protect::Immutable,
                why: "the flag works here".into(),
            }),
        }),
        policy: Policy {
            ignore: vec![Ignored::Mtime],
            min_size: 1,
            allow: vec![SkipReason::Privileged],
            patterns: vec![Pattern {
                kind: PatternKind::Exclude,
                glob: "/opt/**".into(),
                guest: None,
                star_crosses_slash: false,
                from: "--exclude".into(),
            }],
            objects: Objects::Copy,
            ..Policy::default()
        },
        unseen_attributes: Vec::new(),
    }
}

pub fn guests() -> Vec<PlannedGuest> {
    let planned = |name: &str| PlannedGuest {
        name: guest(name),
        image: None,
        root: format!("/srv/guests/{name}").into(),
        dev: 64768,
        ino: 12,
        files: 10,
        bytes: 1000,
        unread: 0,
        running: false,
        running_unknown: None,
        uses_unknown: None,
        flag_clearing: None,
        databases_ignored: false,
        databases: vec![Database {
            manager: "dpkg".into(),
            state: DatabaseState::Damaged,
            packages: 1,
            config_files: 2,
            problem: Some("status, line 3".into()),
        }],
        left_out: (name == "web2").then(|| "no dpkg".into()),
        noticed: Vec::new(),
    };
    vec![planned("web1"), planned("web2")]
}

pub fn summary() -> Summary {
    let count = Count {
        files: 1,
        bytes: 3223,
    };
    Summary {
        more_same_secrets: 2,
        flags_lost: 5,
        without_effect: Vec::new(),
        more_without_effect: 0,
        caveats: Caveats {
            shared_blocks: 4096,
            unsure: 8192,
            copied: 12288,
            unused_objects: 16384,
        },
        more_shared: 3,
        totals: Totals {
            links: 3,
            names: 5,
            bytes: 3 * 3_970_312,
            saves: 2 * 3_973_120,
            objects: 1,
            flags: 1,
            skips: 2,
            reflinks: ReflinkTotals::default(),
        },
        skipped: [("config-file".to_owned(), count)].into(),
        shared: vec![Shared {
            guests: (guest("web1"), guest("web2")),
            files: 1,
            bytes: 3_970_312,
        }],
        near_misses: near_misses(),
        unprotected: unprotected(),
        same_secrets: same_secrets(),
    }
}

/// The sample plan as text.
pub fn plan(form: Form) -> String {
    write(form, &actions())
}

pub fn write(form: Form, actions: &[Action]) -> String {
    write_with(form, &header(), &guests(), actions)
}

pub fn write_with(
    form: Form,
    header: &Header,
    guests: &[PlannedGuest],
    actions: &[Action],
) -> String {
    let mut out = Vec::new();
    let mut writer = PlanWriter::new(&mut out, form, header, guests).unwrap();
    for some in actions.chunks(2) {
        writer.actions(Encoded::new(form, some).unwrap()).unwrap();
    }
    writer.finish(&summary()).unwrap();
    String::from_utf8(out).unwrap()
}

/// Everything that a plan holds.
#[derive(Debug)]
pub struct Read {
    pub header: Header,
    pub guests: Vec<PlannedGuest>,
    pub lines: Vec<(u64, Decoded)>,
    pub closing: Closing,
}

impl Read {
    pub fn actions(&self) -> Vec<Action> {
        self.lines
            .iter()
            .map(|(_, decoded)| decoded.action.clone())
            .collect()
    }
}

pub fn read(text: impl AsRef<[u8]>) -> Result<Read, PlanError> {
    let mut reader = PlanReader::open(text.as_ref())?;
    let (header, guests) = (reader.header().clone(), reader.guests().to_vec());
    let mut lines = Vec::new();
    while let Some(line) = reader.next_action()? {
        lines.push(line);
    }
    let closing = reader.finish()?;
    Ok(Read {
        header,
        guests,
        lines,
        closing,
    })
}

/// Paths of any bytes that a path may have.
pub fn any_path() -> impl Strategy<Value = GuestPath> {
    let component = prop::collection::vec(any::<u8>(), 1..20);
    prop::collection::vec(component, 1..4).prop_filter_map("not a path", |components| {
        GuestPath::new(&[&b"/"[..], &components.join(&b'/')].concat()).ok()
    })
}

/// Any time.
pub fn any_time() -> impl Strategy<Value = Time> {
    (any::<i64>(), 0..1_000_000_000u32).prop_map(|(sec, nsec)| Time { sec, nsec })
}

/// Links of any names, numbers and notes.
pub fn any_link() -> impl Strategy<Value = Link> {
    let names = prop::collection::btree_set(any_path(), 1..4);
    let numbers = any::<(u64, u64, u64, u64, u32, u32, u32)>();
    let times = (any_time(), any_time());
    let making = prop::option::of(prop_oneof![Just(Making::Copy), Just(Making::Adopt)]);
    (
        names,
        numbers,
        times,
        making,
        any::<Option<String>>(),
        any::<u8>(),
    )
        .prop_map(
            |(
                names,
                (dev, ino, size, saves, nlink, uid, gid),
                (mtime, ctime),
                makes,
                note,
                byte,
            )| {
                let mut names = names.into_iter();
                let base = link("web1", names.next().unwrap().as_bytes());
                Link {
                    also: names.collect(),
                    object: object(byte),
                    makes,
                    size,
                    saves,
                    note,
                    before: Some(Before {
                        dev,
                        ino,
                        nlink,
                        mode: uid & 0o7777,
                        uid,
                        gid,
                        size,
                        mtime,
                        ctime,
                    }),
                    ..base
                }
            },
        )
}

fn unprotected() -> UnprotectedSharing {
    let count = |files| Count { files, bytes: 4096 };
    UnprotectedSharing {
        all: count(3),
        taken: count(1),
        outside: count(1),
        guests: vec![SharedBy {
            guests: vec![guest("web1"), guest("web2")],
            files: 3,
            bytes: 4096,
        }],
        more_guests: 1,
        staying: vec!["web1:/etc/x".into()],
        immutable: count(2),
        bases: vec!["/srv/other/.unify".into()],
    }
}

fn near_misses() -> NearMisses {
    let count = Count {
        files: 2,
        bytes: 8192,
    };
    NearMisses {
        all: count,
        by: [("mtime".to_owned(), count)].into(),
        listed: vec![NearMiss {
            files: ("web1:/usr/a".into(), "web2:/usr/a".into()),
            differs: vec![Moved::Mtime],
            bytes: 4096,
        }],
        shifted: vec![Shift {
            guests: (guest("web1"), guest("web2")),
            uid: 100_000,
            gid: -100_000,
            count,
        }],
    }
}

fn same_secrets() -> Vec<SameSecret> {
    vec![SameSecret {
        more: 0,
        files: vec!["web1:/etc/machine-id".into(), "web2:/etc/machine-id".into()],
    }]
}
