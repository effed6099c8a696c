//! From which protection to which other the objects of the base are being moved. The paper is durable before the first
//! of them loses the one, and goes when all have the other.

use std::io;

use crate::base::Base;
use crate::model::Protect;
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};

/// The paper's name.
const PAPER: &str = "moving";

/// The paper; two words, `FROM TO`.
pub struct MovingPaper;

impl MovingPaper {
    /// What it says; `None` where nothing is being moved.
    pub fn read(base: &Base) -> SysResult<Option<(Protect, Protect)>> {
        let path = base.paper(PAPER);
        let Some(text) = papers::read_small(&path)? else {
            return Ok(None);
        };
        let unknown = || io::Error::other("it names a protection that this version does not know");
        parse(&String::from_utf8_lossy(&text))
            .map(Some)
            .ok_or_else(|| SysError::new("read", path, unknown()))
    }

    /// Durable before it returns.
    pub fn write(base: &Base, from: Protect, to: Protect) -> SysResult<()> {
        let text = format!("{} {}\n", from.code(), to.code());
        papers::write_whole(&base.paper(PAPER), text.as_bytes())
    }

    /// All are moved.
    pub fn remove(base: &Base) -> SysResult<()> {
        papers::remove(&base.paper(PAPER))
    }
}

fn parse(text: &str) -> Option<(Protect, Protect)> {
    let (from, to) = text.trim_end().split_once(' ')?;
    Some((Protect::from_code(from)?, Protect::from_code(to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_modes_and_nothing_else() {
        assert_eq!(
            parse("immutable guard\n"),
            Some((Protect::Immutable, Protect::Guard))
        );
        for odd in ["", "guard", "guard x", "guard immutable none"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
