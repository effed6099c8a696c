//! Where paths of ours lead through links. A path that others wrote may lead to a file server that does not answer, so
//! a thread follows them, and is not waited for.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A disk answers sooner.
const PATIENCE: Duration = Duration::from_millis(200);

/// A thread that follows links.
#[derive(Debug)]
struct LinkFollower {
    asked: Sender<Vec<u8>>,
    told: Receiver<Option<Vec<u8>>>,
    handle: JoinHandle<()>,
}

/// What was asked, and a thread that follows links.
#[derive(Debug, Default)]
pub struct RealPaths {
    known: HashMap<Vec<u8>, Option<Vec<u8>>>,
    follower: Option<LinkFollower>,
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
        if self.follower.is_none() {
            self.follower = start();
        }
        let follower = self.follower.as_ref()?;
        follower.asked.send(path.to_vec()).ok()?;
        match follower.told.recv_timeout(PATIENCE) {
            Ok(real) => real,
            Err(_) => {
                self.is_stuck = true;
                None
            }
        }
    }
}

impl Drop for RealPaths {
    /// A thread that waits for nobody is waited for.
    fn drop(&mut self) {
        let follower = self.follower.take().filter(|_| !self.is_stuck);
        if let Some(LinkFollower { asked, handle, .. }) = follower {
            drop(asked);
            drop(handle.join());
        }
    }
}

fn start() -> Option<LinkFollower> {
    let (asked, paths) = channel::<Vec<u8>>();
    let (tell, told) = channel();
    let work = move || {
        for path in paths {
            let real = fs::canonicalize(OsStr::from_bytes(&path));
            let real = real.ok().map(|path| path.into_os_string().into_vec());
            if tell.send(real).is_err() {
                return;
            }
        }
    };
    let handle = std::thread::Builder::new().spawn(work).ok()?;
    Some(LinkFollower {
        asked,
        told,
        handle,
    })
}
