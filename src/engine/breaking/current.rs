//! Whether what is known is true still, of what one request is about. In a turn of ours no run moves names.

use super::knowledge::ToldSince;
use super::names::WriteResolved;
use super::worker::Worker;
use crate::engine::EngineError;
use crate::model::ObjectId;
use crate::sys::guard::WriteRequest;

impl Worker<'_> {
    /// May it be an object that a run has made since?
    pub(super) fn may_lack(&mut self, request: &WriteRequest) -> Result<bool, EngineError> {
        let inode = request.inode;
        self.knowledge.may_lack(inode, &self.base, &self.own_runs)
    }

    /// Would more be known if the base were read anew? Files of the guest that are on the object may be missing, or the
    /// guest itself.
    pub(super) fn is_short(
        &mut self,
        resolved: Option<&WriteResolved>,
        id: &ObjectId,
        is_fresh: bool,
    ) -> Result<bool, EngineError> {
        match resolved {
            Some(WriteResolved::Files {
                guest,
                files,
                by_record,
            }) if !files.is_empty() => Ok(*by_record && self.lacks_files(id, *guest)?),
            _ if is_fresh => Ok(false),
            _ => {
                let told = self.knowledge.told_since(id, &self.base, &self.own_runs)?;
                Ok(told != ToldSince::Nothing)
            }
        }
    }

    /// Even what was read since the request came may lack what a run at work has linked since that.
    fn lacks_files(&mut self, id: &ObjectId, guest: usize) -> Result<bool, EngineError> {
        let told = self.knowledge.told_since(id, &self.base, &self.own_runs)?;
        let told = match told {
            ToldSince::Nothing => return Ok(false),
            // What was linked while the base was read may be the guest's other file.
            ToldSince::Anything => return Ok(true),
            ToldSince::Names(guests) => guests.clone(),
        };
        let names = &self.knowledge.names;
        // One root may have the names of several guests.
        let is_one = |at| self.roots.values().any(|known| *known == at);
        let may_be_its = |at: usize| at == guest || !is_one(at);
        let mut told = told.iter().map(|guest| names.number_of(guest));
        Ok(told.any(|at| at.is_none_or(may_be_its)))
    }
}
