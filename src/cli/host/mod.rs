//! What is asked of this host rather than of a plan or a base, and the second processes of this program.

pub(super) mod assistant;
pub(super) mod doctor;
pub(super) mod watchdog;
