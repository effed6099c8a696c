//! Any bytes as the main file of slackware.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = unify::internals::parse_as("slackware", data);
});
