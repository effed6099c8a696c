//! Choose: which object each file of a group of equal files gets, and which file an object is made from.
//!
//! A group is a set of files that have the same content and metadata. Its files fill the objects of that content that
//! are in the base and have room, then new ones. A new object with a single file gains nothing, so
//! that file stays as it is.

use crate::model::{Making, Objects};

/// A file of a group. They come in the order in which they will be linked: the first makes the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// How many names it has; all of them are exchanged.
    pub names: u64,
    /// Its extents, where the file system tells.
    pub extents: Option<u32>,
    /// May its inode become the object: is its guest stopped, and its project the base's?
    pub adoptable: bool,
    /// Has its inode names in several guests? It becomes an object of its own, even without a twin, or none at all: its
    /// names are not exchanged.
    pub shared: bool,
}

/// An object of this content that is in the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present {
    /// Its generation.
    pub generation: u32,
    /// Its names, with the base's own.
    pub nlink: u64,
}

/// What a file of the group shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The generation of the object that it gets.
    pub generation: u32,
    /// Set for the file that the object is made from.
    pub makes: Option<Making>,
}

/// Decides for every member, in their order, and gives `None` for one that stays alone. `max_links` counts the
/// base's own name.
pub fn choose(
    members: &[Member],
    present: &[Present],
    max_links: u64,
    objects: Objects,
) -> Vec<Option<Choice>> {
    let used = present
        .iter()
        .map(|object| object.generation.saturating_add(1));
    let first = used.max().unwrap_or(0);
    if !members.iter().any(|member| member.shared) {
        return choose_own(members, present, first, max_links, objects);
    }
    let (mut choices, mut present) = (vec![None; members.len()], present.to_vec());
    let mut generation = first;
    let shared = members.iter().zip(&mut choices);
    for (member, choice) in shared.filter(|(member, _)| member.shared) {
        if member.adoptable && objects == Objects::Adopt && member.names < max_links {
            let makes = Some(Making::Adopt);
            *choice = Some(Choice { generation, makes });
            let nlink = member.names.saturating_add(1);
            present.push(Present { generation, nlink });
            generation = generation.saturating_add(1);
        }
    }
    // The others get what has room, of what was there and of what has just become an object.
    let own = members.iter().filter(|member| !member.shared).copied();
    let own: Vec<Member> = own.collect();
    let mut chosen = choose_own(&own, &present, generation, max_links, objects).into_iter();
    let rest = members.iter().zip(&mut choices);
    for (_, choice) in rest.filter(|(member, _)| !member.shared) {
        *choice = chosen.next().flatten();
    }
    choices
}

/// The same for files whose names are all in one guest; `generation` is the first that is free.
fn choose_own(
    members: &[Member],
    present: &[Present],
    mut generation: u32,
    max_links: u64,
    objects: Objects,
) -> Vec<Option<Choice>> {
    let mut choices = vec![None; members.len()];
    let mut at = fill(members, present, max_links, &mut choices);
    while at < members.len() {
        let count = fitting(&members[at..], max_links.saturating_sub(1));
        if count == 0 {
            // More names than any inode may have: it cannot be, but it must not loop.
            at += 1;
            continue;
        }
        if count > 1 {
            let makes = making(&members[at..at + count], objects);
            for (offset, choice) in choices[at..at + count].iter_mut().enumerate() {
                *choice = Some(Choice {
                    generation,
                    makes: (offset == 0).then_some(makes),
                });
            }
            generation = generation.saturating_add(1);
        }
        at += count;
    }
    choices
}

/// Fills the objects that are there, oldest first, and returns how many members found room.
fn fill(
    members: &[Member],
    present: &[Present],
    max_links: u64,
    choices: &mut [Option<Choice>],
) -> usize {
    let mut at = 0;
    for object in present {
        let count = fitting(&members[at..], max_links.saturating_sub(object.nlink));
        choices[at..at + count].fill(Some(Choice {
            generation: object.generation,
            makes: None,
        }));
        at += count;
    }
    at
}

/// How many of the first members have together at most `room` names.
fn fitting(members: &[Member], room: u64) -> usize {
    let mut names = 0;
    members
        .iter()
        .take_while(|member| {
            names += member.names;
            names <= room
        })
        .count()
}

/// So few pieces are no fragmentation: ext4 keeps them in the inode, without a block of their own.
pub const FEW: u32 = 4;

/// The first file makes the object. Its inode itself may be it, unless it is in many pieces and a twin is in fewer:
/// others would inherit that.
fn making(members: &[Member], objects: Objects) -> Making {
    let best = members.iter().filter_map(|member| member.extents).min();
    let as_whole = |extents: Option<u32>| extents.is_none_or(|n| n <= FEW) || extents == best;
    let whole = members
        .first()
        .is_some_and(|first| first.adoptable && as_whole(first.extents));
    if objects == Objects::Adopt && whole {
        Making::Adopt
    } else {
        Making::Copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Member = Member {
        names: 1,
        extents: Some(1),
        adoptable: true,
        shared: false,
    };

    fn generations(choices: &[Option<Choice>]) -> Vec<Option<u32>> {
        choices
            .iter()
            .map(|choice| choice.map(|c| c.generation))
            .collect()
    }

    #[test]
    fn the_first_makes_and_the_others_follow() {
        let choices = choose(&[PLAIN; 3], &[], 100, Objects::Adopt);
        let makes: Vec<_> = choices.iter().map(|choice| choice.unwrap().makes).collect();
        assert_eq!(makes, [Some(Making::Adopt), None, None]);
        assert_eq!(
            choose(&[PLAIN; 2], &[], 100, Objects::Copy)[0]
                .unwrap()
                .makes,
            Some(Making::Copy)
        );
    }

    #[test]
    fn one_file_alone_gets_nothing_unless_the_object_is_there() {
        assert_eq!(choose(&[PLAIN], &[], 100, Objects::Adopt), [None]);
        let there = Present {
            generation: 2,
            nlink: 3,
        };
        assert_eq!(
            choose(&[PLAIN], &[there], 100, Objects::Adopt),
            [Some(Choice {
                generation: 2,
                makes: None
            })]
        );
    }

    #[test]
    fn a_full_object_is_followed_by_the_next() {
        assert_eq!(
            generations(&choose(&[PLAIN; 5], &[], 3, Objects::Copy)),
            [Some(0), Some(0), Some(1), Some(1), None]
        );
        let there = Present {
            generation: 0,
            nlink: 2,
        };
        assert_eq!(
            generations(&choose(&[PLAIN; 4], &[there], 3, Objects::Copy)),
            [Some(0), Some(1), Some(1), None]
        );
    }

    #[test]
    fn all_names_of_a_file_fit_or_none() {
        let many = Member { names: 3, ..PLAIN };
        assert_eq!(
            generations(&choose(&[PLAIN, many, PLAIN], &[], 4, Objects::Copy)),
            [None, None, None]
        );
        assert_eq!(
            generations(&choose(&[PLAIN, many, PLAIN], &[], 6, Objects::Copy)),
            [Some(0), Some(0), Some(0)]
        );
        assert_eq!(generations(&choose(&[many], &[], 2, Objects::Copy)), [None]);
    }

    #[test]
    fn what_guests_share_already_becomes_an_object_and_others_join_it() {
        let shared = Member {
            names: 2,
            shared: true,
            ..PLAIN
        };
        let made = |generation, makes| Some(Choice { generation, makes });
        let adopt = Some(Making::Adopt);
        assert_eq!(
            choose(&[shared], &[], 100, Objects::Adopt),
            [made(0, adopt)]
        );
        assert_eq!(
            choose(&[PLAIN, shared, PLAIN], &[], 4, Objects::Adopt),
            [made(0, None), made(0, adopt), None]
        );
        let there = Present {
            generation: 3,
            nlink: 2,
        };
        assert_eq!(
            choose(&[shared, PLAIN, shared], &[there], 100, Objects::Adopt),
            [made(4, adopt), made(3, None), made(5, adopt)]
        );
        assert_eq!(choose(&[shared; 2], &[], 2, Objects::Adopt), [None; 2]);
        assert_eq!(choose(&[shared; 2], &[], 100, Objects::Copy), [None; 2]);
        let odd = Member {
            adoptable: false,
            ..shared
        };
        assert_eq!(
            choose(&[odd, PLAIN, PLAIN], &[], 100, Objects::Adopt),
            [None, made(0, adopt), made(0, None)]
        );
    }

    #[test]
    fn a_fragmented_or_running_file_is_copied() {
        let pieces = Member {
            extents: Some(9),
            ..PLAIN
        };
        assert_eq!(
            choose(&[pieces, PLAIN], &[], 9, Objects::Adopt)[0]
                .unwrap()
                .makes,
            Some(Making::Copy)
        );
        assert_eq!(
            choose(&[pieces, pieces], &[], 9, Objects::Adopt)[0]
                .unwrap()
                .makes,
            Some(Making::Adopt)
        );
        let running = Member {
            adoptable: false,
            ..PLAIN
        };
        assert_eq!(
            choose(&[running, PLAIN], &[], 9, Objects::Adopt)[0]
                .unwrap()
                .makes,
            Some(Making::Copy)
        );
    }
}
