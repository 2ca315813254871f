//! `headwater_fuzz::wal_record` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headwater_fuzz::wal_record(data));
