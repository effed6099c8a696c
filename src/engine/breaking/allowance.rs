//! How much a guest may have broken in an hour: what it writes for other reasons than its own costs the host a disk.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::model::GuestName;

/// Files and bytes that each guest may part in an hour; `None` is no limit.
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
pub(super) struct Used(HashMap<GuestName, (Instant, u64, u64)>);

impl Used {
    /// Is there anything left for a file of so many bytes? If not: why.
    pub fn may(
        &mut self,
        guest: &GuestName,
        bytes: u64,
        allowance: Allowance,
        now: Instant,
    ) -> Result<(), String> {
        let used = self.0.entry(guest.clone()).or_insert((now, 0, 0));
        if now.saturating_duration_since(used.0) >= HOUR {
            *used = (now, 0, 0);
        }
        if allowance.files.is_some_and(|most| used.1 >= most) {
            return Err(format!(
                "it has parted {} files in this hour, as many as --most-files allows",
                used.1
            ));
        }
        if allowance
            .bytes
            .is_some_and(|most| used.2.saturating_add(bytes) > most)
        {
            return Err(format!(
                "{bytes} bytes more are beyond what --most-bytes allows in an hour"
            ));
        }
        Ok(())
    }

    /// A file of so many bytes is about to be parted.
    pub fn charge(&mut self, guest: &GuestName, bytes: u64) {
        if let Some(used) = self.0.get_mut(guest) {
            used.1 += 1;
            used.2 = used.2.saturating_add(bytes);
        }
    }

    /// Nothing is left of the copy that was charged last.
    pub fn give_back(&mut self, guest: &GuestName, bytes: u64) {
        if let Some(used) = self.0.get_mut(guest) {
            used.1 = used.1.saturating_sub(1);
            used.2 = used.2.saturating_sub(bytes);
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
            assert_eq!(used.may(&web, 10, most, start), Ok(()));
            used.charge(&web, 10);
        }
        assert!(used.may(&web, 1, most, start).is_err());
        assert_eq!(used.may(&db, 100, most, start), Ok(()));
        used.charge(&db, 100);
        assert!(used.may(&db, 1, most, start).is_err());
        used.give_back(&db, 100);
        assert_eq!(used.may(&db, 100, most, start), Ok(()));
        assert_eq!(used.may(&web, 1, most, start + HOUR), Ok(()));
        assert_eq!(used.may(&db, 1 << 40, Allowance::default(), start), Ok(()));
    }
}
