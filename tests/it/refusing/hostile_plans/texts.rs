//! Texts that are no plan, or too much of one.

use std::io::Write;

use super::{Draft, Hostile, Yard};

/// A text, how it is made of a real plan, and the exit codes that `apply` may give.
pub type Text = (&'static str, fn(&Yard) -> Hostile, &'static [i32]);

/// Refused as a plan.
const NO: &[i32] = &[5];

/// Refused as a plan, or could not be read.
const BAD: &[i32] = &[1, 5];

/// Not a file at all.
const UNREAD: &[i32] = &[1];

fn plan(yard: &Yard) -> Draft {
    Draft::of(&yard.plan)
}

/// The plan with text in front of the actions.
fn in_front(yard: &Yard, text: &[u8]) -> Hostile {
    let at = yard.plan.find("{\"action\"").unwrap();
    let plan = yard.plan.as_bytes();
    [&plan[..at], text, &plan[at..]].concat().into()
}

/// `start`, a hole of 200 MB that reads as NUL bytes, `end`.
fn in_a_hole(yard: &Yard, start: &str, end: &str) -> Hostile {
    let path = yard.lab.path("hole.json");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(start.as_bytes()).unwrap();
    file.set_len(200_000_000).unwrap();
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    file.write_all(end.as_bytes()).unwrap();
    Hostile::At(path)
}

/// 8 GiB of this byte after `start`, in less than a megabyte: 128 times a frame of 64 MiB.
fn bomb(start: &[u8], byte: u8) -> Hostile {
    let frame = zstd::encode_all(&vec![byte; 64 << 20][..], 1).unwrap();
    let start = zstd::encode_all(start, 1).unwrap();
    [start, frame.repeat(128)].concat().into()
}

fn packed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

pub const TEXTS: &[Text] = &[
    ("an empty file", |_| Vec::new().into(), NO),
    ("only `{`", |_| b"{".to_vec().into(), NO),
    ("only `{}`", |_| b"{}".to_vec().into(), NO),
    ("an array", |yard| format!("[{}]", yard.plan).into(), NO),
    ("100,000 brackets", |_| vec![b'['; 100_000].into(), NO),
    (
        "100,000 braces in the head",
        |_| b"{\"a\":".repeat(100_000).into(),
        NO,
    ),
    (
        "100,000 brackets in the actions",
        |yard| in_front(yard, &vec![b'['; 100_000]),
        NO,
    ),
    (
        "100,000 brackets in a line",
        |yard| in_front(yard, &[&b"{\"action\":"[..], &vec![b'['; 100_000]].concat()),
        NO,
    ),
    ("a line of 200 MB", |yard| in_a_hole(yard, "{\"", "\"}"), NO),
    (
        "a line of 200 MB in the actions",
        |yard| {
            let at = yard.plan.find("{\"action\"").unwrap();
            let (start, end) = yard.plan.split_at(at);
            in_a_hole(
                yard,
                &format!("{start}{{\"action\":\"link\",\"note\":\""),
                &format!("\"}},\n{end}"),
            )
        },
        NO,
    ),
    (
        "a million lines of junk",
        |_| b"junk\n".repeat(1_000_000).into(),
        NO,
    ),
    (
        "a million lines of junk in the actions",
        |yard| in_front(yard, &b"{\"action\":\"junk\"},\n".repeat(1_000_000)),
        NO,
    ),
    (
        "a million keys",
        |yard| {
            let junk: String = (0..1_000_000).map(|n| format!("\"k{n}\":0,")).collect();
            yard.plan.replacen('{', &format!("{{{junk}"), 1).into()
        },
        NO,
    ),
    (
        "a million empty lines in the actions",
        |yard| in_front(yard, &b"\n".repeat(1_000_000)),
        &[0],
    ),
    (
        "text behind the end",
        |yard| format!("{}x", yard.plan).into(),
        NO,
    ),
    ("two plans", |yard| yard.plan.repeat(2).into(), NO),
    (
        "a plan and NUL bytes",
        |yard| format!("{}\0\0", yard.plan).into(),
        NO,
    ),
    (
        "a byte order mark",
        |yard| format!("\u{feff}{}", yard.plan).into(),
        NO,
    ),
    ("CRLF", |yard| yard.plan.replace('\n', "\r\n").into(), &[0]),
    (
        "UTF-16",
        |yard| {
            let wide = yard.plan.encode_utf16().flat_map(u16::to_le_bytes);
            [0xff, 0xfe]
                .into_iter()
                .chain(wide)
                .collect::<Vec<u8>>()
                .into()
        },
        NO,
    ),
    (
        "not UTF-8",
        |yard| {
            let mut bytes = yard.plan.clone().into_bytes();
            let at = yard.plan.find("/usr/b\"").unwrap();
            bytes[at + 5] = 0xe9;
            bytes.into()
        },
        NO,
    ),
    (
        "a head of JSON Lines and the body of a document",
        |yard| {
            let lines = plan(yard).json_lines();
            let at = yard.plan.find("\"guests\": [").unwrap();
            format!(
                "{}{{{}",
                &lines[..=lines.find('\n').unwrap()],
                &yard.plan[at..]
            )
            .into()
        },
        NO,
    ),
    (
        "the head of a document and JSON Lines",
        |yard| {
            let lines = plan(yard).json_lines();
            let at = yard.plan.find("\"guests\": [").unwrap();
            format!(
                "{}{}",
                &yard.plan[..at],
                &lines[lines.find('\n').unwrap()..]
            )
            .into()
        },
        NO,
    ),
    (
        "JSON Lines with a second head",
        |yard| {
            let lines = plan(yard).json_lines();
            format!("{}{lines}", &lines[..=lines.find('\n').unwrap()]).into()
        },
        NO,
    ),
    ("a bomb: 8 GiB of zeros", |_| bomb(b"", 0), NO),
    (
        "a bomb: 8 GiB in a string",
        |_| bomb(b"{\"kind\": \"", b'x'),
        NO,
    ),
    ("a bomb: 8 GiB of spaces", |_| bomb(b"", b' '), NO),
    ("a bomb: 8 GiB of empty lines", |_| bomb(b"{", b'\n'), NO),
    (
        "compressed and cut off",
        |yard| {
            let packed = packed(&yard.plan);
            packed[..packed.len() / 2].to_vec().into()
        },
        BAD,
    ),
    (
        "compressed, and its last byte is missing",
        |yard| {
            let packed = packed(&yard.plan);
            packed[..packed.len() - 1].to_vec().into()
        },
        BAD,
    ),
    (
        "compressed twice",
        |yard| zstd::encode_all(&packed(&yard.plan)[..], 3).unwrap().into(),
        NO,
    ),
    (
        "not compressed, by a name that says so",
        |yard| {
            let path = yard.lab.path("plan.zst.json");
            std::fs::write(&path, "these are words").unwrap();
            Hostile::At(path)
        },
        NO,
    ),
    (
        "the beginning of a compressed file, and nothing",
        |_| vec![0x28, 0xb5, 0x2f, 0xfd].into(),
        BAD,
    ),
    (
        "no file",
        |yard| Hostile::At(yard.lab.path("none.json")),
        UNREAD,
    ),
    ("/dev/null", |_| Hostile::At("/dev/null".into()), UNREAD),
    ("/dev/zero", |_| Hostile::At("/dev/zero".into()), UNREAD),
    ("a directory", |yard| Hostile::At(yard.lab.guests()), UNREAD),
    ("a FIFO", |yard| Hostile::At(yard.lab.path("fifo")), UNREAD),
    ("standard input at its end", |_| Hostile::At("-".into()), NO),
];
