//! `headwater_fuzz::parquet_file` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headwater_fuzz::parquet_file(data));
