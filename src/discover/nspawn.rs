//! systemd-nspawn: `NAME.nspawn`, where NAME is that of the machine, which is the directory's.
//!
//! The first file that exists is the only one that counts: in `/etc`, in `/run`, beside the machine. The one beside the
//! machine may take from a guest and give nothing: `DropCapability=` counts there, `Capability=` and `PrivateUsers=` do
//! not (`systemd.nspawn(5)`). Without any file a machine keeps `CAP_LINUX_IMMUTABLE`; the unit
//! `systemd-nspawn@.service` would put it into a user namespace, who starts it by hand would not.

use std::path::{Path, PathBuf};

use super::answer::{Manager, shown};
use super::host::HostFiles;
use super::places::ManagerPlaces;
use crate::model::FlagClearing;

const NSPAWN: Manager = Manager("systemd-nspawn");

/// What a file says that matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NspawnSettings {
    /// Is the capability dropped? Whatever else is said, that wins.
    pub drops: bool,
    pub users: NspawnUsers,
}

/// The last `PrivateUsers=`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum NspawnUsers {
    /// None, or off.
    #[default]
    OfHost,
    /// A user namespace.
    Private,
    /// A word that is not known here.
    NotKnown(String),
}

/// What systemd-nspawn would start, if it knows this directory.
pub(super) fn ask(files: &HostFiles, places: &ManagerPlaces, root: &Path) -> Option<FlagClearing> {
    let file_name = format!("{}.nspawn", root.file_name()?.to_str()?);
    let parent = root.parent()?;
    let believed = places
        .nspawn
        .iter()
        .map(|place| (place.join(&file_name), true));
    let candidates = believed.chain([(parent.join(&file_name), false)]);
    for (path, is_believed) in candidates {
        match files.text(&path) {
            Ok(None) => {}
            Ok(Some(text)) => return Some(judge(&path, &parse(&text), is_believed)),
            Err(why) => return Some(NSPAWN.unknown(why)),
        }
    }
    let is_machine = files.leads_to(&places.machines, parent);
    is_machine.then(|| without_a_file(places, &file_name))
}

fn judge(path: &Path, said: &NspawnSettings, is_believed: bool) -> FlagClearing {
    let file = shown(path);
    if said.drops {
        return NSPAWN.no(format!("{file} drops CAP_LINUX_IMMUTABLE"));
    }
    let keeps = "systemd-nspawn keeps CAP_LINUX_IMMUTABLE";
    match &said.users {
        NspawnUsers::Private if is_believed => {
            NSPAWN.no(format!("{file} gives it a user namespace (PrivateUsers=)"))
        }
        NspawnUsers::NotKnown(word) if is_believed => {
            NSPAWN.unknown(format!("{file} says PrivateUsers={word}"))
        }
        NspawnUsers::OfHost => {
            NSPAWN.yes(format!("{keeps}, and {file} does not drop it"), line(path))
        }
        _ => NSPAWN.yes(
            format!(
                "{keeps}, and believes PrivateUsers= in /etc/systemd/nspawn alone, not in {file}"
            ),
            line(path),
        ),
    }
}

fn without_a_file(places: &ManagerPlaces, file_name: &str) -> FlagClearing {
    let place = places.nspawn.first().cloned().unwrap_or_else(PathBuf::new);
    let path = place.join(file_name);
    let why =
        format!("systemd-nspawn keeps CAP_LINUX_IMMUTABLE, and there is no {file_name} to drop it");
    NSPAWN.yes(why, line(&path))
}

fn line(path: &Path) -> String {
    format!(
        "write DropCapability=CAP_LINUX_IMMUTABLE under [Exec] in {}",
        shown(path)
    )
}

/// Reads the text as systemd does: a line that ends with a backslash goes on in the next.
pub(super) fn parse(text: &str) -> NspawnSettings {
    let mut said = NspawnSettings::default();
    let mut is_exec = false;
    for line in whole_lines(text) {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            is_exec = section.strip_suffix(']') == Some("Exec");
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_exec) {
            match key.trim_end() {
                "DropCapability" => said.drops |= value.split_ascii_whitespace().any(is_dropped),
                "PrivateUsers" => said.users = users(value.trim()).unwrap_or(said.users),
                _ => {}
            }
        }
    }
    said
}

fn whole_lines(text: &str) -> Vec<String> {
    let (mut lines, mut open) = (Vec::new(), String::new());
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with(['#', ';']);
        match line.strip_suffix('\\') {
            _ if is_comment => {}
            Some(begun) => {
                open.push_str(begun);
                open.push(' ');
            }
            None => lines.push(std::mem::take(&mut open) + line),
        }
    }
    lines.push(open);
    lines
}

fn is_dropped(capability: &str) -> bool {
    capability == "all" || capability.eq_ignore_ascii_case("CAP_LINUX_IMMUTABLE")
}

/// What the value means; `None` where systemd ignores it.
fn users(value: &str) -> Option<NspawnUsers> {
    let lower = value.to_ascii_lowercase();
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    Some(match lower.as_str() {
        "" => return None,
        "no" | "n" | "false" | "f" | "off" | "0" => NspawnUsers::OfHost,
        "yes" | "y" | "true" | "t" | "on" | "1" => NspawnUsers::Private,
        _ if matches!(value, "pick" | "identity") => NspawnUsers::Private,
        _ if value.split(':').all(is_number) => NspawnUsers::Private,
        _ => NspawnUsers::NotKnown(value.chars().filter(|c| !c.is_control()).take(40).collect()),
    })
}
