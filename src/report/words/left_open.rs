//! Shared files that a run leaves open to writes.

use crate::model::Protect;
use crate::report::layout::size::counted;

/// A warning each: of files whose flag lines were taken out, and of a plan that protects nothing.
pub fn warnings(unflagged: u64, protect: Option<Protect>) -> Vec<String> {
    let taken_out = || {
        format!(
            "WARNING: {} will NOT be protected: their flag lines were taken out of the plan.",
            counted(unflagged, "shared file")
        )
    };
    let none = "WARNING: shared files will NOT be protected: an in-place write by one guest changes the file for all of them.";
    let taken_out = (unflagged > 0).then(taken_out);
    let none = (protect == Some(Protect::None)).then(|| none.to_owned());
    taken_out.into_iter().chain(none).collect()
}
