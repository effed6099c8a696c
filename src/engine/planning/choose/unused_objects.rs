//! Objects of the base that no name refers to, and that files get: two promises must not be made of one room.

use super::Choices;
use crate::model::Caveats;

impl Choices<'_> {
    /// Whoever asks `gc` for their room gets it without the plan.
    pub(super) fn unused_objects(&self) -> Caveats {
        let states = self.uses.iter().filter_map(|used| {
            let number = self
                .index
                .find(&self.object(used.group, used.generation)?)?;
            Some(self.index.get(number as usize).state)
        });
        let unused = states.filter(|state| state.nlink == 1);
        Caveats {
            unused_objects: unused.map(|state| state.allocated()).sum(),
            ..Caveats::default()
        }
    }
}
