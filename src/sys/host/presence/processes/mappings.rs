//! What a process has mapped: files that it holds without a descriptor.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, openat};

use super::links::{Unlooked, follow};
use super::look::{Looking, locked, note_file};
use super::proc_files::{map_file, open_dir};
use super::seen::SeenProcess;
use crate::sys::host::presence::mounts::places::BlockDevice;

impl Looking {
    /// Only mapped files of a watched device are asked further. The process may hold the lock that this needs.
    pub(super) fn look_at_mappings(&self, task: &OwnedFd, tid: u32, seen: &mut SeenProcess) {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let maps = match openat(task, "maps", flags, Mode::empty()).map_err(Unlooked::from) {
            Ok(maps) => maps,
            Err(Unlooked::Gone) => return,
            Err(why) => return seen.not_seen(why, "its mappings"),
        };
        let mut maps = BufReader::with_capacity(16 << 10, File::from(maps));
        let (mut line, mut last) = (Vec::new(), (None, Vec::new()));
        let namespace = seen.namespaces.last().copied().unwrap_or(0);
        while maps.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) && !self.is_over(seen) {
            self.step();
            if let Some((range, seen_by_all, file)) = self.watched_mapping(&line)
                && (seen_by_all, file) != (last.0, &last.1[..])
            {
                last = (seen_by_all, file.to_vec());
                let mapped = (namespace, file.to_vec());
                self.look_at_mapping(tid, range, seen_by_all, mapped, seen);
            }
            line.clear();
        }
    }

    /// `55d3c6a2b000-55d3c6a2d000 r--p 00000000 fe:00 1311042    /usr/bin/perl`: the range, whether it is one that all
    /// see and can be written to, and what follows the offset.
    fn watched_mapping<'l>(&self, line: &'l [u8]) -> Option<(&'l [u8], Option<bool>, &'l [u8])> {
        let mut fields = line.splitn(4, |&byte| byte == b' ');
        let (range, rights, file) = (fields.next()?, fields.next()?, fields.nth(1)?);
        let device = BlockDevice::of(file.split(|&byte| byte == b' ').next()?, 16)?;
        let seen_by_all = rights.ends_with(b"s").then(|| rights.contains(&b'w'));
        let found = (range, seen_by_all, file);
        self.devices.contains(&device).then_some(found)
    }

    fn look_at_mapping(
        &self,
        tid: u32,
        range: &[u8],
        seen_by_all: Option<bool>,
        file: (u64, Vec<u8>),
        seen: &mut SeenProcess,
    ) {
        if locked(&self.mapped).contains(&file) {
            return;
        }
        let Some(name) = map_file(range) else { return };
        let (held, loose) = (seen.holds.len(), seen.loose.len());
        match open_dir(&format!("/proc/{tid}/map_files")) {
            Ok(dir) => match follow(&dir, &name) {
                Ok(Some(end)) => {
                    let trees = self.place(&end, &dir, &name, "mapping", seen);
                    if let Some(writes) = seen_by_all {
                        note_file(&dir, &name, trees, writes, seen);
                    }
                }
                Ok(None) | Err(Unlooked::Gone) => return,
                Err(why) => seen.not_seen(why, "its mappings"),
            },
            Err(Unlooked::Gone) => return,
            Err(why) => seen.not_seen(why, "its mappings"),
        }
        if (held, loose) == (seen.holds.len(), seen.loose.len()) && seen.unseen.is_none() {
            self.limit.takes(file.1.len());
            locked(&self.mapped).insert(file);
        }
    }
}
