//! The laws themselves. Each gives a line for what breaks it.

use super::source::{Source, block_end, find_word, line_at};

/// A room, and the rooms that it may name.
pub const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("rules", &["model"]),
    ("sys", &["model"]),
    ("scan", &["model", "sys", "rules"]),
    // Its globs are matched by the one matcher of the house, see `packages/globs.rs`.
    ("packages", &["model", "sys", "rules"]),
    ("base", &["model", "sys"]),
    ("link", &["model", "sys"]),
    ("ledger", &["model", "sys"]),
    (
        "engine",
        &[
            "model", "rules", "sys", "scan", "packages", "base", "link", "ledger",
        ],
    ),
    ("report", &["model", "rules"]),
    ("cli", &["model", "rules", "ledger", "engine", "report"]),
];

/// An outside name, and the beginnings of the paths that may say it.
const DOORS: &[(&str, &[&str])] = &[
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("walkdir", &["scan/walk.rs"]),
    ("landlock", &["sys/confine.rs"]),
    ("sha2", &["sys/hash.rs"]),
    ("xxhash_rust", &["sys/hash.rs"]),
    ("globset", &["rules/pattern.rs"]),
    ("serde_json", &["ledger/", "report/"]),
    ("toml", &["ledger/policy_file.rs"]),
    ("nix", &["sys/"]),
    ("rustix", &["sys/"]),
    ("std::fs", &["sys/"]),
    ("std::os", &["sys/"]),
];

const PRINTERS: &[&str] = &["print!", "println!", "eprint!", "eprintln!", "dbg!"];

/// What thought must not know: clock, environment, randomness, files, threads.
const IMPURE: &[&str] = &[
    "SystemTime",
    "Instant",
    "std::env",
    "std::net",
    "std::thread",
    "std::process",
    "thread_rng",
];

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;

/// Every law that one file breaks.
pub fn broken_in(source: &Source) -> Vec<String> {
    let found = [
        imports(source),
        doors(source),
        speech(source),
        hands(source),
        purity(source),
        sizes(source),
    ];
    found.concat()
}

fn at(source: &Source, code: &str, position: usize, law: &str) -> String {
    format!("src/{}:{}: {law}", source.path, line_at(code, position))
}

fn starts_with_one_of(path: &str, beginnings: &[&str]) -> bool {
    beginnings
        .iter()
        .any(|beginning| path.starts_with(beginning))
}

/// Imports go down, by the table; nothing takes everything.
fn imports(source: &Source) -> Vec<String> {
    let code = &source.shipped;
    let room = source.room();
    let allowed = ROOMS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, rooms)| *rooms);
    let mut broken = Vec::new();
    for (position, named) in rooms_named(source) {
        let known = ROOMS.iter().any(|(name, _)| *name == named);
        if named == "*" {
            broken.push(at(
                source,
                code,
                position,
                "takes everything from the crate",
            ));
        } else if known && named != room && allowed.is_some_and(|rooms| !rooms.contains(&&*named)) {
            broken.push(at(
                source,
                code,
                position,
                &format!("{room} may not name {named}"),
            ));
        }
    }
    let unknown_room = allowed.is_none() && !matches!(room, "lib" | "main");
    broken.extend(
        unknown_room.then(|| format!("src/{}: {room} is no room of the house", source.path)),
    );
    broken
}

/// Every module right below the crate that the code names: by `crate::` or by enough `super::`.
fn rooms_named(source: &Source) -> Vec<(usize, String)> {
    let code = &source.shipped;
    let mut named = Vec::new();
    for position in find_word(code, "crate::") {
        named.extend(
            heads(&code[position + "crate::".len()..])
                .into_iter()
                .map(|head| (position, head)),
        );
    }
    for position in find_word(code, "super::") {
        let rest = &code[position..];
        let after = rest.trim_start_matches("super::");
        let climbs = (rest.len() - after.len()) / "super::".len();
        let continues = code[..position].ends_with("super::");
        if !continues && climbs == source.depth() {
            named.extend(heads(after).into_iter().map(|head| (position, head)));
        }
    }
    named
}

/// The first names of what follows `crate::`: one, or all of a group in braces.
fn heads(rest: &str) -> Vec<String> {
    let head = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*'));
        text[..end.unwrap_or(text.len())].to_owned()
    };
    if !rest.starts_with('{') {
        return vec![head(rest)];
    }
    let group = &rest[1..block_end(rest, 0) - 1];
    let mut depth = 0;
    let parts = group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts.map(head).filter(|head| !head.is_empty()).collect()
}

/// One outside crate, one door. Groups such as `std::{fs, io}` are looked into.
fn doors(source: &Source) -> Vec<String> {
    let code = &source.shipped;
    let mut broken = Vec::new();
    for (name, allowed) in DOORS
        .iter()
        .filter(|(_, allowed)| !starts_with_one_of(&source.path, allowed))
    {
        let said =
            find_word(code, name).filter(|n| !name.contains("::") || !code[..*n].ends_with("::"));
        let mut positions: Vec<usize> = said.collect();
        if let Some(part) = name.strip_prefix("std::") {
            let groups = find_word(code, "std::{")
                .filter(|n| heads(&code[n + "std::".len()..]).iter().any(|h| h == part));
            positions.extend(groups);
        }
        let law = format!("this is not the door of {name}: {}", allowed.join(", "));
        broken.extend(positions.into_iter().map(|n| at(source, code, n, &law)));
    }
    broken
}

/// Only `cli` speaks and exits.
fn speech(source: &Source) -> Vec<String> {
    if matches!(source.room(), "cli" | "main") {
        return Vec::new();
    }
    let code = &source.shipped;
    let prints = PRINTERS
        .iter()
        .flat_map(|name| find_word(code, name))
        .map(|n| at(source, code, n, "prints"));
    let streams = ["io::stdout", "io::stderr"]
        .into_iter()
        .flat_map(|name| code.match_indices(name));
    let streams = streams.map(|(n, _)| at(source, code, n, "prints to a stream of the process"));
    let exits = find_word(code, "process::exit").map(|n| at(source, code, n, "exits"));
    prints.chain(streams).chain(exits).collect()
}

/// `unsafe` lives in one file.
fn hands(source: &Source) -> Vec<String> {
    if source.path == "sys/ffi.rs" {
        return Vec::new();
    }
    let code = &source.code;
    let found = find_word(code, "unsafe").chain(find_word(code, "unsafe_code"));
    found
        .map(|n| at(source, code, n, "unsafe outside of src/sys/ffi.rs"))
        .collect()
}

/// Thought has no clock, environment, randomness or I/O.
fn purity(source: &Source) -> Vec<String> {
    if !matches!(source.room(), "model" | "rules") {
        return Vec::new();
    }
    let code = &source.shipped;
    let found = IMPURE
        .iter()
        .flat_map(|name| find_word(code, name).map(move |n| (n, name)));
    found
        .map(|(n, name)| at(source, code, n, &format!("{name} is not pure")))
        .collect()
}

/// A file is about one thing; a function is read at one glance.
pub fn sizes(source: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    if source.lines > LONGEST_FILE {
        broken.push(format!(
            "src/{}: {} lines, at most {LONGEST_FILE}",
            source.path, source.lines
        ));
    }
    let code = &source.code;
    for start in find_word(code, "fn ") {
        let Some(open) = code[start..].find(['{', ';']).map(|n| start + n) else {
            continue;
        };
        if code.as_bytes()[open] == b'{' {
            let lines = line_at(code, block_end(code, open)) - line_at(code, start) + 1;
            if lines > LONGEST_FUNCTION {
                let law = format!("a function of {lines} lines, at most {LONGEST_FUNCTION}");
                broken.push(at(source, code, start, &law));
            }
        }
    }
    broken
}

/// Laws about more than one file: what `sys` exchanges by is one function, and one file of `link` calls it.
pub fn broken_between(sources: &[Source]) -> Vec<String> {
    let makers: Vec<&Source> = sources
        .iter()
        .filter(|s| find_word(&s.shipped, "EXCHANGE").next().is_some())
        .collect();
    let [maker] = &makers[..] else {
        let paths: Vec<_> = makers.iter().map(|s| &*s.path).collect();
        return vec![format!(
            "one file of sys exchanges two names, not {paths:?}"
        )];
    };
    let position = find_word(&maker.shipped, "EXCHANGE").next().unwrap();
    let name = enclosing_function(&maker.shipped, position);
    let call = format!("{name}(");
    let callers = sources
        .iter()
        .filter(|s| s.room() != "sys" && find_word(&s.shipped, &call).next().is_some());
    let callers: Vec<&str> = callers.map(|s| &*s.path).collect();
    let fine = maker.room() == "sys" && matches!(callers[..], [one] if one.starts_with("link/"));
    if fine {
        Vec::new()
    } else {
        vec![format!(
            "sys::{name} has one caller, in link; not {callers:?}"
        )]
    }
}

/// The name of the last function that begins before `position`.
fn enclosing_function(code: &str, position: usize) -> String {
    let start = find_word(&code[..position], "fn ")
        .last()
        .map_or(0, |n| n + "fn ".len());
    let name = code[start..].split(|c: char| !(c.is_alphanumeric() || c == '_'));
    name.map(str::to_owned).next().unwrap_or_default()
}
