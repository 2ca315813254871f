//! `headwater_fuzz::regex` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headwater_fuzz::regex(data));
