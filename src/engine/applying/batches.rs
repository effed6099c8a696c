//! The loop of `apply`: lines are gathered into batches, and each batch is committed before the next is gathered.

mod block_batch;
mod blocks;
mod flags;
mod landing;
mod rehearsed;
mod shared;

use std::collections::BTreeSet;

use super::in_flight::{Pending, Unpaid, comes_back, once_more, outcomes};
use super::objects::ObjectsInUse;
use super::prepare::{
    LinkFacts, LinkVerdict, PreparedLink, compare_all, not_adopted, open_all, prepare,
};
use super::release::Release;
use super::shared_pass::SharedPass;
use crate::base::Base;
use crate::engine::activity::Activity;
use crate::engine::activity::freeze::Freeze;
use crate::engine::exchange::job::Fate;
use crate::engine::exchange::job::{Flagged, Job};
use crate::engine::exchange::{Batch, FlagOrder};
use crate::engine::limits::Pace;
use crate::engine::parting;
use crate::engine::receipt_file::{ReceiptFile, flag_line, link_line};
use crate::engine::records::holders::Holding;
use crate::engine::records::object_set::ObjectSet;
use crate::engine::{EngineError, Guest};
use crate::model::{
    Action, Event, Flag, GuestName, Header, Link, Making, ObjectId, Observer, Outcome, Protect,
};
use crate::protect;
use crate::sys::guest::Sharing;
use crate::sys::host::signals::Stop;

use block_batch::BlockBatch;
pub(super) use landing::{AfterProof, LoopWorld};

pub(super) struct ApplyLoop<'a, 'r> {
    base: &'a Base,
    landing: AfterProof<'a>,
    header: &'a Header,
    /// How objects are protected.
    mode: Protect,
    guests: &'a [Guest],
    /// Guests whose names are left as they are.
    maintained: &'a BTreeSet<GuestName>,
    /// All guests that hold names of the base; those of the plan first.
    holding: Holding<'a>,
    still: Freeze<'a>,
    pace: Pace,
    /// Names that the pace knows of.
    paced: u64,
    receipt: &'a mut ReceiptFile<'r>,
    objects: ObjectsInUse<'a>,
    dropper: Release,
    /// Lines of the current batch, not yet prepared, each with the object to begin with.
    links: Vec<(Link, ObjectId)>,
    flags: Vec<Flag>,
    names: usize,
    bytes: u64,
    /// Objects that shall be protected and do not exist yet.
    wanted: ObjectSet,
    /// Flag lines that were read and are not answered, by their objects.
    unanswered: ObjectSet,
    unpaid: Unpaid,
    /// Can files here share blocks? Those of an old file that others have do not come back.
    sharing: &'a Sharing,
    /// All objects that the plan makes are protected, wherever their flag lines stand.
    protects_all: bool,
    /// Objects whose flag line was read and which could not be opened.
    unreachable: Vec<(ObjectId, Fate)>,
    shared: SharedPass,
    /// Lines of reflinks: batches of their own.
    blocks: BlockBatch,
    /// Was a line changed or added by hand?
    is_edited: bool,
}

impl<'a, 'r> ApplyLoop<'a, 'r> {
    /// `holding` begins with the guests of the plan.
    pub fn new(
        world: &LoopWorld<'a>,
        holding: Holding<'a>,
        still: Freeze<'a>,
        pace: Pace,
        landing: AfterProof<'a>,
        receipt: &'a mut ReceiptFile<'r>,
    ) -> Self {
        let LoopWorld {
            base,
            header,
            mode,
            guests,
            maintained,
            max_links,
            sharing,
            protects_all,
            is_edited,
        } = *world;
        let objects = ObjectsInUse::new(base, &header.policy.ignore, max_links);
        let objects = match landing {
            AfterProof::Execute { .. } => objects,
            AfterProof::Rehearse(_) => objects.rehearsing(),
        };
        let (links, flags) = (Vec::new(), Vec::new());
        ApplyLoop {
            base,
            landing,
            header,
            mode,
            guests,
            maintained,
            holding,
            still,
            pace,
            paced: 0,
            receipt,
            objects,
            dropper: Release::default(),
            links,
            flags,
            names: 0,
            bytes: 0,
            wanted: ObjectSet::new(base),
            unanswered: ObjectSet::new(base),
            unpaid: Unpaid(ObjectSet::new(base)),
            sharing,
            protects_all,
            unreachable: Vec::new(),
            shared: SharedPass::new(base),
            blocks: BlockBatch::new(),
            is_edited,
        }
    }

    /// Takes the next line. A full batch is committed first; a flag line goes with the link line before it.
    pub fn take(
        &mut self,
        action: Action,
        stop: &Stop,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        match action {
            Action::Skip(_) => {}
            Action::Reflink(_) if self.blocks.is_over() => {}
            Action::Reflink(line) => self.take_blocks(line, stop, observer)?,
            Action::Flag(flag) if self.shared.has_flagged(&flag)? => {}
            Action::Link(link) if self.shared.has_answered(&link)? => {}
            Action::Flag(flag) => {
                self.flags.push(flag);
                // The lines before them may have been taken out.
                if self.flags.len() >= self.still.room().names {
                    self.land_in_pace(stop, observer)?;
                }
            }
            Action::Link(link) => {
                if !self.has_room_for(1 + link.also.len(), link.size) {
                    self.land_in_pace(stop, observer)?;
                }
                let object = link.object;
                self.gather(link, object);
            }
        }
        Ok(())
    }

    /// One line has room in any case.
    fn has_room_for(&self, names: usize, bytes: u64) -> bool {
        let room = self.still.room();
        let lines = self.links.len() + self.shared.lines();
        lines == 0
            || self.names + names <= self.pace.names_a_batch(room.names)
                && self.bytes.saturating_add(bytes) <= room.bytes
                && lines < self.pace.actions_left(&self.receipt.result)
    }

    fn gather(&mut self, link: Link, object: ObjectId) {
        self.names += 1 + link.also.len();
        // The plan's word, which may be any number.
        self.bytes = self.bytes.saturating_add(link.size);
        self.links.push((link, object));
    }

    /// Is the run over, by a signal or a limit? Then the lines gathered so far are given up: nothing of them was
    /// touched.
    pub fn is_over(&mut self, stop: &Stop) -> bool {
        let over = self.pace.is_over(&mut self.receipt.result, stop);
        if over {
            self.links.clear();
            self.shared.clear();
            self.blocks.clear();
            self.flags.clear();
        }
        over
    }

    /// Commits what is left. A flag whose object was never made has nothing to protect.
    pub fn finish(mut self, stop: &Stop, observer: &dyn Observer) -> Result<(), EngineError> {
        self.end_blocks(stop, observer)?;
        while !self.links.is_empty() || !self.flags.is_empty() {
            self.land(observer)?;
            if !self.links.is_empty() && self.is_over(stop) {
                break;
            }
        }
        self.receipt.result.clearers = self.still.clearers();
        self.receipt.result.stillness = self.still.finish()?;
        let result = &self.receipt.result;
        if result.interrupted || result.limit.is_some() {
            return Ok(());
        }
        for object in self.unanswered.all() {
            self.receipt
                .add(&flag_line(object?, Outcome::AlreadyDone))?;
        }
        Ok(())
    }

    fn land_in_pace(&mut self, stop: &Stop, observer: &dyn Observer) -> Result<(), EngineError> {
        self.land(observer)?;
        self.keep_pace(stop);
        Ok(())
    }

    fn land(&mut self, observer: &dyn Observer) -> Result<(), EngineError> {
        let halt = |error| EngineError::halted(self.base, error);
        let conditions = self.still.look_whole(self.holding.guests()).map_err(halt)?;
        self.still.holds(self.names, self.bytes);
        self.objects.next_batch();
        self.holding.next_batch();
        let links = std::mem::take(&mut self.links);
        (self.names, self.bytes) = (0, 0);
        let done = (links.len() + self.shared.lines()) as u64;
        let (jobs, pending) = self.prepare_all(links, &conditions)?;
        let mut flags = self.flags_to_set(&jobs)?;
        if !jobs.is_empty() || !flags.is_empty() {
            let given_up = self.execute(&jobs, &pending, &flags, observer)?;
            // The next file that makes them shall be protected instead.
            let (none, all) = flags
                .into_iter()
                .partition(|flag| given_up.contains(&flag.id));
            flags = all;
            let mut none = none.iter().map(|flag: &Flagged| &flag.id);
            none.try_for_each(|id| self.wanted.insert(id))?;
            given_up.iter().for_each(|id| self.objects.give_up(id));
        }
        self.answer_flags(&flags)?;
        self.dropper.take(jobs, self.base);
        observer.notice(&Event::Advance(done));
        Ok(())
    }

    fn prepare_all(
        &mut self,
        mut links: Vec<(Link, ObjectId)>,
        conditions: &[Activity],
    ) -> Result<(Vec<Job>, Vec<Pending>), EngineError> {
        let (guests, header, mode) = (self.guests, self.header, self.mode);
        let maintained = self.maintained;
        let most_frozen = self.still.largest_file();
        let world = |link: &Link| {
            let index = guests.iter().position(|guest| guest.name == link.guest)?;
            Some(LinkFacts {
                index,
                guest: &guests[index],
                condition: &conditions[index],
                conditions,
                policy: &header.policy,
                most_frozen,
                may_adopt: protect::by(mode).adopts(),
                is_maintained: maintained.contains(&link.guest),
            })
        };
        let (mut ready, single) = self.prepare_shared(world)?;
        links.extend(single);
        let mut opened = open_all(&links, world, &mut self.objects).into_iter();
        for (link, start) in links {
            let opened = opened.next().flatten();
            let Some(mut world) = world(&link) else {
                continue;
            };
            world.may_adopt &= self.will_protect(&link.object)?;
            let (objects, holding) = (&mut self.objects, &mut self.holding);
            match prepare(&link, start, &world, opened, objects, holding) {
                LinkVerdict::Ready(prepared) => ready.push((link, prepared)),
                LinkVerdict::AlreadyDone(object) => {
                    holding.learn(
                        object,
                        world.index,
                        &link.names().cloned().collect::<Vec<_>>(),
                    )?;
                    self.answer(&link, object, Outcome::AlreadyDone)?;
                }
                LinkVerdict::Over(fate) => self.answer_bad(&link, &fate)?,
            }
        }
        self.compared(ready)
    }

    fn compared(
        &mut self,
        mut ready: Vec<(Link, Box<PreparedLink>)>,
    ) -> Result<(Vec<Job>, Vec<Pending>), EngineError> {
        let (mut jobs, mut pending) = (Vec::new(), Vec::new());
        let equal = compare_all(&mut ready, &self.header.policy.ignore);
        let gone = not_adopted(&ready, &equal);
        gone.iter().for_each(|id| self.objects.give_up(id));
        for ((link, prepared), equal) in ready.into_iter().zip(equal) {
            let makes = prepared.made == Some(Making::Adopt);
            if gone.contains(&prepared.job.object) && !makes {
                // It was compared with an object that there will not be, and nothing was touched: another of
                // these files makes it, in the next batch.
                let object = link.object;
                self.gather(link, object);
                continue;
            }
            let without = makes && gone.contains(&prepared.job.object);
            let equal = match equal {
                Ok(()) if without => Err(Fate::without_the_others(&link)),
                equal => equal,
            };
            if let Err(fate) = equal {
                self.unpaid
                    .keeps_its_room(&prepared.job.object, prepared.made)?;
                self.answer_bad(&link, &fate)?;
                continue;
            }
            let PreparedLink {
                job, made, mtime, ..
            } = *prepared;
            self.inherit_flag(&link, &job.object)?;
            jobs.push(job);
            pending.push(Pending { link, made, mtime });
        }
        Ok((jobs, pending))
    }

    fn execute(
        &mut self,
        jobs: &[Job],
        pending: &[Pending],
        flags: &[Flagged],
        observer: &dyn Observer,
    ) -> Result<Vec<ObjectId>, EngineError> {
        let ignore = &self.header.policy.ignore;
        let AfterProof::Execute { run, journal } = &mut self.landing else {
            return self.rehearse(jobs, pending);
        };
        let batch = Batch {
            base: self.base,
            run,
            guests: self.guests,
            journal,
            order: FlagOrder::FlagThenDrop,
            protection: protect::setting(Some(self.mode)),
            ignore,
            holding: &self.holding,
            still: &mut self.still,
        };
        let (receipt, unpaid) = (&mut *self.receipt, &mut self.unpaid);
        let sharing = self.sharing;
        let mut again = Vec::new();
        let result = batch.execute(jobs, flags, &self.objects.adopted(), &mut |fates| {
            let outcomes = outcomes(jobs, pending, fates, unpaid, sharing)?;
            for (((job, pending), fate), outcome) in
                jobs.iter().zip(pending).zip(fates).zip(outcomes)
            {
                match outcome {
                    Some(outcome) => {
                        receipt.add(&link_line(&pending.link, job.object, outcome))?;
                    }
                    None => again.push(once_more(job, pending, fate)?),
                }
            }
            receipt.sync()
        })?;
        for (job, fate) in jobs.iter().zip(&result.fates) {
            if fate.is_done() {
                self.holding.add(job.object, job.guest, &job.names)?;
            }
        }
        self.receipt.result.quarantined += result.quarantined;
        let kept = result.kept.iter().filter_map(|at| jobs.get(*at));
        let room = kept.map(|job| comes_back(job, sharing)).sum();
        self.receipt.takes_back(room);
        result
            .warnings
            .iter()
            .for_each(|warning| observer.notice(&Event::Warning(warning)));
        let (spoiled, still) = (&result.spoiled, &mut self.still);
        spoiled.iter().for_each(|one| self.objects.give_up(&one.id));
        let parted = parting::part_after_batch(self.base, still, observer, spoiled, journal)?;
        self.receipt.result.spoiled.extend(parted);
        (again.into_iter()).for_each(|(link, object)| self.gather(link, object));
        Ok(result.given_up)
    }
}
