//! The guard in the kernel: programs that deny every change of a marked inode, and the map of marks. While a daemon
//! lives, they ask it for a private copy instead, and let the writer wait for that.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `bpf/guard.bpf.c`, `bpf/guard.bpf.o` | the programs, and what clang made of them |
//! | `bpf/kernel.bpf.h`, `bpf/maps.bpf.h` | what they use of the kernel, and their maps |
//! | `bpf/ask.bpf.h`, `bpf/restart.bpf.h` | a writer asks for a private copy; its call is begun anew until it is there |
//! | `bpf/call.bpf.h` | which call that is, and whether it can be begun anew |
//! | `bpf/owner.bpf.h`, `bpf/flood.bpf.h` | who is denied in any case asks nothing; who does not wait asks not too often |
//! | `programs`, `task_work` | loads them, pins them, takes them out again; a function that only some kernels have |
//! | `sets` | what is pinned, by its names |
//! | `maps`, `marks` | where the maps are; an inode is marked, is marked no more, is it marked |
//! | `heart`, `requests`, `event` | the daemon's end: it lives, is asked, answers |
//! | `by_handle` | where the directory is that an event names; is there a marked inode still |
//! | `desk`, `writers`, `script` | the same for several threads; and for tests, without a kernel |
//! | `trial`, `ability` | tries every way of changing a file of our own, and what becomes of it with a daemon |
//!
//! Programs and map are pinned below `/sys/fs/bpf/unify`, so they outlive every process of ours, and end with the
//! kernel that runs. The map is the only authority: what is not in it is not protected, whatever a paper says.
//!
//! # Versions
//!
//! A kernel may have programs of another version than ours: they outlive an upgrade of the program. What both share has
//! a layout with a number (`maps`). Programs of another layout keep what is marked, and are left alone else: nothing is
//! read of them but that they are there, and nobody is answered ([`is_of_other_layout`]). A daemon that begins puts its
//! own in their place; one in whose place a load has put others sees it and ends ([`AnswersWriters::is_asked`]).
//! Programs of the same layout are answered, whatever else they are.
//!
//! # Who can change a marked inode
//!
//! Nobody. There is no list of processes that may: a number of a process is given anew, and a namespace or a cgroup
//! can be entered. Who takes a mark off must open the map, which is root's in a directory of root's alone, in a file
//! system of which a guest mounts another instance. A guest with `CAP_BPF` or `CAP_SYS_ADMIN` outside of every user
//! namespace can find the map by its number all the same; against such a guest there is no guard.
//!
//! # What it does not see
//!
//! A descriptor or mapping that could write before its inode was marked goes on to. So a lease is taken after the
//! mark, which the kernel refuses while there is one.

mod ability;
mod by_handle;
mod desk;
mod event;
mod heart;
mod maps;
mod marks;
mod programs;
mod requests;
#[cfg(feature = "faults")]
mod script;
mod sets;
mod task_work;
mod trial;
mod writers;

pub use ability::learn_ability;
pub use by_handle::InodeLeft;
pub use desk::{Desk, let_go};
pub use event::{WriteKind, WriteRequest};
pub use heart::Heart;
pub use marks::{InodeMark, Marks};
pub use programs::{LoadedGuard, Unloaded, load, unload};
pub use requests::WriteAnswer;
pub use sets::{GuardError, is_loaded, is_mixed, is_of_other_layout};
pub use writers::AnswersWriters;
