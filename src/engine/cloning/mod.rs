//! `clone`: a new guest from another one, in two steps that each leave nothing half done.
//!
//! **First a whole private copy.** It is made in a closed directory beside its place, the stage, with all metadata,
//! its blocks shared with the source's where the file system can (`FICLONE`), else copied with holes kept. When all of
//! it is durable it moves to its place in one step that replaces nothing. Until then nothing but the stage was written;
//! a signal or a kill leaves the stage at worst, which the base has noted: `recover`, `gc`, and whatever else changes
//! the base next remove it, and so does the next clone in that directory.
//!
//! **Then a plan of its own, applied as every plan is.** Files whose source refers to an object of the base are made
//! to refer to it as well. That means to lift flags, while all holders are quiet, and to prove the objects after:
//! `apply` does this, and nothing else shall. So no name in the stage is ever one of an object, whoever removes a stage
//! needs to lift nothing, receipts know the new holder before its first link, and a kill in this step leaves a whole
//! guest, of which some names are private still. The price: where blocks cannot be shared (ext4), what will be linked
//! is copied first, and takes room and time for that long. To link objects into the stage instead would have meant to
//! lift flags for a guest that does not exist yet, and to lift them again in order to throw away half of it.
//!
//! The source is read as a plan reads it: through a private view of its mount, which nothing is mounted in, in which no
//! link is followed and no device opened. Everything in it may change at any moment. A file is looked at again once it
//! is copied: in a guest that was seen to be stopped a change ends the clone, in one that runs it is counted and told.
//! What is mounted in the source is not copied; the directory beneath is, as the disk has it.
//!
//! Names that receipts know as names of one file stay names of one file; other names of one object become files of
//! their own, because the guest knows nothing of the other. Files get the time of their own that receipts remember.

mod contents;
mod copy;
mod known;
mod linking;
mod look;
mod place;
mod ready;
mod tree;

pub use ready::{CloneOptions, MadeClone, ReadyToClone};
