//! Files that the names of a tree have left, and who uses them still: what `uses::left` is told of a look.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use super::Presence;
use super::processes::look::{Looking, locked};
use super::processes::seen::Holdfast;
use super::uses::left::{LeftInode, TreeMembers, is_of_who_lives_there};
use super::uses::locks::LockList;
use super::uses::watches::WatchReaders;
use crate::model::FileUse;

/// How a file is used, each way once, and by whom; or why that is not known.
pub type UsesOfLeft = Result<Vec<(FileUse, String)>, String>;

impl Presence {
    /// How those who live in a tree use an inode that its names have left, after a look at all these trees and where
    /// the names have gone. Locks and watches are read for so long.
    pub fn uses_of_left(&self, left: &[LeftInode], patience: Duration) -> Vec<UsesOfLeft> {
        let unknown = self.unknown().map(|unknown| unknown.why);
        let looking = self.worker.looking();
        let (census, tables) = (self.census(), locked(&looking.tables));
        let trees: BTreeSet<usize> = left.iter().map(|one| one.tree).collect();
        let members = trees.iter().filter_map(|tree| {
            let device = tables.trees().get(*tree)?.device;
            let loose = self.loose_members(*tree);
            Some((*tree, TreeMembers::of(&census, *tree, device, &loose)))
        });
        let members: BTreeMap<usize, TreeMembers<'_>> = members.collect();
        let readers = members.iter();
        let readers =
            readers.map(|(tree, all)| (*tree, watch_readers(*tree, all, looking, patience)));
        let readers: Vec<_> = readers.collect();
        let locks = LockList::read(&looking.devices, patience);
        let marks = readers.into_iter();
        let marks: BTreeMap<_, _> = marks.map(|(tree, all)| (tree, all.finish())).collect();
        let uses = |one: &LeftInode| {
            let (members, marks) = (members.get(&one.tree)?, marks.get(&one.tree)?);
            let missed = marks.missed.values().next().copied().or(locks.missed);
            match unknown.clone().or(missed.map(str::to_owned)) {
                Some(why) => Some(Err(why)),
                None => Some(Ok(members.uses(one.inode, &locks, marks))),
            }
        };
        let gone = || Err("there is no such tree".to_owned());
        left.iter()
            .map(|one| uses(one).unwrap_or_else(gone))
            .collect()
    }

    /// Who lives in a tree by a mount that was not known when he was looked at.
    fn loose_members(&self, tree: usize) -> HashSet<u32> {
        let lives = |hold: &Holdfast| hold.tree == tree && is_of_who_lives_there(hold.what);
        let loose = self.loose.iter();
        let loose = loose.filter(|(_, holds)| holds.iter().any(lives));
        loose.map(|(pid, _)| *pid).collect()
    }
}

fn watch_readers(
    tree: usize,
    members: &TreeMembers<'_>,
    looking: &Looking,
    patience: Duration,
) -> WatchReaders {
    let all = [(vec![tree], members.watchers())].into();
    WatchReaders::start(all, &looking.devices, patience)
}
