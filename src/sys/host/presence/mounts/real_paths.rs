//! Where paths of ours lead through links. A path that others wrote may lead to a file server that does not answer, so
//! a thread follows them, and is not waited for.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A disk answers sooner.
const PATIENCE: Duration = Duration::from_millis(200);

/// What was asked, and a thread that follows links.
#[derive(Debug, Default)]
pub struct RealPaths {
    known: HashMap<Vec<u8>, Option<Vec<u8>>>,
    channels: Option<(Sender<Vec<u8>>, Receiver<Option<Vec<u8>>>)>,
    /// It waits for somebody: nothing more is asked.
    is_stuck: bool,
}

impl RealPaths {
    /// The path without links; `None` where there is none, or where that is not known.
    pub fn of(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        if !self.known.contains_key(path) {
            let real = self.ask(path);
            self.known.insert(path.to_vec(), real);
        }
        self.known.get(path)?.clone()
    }

    fn ask(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        if self.is_stuck {
            return None;
        }
        if self.channels.is_none() {
            self.channels = start();
        }
        let (asked, told) = self.channels.as_ref()?;
        asked.send(path.to_vec()).ok()?;
        match told.recv_timeout(PATIENCE) {
            Ok(real) => real,
            Err(_) => {
                self.is_stuck = true;
                None
            }
        }
    }
}

fn start() -> Option<(Sender<Vec<u8>>, Receiver<Option<Vec<u8>>>)> {
    let (asked, paths) = channel::<Vec<u8>>();
    let (told, answers) = channel();
    let work = move || {
        for path in paths {
            let real = fs::canonicalize(OsStr::from_bytes(&path));
            let real = real.ok().map(|path| path.into_os_string().into_vec());
            if told.send(real).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().spawn(work).ok()?;
    Some((asked, answers))
}
