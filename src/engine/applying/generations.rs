//! Which later generations of objects a base has: there is one for every so many thousand names of one content, and a
//! plan may name any number. So the base is asked what it has, and nothing is tried.

use std::collections::{HashMap, HashSet};

use crate::base::Base;
use crate::model::{Digest, MetadataDigest, ObjectId};
use crate::sys::SysResult;

/// Generations after the first, of those directories of objects that were asked for. Only the run that holds the base
/// adds some; one that was removed since is found to be absent.
#[derive(Default)]
pub(super) struct Generations {
    /// First bytes of contents whose directories were listed.
    listed: HashSet<u8>,
    later: HashMap<(Digest, MetadataDigest), Vec<u32>>,
}

impl Generations {
    /// Those of one object, the lowest first.
    pub fn of(&mut self, base: &Base, first: &ObjectId) -> SysResult<Vec<ObjectId>> {
        if self.listed.insert(first.content.0[0]) {
            for id in base.later_generations(&first.content)? {
                self.add(&id);
            }
        }
        let later = self.later.get(&(first.content, first.metadata));
        let ids = later.into_iter().flatten().map(|generation| ObjectId {
            generation: *generation,
            ..*first
        });
        Ok(ids.collect())
    }

    /// One more; the first generation is none of them.
    pub fn add(&mut self, id: &ObjectId) {
        if id.generation == 0 {
            return;
        }
        let all = self.later.entry((id.content, id.metadata)).or_default();
        if let Err(place) = all.binary_search(&id.generation) {
            all.insert(place, id.generation);
        }
    }
}
