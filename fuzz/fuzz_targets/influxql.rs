//! `headwater_fuzz::influxql` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headwater_fuzz::influxql(data));
