#![no_main]

#[path = "../../crates/connect-model/tests/exercise/mod.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod exercise;

libfuzzer_sys::fuzz_target!(|frame: &str| exercise::frame(frame));
