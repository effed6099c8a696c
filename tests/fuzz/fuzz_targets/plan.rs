//! Any bytes as a plan, read to its end.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(mut plan) = unify::plan::PlanReader::open(data) {
        while let Ok(Some(_)) = plan.next_action() {}
    }
});
