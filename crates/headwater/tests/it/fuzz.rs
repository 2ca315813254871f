//! The fuzz targets with their seeds and with what was found earlier, without libFuzzer.
//!
//! The targets are compiled in from `fuzz/`, which is a workspace of its own for the sake of
//! libFuzzer.

use std::path::Path;

#[expect(unreachable_pub, reason = "a library there, a module here")]
#[path = "../../../../fuzz/src/lib.rs"]
mod targets;

/// Gives a target each seed and each find; tells the input of one that panics.
#[expect(clippy::print_stderr, reason = "shown when a test fails")]
fn replay(name: &str, target: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let seeds = fuzz.join(format!("seeds/{name}.txt"));
    let text = std::fs::read_to_string(seeds).expect("each target has seeds");
    let mut inputs: Vec<Vec<u8>> = text
        .split("\n----\n")
        .map(|seed| seed.as_bytes().to_vec())
        .collect();
    if let Ok(finds) = std::fs::read_dir(fuzz.join("finds").join(name)) {
        for find in finds {
            let path = find.expect("the folder is readable").path();
            inputs.push(std::fs::read(path).expect("a find is a file"));
        }
    }
    for input in inputs {
        eprintln!("{name}: {}", String::from_utf8_lossy(&input));
        target(&input);
    }
}

#[test]
fn influxql_prints_as_it_reads() {
    replay("influxql", targets::influxql);
}

#[test]
fn queries_end() {
    replay("planner", targets::planner);
}

#[test]
fn parameters_are_bound_or_refused() {
    replay("params", targets::params);
}

#[test]
fn line_protocol_is_read_or_refused() {
    replay("line_protocol", targets::line_protocol);
}

#[test]
fn regular_expressions_are_translated_or_refused() {
    replay("regex", targets::regex);
}

#[test]
fn a_log_is_replayed_or_refused() {
    replay("wal_record", targets::wal_record);
}

#[test]
fn data_files_are_read_or_refused() {
    replay("parquet_file", targets::parquet_file);
}

#[test]
fn records_of_the_catalog_are_taken_or_refused() {
    replay("catalog_rows", targets::catalog_rows);
}

#[test]
fn requests_are_answered() {
    replay("request_bodies", targets::request_bodies);
}
