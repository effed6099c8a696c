//! From what databases say to what a guest's files are: [`gathering`] collects the files of packages, [`settle`] turns
//! names into inodes, [`sidecars`] finds the copies that package managers leave, [`owners`] tells whose a file is.

pub(super) mod gathering;
pub(super) mod owners;
pub(super) mod settle;
mod sidecars;
