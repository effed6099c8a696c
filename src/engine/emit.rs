//! The lines of one guest, in the order of its names.

use std::io;
use std::iter::Peekable;

use super::choices::Choices;
use super::classify::{Classified, Decision};
use super::survey::Survey;
use crate::model::{
    Action, Before, Flag, FlagReason, GuestPath, Link, LinkReason, Method, ObjectId, Skip,
    SkipDetail, SkipReason,
};
use crate::rules::choose::Choice;

/// Hands out every line of a guest.
pub(super) fn emit_guest(
    survey: &Survey,
    judged: &Classified,
    choices: &mut Choices,
    detail: SkipDetail,
    out: &mut dyn FnMut(Action) -> io::Result<()>,
) -> io::Result<()> {
    let mut extra = judged.extra.iter().peekable();
    for name in 0..survey.scan.tree.names() {
        let path = survey.scan.tree.guest_path(name);
        emit_extra(&mut extra, Some(&path), out)?;
        emit_name(survey, judged, choices, detail, name, &path, out)?;
    }
    emit_extra(&mut extra, None, out)
}

/// Lines about directories that come before `path`; all that are left for `None`.
fn emit_extra<'a>(
    extra: &mut Peekable<impl Iterator<Item = &'a Skip>>,
    path: Option<&GuestPath>,
    out: &mut dyn FnMut(Action) -> io::Result<()>,
) -> io::Result<()> {
    while let Some(skip) = extra.next_if(|skip| path.is_none() || skip.path.as_ref() < path) {
        out(Action::Skip(skip.clone()))?;
    }
    Ok(())
}

fn emit_name(
    survey: &Survey,
    judged: &Classified,
    choices: &mut Choices,
    detail: SkipDetail,
    name: usize,
    path: &GuestPath,
    out: &mut dyn FnMut(Action) -> io::Result<()>,
) -> io::Result<()> {
    let tree = &survey.scan.tree;
    let file = tree.file_of(name);
    let plain = |reason| {
        let mut skip = Skip::new(survey.guest.name.clone(), path.clone(), reason);
        skip.size = Some(tree.state(file).size);
        skip
    };
    match judged.decisions[file] {
        Decision::Listed => judged
            .lines
            .get(&name)
            .map_or(Ok(()), |skip| out(Action::Skip(skip.clone()))),
        Decision::Shared(object) => {
            out(Action::Skip(Skip {
                object: Some(object),
                ..plain(SkipReason::AlreadyShared)
            }))?;
            emit_flag(choices, object, out)
        }
        Decision::Counted(reason) if detail == SkipDetail::All => out(Action::Skip(plain(reason))),
        Decision::Linked { group, choice } if tree.is_first(name) => {
            let Some(link) = link(survey, file, path.clone(), choices, group, choice) else {
                return Ok(());
            };
            let object = link.object;
            out(Action::Link(link))?;
            emit_flag(choices, object, out)
        }
        Decision::Candidate | Decision::Counted(_) | Decision::Linked { .. } => Ok(()),
    }
}

/// The flag line of an object stands behind the first line that names it.
fn emit_flag(
    choices: &mut Choices,
    object: ObjectId,
    out: &mut dyn FnMut(Action) -> io::Result<()>,
) -> io::Result<()> {
    let Some(names) = choices.flag_due(&object) else {
        return Ok(());
    };
    let (set, reason) = (choices.flags.clone(), FlagReason::ProtectShared);
    out(Action::Flag(Flag {
        object,
        set,
        names,
        reason,
        note: None,
    }))
}

fn link(
    survey: &Survey,
    file: usize,
    path: GuestPath,
    choices: &Choices,
    group: u32,
    choice: Choice,
) -> Option<Link> {
    let tree = &survey.scan.tree;
    let state = tree.state(file);
    Some(Link {
        guest: survey.guest.name.clone(),
        path,
        also: tree
            .names_of(file)
            .skip(1)
            .map(|name| tree.guest_path(name))
            .collect(),
        method: Method::Hardlink,
        object: choices.object(group, choice)?,
        makes: choice.makes,
        size: state.size,
        saves: if choice.makes.is_some() {
            0
        } else {
            state.allocated()
        },
        reason: if choices.was_there(group, choice) {
            LinkReason::IdenticalObject
        } else {
            LinkReason::Identical
        },
        owner: survey.owner(file),
        before: Before::from(state),
        note: None,
    })
}
