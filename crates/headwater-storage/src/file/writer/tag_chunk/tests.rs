use std::sync::Arc;

use arrow_array::{Array, Int64Array, StringArray, cast::AsArray};
use arrow_schema::DataType;
use bytes::Bytes;
use headwater_env::{FileSystem, SimulatedFileSystem};
use headwater_model::{FieldType, SeriesKey};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    file::{reader::FileReader, serialized_reader::SerializedFileReader, statistics::Statistics},
};

use crate::file::{FileOptions, FileSchema, FileWriter};

/// Writes series with these values of the tags `a` and `b` (empty: the series lacks it) and
/// `rows` rows each; returns the file.
fn written(tags: &[(&str, &str)], rows: usize, row_group_rows: usize) -> Bytes {
    let disk = Arc::new(SimulatedFileSystem::new());
    let path = std::path::Path::new("/f");
    let schema = FileSchema {
        measurement: "m".into(),
        tag_keys: vec!["a".into(), "b".into()],
        fields: vec![("v".into(), FieldType::Integer)],
    };
    let options = FileOptions {
        row_group_rows,
        page_rows: 100,
    };
    let mut writer = FileWriter::create(disk.clone(), path, schema, options).unwrap();
    let times: Vec<i64> = (0..rows as i64).collect();
    for (a, b) in tags {
        let pairs = [("a", a), ("b", b)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        let pairs = pairs
            .map(|(key, value)| (key.into(), (**value).into()))
            .collect();
        let key = SeriesKey::new("m".into(), pairs);
        let values = Arc::new(Int64Array::from(times.clone())) as _;
        writer.write_series(&key, &times, &[Some(values)]).unwrap();
    }
    writer.finish().unwrap();
    disk.read(path).unwrap().into()
}

/// The values of a column as any Parquet reader sees them.
fn column(file: &Bytes, name: &str) -> Vec<String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone())
        .unwrap()
        .build()
        .unwrap();
    let mut values = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let array = batch.column_by_name(name).unwrap();
        let array: StringArray = match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().clone(),
            other => panic!("{other}"),
        };
        values.extend(array.iter().map(|value| value.unwrap_or("").to_owned()));
    }
    values
}

fn check(tags: &[(&str, &str)], rows: usize, row_group_rows: usize) {
    let file = written(tags, rows, row_group_rows);
    let repeat = |value: &str| vec![value.to_owned(); rows];
    let a: Vec<String> = tags.iter().flat_map(|(a, _)| repeat(a)).collect();
    let b: Vec<String> = tags.iter().flat_map(|(_, b)| repeat(b)).collect();
    assert_eq!(column(&file, "a"), a);
    assert_eq!(column(&file, "b"), b);
}

#[test]
fn other_readers_see_one_value_a_row() {
    check(&[("x", "1")], 20, 1000);
    check(&[("x", "1"), ("x", "2"), ("y", "1"), ("z", "3")], 20, 1000);
}

#[test]
fn row_groups_may_end_inside_a_series() {
    check(&[("x", "1"), ("y", "2"), ("z", "3")], 100, 37);
}

#[test]
fn series_without_the_tag_have_nulls() {
    check(&[("x", ""), ("y", "2"), ("", "1")], 50, 1000);
    check(&[("x", ""), ("y", "")], 50, 1000);
}

#[test]
fn long_runs_and_large_dictionaries_are_encoded() {
    let values: Vec<(String, String)> = (0..600)
        .map(|i| (format!("{i:04}"), "v".repeat(1 + i % 90)))
        .collect();
    let tags: Vec<(&str, &str)> = values
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    check(&tags, 9, 100_000);
    check(&tags[..2], 20_000, 100_000);
    check(&tags, 1, 100_000);
}

#[test]
fn statistics_name_the_least_and_the_greatest_value() {
    let file = written(&[("x", "1"), ("y", "1"), ("", "1")], 20, 1000);
    let reader = SerializedFileReader::new(file).unwrap();
    let chunk = reader.metadata().row_group(0).column(1).clone();
    let Some(Statistics::ByteArray(statistics)) = chunk.statistics() else {
        panic!("{chunk:?}");
    };
    assert_eq!(statistics.min_opt().unwrap().as_utf8().unwrap(), "x");
    assert_eq!(statistics.max_opt().unwrap().as_utf8().unwrap(), "y");
    assert_eq!(statistics.null_count_opt(), Some(20));
}
