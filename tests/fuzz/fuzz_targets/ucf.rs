//! Any bytes as the main file of ucf.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = unify::internals::parse_as("ucf", data);
});
