//! Which denials are told one by one. A guest may try as often as it likes, and what it is denied shall not hide what
//! another is denied: so they are counted for each who asks.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::line::asker::{AskedBy, Asker};
use crate::model::GuestName;

/// So many denials of one part of an asker are told in a second, and so many of all its parts: several guests may be
/// parts of one, and one guest may make many parts.
const MOST_OF_PART: u32 = 20;
const MOST_OF_ONE: u32 = 100;

/// So many askers are counted apart. Of all beyond, no denial is told by itself.
const MOST_ASKERS: usize = 1024;

const A_SECOND: Duration = Duration::from_secs(1);

/// The denials of the current second of each asker; `None` for all who are too many to be counted apart.
#[derive(Debug, Default)]
pub(super) struct Denials(HashMap<Option<AskedBy>, DenialsOfOne>);

#[derive(Debug)]
struct DenialsOfOne {
    since: Instant,
    told: u32,
    parts: HashMap<u64, u32>,
    left_out: u64,
    /// Whose all those were that are left out; `None` once they are of several, or one is nobody's.
    guest: Option<GuestName>,
}

impl Denials {
    /// Is one more of this asker to be told? `guest` is whose write it was, where that is known.
    pub fn may_tell(&mut self, asker: Asker, guest: Option<&GuestName>, now: Instant) -> bool {
        let by = Some(asker.by);
        let is_counted = self.0.contains_key(&by) || self.0.len() < MOST_ASKERS;
        let of_one = self.0.entry(by.filter(|_| is_counted));
        let of_one = of_one.or_insert_with(|| DenialsOfOne::since(now));
        let may = is_counted && of_one.has_room(asker.part);
        match may {
            true => of_one.count(asker.part),
            false => of_one.leave_out(guest),
        }
        may
    }

    /// What is to be said of those that were not told, of askers whose second is over.
    pub fn left_out(&mut self, now: Instant) -> Vec<String> {
        let mut said = Vec::new();
        self.0.retain(|by, one| {
            let is_over = now.saturating_duration_since(one.since) >= A_SECOND;
            said.extend(one.word(*by).filter(|_| is_over));
            !is_over
        });
        said
    }
}

impl DenialsOfOne {
    fn since(now: Instant) -> DenialsOfOne {
        DenialsOfOne {
            since: now,
            told: 0,
            parts: HashMap::new(),
            left_out: 0,
            guest: None,
        }
    }

    fn has_room(&self, part: u64) -> bool {
        let of_part = self.parts.get(&part).copied().unwrap_or(0);
        of_part < MOST_OF_PART && self.told < MOST_OF_ONE
    }

    fn count(&mut self, part: u64) {
        self.told += 1;
        *self.parts.entry(part).or_default() += 1;
    }

    fn leave_out(&mut self, guest: Option<&GuestName>) {
        match self.left_out {
            0 => self.guest = guest.cloned(),
            _ if self.guest.as_ref() != guest => self.guest = None,
            _ => {}
        }
        self.left_out += 1;
    }

    fn word(&self, by: Option<AskedBy>) -> Option<String> {
        let many = Some(self.left_out).filter(|many| *many > 0)?;
        Some(match (&self.guest, by) {
            (Some(guest), Some(_)) => {
                format!("{guest}: {many} more writes were denied, too many to tell")
            }
            (None, Some(_)) => {
                format!("{many} more writes of one asker were denied, too many to tell")
            }
            (_, None) => format!("{many} more writes were denied, of too many askers to tell"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(by: u64, part: u64) -> Asker {
        Asker {
            by: AskedBy::Cgroup(by),
            part,
        }
    }

    fn told(denials: &mut Denials, asker: Asker, many: u32, now: Instant) -> usize {
        let all = 0..many;
        all.filter(|_| denials.may_tell(asker, None, now)).count()
    }

    #[test]
    fn a_guest_that_is_denied_much_hides_no_other() {
        let (mut denials, now) = (Denials::default(), Instant::now());
        assert_eq!(told(&mut denials, asker(1, 0), 1000, now), 20);
        assert_eq!(told(&mut denials, asker(2, 0), 3, now), 3);
        // Guests that are parts of one.
        assert_eq!(told(&mut denials, asker(3, 1), 1000, now), 20);
        assert_eq!(told(&mut denials, asker(3, 2), 3, now), 3);
        // A guest makes parts of itself.
        let parts = (10..1000).map(|part| told(&mut denials, asker(3, part), 20, now));
        assert_eq!(parts.sum::<usize>(), 77);
    }

    #[test]
    fn what_is_not_told_is_counted_and_said_when_the_second_is_over() {
        let (mut denials, now) = (Denials::default(), Instant::now());
        let web = GuestName::new("web").expect("a name");
        for _ in 0..25 {
            denials.may_tell(asker(1, 0), Some(&web), now);
        }
        told(&mut denials, asker(2, 0), 20, now);
        assert!(denials.left_out(now + A_SECOND / 2).is_empty());
        let said = denials.left_out(now + A_SECOND);
        assert_eq!(
            said,
            ["web: 5 more writes were denied, too many to tell"],
            "of the other none is left out"
        );
        assert!(denials.left_out(now + A_SECOND).is_empty());
        assert_eq!(told(&mut denials, asker(1, 0), 1, now + A_SECOND), 1);
    }

    #[test]
    fn too_many_askers_take_no_more_memory() {
        let (mut denials, now) = (Denials::default(), Instant::now());
        for by in 0..3000 {
            told(&mut denials, asker(by, 0), 1, now);
        }
        assert_eq!(denials.0.len(), MOST_ASKERS + 1);
        let said = denials.left_out(now + A_SECOND);
        assert_eq!(
            said,
            ["1976 more writes were denied, of too many askers to tell"]
        );
    }
}
