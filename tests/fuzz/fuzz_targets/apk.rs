//! Any bytes as the main file of apk.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = unify::internals::parse_as("apk", data);
});
