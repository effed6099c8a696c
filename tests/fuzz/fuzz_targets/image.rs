//! Any bytes as an image: packed or not, a root or layers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = unify::internals::read_bytes(data);
});
