//! Many [`FileState`]s in little memory: 36 bytes each, where one alone takes 104. A plan holds one for every
//! file.

use std::collections::HashMap;

use indexmap::IndexSet;

use super::{FileId, FileKind, FileState, Time};

/// States by number, in the order in which they were put in.
#[derive(Debug, Default)]
pub struct States {
    packed: Vec<PackedState>,
    /// The device of all packed states: nearly all files are on one.
    device: Option<u64>,
    /// Kinds, link counts, modes and owners of the packed states: nearly all files have one of a few.
    classes: IndexSet<StateClass>,
    /// States that do not fit into [`PackedState`].
    odd: HashMap<u32, FileState>,
}

/// The packing saves the four bytes that would align it.
#[derive(Debug, Clone, Copy)]
#[repr(Rust, packed(4))]
struct PackedState {
    ino: u64,
    mtime: u64,
    ctime: u64,
    size: u32,
    blocks: u32,
    class: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct StateClass {
    kind: FileKind,
    nlink: u32,
    mode: u32,
    uid: u32,
    gid: u32,
}

/// Nanoseconds take the lower 30 bits of a packed time; seconds the others, from 1970 to 2514.
const NANOSECONDS: u32 = 30;

/// The class of a state that is in `odd`.
const ODD: u32 = u32::MAX;

impl States {
    /// Number of states.
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Adds a state. Its number is what [`States::len`] was before.
    pub fn push(&mut self, state: &FileState) {
        let packed = self.pack(state).unwrap_or_else(|| {
            let number = u32::try_from(self.packed.len()).unwrap_or(u32::MAX);
            self.odd.insert(number, *state);
            PackedState {
                ino: state.id.ino,
                mtime: 0,
                ctime: 0,
                size: 0,
                blocks: 0,
                class: ODD,
            }
        });
        self.packed.push(packed);
    }

    /// Gives back room for states that did not come.
    pub fn shrink_to_fit(&mut self) {
        self.packed.shrink_to_fit();
    }

    /// The state of this number.
    pub fn get(&self, number: usize) -> FileState {
        let packed = self.packed[number];
        let Some(class) = self.classes.get_index(packed.class as usize) else {
            return *self.odd(number);
        };
        FileState {
            kind: class.kind,
            id: FileId {
                dev: self.device.unwrap_or_default(),
                ino: packed.ino,
            },
            nlink: class.nlink,
            mode: class.mode,
            uid: class.uid,
            gid: class.gid,
            size: packed.size.into(),
            blocks: u64::from(packed.blocks),
            mtime: unpack_time(packed.mtime),
            ctime: unpack_time(packed.ctime),
        }
    }

    /// The inode number alone.
    pub fn inode(&self, number: usize) -> u64 {
        self.packed[number].ino
    }

    /// The length alone.
    pub fn size(&self, number: usize) -> u64 {
        let packed = self.packed[number];
        if packed.class == ODD {
            self.odd(number).size
        } else {
            packed.size.into()
        }
    }

    fn odd(&self, number: usize) -> &FileState {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        &self.odd[&number]
    }

    /// All, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = FileState> + '_ {
        (0..self.len()).map(|number| self.get(number))
    }

    fn pack(&mut self, state: &FileState) -> Option<PackedState> {
        let device = *self.device.get_or_insert(state.id.dev);
        let (mtime, ctime) = (pack_time(state.mtime)?, pack_time(state.ctime)?);
        let size = u32::try_from(state.size).ok()?;
        let blocks = u32::try_from(state.blocks).ok()?;
        if device != state.id.dev {
            return None;
        }
        let (class, _) = self.classes.insert_full(StateClass {
            kind: state.kind,
            nlink: state.nlink,
            mode: state.mode,
            uid: state.uid,
            gid: state.gid,
        });
        Some(PackedState {
            ino: state.id.ino,
            mtime,
            ctime,
            size,
            blocks,
            class: u32::try_from(class).ok().filter(|class| *class != ODD)?,
        })
    }
}

fn pack_time(time: Time) -> Option<u64> {
    let seconds = u64::try_from(time.sec).ok()?;
    let fits = seconds < 1 << (64 - NANOSECONDS) && time.nsec < 1 << NANOSECONDS;
    fits.then_some(seconds << NANOSECONDS | u64::from(time.nsec))
}

fn unpack_time(packed: u64) -> Time {
    let nanoseconds = packed & ((1 << NANOSECONDS) - 1);
    Time {
        sec: i64::try_from(packed >> NANOSECONDS).unwrap_or(i64::MAX),
        nsec: u32::try_from(nanoseconds).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: FileState = FileState {
        kind: FileKind::Regular,
        id: FileId {
            dev: 7,
            ino: 1 << 60,
        },
        nlink: 2,
        mode: 0o4755,
        uid: 100_000,
        gid: u32::MAX,
        size: 0xffff_ffff,
        blocks: 0xffff_ffff,
        mtime: Time { sec: 0, nsec: 0 },
        ctime: Time {
            sec: (1 << 34) - 1,
            nsec: 999_999_999,
        },
    };

    fn at(sec: i64) -> Time {
        Time { sec, nsec: 1 }
    }

    #[test]
    fn all_comes_back_as_it_went_in() {
        let other = FileId { dev: 8, ino: 5 };
        let all = [
            PLAIN,
            FileState { uid: 0, ..PLAIN },
            FileState {
                mtime: at(-1),
                ..PLAIN
            },
            FileState {
                ctime: at(1 << 34),
                ..PLAIN
            },
            FileState {
                mtime: at(i64::MIN),
                ..PLAIN
            },
            FileState {
                blocks: 1 << 32,
                ..PLAIN
            },
            FileState {
                size: 1 << 32,
                ..PLAIN
            },
            FileState { id: other, ..PLAIN },
            FileState { nlink: 1, ..PLAIN },
            PLAIN,
        ];
        let mut states = States::default();
        all.iter().for_each(|state| states.push(state));
        assert_eq!(states.iter().collect::<Vec<_>>(), all);
        assert_eq!(states.odd.len(), 6, "the others are packed");
        assert_eq!(states.classes.len(), 3, "what was odd leaves no class");
        assert_eq!((states.inode(7), states.size(2)), (5, 0xffff_ffff));
        assert_eq!(states.size(6), 1 << 32);
    }

    #[test]
    fn one_takes_36_bytes() {
        assert_eq!(size_of::<PackedState>(), 36);
    }
}
