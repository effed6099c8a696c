//! Any bytes as the main file of pacman.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = unify::internals::parse_as("pacman", data);
});
