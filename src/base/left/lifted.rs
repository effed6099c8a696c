//! Which objects may be without their protection although no run's journal says so: written before `recover` or
//! `gc` takes it off, and removed when all are protected again and the file system is synced.

use crate::base::{Base, Held};
use crate::model::{ObjectId, Protect};
use crate::sys::SysResult;
use crate::sys::own::papers;

/// The paper's name.
const PAPER: &str = "lifted";

/// One line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LiftedObject {
    /// What protects the object.
    pub by: Protect,
    /// The object.
    pub object: ObjectId,
    /// The number of its inode: another inode of that name was never lifted.
    pub ino: u64,
    /// Was it without protection already when it was met?
    pub found: bool,
}

impl LiftedObject {
    /// One that was met without protection.
    pub fn found(held: &Held, by: Protect) -> LiftedObject {
        LiftedObject {
            by,
            object: held.id,
            ino: held.state.id.ino,
            found: true,
        }
    }
}

/// The last word of a line about what was found so.
const FOUND: &str = "found";

/// The paper; a line each, `MODE OBJECT INODE`, and `found` where nobody had to lift anything.
pub struct LiftedPaper;

impl LiftedPaper {
    /// What it says; nothing where it is not there. Lines that cannot be read are left out.
    pub fn read(base: &Base) -> SysResult<Vec<LiftedObject>> {
        let text = papers::read_small(&base.paper(PAPER))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().filter_map(parse).collect())
    }

    /// Writes it whole. Durable before it returns.
    pub fn write(base: &Base, lifted: &[LiftedObject]) -> SysResult<()> {
        let text: String = lifted.iter().map(line).collect();
        papers::write_whole(&base.paper(PAPER), text.as_bytes())
    }

    /// Nothing is lifted.
    pub fn remove(base: &Base) -> SysResult<()> {
        papers::remove(&base.paper(PAPER))
    }
}

fn line(one: &LiftedObject) -> String {
    let LiftedObject {
        by,
        object,
        ino,
        found,
    } = one;
    let (space, found) = if *found { (" ", FOUND) } else { ("", "") };
    format!("{} {object} {ino}{space}{found}\n", by.code())
}

fn parse(line: &str) -> Option<LiftedObject> {
    let mut words = line.split(' ');
    let by = Protect::from_code(words.next()?)?;
    let object = words.next()?.parse().ok()?;
    let ino = words.next()?.parse().ok()?;
    let found = match words.next() {
        None => false,
        Some(FOUND) => true,
        Some(_) => return None,
    };
    let lifted = LiftedObject {
        by,
        object,
        ino,
        found,
    };
    words.next().is_none().then_some(lifted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_cannot_be_read_are_left_out() {
        let object = format!("sha256:{}-{}", "5b".repeat(32), "91".repeat(16));
        for found in [false, true] {
            let lifted = LiftedObject {
                by: Protect::Immutable,
                object: object.parse().unwrap(),
                ino: 17,
                found,
            };
            assert_eq!(parse(line(&lifted).trim_end()), Some(lifted));
        }
        for line in [
            String::new(),
            object.clone(),
            format!("immutable {object}"),
            format!("immutable {object} x"),
            format!("unlink {object} 17"),
            format!("immutable {object} 17 18"),
            format!("immutable {object} 17 found 18"),
        ] {
            assert_eq!(parse(&line), None, "{line}");
        }
    }
}
