//! Files that come to share blocks, and get their own again: `--method reflink` from plan to undo.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `planned` | what a plan offers and leaves, what it promises, and which method it takes |
//! | `cycle` | the whole way on real guests: what the disk stores, what guests see |
//! | `both` | plans of hard links and reflinks |
//! | `from_disk` | what is given back where receipts are lost |
//! | `refused` | lines that may not be done, or only in part, and why |
//! | `writers` | guests that write meanwhile |
//! | `killed` | runs that are cut short, and how the next heals |

mod both;
mod cycle;
mod from_disk;
mod killed;
mod planned;
mod refused;
mod writers;
