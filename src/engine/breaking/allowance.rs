//! How much may be copied for a guest in an hour: what it writes for other reasons than its own costs the host a disk.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::model::GuestName;

/// Files and bytes that may be copied for each guest in an hour; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Files.
    pub files: Option<u64>,
    /// Bytes of their copies.
    pub bytes: Option<u64>,
}

const HOUR: Duration = Duration::from_secs(3600);

/// What each has used in its current hour.
#[derive(Debug, Default)]
pub(super) struct Used(HashMap<GuestName, UsedInHour>);

#[derive(Debug)]
struct UsedInHour {
    since: Instant,
    files: u64,
    bytes: u64,
}

impl UsedInHour {
    fn from(since: Instant) -> UsedInHour {
        UsedInHour {
            since,
            files: 0,
            bytes: 0,
        }
    }
}

/// What was charged for one copy, and in which hour.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CopyCharge {
    guest: GuestName,
    bytes: u64,
    hour: Instant,
}

impl Used {
    /// A copy of so many bytes is about to be made. It costs the disk as much where nothing comes of it. Where there is
    /// not so much left: why it may not be made.
    pub fn charge(
        &mut self,
        guest: &GuestName,
        bytes: u64,
        allowance: Allowance,
        now: Instant,
    ) -> Result<CopyCharge, String> {
        let used = self.0.entry(guest.clone());
        let used = used.or_insert_with(|| UsedInHour::from(now));
        if now.saturating_duration_since(used.since) >= HOUR {
            *used = UsedInHour::from(now);
        }
        if allowance.files.is_some_and(|most| used.files >= most) {
            return Err(format!(
                "it has parted {} files in this hour, as many as --most-files allows",
                used.files
            ));
        }
        let with_it = used.bytes.saturating_add(bytes);
        if allowance.bytes.is_some_and(|most| with_it > most) {
            return Err(format!(
                "{bytes} bytes more are beyond what --most-bytes allows in an hour"
            ));
        }
        used.files += 1;
        used.bytes = with_it;
        Ok(CopyCharge {
            guest: guest.clone(),
            bytes,
            hour: used.since,
        })
    }

    /// Nothing was copied, or there was no room for it.
    pub fn give_back(&mut self, charge: &CopyCharge) {
        let used = self.0.get_mut(&charge.guest);
        // What was charged in an hour that is over is forgotten with it.
        if let Some(used) = used.filter(|used| used.since == charge.hour) {
            used.files = used.files.saturating_sub(1);
            used.bytes = used.bytes.saturating_sub(charge.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_counted_for_each_guest() {
        let (mut used, start) = (Used::default(), Instant::now());
        let [web, db] = ["web", "db"].map(|name| GuestName::new(name).expect("a name"));
        let most = Allowance {
            files: Some(2),
            bytes: Some(100),
        };
        for _ in 0..2 {
            assert!(used.charge(&web, 10, most, start).is_ok());
        }
        assert!(used.charge(&web, 1, most, start).is_err());
        let all = used.charge(&db, 100, most, start).expect("what is allowed");
        assert!(used.charge(&db, 1, most, start).is_err());
        used.give_back(&all);
        let again = used.charge(&db, 100, most, start).expect("what is left");
        let next = start + HOUR;
        assert!(used.charge(&web, 1, most, next).is_ok());
        assert!(used.charge(&db, 60, most, next).is_ok());
        used.give_back(&again);
        assert!(
            used.charge(&db, 60, most, next).is_err(),
            "of another hour nothing is given back"
        );
        let none = Allowance::default();
        assert!(used.charge(&db, 1 << 40, none, start).is_ok());
    }
}
