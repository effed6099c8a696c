//! What guests or objects depend on is done by one function of `sys`, and one room calls it.

use super::super::reading::{Source, Tree, block_end, body_or_end, find_word, line_at, name_at};
use super::super::{assert_allows, assert_bites_among, assert_kept};

/// What may have one function only.
struct Single {
    /// The word of the kernel's interface by which the function of `sys` is known.
    word: &'static str,
    does: &'static str,
    /// The beginnings of the paths that may call it. At least one must.
    callers: &'static [&'static str],
}

const SINGLES: &[Single] = &[
    Single {
        word: "EXCHANGE",
        does: "exchanges two names of a guest",
        callers: &["link/exchange.rs"],
    },
    Single {
        word: "ioctl_setflags",
        does: "sets the inode flag that protects an object",
        callers: &["protect/"],
    },
];

fn broken(tree: &Tree) -> Vec<String> {
    let shipped: Vec<&Source> = tree.shipped().collect();
    SINGLES
        .iter()
        .flat_map(|single| single.broken(&shipped))
        .collect()
}

impl Single {
    fn broken(&self, sources: &[&Source]) -> Vec<String> {
        let functions: Vec<Function> = sources
            .iter()
            .flat_map(|source| functions_with(source, |code| spots(code, self.word)))
            .collect();
        let [function] = &functions[..] else {
            let places: Vec<_> = functions.iter().map(Function::place).collect();
            return vec![format!("one function {}, not {places:?}", self.does)];
        };
        if function.source.room() != "sys" {
            return vec![format!(
                "{} {}, outside of sys",
                function.place(),
                self.does
            )];
        }
        self.broken_calls(sources, function)
    }

    fn broken_calls(&self, sources: &[&Source], function: &Function) -> Vec<String> {
        let reached = with_wrappers(sources, function);
        let (mut broken, mut is_called) = (Vec::new(), false);
        for source in sources.iter().filter(|source| source.room() != "sys") {
            let may = self
                .callers
                .iter()
                .any(|begin| source.path.starts_with(begin));
            for called in &reached {
                for call in called.calls(&source.shipped) {
                    is_called |= may;
                    let callers = self.callers.join(", ");
                    let law = format!(
                        "{}, which {}, is called by {callers} alone",
                        called.name, self.does
                    );
                    let line = line_at(&source.shipped, call);
                    broken.extend((!may).then(|| source.at(line, &law)));
                }
            }
        }
        let idle = format!(
            "nothing beneath {} calls {}",
            self.callers.join(", "),
            function.name
        );
        broken.extend((!is_called).then_some(idle));
        broken
    }
}

/// A function of `sys`.
#[derive(Clone)]
struct Function<'a> {
    source: &'a Source,
    name: String,
    line: usize,
    is_method: bool,
}

impl Function<'_> {
    fn place(&self) -> String {
        self.source
            .at(self.line, &format!("the function {}", self.name))
    }

    /// Where it is called: a method by a dot or by its type, a free function by its name.
    fn calls(&self, code: &str) -> Vec<usize> {
        let is_call = |n: &usize| {
            let (before, after) = (&code[..*n], &code[n + self.name.len()..]);
            let is_declared = before.ends_with("fn ");
            let of_a_type = before.strip_suffix("::").is_some_and(ends_in_type);
            if self.is_method {
                before.ends_with('.') && after.starts_with('(') || of_a_type
            } else {
                after.starts_with('(') && !before.ends_with('.') && !is_declared
            }
        };
        find_word(code, &self.name).filter(is_call).collect()
    }
}

fn ends_in_type(before: &str) -> bool {
    let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
    before[start.map_or(0, |n| n + 1)..].starts_with(char::is_uppercase)
}

/// The function, and every other of `sys` that calls it: a caller of those calls it too.
fn with_wrappers<'a>(sources: &[&'a Source], function: &Function<'a>) -> Vec<Function<'a>> {
    let mut reached = vec![function.clone()];
    let mut n = 0;
    while let Some(called) = reached.get(n).cloned() {
        for source in sources.iter().filter(|source| source.room() == "sys") {
            let callers = functions_with(source, |code| called.calls(code));
            let new = callers
                .into_iter()
                .filter(|caller| reached.iter().all(|known| known.name != caller.name))
                .collect::<Vec<_>>();
            reached.extend(new);
        }
        n += 1;
    }
    reached
}

/// Where `word` is used, imports left out.
fn spots(code: &str, word: &str) -> Vec<usize> {
    let is_imported = |n: usize| {
        let statement = code[..n].rfind(';').map_or(0, |n| n + 1);
        find_word(&code[statement..n], "use ").next().is_some()
    };
    find_word(code, word).filter(|n| !is_imported(*n)).collect()
}

/// The functions whose bodies hold a position that `found` gives.
fn functions_with(source: &Source, found: impl Fn(&str) -> Vec<usize>) -> Vec<Function<'_>> {
    let code = &source.shipped;
    let positions = found(code);
    let function = |start: usize| {
        let (open, is_block) = body_or_end(code, start);
        let body = open..block_end(code, open);
        let holds = is_block && positions.iter().any(|n| body.contains(n));
        holds.then(|| Function {
            source,
            name: name_at(code, start + "fn ".len()).unwrap_or_default(),
            line: line_at(code, start),
            is_method: find_word(&code[start..open], "self").next().is_some(),
        })
    };
    find_word(code, "fn ").filter_map(function).collect()
}

#[test]
fn one_room_alone_calls_what_it_alone_may_call() {
    assert_kept(&broken(&Tree::read("src")));
}

/// A house in order, in which every fault of the next test is planted.
const HOUSE: &[(&str, &str)] = &[
    (
        "sys/guest/dir.rs",
        "use rustix::fs::{RenameFlags, renameat_with};\n\
         impl Dir { pub fn exchange(&self) { renameat_with(RenameFlags::EXCHANGE) } }",
    ),
    (
        "sys/guest/file.rs",
        "use rustix::fs::ioctl_setflags;\nimpl Regular { pub fn set_immutable(&self, on: bool) { ioctl_setflags(on) } }",
    ),
    ("link/exchange.rs", "fn f(dir: &Dir) { dir.exchange(a, b) }"),
    (
        "protect/immutable.rs",
        "fn lift(file: &Regular) { file.set_immutable(false) }",
    ),
];

#[test]
fn a_second_caller_is_found() {
    let faults = [
        (
            "engine/undoing/mod.rs",
            "\nfn f() { dir.exchange(a, b) }",
            "src/engine/undoing/mod.rs:2: exchange, which exchanges two names of a guest, is called by link/exchange.rs alone",
        ),
        (
            "link/reflink.rs",
            "fn f() { Dir::exchange(dir, a, b) }",
            "link/reflink.rs:1: exchange",
        ),
        (
            "sys/guest/view.rs",
            "fn second() { g(RenameFlags::EXCHANGE) }",
            "one function exchanges two names of a guest",
        ),
        (
            "engine/gc.rs",
            "fn f() { file.set_immutable(false) }",
            "src/engine/gc.rs:1: set_immutable, which sets the inode flag",
        ),
        (
            "base/make.rs",
            "fn f() { files.try_for_each(Regular::set_immutable) }",
            "src/base/make.rs:1: set_immutable",
        ),
        (
            "engine/gc.rs",
            "fn f() { ioctl_setflags(flags) }",
            "one function sets the inode flag",
        ),
    ];
    for (path, text, wanted) in faults {
        assert_bites_among(broken, &[HOUSE, &[(path, text)]].concat(), wanted);
    }
}

#[test]
fn a_way_round_within_sys_is_found() {
    let wrapper = (
        "sys/guest/content.rs",
        "impl Content { pub fn unprotect(&self) { self.file.set_immutable(false) } }",
    );
    let caller = ("engine/gc.rs", "fn f() { content.unprotect() }");
    assert_allows(broken, &[HOUSE, &[wrapper]].concat());
    assert_bites_among(broken, &[HOUSE, &[wrapper, caller]].concat(), "unprotect");
}

#[test]
fn what_nobody_calls_is_found() {
    assert_bites_among(
        broken,
        &HOUSE[..3],
        "nothing beneath protect/ calls set_immutable",
    );
}

#[test]
fn other_things_of_the_same_name_are_no_fault() {
    let fine = [
        (
            "engine/applying/mod.rs",
            "use crate::link::exchange;\nfn f() { exchange(a, b) }",
        ),
        (
            "engine/applying/mod.rs",
            "fn f() { link::exchange::exchange(a, b) }",
        ),
        (
            "engine/applying/mod.rs",
            "fn f() { atomic.compare_exchange(a, b) }",
        ),
        (
            "engine/mod.rs",
            "mod exchange;\nfn f() { file.is_immutable() }",
        ),
    ];
    for file in fine {
        assert_allows(broken, &[HOUSE, &[file]].concat());
    }
}
