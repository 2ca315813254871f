//! `headwater_fuzz::line_protocol` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headwater_fuzz::line_protocol(data));
