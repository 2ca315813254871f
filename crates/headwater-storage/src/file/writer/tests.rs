//! What the writer refuses, and what a crash leaves.

use std::sync::Arc;

use arrow_array::{Float64Array, Int64Array};
use headwater_env::{FileSystem, Operation, SimulatedFileSystem};
use headwater_model::FieldType;

use super::*;
use crate::file::{DataFile, FileCache};

const PATH: &str = "/data/f.parquet";

fn schema() -> FileSchema {
    FileSchema {
        measurement: "m".into(),
        tag_keys: vec!["host".into()],
        fields: vec![("f".into(), FieldType::Float)],
    }
}

fn file_system() -> Arc<SimulatedFileSystem> {
    let file_system = SimulatedFileSystem::new();
    file_system.create_dir_all(Path::new("/data")).unwrap();
    file_system.sync_dir(Path::new("/")).unwrap();
    Arc::new(file_system)
}

fn writer(file_system: &Arc<SimulatedFileSystem>) -> FileWriter {
    let options = FileOptions {
        row_group_rows: 4,
        page_rows: 2,
    };
    FileWriter::create(file_system.clone(), Path::new(PATH), schema(), options).unwrap()
}

fn key(measurement: &str, tag: &str, value: &str) -> SeriesKey {
    SeriesKey::new(measurement.into(), vec![(tag.into(), value.into())])
}

fn floats(count: usize) -> Vec<Option<ArrayRef>> {
    vec![Some(Arc::new(Float64Array::from_iter_values(
        (0..count).map(|n| n as f64),
    )))]
}

/// The arguments of `write_series`.
type Call = (SeriesKey, Vec<i64>, Vec<Option<ArrayRef>>);

/// The reason for which the last of `calls` is refused.
fn refusal(calls: &[Call]) -> String {
    let mut writer = writer(&file_system());
    let (last, before) = calls.split_last().unwrap();
    for (key, times, columns) in before {
        writer.write_series(key, times, columns).unwrap();
    }
    writer
        .write_series(&last.0, &last.1, &last.2)
        .unwrap_err()
        .to_string()
}

#[test]
fn calls_that_break_the_rules_are_refused() {
    let series = |value: &str| key("m", "host", value);
    let check = |calls: &[Call], reason: &str| {
        assert_eq!(
            refusal(calls),
            format!("data file {PATH}: cannot encode: {reason}")
        );
    };
    check(
        &[(series("a"), vec![2, 2], floats(2))],
        "times of a series do not ascend",
    );
    check(
        &[
            (series("a"), vec![1, 2], floats(2)),
            (series("a"), vec![2], floats(1)),
        ],
        "times of series m,host=a descend",
    );
    check(
        &[
            (series("b"), vec![1], floats(1)),
            (series("a"), vec![2], floats(1)),
        ],
        "series m,host=a after m,host=b",
    );
    check(
        &[(series("a"), vec![1], Vec::new())],
        "0 columns for 1 fields",
    );
    check(
        &[(series("a"), vec![1], floats(2))],
        "field f has 2 values for 1 times",
    );
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    check(
        &[(series("a"), vec![1], vec![Some(integers)])],
        "field f is float, not Int64",
    );
    check(
        &[(key("n", "host", "a"), vec![1], floats(1))],
        "series n,host=a is of another measurement",
    );
    check(
        &[(key("m", "rack", "a"), vec![1], floats(1))],
        "the schema lacks the tag rack",
    );
}

fn write(file_system: &Arc<SimulatedFileSystem>) -> Result<FileSummary, FileError> {
    let mut writer = FileWriter::create(
        file_system.clone(),
        Path::new(PATH),
        schema(),
        FileOptions {
            row_group_rows: 4,
            page_rows: 2,
        },
    )?;
    for host in ["a", "b", "c"] {
        writer.write_series(&key("m", "host", host), &[1, 2, 3], &floats(3))?;
    }
    writer.finish()
}

/// Whether the file is there; when it is, it is whole.
fn is_there(file_system: &Arc<SimulatedFileSystem>) -> bool {
    if !file_system
        .list(Path::new("/data"))
        .unwrap()
        .contains(&"f.parquet".to_owned())
    {
        return false;
    }
    let cache = FileCache::new(0);
    let file = DataFile::open(file_system.clone(), Path::new(PATH), &cache).unwrap();
    assert_eq!(file.directory().unwrap().row_count(), 9);
    file.read(std::slice::from_ref(&(0..9)), &["f"], true)
        .unwrap();
    true
}

#[test]
fn a_finished_file_survives_a_crash() {
    let file_system = file_system();
    write(&file_system).unwrap();
    file_system.crash();
    assert!(is_there(&file_system));
}

#[test]
fn a_crash_at_any_step_leaves_the_whole_file_or_none() {
    let all_steps = {
        let file_system = file_system();
        let before = file_system.changes();
        write(&file_system).unwrap();
        file_system.changes() - before
    };
    assert!(all_steps > 5, "{all_steps} steps");
    for steps in 0..all_steps {
        let file_system = file_system();
        file_system.lose_power_after(steps);
        write(&file_system).expect_err("the power fails");
        file_system.crash();
        is_there(&file_system);
    }
}

#[test]
fn a_failed_sync_leaves_no_file() {
    let file_system = file_system();
    file_system.fail_next(Operation::Sync);
    let error = write(&file_system).unwrap_err();
    assert!(matches!(error, FileError::Io { .. }), "{error}");
    assert!(!is_there(&file_system));
}

#[test]
fn an_unfinished_file_is_not_there() {
    let file_system = file_system();
    let mut writer = writer(&file_system);
    writer
        .write_series(&key("m", "host", "a"), &[1], &floats(1))
        .unwrap();
    drop(writer);
    assert!(!is_there(&file_system));
}
