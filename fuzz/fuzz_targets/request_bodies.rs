//! `headwater_fuzz::request_bodies` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headwater_fuzz::request_bodies(data));
