//! Guests that run, write or attack while the program works.
//!
//! | file | put a test here when it is about |
//! | --- | --- |
//! | `occupied_guests` | a guest with a process in it, which is left alone |
//! | `presence` | what reaches a guest, or the base, in any other way |
//! | `entered_midway` | a process that enters a guest while a run is at work |
//! | `frozen_guests` | guests that are frozen for moments and go on |
//! | `guardd` | the daemon that gives a guest a file of its own when it writes to a shared one |
//! | `flag_clearers` | a guest that is not frozen because it could take flags off, and what ends that |
//! | `frozen_guest_moves` | a guest that does not freeze when it should |
//! | `bounded_freezes` | how long guests are frozen, and that it ends whatever is waited for |
//! | `stderr_blocked` | frozen guests, while no process reads the standard error of the program |
//! | `races` | one act of a guest at one chosen call of `apply` |
//! | `spoiled_objects` | the same, done to an object whose flag is off |
//! | `unseen_writers` | a process that is not seen and changes a shared file while its flag is off |
//! | `used_files` | files that are locked, watched, open or mounted by themselves |
//! | `writers` | programs that write all the time, in every way that there is |
//! | `swaps` | an attacker that exchanges names all the time |

mod bounded_freezes;
mod entered_midway;
mod flag_clearers;
mod frozen_guest_moves;
mod frozen_guests;
mod guardd;
mod occupied_guests;
mod presence;
mod races;
mod spoiled_objects;
mod stderr_blocked;
mod swaps;
mod unseen_writers;
mod used_files;
mod writers;
