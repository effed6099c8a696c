//! What is tried on scratch files. Each trial has a directory of its own.

use crate::link::{Exchange, Exchanged, Impossible, can_reflink, exchange_names, rehearse};
use crate::model::{Ability, FileId, GuardLevel, Protect, Trial, TriedAbility};
use crate::protect::{self, FlagTest};
use crate::sys::guard::{Heart, is_loaded};
use crate::sys::host::trials;
use crate::sys::own::scratch::Scratch;
use crate::sys::{Dir, Meaning, Regular, SysResult};

/// So many names are given to one file. That is no limit of anything: more take their time, and a plan makes one more
/// object where they do not do.
const MOST_NAMES: u32 = 2_000;

/// Each ability that needs files, in a scratch directory, or why there is none.
pub(super) fn tried(scratch: Result<&Scratch, &Trial>) -> Vec<TriedAbility> {
    let both = scratch.map(|scratch| (scratch.dir(), flag(scratch.dir())));
    let tried = |ability| TriedAbility {
        ability,
        trial: match &both {
            Ok((scratch, flag)) => one(ability, scratch, flag),
            Err(why) => Trial::clone(why),
        },
    };
    Ability::ON_FILES.map(tried).to_vec()
}

fn one(ability: Ability, scratch: &Dir, flag: &[Trial; 2]) -> Trial {
    let room = match room(scratch, ability.code()) {
        Ok(room) => room,
        Err(error) => return trials::failed(&error),
    };
    match ability {
        Ability::GuardMarks => guard(&room),
        Ability::ImmutableFlag => flag[0].clone(),
        Ability::OlderWriters => flag[1].clone(),
        Ability::NamelessFiles => trials::nameless_files(scratch, &room),
        Ability::HardLinks => of(hard_links(&room)),
        Ability::Exchange => of(exchange(&room)),
        // It takes apart itself what it makes.
        Ability::LinkLife => tested(rehearse(&room, 0, false)),
        Ability::Reflink => tested(can_reflink(&room, &room)),
        Ability::Leases => trials::leases(&room),
        Ability::Projects => trials::projects(&room),
        Ability::Verity => trials::verity(&room),
        Ability::OverlayMounts => trials::overlay_mounts(&room),
        _ => trials::no_access_times(&room),
    }
}

fn room(scratch: &Dir, name: &str) -> SysResult<Dir> {
    scratch.make_dir(name.as_bytes())?;
    scratch.open_dir(name.as_bytes())
}

fn of(done: SysResult<Trial>) -> Trial {
    done.unwrap_or_else(|error| trials::failed(&error))
}

/// What is not loaded cannot be tried; what it needs of the file system can.
fn guard(room: &Dir) -> Trial {
    if !is_loaded() {
        return trials::guard_marks(room);
    }
    match protect::by(Protect::Guard).test(room) {
        Ok(FlagTest::Holds | FlagTest::KeepsOutNewcomers) => {
            let level = Heart::open().and_then(|heart| heart.map(|h| h.ability()).transpose());
            Trial::can(format!(
                "the guard denied every change of a marked file; {}",
                with_a_daemon(level.ok().flatten())
            ))
        }
        Ok(FlagTest::Fails(why)) => Trial::cannot(why),
        Ok(FlagTest::NotTried(why)) => Trial::untried(why),
        Err(error) => trials::failed(&error),
    }
}

fn with_a_daemon(level: Option<GuardLevel>) -> &'static str {
    match level {
        Some(GuardLevel::RestartByTaskWork | GuardLevel::RestartBySignal) => {
            "with a daemon a writer waits for a copy of its own"
        }
        Some(GuardLevel::DenyFirst) => "with a daemon a writer is denied once",
        Some(GuardLevel::Immutable) | None => "with a daemon it does so as well",
    }
}

/// The flag, and whether it holds against what had the file open before.
fn flag(scratch: &Dir) -> [Trial; 2] {
    let both = |trial: Trial| [trial.clone(), trial];
    match protect::by(Protect::Immutable).test(scratch) {
        Ok(FlagTest::Holds) => both(Trial::can("")),
        Ok(FlagTest::KeepsOutNewcomers) => [
            Trial::can(""),
            Trial::cannot("what had a file open before the flag goes on writing to it"),
        ],
        Ok(FlagTest::Fails(why)) => both(Trial::cannot(why)),
        Ok(FlagTest::NotTried(why)) => both(Trial::untried(why)),
        Err(error) => both(trials::failed(&error)),
    }
}

fn hard_links(room: &Dir) -> SysResult<Trial> {
    let file = made(room, b"0")?;
    let mut names: u32 = 1;
    let full = loop {
        if names == MOST_NAMES {
            break None;
        }
        match room.link(&file, names.to_string().as_bytes()) {
            Ok(()) => names += 1,
            Err(error) if error.meaning() == Meaning::TooManyLinks => break Some(names),
            Err(error) => return Err(error),
        }
    };
    for name in 0..names {
        room.unlink(name.to_string().as_bytes())?;
    }
    Ok(match full {
        None => Trial::can(format!(
            "{MOST_NAMES} names of one file; more were not tried"
        )),
        Some(names) => Trial::partly(format!("{names} names of one file, and no more")),
    })
}

fn made(room: &Dir, name: &[u8]) -> SysResult<Regular> {
    let file = room.nameless()?;
    room.link(&file, name)?;
    Ok(file)
}

fn exchange(room: &Dir) -> SysResult<Trial> {
    let id = |name: &[u8]| -> SysResult<FileId> { Ok(made(room, name)?.state()?.id) };
    let (put, expected) = (id(b"one")?, id(b"other")?);
    let names = Exchange {
        staging: room,
        staged: b"one",
        parent: room,
        name: b"other",
        put,
        expected,
    };
    let done = exchange_names(&names)?;
    let is_true = done == Exchanged::Done && room.look(b"other")?.id == put;
    Ok(match is_true {
        true => Trial::can(""),
        false => Trial::cannot("names that are exchanged do not change places"),
    })
}

/// What a self-test of the room `link` says.
fn tested(result: Result<(), Impossible>) -> Trial {
    match result {
        Ok(()) => Trial::can(""),
        Err(why) if why.is_want_of_room() => Trial::untried(why.to_string()),
        Err(Impossible::Step { error, what }) => {
            let trial = trials::failed(&error);
            Trial {
                detail: format!("{what}: {}", trial.detail),
                ..trial
            }
        }
        Err(why @ Impossible::Untrue(_)) => Trial::cannot(why.to_string()),
    }
}
