//! What guests share already is taken in before all other lines: a file whose twin becomes an object this way is linked
//! to it, wherever its own line stands.
//!
//! Memory: the lines of the inodes of one batch. All others are in tables.

use super::ApplyLoop;
use crate::engine::EngineError;
use crate::engine::applying::plan_lines::PlanLines;
use crate::engine::applying::prepare::LinkFacts;
use crate::engine::applying::prepare::PreparedLink;
use crate::engine::applying::shared_files::{SharedVerdict, prepare_shared};
use crate::engine::exchange::job::Fate;
use crate::engine::records::object_set::ObjectSet;
use crate::engine::records::shared_lines::SharedLines;
use crate::model::{Action, Link, Making, ObjectId, Observer};
use crate::sys::SysResult;
use crate::sys::host::signals::Stop;

/// The lines of one inode that may be done, or are to be looked at one by one.
pub(super) type SharedReady = (Vec<(Link, Box<PreparedLink>)>, Vec<(Link, ObjectId)>);

impl ApplyLoop<'_, '_> {
    /// Makes objects of the inodes that guests share already and that the plan takes in.
    pub fn take_in_shared(
        &mut self,
        plan: &mut dyn PlanLines,
        stop: &Stop,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        let (lines, flagged) = self.shared_lines(plan)?;
        let mut all = plan.lines()?;
        while let Some(action) = all.next_line()? {
            let Action::Link(link) = action else {
                continue;
            };
            let object = link.object;
            let makes = link.makes == Some(Making::Adopt) && link.has_names_elsewhere();
            let protected = self.protects_all || flagged.contains(&object)?;
            if !makes || !protected || self.shared.has_met(&object)? {
                continue;
            }
            self.gather_shared(object, lines.of(&object)?, stop, observer)?;
            if self.is_over(stop) {
                break;
            }
        }
        if !self.shared.is_empty() {
            self.land_in_pace(stop, observer)?;
        }
        // What became of these is answered by its flag line, when that is met.
        let left = std::mem::replace(&mut self.unanswered, ObjectSet::new(self.base));
        self.shared.end(left);
        Ok(())
    }

    /// All lines about files with names elsewhere, and the objects that have flag lines.
    fn shared_lines(
        &self,
        plan: &mut dyn PlanLines,
    ) -> Result<(SharedLines, ObjectSet), EngineError> {
        let (mut lines, mut flagged) = (SharedLines::new(self.base), ObjectSet::new(self.base));
        let mut all = plan.lines()?;
        while let Some(action) = all.next_line()? {
            match &action {
                Action::Link(link) if link.has_names_elsewhere() => lines.put(link)?,
                Action::Flag(flag) if !self.protects_all => flagged.insert(&flag.object)?,
                _ => {}
            }
        }
        Ok((lines, flagged))
    }

    fn gather_shared(
        &mut self,
        object: ObjectId,
        lines: Vec<Link>,
        stop: &Stop,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        let names = lines.iter().map(|line| 1 + line.also.len()).sum();
        let bytes = lines.first().map_or(0, |line| line.size);
        if !self.has_room_for(names, bytes) {
            self.land_in_pace(stop, observer)?;
            if self.is_over(stop) {
                return Ok(());
            }
        }
        self.wanted.insert(&object)?;
        self.unanswered.insert(&object)?;
        self.names += names;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(self.shared.gather(&object, lines)?)
    }

    /// Proves what was gathered. What may not be done is answered; what was done before is to be looked at line by
    /// line.
    pub(super) fn prepare_shared<'w>(
        &mut self,
        world: impl Fn(&Link) -> Option<LinkFacts<'w>>,
    ) -> SysResult<SharedReady> {
        let (mut ready, mut single) = (Vec::new(), Vec::new());
        for lines in self.shared.take() {
            match prepare_shared(&lines, &world, &mut self.objects) {
                Ok(SharedVerdict::Ready(prepared)) => {
                    ready.extend(lines.into_iter().zip(prepared.into_iter().map(Box::new)));
                }
                Ok(SharedVerdict::AlreadyDone) => {
                    single.extend(lines.into_iter().map(|line| (line.clone(), line.object)));
                }
                Err((at, fate)) => {
                    for (number, line) in lines.iter().enumerate() {
                        if number == at {
                            self.answer_bad(line, &fate)?;
                        } else {
                            self.answer_bad(line, &Fate::without_the_others(line))?;
                        }
                    }
                }
            }
        }
        Ok((ready, single))
    }
}
