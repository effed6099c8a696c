//! What `unify protect` came to.
//!
//! The JSON form is the fields of `ProtectJson`.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::{Escaped, ProtectionMove};
use crate::report::layout::json;
use crate::report::layout::json::RootJson;
use crate::report::layout::size::counted;

/// For people.
pub fn text(moved: ProtectionMove, base: &Path, out: &mut dyn Write) -> io::Result<()> {
    let ProtectionMove { from, to, objects } = moved;
    let (base, to) = (Escaped::of(base), to.code());
    if from == moved.to {
        return writeln!(
            out,
            "The shared files of {base} are protected by {to} already."
        );
    }
    let files = counted(objects, "file");
    let from = from.code();
    writeln!(out, "Moved {files} of {base} from {from} to {to}.")
}

#[derive(Serialize)]
struct ProtectJson {
    /// `unify.protect`.
    kind: &'static str,
    /// Where the base is: `root`, `root_b64`.
    base: RootJson,
    #[serde(flatten)]
    moved: ProtectionMove,
}

/// For programs.
pub fn json(moved: ProtectionMove, base: &Path, out: &mut dyn Write) -> io::Result<()> {
    let value = ProtectJson {
        kind: "unify.protect",
        base: RootJson::from(base),
        moved,
    };
    json::write_line(out, &value)
}
