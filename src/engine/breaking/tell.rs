//! What a daemon says of a write: a line for people, and one for the base's own record.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::denials::Denials;
use super::line::asker::Asker;
use super::request::WriterAsked;
use crate::base::Base;
use crate::engine::records::writers::object_names::ObjectNames;
use crate::engine::records::writers::writes_met;
use crate::model::{
    DeniedOnce, Escaped, FileUsed, GuestName, GuestPath, ObjectId, UsesMet, WriteMet,
};
use crate::sys::guard::{WriteKind, WriteRequest};
use crate::sys::host::machine;

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WriteTold {
    /// Nothing that anybody should know.
    Nothing,
    /// These names have a file of their own, or were denied.
    About {
        guest: Option<GuestName>,
        paths: Vec<GuestPath>,
        object: Option<ObjectId>,
        bytes: u64,
        denied: Option<String>,
    },
}

impl WriteTold {
    pub fn denied(object: Option<ObjectId>, why: &str) -> WriteTold {
        WriteTold::About {
            guest: None,
            paths: Vec::new(),
            object,
            bytes: 0,
            denied: Some(why.to_owned()),
        }
    }

    /// Had the guest one file on the object, as far as is known? Of two nobody can tell which one a process uses.
    pub fn is_of_the_only_file(&self, names: &ObjectNames) -> bool {
        let WriteTold::About {
            guest: Some(guest),
            object: Some(object),
            ..
        } = self
        else {
            return false;
        };
        let is_its = |at: usize| {
            names
                .guests()
                .get(at)
                .is_some_and(|(name, _)| name == guest)
        };
        let files = names.files(object);
        files.is_ok_and(|files| files.iter().filter(|file| is_its(file.guest)).count() <= 1)
    }

    pub fn of(
        guest: &GuestName,
        paths: &[GuestPath],
        object: ObjectId,
        denied: Option<String>,
        bytes: u64,
    ) -> WriteTold {
        WriteTold::About {
            guest: Some(guest.clone()),
            paths: paths.to_vec(),
            object: Some(object),
            bytes,
            denied,
        }
    }
}

/// Who says it.
pub(super) struct Tellers<'a> {
    say: &'a (dyn Fn(&str) + Sync),
    denials: Mutex<Denials>,
}

impl<'a> Tellers<'a> {
    pub fn new(say: &'a (dyn Fn(&str) + Sync)) -> Tellers<'a> {
        Tellers {
            say,
            denials: Mutex::default(),
        }
    }

    /// One line, which is safe to print.
    pub fn say(&self, line: &str) {
        (self.say)(line);
    }

    /// Says what came of it, and records it.
    pub fn tell(&self, base: &Base, asked: &WriterAsked, told: &WriteTold, took: Duration) {
        let WriteTold::About {
            guest,
            paths,
            object,
            bytes,
            denied,
        } = told
        else {
            return;
        };
        if denied.is_some() && !self.may_tell_denial(asked.asker, guest.as_ref()) {
            return;
        }
        let request = &asked.request;
        let once = asked.once.filter(|_| denied.is_none());
        self.say(&format!("{}{}", line(request, told, took), before(once)));
        let met = WriteMet {
            at: machine::now(),
            guest: guest.clone(),
            path: paths.first().cloned(),
            names: paths.len() as u64,
            object: *object,
            by: code(request.by).to_owned(),
            command: request.command.clone(),
            process: request.process,
            bytes: *bytes,
            micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            denied: denied.clone(),
            once,
        };
        if let Err(error) = writes_met::record(base, &met) {
            self.say(&format!("not recorded: {error}"));
        }
    }

    /// Says and records how files were used as their guest wrote to them.
    pub fn tell_uses(&self, base: &Base, met: &UsesMet) {
        for file in &met.used {
            self.say(&uses_line(met, file));
        }
        if let Err(error) = writes_met::record_uses(base, met) {
            self.say(&format!("not recorded: {error}"));
        }
    }

    /// A write that no base has looked at: there is nowhere to record it.
    pub fn lone(&self, request: &WriteRequest, asker: Asker, why: &str) {
        if self.may_tell_denial(asker, None) {
            let told = WriteTold::denied(None, why);
            self.say(&line(request, &told, Duration::ZERO));
        }
    }

    /// Says how many denials were not told, where that is due.
    pub fn tell_left_out(&self) {
        let due = self.denials().left_out(Instant::now());
        due.iter().for_each(|line| self.say(line));
    }

    fn may_tell_denial(&self, asker: Asker, guest: Option<&GuestName>) -> bool {
        self.tell_left_out();
        self.denials().may_tell(asker, guest, Instant::now())
    }

    fn denials(&self) -> MutexGuard<'_, Denials> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of a copy that came after its write.
fn before(once: Option<DeniedOnce>) -> &'static str {
    match once {
        None => "",
        Some(DeniedOnce::Traced) => "; it was denied once, and its process is traced",
        Some(DeniedOnce::Other) => "; it was denied once, as it could not wait",
    }
}

fn code(by: WriteKind) -> &'static str {
    match by {
        WriteKind::Open => "open",
        WriteKind::Attributes => "attributes",
        WriteKind::SetXattr => "set-xattr",
        WriteKind::RemoveXattr => "remove-xattr",
        WriteKind::SetAcl => "set-acl",
        WriteKind::RemoveAcl => "remove-acl",
        WriteKind::FileAttributes => "file-attributes",
        WriteKind::Ioctl => "ioctl",
    }
}

fn uses_line(met: &UsesMet, file: &FileUsed) -> String {
    let uses = file.uses.iter().map(|(used, by)| {
        let by = Escaped(by.as_bytes());
        format!("{} ({by})", used.reason().code())
    });
    let (guest, path, uses) = (&met.guest, &file.path, uses.collect::<Vec<_>>().join(", "));
    format!("{guest}:{path}: in use as it was written to, which no copy hides: {uses}")
}

fn line(request: &WriteRequest, told: &WriteTold, took: Duration) -> String {
    let WriteTold::About {
        guest,
        paths,
        bytes,
        denied,
        ..
    } = told
    else {
        return String::new();
    };
    let mut line = match guest {
        Some(guest) => format!("{guest}:"),
        None => "no guest: ".to_owned(),
    };
    match paths.split_first() {
        Some((first, [])) => drop(write!(line, "{first}")),
        Some((first, more)) => drop(write!(line, "{first} (and {} more)", more.len())),
        None => drop(write!(line, "\"{}\"", Escaped(&request.last_name))),
    }
    let (command, process) = (Escaped(&request.command), request.process);
    let by = format!("\"{command}\" (process {process}, {})", code(request.by));
    match denied {
        Some(why) => drop(write!(line, ": denied to {by}: {why}")),
        None => drop(write!(
            line,
            ": a file of its own, {bytes} bytes, for {by}, in {} ms",
            took.as_millis()
        )),
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileId;

    #[test]
    fn no_name_of_a_guest_commands_a_terminal() {
        let request = WriteRequest {
            inode: FileId { dev: 1, ino: 2 },
            generation: 0,
            cgroups: Vec::new(),
            thread: 7,
            process: 7,
            number: 1,
            attempt: 1,
            by: WriteKind::Open,
            waits: true,
            stale: false,
            command: b"\x1b[2J".to_vec(),
            parent: None,
            last_name: b"\x1b]0;\x07".to_vec(),
        };
        let told = WriteTold::denied(None, "it has none");
        let said = line(&request, &told, Duration::ZERO);
        assert!(!said.contains(|c: char| c.is_control()), "{said}");
        assert!(
            said.starts_with("no guest: ") && said.ends_with(": it has none"),
            "{said}"
        );
        let paths = ["/a\x1b", "/b"].map(|path| GuestPath::new(path.as_bytes()).expect("a path"));
        let told = WriteTold::About {
            guest: Some(GuestName::new("web").expect("a name")),
            paths: paths.to_vec(),
            object: None,
            bytes: 9,
            denied: None,
        };
        let said = line(&request, &told, Duration::from_millis(3));
        assert!(!said.contains(|c: char| c.is_control()), "{said}");
        assert!(
            said.contains("(and 1 more): a file of its own, 9 bytes, for"),
            "{said}"
        );
    }
}
