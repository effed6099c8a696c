//! From a request to the names that are written to, and whose they are.
//!
//! The record says under which names a file was shared. A guest may have moved a directory since, or made a name by
//! itself. What is asked then, the cheapest first, until as many names are known as the link count says:
//!
//! 1. the event: it names the directory by its inode, and the file system tells where that is now;
//! 2. what was learned by that: other names of the record that lay in the directory have moved with it;
//! 3. the directories in which the known names are: most often a further name is beside the first;
//! 4. a search through the guest, of which one is enough for all objects that have got no name since, also when the
//!    base is read anew: of what it did not look for, as it was new then, it says nothing.
//!
//! No guest waits for what is to be found in another: names that are missing are not its own once it was searched. Only
//! for a process of the host, whose name lies in no guest that is known, all guests that hold the object are searched.
//!
//! Whatever is found so is believed only when the disk, asked for that name beneath the guest's root, shows the inode.
//! From then on the name's directory is known by its inode: who renames what is above it hides no name by that.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `resolve` | which names there are now |
//! | `known` | names of an object that refer to it, and names that do so no more |
//! | `directories` | the inodes of directories in which names were seen |
//! | `moves` | directories that guests have moved |
//! | `searched` | what searches found |
//! | `whose` | whose write it is |

mod directories;
mod known;
mod moves;
mod resolve;
mod searched;
mod whose;

pub(super) use directories::Directories;
pub(super) use moves::Moves;
pub(super) use resolve::{Resolver, WriteResolved};
pub(super) use searched::{Searched, keep, renumber};
pub(super) use whose::Cgroups;
