//! Where tests make the machine fail. Every call of this room that changes anything goes through [`call`], and most
//! that only look; what lists a guest, resolves a path in it or asks for extents does not.
//!
//! Without the feature `faults` it is the call itself and nothing else: that is the program as it is shipped.
//! With the feature, which only the tests use, calls are counted, and the environment says what happens at one of
//! them:
//!
//! * `UNIFY_FAULT=17=kill`: the process is killed as call 17 is about to be made
//! * `UNIFY_FAULT=17=ENOSPC`: call 17 is not made and fails so; `17+=ENOSPC`: this call and all later ones of its kind
//! * `UNIFY_FAULT=17=run:COMMAND`: a shell runs the command first; a hostile guest acts at the worst moment
//! * `UNIFY_FAULT_TRACE=FILE`: the names of all calls are appended, one a line
//! * `UNIFY_MAX_LINKS=4`: an inode may have so few names, to meet the limit in a small scene
//! * `UNIFY_MEMORY=4096`: the machine has so many bytes of memory
//! * `UNIFY_MOST_HELD=0`: so many bytes of a shelf are held in memory before they go to a file
//! * `UNIFY_MOST_NAMES=9`: a guest may have so many names, and bytes of names
//! * `UNIFY_SILENCE=1000`: a thread of a daemon that is silent for so many milliseconds counts as one that stands still
//! * `UNIFY_ANY_PID_NAMESPACE=1`: the namespace that we are in is taken for the first one
//! * `UNIFY_OLD_KERNEL=1`: what kernels before 5.8 do not tell is not told
//! * `UNIFY_REQUESTS=SOCKET`: what writers ask comes from there (`guard/script.rs`)
//!
//! The same kills are made from outside by `strace`, so that this file need not be believed.

#[cfg(feature = "faults")]
mod armed;

use rustix::io::Errno;

/// One call to the machine, by the name under which it is counted.
pub(super) fn call<T, E: From<Errno>>(
    name: &'static str,
    act: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    pass(name)?;
    act()
}

#[cfg(feature = "faults")]
use armed::pass;
#[cfg(feature = "faults")]
pub(super) use armed::{
    any_pid_namespace, longest_silence, max_links, memory, most_held, most_names, old_kernel,
};

/// The limit of names that a test asks for.
#[cfg(not(feature = "faults"))]
pub(super) const fn max_links() -> Option<u64> {
    None
}

/// The memory that a test asks for.
#[cfg(not(feature = "faults"))]
pub(super) const fn memory() -> Option<u64> {
    None
}

/// The limit of a shelf that a test asks for.
#[cfg(not(feature = "faults"))]
pub(super) const fn most_held() -> Option<usize> {
    None
}

/// The limit of a guest that a test asks for.
#[cfg(not(feature = "faults"))]
pub(super) const fn most_names() -> Option<u32> {
    None
}

/// The silence that a test asks for.
#[cfg(not(feature = "faults"))]
pub(super) const fn longest_silence() -> Option<std::time::Duration> {
    None
}

/// Is any PID namespace as good as the first one? Where tests run in a container.
#[cfg(not(feature = "faults"))]
pub(super) const fn any_pid_namespace() -> bool {
    false
}

/// Shall this kernel look older than it is?
#[cfg(not(feature = "faults"))]
pub(super) const fn old_kernel() -> bool {
    false
}

#[cfg(not(feature = "faults"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it can fail")]
const fn pass(_: &'static str) -> Result<(), Errno> {
    Ok(())
}
