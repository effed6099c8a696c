//! Any bytes as the main file of rpm.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = unify::internals::parse_as("rpm", data);
});
