//! `headwater_fuzz::catalog_rows` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headwater_fuzz::catalog_rows(data));
