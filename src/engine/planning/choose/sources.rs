//! Which files get the blocks of which, for a plan of reflinks. Each file of a group is asked where its blocks lie, at
//! the last moment: nothing that a walk sees tells when that changes.

use std::collections::HashSet;

use rayon::prelude::*;

use super::block_groups::BlockGroups;
use super::{Choices, decision_of, drop_out};
use crate::engine::planning::classify::{Classified, Decision};
use crate::engine::planning::evidence::Evidence;
use crate::engine::planning::matching::Matched;
use crate::engine::planning::matching::file::FileRef;
use crate::engine::planning::matching::groups::Groups;
use crate::engine::planning::matching::probe::{Dropped, blocks};
use crate::model::{BlockSource, Digest, FileState, SkipReason};
use crate::rules::reflink::source::{BlockFate, BlockOwner, choose_source};
use crate::rules::totals::SummaryBuilder;

/// Groups of about so many files together are chosen for in parallel.
const AT_ONCE: usize = 1 << 14;

impl Choices<'_> {
    /// A file whose blocks those of a group get: its first name, what it was, and what it holds.
    pub fn source(&self, group: u32) -> Option<(BlockSource, FileState, Digest)> {
        let BlockGroups { groups, sources } = &self.blocks;
        let FileRef { guest, file } = *sources.get(&group)?;
        let survey = self.surveys.get(guest as usize)?;
        let (tree, file) = (&survey.scan.tree, file as usize);
        let source = BlockSource {
            guest: survey.guest.name.clone(),
            path: tree.guest_path(tree.names_of(file).next()?),
        };
        let content = groups.id(group as usize)?.content;
        Some((source, tree.state(file), content))
    }

    /// Decides for files that no object is for: which of them get the blocks of which. Those in `give` get none.
    pub fn share_blocks(
        &mut self,
        matched: Matched,
        found: &Evidence<'_>,
        classified: &mut [Classified],
        (sum, give): (&mut SummaryBuilder, &HashSet<FileRef>),
    ) {
        let dropped = matched.dropped.iter();
        for (which, why) in dropped.filter(|(which, _)| !give.contains(which)) {
            drop_out(*which, why, found.surveys, classified, sum);
        }
        let mut groups = matched.groups;
        groups.forget_beginnings();
        self.choose_sources(groups, found, classified, (sum, give));
    }

    /// Decides for every group. The files in `give` get no blocks, and what was decided of them stays.
    pub(super) fn choose_sources(
        &mut self,
        mut groups: Groups,
        found: &Evidence<'_>,
        classified: &mut [Classified],
        (sum, give): (&mut SummaryBuilder, &HashSet<FileRef>),
    ) {
        let mut next = 0;
        while next < groups.len() {
            let some = next..groups.behind(next, AT_ONCE);
            next = some.end;
            let each = some.clone().into_par_iter();
            let chosen: Vec<_> = each
                .map(|group| fates(&groups, group, found, give))
                .collect();
            for (group, fates) in some.zip(chosen) {
                self.take_fates(group, &fates, found, classified, (sum, give));
            }
        }
        groups.forget_members();
        self.blocks.groups = groups;
    }

    fn take_fates(
        &mut self,
        number: usize,
        fates: &[(FileRef, BlockFate)],
        found: &Evidence<'_>,
        classified: &mut [Classified],
        (sum, give): (&mut SummaryBuilder, &HashSet<FileRef>),
    ) {
        let group = u32::try_from(number).unwrap_or(u32::MAX);
        let mut guests = Vec::new();
        for (which, fate) in fates {
            let decision = match fate {
                BlockFate::Source => {
                    self.blocks.sources.insert(group, *which);
                    Decision::Source
                }
                BlockFate::Shares => Decision::Reflinked(group),
                BlockFate::Left(_) if give.contains(which) => continue,
                BlockFate::Left(reason) => {
                    leave(*which, *reason, found, classified, sum);
                    continue;
                }
            };
            guests.push(which.guest);
            if let Some(decided) = decision_of(*which, classified) {
                *decided = decision;
            }
        }
        if let Some(first) = fates.first() {
            let tree = &found.surveys[first.0.guest as usize].scan.tree;
            sum.object(&guests, tree.size(first.0.file as usize));
        }
    }
}

fn fates(
    groups: &Groups,
    group: usize,
    found: &Evidence<'_>,
    give: &HashSet<FileRef>,
) -> Vec<(FileRef, BlockFate)> {
    let files: Vec<FileRef> = groups.members(group).map(|one| one.which).collect();
    let owner = |which: &FileRef| {
        let owner = owner(*which, found);
        BlockOwner {
            is_immutable: owner.is_immutable || give.contains(which),
            ..owner
        }
    };
    let owners: Vec<BlockOwner> = files.iter().map(owner).collect();
    let fates = choose_source(&owners, found.policy().within);
    files.into_iter().zip(fates).collect()
}

fn owner(which: FileRef, found: &Evidence<'_>) -> BlockOwner {
    let survey = &found.surveys[which.guest as usize];
    let (blocks, is_immutable) = blocks(survey, which.file as usize, found.sharing);
    let inode = survey.scan.tree.state(which.file as usize).id;
    BlockOwner {
        guest: which.guest,
        inode,
        blocks,
        is_immutable,
        is_swap: found.swap.contains(&inode),
    }
}

/// What has no twin, or shares all already, is as many as there are files: it has no line, unless all shall have one.
fn leave(
    which: FileRef,
    reason: SkipReason,
    found: &Evidence<'_>,
    classified: &mut [Classified],
    sum: &mut SummaryBuilder,
) {
    let is_counted = matches!(
        reason,
        SkipReason::Unique
            | SkipReason::OwnGuest
            | SkipReason::BlocksShared
            | SkipReason::InlineData
    );
    if !is_counted {
        let why = Dropped { reason, note: None };
        return drop_out(which, &why, found.surveys, classified, sum);
    }
    let tree = &found.surveys[which.guest as usize].scan.tree;
    sum.skipped(reason, 1, tree.size(which.file as usize));
    if let Some(decided) = decision_of(which, classified) {
        *decided = Decision::Counted(reason);
    }
}
