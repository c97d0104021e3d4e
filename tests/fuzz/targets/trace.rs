//! Any bytes as a trace: never a panic, all events accounted for, and the same trace in whatever blocks it is read and
//! whether or not the reader learns layouts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llm_prof::trace::read_from;
use llm_prof_fuzz::{same, settings};

fuzz_target!(|bytes: &[u8]| {
    let [whole, pieces, plain] = [(1 << 20, true), (61, true), (1 << 20, false)].map(|(block_bytes, learn)| {
        read_from("x", bytes, &settings(block_bytes, learn)).map_err(|error| error.to_string())
    });
    same(&whole, &pieces, "blocks show");
    same(&whole, &plain, "learned layouts show");
    if let Ok(trace) = whole {
        llm_prof_fuzz::report(trace);
    }
});
