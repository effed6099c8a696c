//! How the program reads guests: with which rights, in which order, from which disks, and through which names.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `confinement` | the rights that a command gives up before it reads a guest |
//! | `confinement_hides_nothing` | what a command without those rights still sees, and what it says that it cannot see |
//! | `audits` | plans that nothing can be applied from, of guests on any mounts |
//! | `images` | guests that are archives or layouts |
//! | `cold_disks` | the threads that read a slow disk, and their order |
//! | `page_cache` | what a command leaves behind in the page cache |
//! | `deceiving_names` | names that look like others, or like orders to the runner of a CI job |
//! | `odd_names` | names that tools stumble over, paths too long for a system call, inodes with too many names |
//! | `sparse_files` | files with holes |
//! | `old_formats` | bases, receipts, journals and plans that an earlier version of the program wrote |
//! | `file_systems` | the main job on each file system, and guests on several of them |

mod audits;
mod cold_disks;
mod confinement;
mod confinement_hides_nothing;
mod deceiving_names;
mod file_systems;
mod images;
mod odd_names;
mod old_formats;
mod page_cache;
mod sparse_files;
