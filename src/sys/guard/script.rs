//! A kernel that is a script, for tests on machines whose kernel takes no programs: it says by a socket what writers
//! would ask, a line each, and is told what they are answered.
//!
//! `UNIFY_REQUESTS=SOCKET`. A request is `THREAD PROCESS DEV INO GENERATION ATTEMPT waits|denied fresh|stale PARENT_DEV
//! PARENT_INO:GENERATION NAME CGROUP`, the three before the last 0, 0:0 and empty where they are not known, and no
//! CGROUP where there is none; an answer is `THREAD WORD`. `hold INO` and `unhold INO` say what is held, `begin LEVEL`
//! that a daemon takes requests and what is to be done for writers, and `rest` that nobody answers any more.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use super::event::WriteKind;
use super::requests::WriteAnswer;
use super::writers::AnswersWriters;
use super::{InodeMark, WriteRequest};
use crate::model::{FileId, GuardLevel};
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// Each script has its own.
pub(super) fn seat_of_environment() -> Option<PathBuf> {
    let socket = PathBuf::from(std::env::var_os("UNIFY_REQUESTS")?);
    Some(socket.with_extension("lock"))
}

#[derive(Debug)]
pub(super) struct Script {
    asks: Mutex<BufReader<UnixStream>>,
    told: Mutex<UnixStream>,
}

impl Script {
    pub fn of_environment() -> SysResult<Option<Script>> {
        let Some(path) = std::env::var_os("UNIFY_REQUESTS") else {
            return Ok(None);
        };
        let failed = |e| SysError::new("connect to", &path, e);
        let told = UnixStream::connect(&path).map_err(failed)?;
        let asks = told.try_clone().map_err(failed)?;
        Ok(Some(Script {
            asks: Mutex::new(BufReader::new(asks)),
            told: Mutex::new(told),
        }))
    }

    fn say(&self, line: &str) -> SysResult<()> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let said = told.write_all(format!("{line}\n").as_bytes());
        said.map_err(|e| SysError::new("tell", "the script", e))
    }
}

fn parse(line: &str) -> Option<WriteRequest> {
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let number = |at: usize| words.get(at)?.parse::<u64>().ok();
    let small = |at: usize| u32::try_from(number(at)?).ok();
    let (ino, generation) = words.get(9)?.split_once(':')?;
    let parent = InodeMark {
        inode: FileId {
            dev: number(8)?,
            ino: ino.parse().ok()?,
        },
        generation: generation.parse().ok()?,
    };
    Some(WriteRequest {
        inode: FileId {
            dev: number(2)?,
            ino: number(3)?,
        },
        generation: small(4)?,
        cgroups: number(11).into_iter().collect(),
        thread: small(0)?,
        process: small(1)?,
        number: 1,
        attempt: small(5)?,
        by: WriteKind::Open,
        waits: words.get(6) == Some(&"waits"),
        stale: words.get(7) == Some(&"stale"),
        command: b"script".to_vec(),
        parent: (parent.inode.ino != 0).then_some(parent),
        last_name: words.get(10).unwrap_or(&"").as_bytes().to_vec(),
    })
}

impl AnswersWriters for Script {
    fn learn(&self) -> SysResult<Option<GuardLevel>> {
        Ok(None)
    }

    fn ability(&self) -> SysResult<GuardLevel> {
        Ok(GuardLevel::RestartByTaskWork)
    }

    fn begin(&self, level: GuardLevel) -> SysResult<()> {
        self.say(&format!("begin {level:?}"))
    }

    fn is_asked(&self) -> bool {
        true
    }

    fn beat(&self) -> SysResult<()> {
        Ok(())
    }

    fn rest(&self) -> SysResult<()> {
        self.say("rest")
    }

    fn next(&self, patience: Duration) -> SysResult<Option<WriteRequest>> {
        let failed = |e| SysError::new("hear", "the script", e);
        let mut asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        asks.get_ref()
            .set_read_timeout(Some(patience))
            .map_err(failed)?;
        let mut line = String::new();
        match asks.read_line(&mut line) {
            Ok(0) => {
                std::thread::sleep(patience);
                Ok(None)
            }
            Ok(_) => Ok(parse(&line)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn answer(&self, request: &WriteRequest, answer: WriteAnswer) -> SysResult<()> {
        self.say(&format!("{} {answer:?}", request.thread))
    }

    fn hold(&self, mark: &InodeMark) -> SysResult<()> {
        self.say(&format!("hold {}", mark.inode.ino))
    }

    fn unhold(&self, mark: &InodeMark) -> SysResult<()> {
        self.say(&format!("unhold {}", mark.inode.ino))
    }

    fn own_directory(&self, _: &InodeMark) -> SysResult<()> {
        let marked: io::Result<()> = call("own", || Ok(()));
        marked.map_err(|e| SysError::new("write", "marks", e))
    }

    fn disown_directory(&self, _: &InodeMark) -> SysResult<()> {
        Ok(())
    }

    fn held(&self) -> SysResult<Vec<InodeMark>> {
        Ok(Vec::new())
    }
}
