//! What hard links leave alone, in a plan of both methods: it is judged anew by the rules of reflinks, and shares
//! blocks where its content is equal to that of another file.
//!
//! A file has one line. One that a hard link takes gets no blocks; others get its blocks where its inode stays: that of
//! an object, or the file that becomes one. `apply` does the reflinks first, so that each source is still what the plan
//! saw. Where it then has to copy what it should have made the object, the room of that file does not come back, which
//! its receipt says. What is left alone in the end has the reason of the rules of reflinks, which keep fewer files.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::choose::{Choices, count_unique};
use super::classify::{Classified, Decision, Judge};
use super::evidence::Evidence;
use super::matching::Matcher;
use super::matching::compare::Reader;
use super::matching::file::FileRef;
use super::shared_inodes::SharedInodes;
use super::survey::Survey;
use super::survey::all::classify_unless_left_out;
use crate::base::Index;
use crate::model::{FileId, Making, Observer, SkipReason};
use crate::rules::care::Care;
use crate::rules::totals::SummaryBuilder;

/// All files by the rules of reflinks, before it is known which of them hard links take.
pub struct Leftover<'a> {
    care: &'a Care,
    judged: Vec<Classified>,
}

/// What is handed on, and what comes back: decisions of files that give their blocks, and get none.
type Giving = HashMap<FileRef, Decision>;

impl<'a> Leftover<'a> {
    /// Judges all files. What choices of the user came to is told of the rules that were asked first.
    pub fn judge(surveys: &[Survey], judge: &Judge<'a>, first: &mut [Classified]) -> Leftover<'a> {
        let surveys = surveys.par_iter();
        let judged = surveys.map(|survey| classify_unless_left_out(survey, judge));
        let mut judged: Vec<Classified> = judged.collect();
        for (first, then) in first.iter_mut().zip(&mut judged) {
            match first.uses.is_some() {
                true => then.uses = None,
                // No hard link reaches it.
                false => {
                    first.uses = then.uses.take();
                    first.unfollowed = then.unfollowed.take();
                    first.more_links = then.more_links;
                }
            }
        }
        Leftover {
            care: judge.care,
            judged,
        }
    }

    /// Decides for all files that `first`, the decisions of hard links, leave alone; all decisions together.
    pub fn decide(
        self,
        mut first: Vec<Classified>,
        reader: &Reader<'_>,
        (choices, sum): (&mut Choices<'_>, &mut SummaryBuilder),
        found: &Evidence<'_>,
        observer: &dyn Observer,
    ) -> Vec<Classified> {
        let (surveys, mut judged) = (found.surveys, self.judged);
        let giving = take_over(surveys, &mut first, &mut judged);
        sum.forget_skipped();
        for (reason, count) in judged.iter().flat_map(|judged| &judged.skipped) {
            sum.skipped(*reason, count.files, count.bytes);
        }
        let (none, alone) = (Index::default(), SharedInodes::default());
        let reader = Reader {
            care: self.care,
            shared: &alone,
            crowded: AtomicBool::new(false),
            ..*reader
        };
        let matcher = found.threads.work(|| Matcher::new(&reader, &none));
        let matched = matcher.run(&judged, observer);
        let give: HashSet<FileRef> = giving.keys().copied().collect();
        let share = || choices.share_blocks(matched, found, &mut judged, (sum, &give));
        found.threads.work(share);
        for (which, decision) in giving {
            if let Some(decided) = decided(&mut judged, which) {
                *decided = decision;
            }
        }
        count_unique(surveys, &mut judged, sum);
        judged
    }
}

/// Gives all files that hard links took the decision that they have, and says which of them others may get the blocks
/// of: those are candidates for now.
fn take_over(surveys: &[Survey], first: &mut [Classified], then: &mut [Classified]) -> Giving {
    let (mut giving, mut met) = (Giving::new(), HashSet::<FileId>::new());
    for ((guest, survey), (first, then)) in (0u32..).zip(surveys).zip(first.iter_mut().zip(then)) {
        then.uses = first.uses.take();
        for (file, decision) in (0u32..).zip(&first.decisions) {
            let gives = match decision {
                Decision::Linked { makes, .. } => *makes == Some(Making::Adopt),
                Decision::Shared(_) => met.insert(survey.scan.tree.state(file as usize).id),
                _ => continue,
            };
            let which = FileRef { guest, file };
            if matches!(decision, Decision::Linked { .. }) {
                then.take_back(survey, file as usize);
            }
            if let Some(now) = then.decisions.get_mut(file as usize) {
                *now = match gives {
                    true => Decision::Candidate,
                    false => *decision,
                };
                giving.extend(gives.then_some((which, *decision)));
            }
        }
    }
    giving
}

fn decided(judged: &mut [Classified], which: FileRef) -> Option<&mut Decision> {
    let judged = judged.get_mut(which.guest as usize)?;
    judged.decisions.get_mut(which.file as usize)
}

impl Classified {
    /// The file is not left alone after all: its lines go, and it counts no more.
    fn take_back(&mut self, survey: &Survey, file: usize) {
        let tree = &survey.scan.tree;
        let mut reason: Option<SkipReason> = match self.decisions.get(file) {
            Some(Decision::Counted(reason)) => Some(*reason),
            Some(Decision::Listed) => None,
            _ => return,
        };
        for name in tree.names_of(file) {
            let line = self.lines.remove(&name);
            reason = reason.or(line.map(|line| line.reason));
        }
        if let Some(count) = reason.and_then(|reason| self.skipped.get_mut(&reason)) {
            count.files = count.files.saturating_sub(1);
            count.bytes = count.bytes.saturating_sub(tree.size(file));
        }
        self.skipped.retain(|_, count| count.files > 0);
    }
}
