//! Whole files: what was written comes back, and damage is noticed.

use std::{ops::Range, path::Path, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use headwater_env::{FileSystem, SharedFileSystem, SimulatedFileSystem};
use headwater_model::{FieldType, MAX_TIME, MIN_TIME, SeriesKey, Value};
use proptest::prelude::*;

use super::*;

const PATH: &str = "/data/file.parquet";

/// A field's values in one series; `None`: the field is not given at all.
type FieldValues = Option<Vec<Option<Value>>>;

#[derive(Debug, Clone)]
struct Rows {
    key: SeriesKey,
    times: Vec<i64>,
    fields: Vec<FieldValues>,
}

/// What a file should hold.
#[derive(Debug, Clone)]
struct Model {
    schema: FileSchema,
    options: FileOptions,
    series: Vec<Rows>,
}

fn array(field_type: FieldType, values: &[Option<Value>]) -> ArrayRef {
    macro_rules! collect {
        ($array:ty, $variant:ident) => {
            Arc::new(<$array>::from_iter(values.iter().map(
                |value| match value {
                    Some(Value::$variant(value)) => Some(value.clone()),
                    _ => None,
                },
            )))
        };
    }
    match field_type {
        FieldType::Float => collect!(Float64Array, Float),
        FieldType::Integer => collect!(Int64Array, Integer),
        FieldType::Unsigned => collect!(UInt64Array, Unsigned),
        FieldType::Boolean => collect!(BooleanArray, Boolean),
        FieldType::String => Arc::new(StringArray::from_iter(values.iter().map(|v| match v {
            Some(Value::String(text)) => Some(text.to_string()),
            _ => None,
        }))),
    }
}

fn value(field_type: FieldType, array: &ArrayRef, row: usize) -> Option<Value> {
    array.is_valid(row).then(|| match field_type {
        FieldType::Float => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        FieldType::Integer => Value::Integer(array.as_primitive::<Int64Type>().value(row)),
        FieldType::Unsigned => Value::Unsigned(array.as_primitive::<UInt64Type>().value(row)),
        FieldType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        FieldType::String => Value::String(array.as_string::<i32>().value(row).into()),
    })
}

impl Model {
    fn write(&self, file_system: &SharedFileSystem) -> FileSummary {
        let mut writer = FileWriter::create(
            file_system.clone(),
            Path::new(PATH),
            self.schema.clone(),
            self.options,
        )
        .unwrap();
        for (number, rows) in self.series.iter().enumerate() {
            let columns: Vec<Option<ArrayRef>> = rows
                .fields
                .iter()
                .zip(&self.schema.fields)
                .map(|(values, (_, field_type))| Some(array(*field_type, values.as_ref()?)))
                .collect();
            // Every third series arrives in two parts.
            let cut = if number % 3 == 0 {
                rows.times.len() / 2
            } else {
                0
            };
            for range in [0..cut, cut..rows.times.len()] {
                let part: Vec<Option<ArrayRef>> = columns
                    .iter()
                    .map(|c| c.as_ref().map(|c| c.slice(range.start, range.len())))
                    .collect();
                writer
                    .write_series(&rows.key, &rows.times[range], &part)
                    .unwrap();
            }
        }
        writer.finish().unwrap()
    }

    fn row_count(&self) -> u64 {
        self.series.iter().map(|rows| rows.times.len() as u64).sum()
    }

    fn times(&self) -> Vec<i64> {
        self.series
            .iter()
            .flat_map(|rows| rows.times.iter().copied())
            .collect()
    }

    fn field(&self, field: usize) -> Vec<Option<Value>> {
        let of_series = |rows: &Rows| match &rows.fields[field] {
            Some(values) => values.clone(),
            None => vec![None; rows.times.len()],
        };
        self.series.iter().flat_map(of_series).collect()
    }

    fn check_directory(&self, directory: &Directory) {
        assert_eq!(directory.tag_keys(), self.schema.tag_keys);
        assert_eq!(directory.fields(), self.schema.fields);
        assert_eq!(directory.series_count(), self.series.len());
        let mut start = 0;
        for (number, rows) in self.series.iter().enumerate() {
            let number = number as u32;
            assert_eq!(directory.key(number), rows.key);
            assert_eq!(directory.key(number).tags(), rows.key.tags());
            let end = start + rows.times.len() as u64;
            assert_eq!(directory.row_range(number), start..end);
            start = end;
            assert_eq!(directory.min_time(number), rows.times[0]);
            assert_eq!(directory.max_time(number), *rows.times.last().unwrap());
        }
    }

    fn check_read(&self, file: &DataFile, rows: &[Range<u64>]) {
        let mut names: Vec<&str> = self.schema.fields.iter().map(|(name, _)| &**name).collect();
        names.push("no such field");
        let read = file.read(rows, &names, true).unwrap();
        let indices = || {
            rows.iter()
                .flat_map(|range| range.start as usize..range.end as usize)
        };
        let times = self.times();
        let expected: Vec<i64> = indices().map(|row| times[row]).collect();
        assert_eq!(read.times.to_vec(), expected);
        for (number, (name, field_type)) in self.schema.fields.iter().enumerate() {
            let column = read.columns[number].as_ref().unwrap();
            let values = self.field(number);
            let expected: Vec<Option<Value>> = indices().map(|row| values[row].clone()).collect();
            let actual: Vec<Option<Value>> = (0..column.len())
                .map(|row| value(*field_type, column, row))
                .collect();
            // NaN is compared by its text.
            assert_eq!(
                format!("{actual:?}"),
                format!("{expected:?}"),
                "field {name}"
            );
        }
        assert!(read.columns.last().unwrap().is_none());
    }
}

fn value_of(field_type: FieldType) -> BoxedStrategy<Option<Value>> {
    let value = match field_type {
        FieldType::Float => prop_oneof![any::<f64>(), (0..20).prop_map(|n| f64::from(n) / 10.0)]
            .prop_map(Value::Float)
            .boxed(),
        FieldType::Integer => prop_oneof![any::<i64>(), -5..5_i64]
            .prop_map(Value::Integer)
            .boxed(),
        FieldType::Unsigned => prop_oneof![any::<u64>(), 0..9_u64]
            .prop_map(Value::Unsigned)
            .boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldType::String => prop_oneof!["(?s).{0,12}", "[ab]{0,2}"]
            .prop_map(|s| Value::String(s.into()))
            .boxed(),
    };
    prop_oneof![1 => Just(None), 4 => value.prop_map(Some)].boxed()
}

fn fields() -> impl Strategy<Value = Vec<(Arc<str>, FieldType)>> {
    let all: Vec<(Arc<str>, FieldType)> = vec![
        ("a".into(), FieldType::Integer),
        ("b.c".into(), FieldType::Boolean),
        ("f".into(), FieldType::Float),
        ("headwater.integrity\u{18}\u{18}".into(), FieldType::Float),
        ("s".into(), FieldType::String),
        ("time".into(), FieldType::Float),
        ("u".into(), FieldType::Unsigned),
    ];
    proptest::sample::subsequence(all, 0..=7)
}

fn series(tag_keys: Vec<Arc<str>>) -> impl Strategy<Value = SeriesKey> {
    let value = prop_oneof![
        Just(String::new()),
        "[a-c]{1,2}",
        proptest::sample::select(vec!["x,y", "x=1", " ", "é", "\\", "10", "9"])
            .prop_map(str::to_owned)
    ];
    proptest::collection::vec(value, tag_keys.len()).prop_map(move |values| {
        let tags = tag_keys
            .iter()
            .cloned()
            .zip(values)
            .filter(|(_, value)| !value.is_empty());
        SeriesKey::new(
            "m 1".into(),
            tags.map(|(key, value)| (key, value.into())).collect(),
        )
    })
}

fn rows(key: SeriesKey, fields: &[(Arc<str>, FieldType)]) -> impl Strategy<Value = Rows> + use<> {
    let time = prop_oneof![0..1_000_i64, MIN_TIME..=MAX_TIME];
    let fields: Vec<FieldType> = fields.iter().map(|(_, field_type)| *field_type).collect();
    proptest::collection::btree_set(time, 1..30).prop_flat_map(move |times| {
        let columns: Vec<_> = fields
            .iter()
            .map(|field_type| {
                let values = proptest::collection::vec(value_of(*field_type), times.len());
                prop_oneof![1 => Just(None), 5 => values.prop_map(Some)]
            })
            .collect();
        (Just(key.clone()), Just(Vec::from_iter(times)), columns)
            .prop_map(|(key, times, fields)| Rows { key, times, fields })
    })
}

fn model() -> impl Strategy<Value = Model> {
    let tag_keys: Vec<Arc<str>> = vec!["a".into(), "tag, 2".into(), "time".into()];
    let tag_keys = proptest::sample::subsequence(tag_keys, 0..=3);
    let options = (1..60_usize, 1..25_usize).prop_map(|(row_group_rows, page_rows)| FileOptions {
        row_group_rows,
        page_rows,
    });
    (tag_keys, fields(), options).prop_flat_map(|(tag_keys, fields, options)| {
        let keys = proptest::collection::btree_set(series(tag_keys.clone()), 0..12);
        keys.prop_flat_map(move |keys| {
            let schema = FileSchema {
                measurement: "m 1".into(),
                tag_keys: tag_keys.clone(),
                fields: fields.clone(),
            };
            let series: Vec<_> = keys.into_iter().map(|key| rows(key, &fields)).collect();
            series.prop_map(move |series| Model {
                schema: schema.clone(),
                options,
                series,
            })
        })
    })
}

/// Ascending ranges of rows from arbitrary numbers.
fn ranges(row_count: u64, picks: &[u64]) -> Vec<Range<u64>> {
    let mut borders: Vec<u64> = picks.iter().map(|pick| pick % (row_count + 1)).collect();
    borders.sort_unstable();
    borders
        .chunks_exact(2)
        .map(|pair| pair[0]..pair[1])
        .collect()
}

fn file_system() -> SharedFileSystem {
    let file_system = SimulatedFileSystem::new();
    file_system.create_dir_all(Path::new("/data")).unwrap();
    Arc::new(file_system)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_was_written_comes_back(
        model in model(),
        selections in proptest::collection::vec(proptest::collection::vec(any::<u64>(), 0..12), 4),
        cache_bytes in prop_oneof![Just(0), Just(5_000), Just(1_000_000_usize)],
    ) {
        let file_system = file_system();
        let summary = model.write(&file_system);
        prop_assert_eq!(summary.rows, model.row_count());
        prop_assert_eq!(summary.series_count, model.series.len() as u64);
        prop_assert_eq!(summary.min_time, model.times().into_iter().min().unwrap_or(i64::MAX));
        prop_assert_eq!(summary.max_time, model.times().into_iter().max().unwrap_or(i64::MIN));
        let bytes = file_system.read(Path::new(PATH)).unwrap();
        prop_assert_eq!(summary.bytes, bytes.len() as u64);
        let cache = FileCache::new(cache_bytes);
        let file = DataFile::open(file_system, Path::new(PATH), &cache).unwrap();
        model.check_directory(&file.directory().unwrap());
        model.check_read(&file, std::slice::from_ref(&(0..model.row_count())));
        for picks in selections {
            model.check_read(&file, &ranges(model.row_count(), &picks));
        }
        drop(file);
        prop_assert_eq!(cache.used_bytes(), 0);
    }
}

/// A small file with several row groups, a tag, and fields of all types.
fn small_model() -> Model {
    let fields: Vec<(Arc<str>, FieldType)> = vec![
        ("b".into(), FieldType::Boolean),
        ("f".into(), FieldType::Float),
        ("i".into(), FieldType::Integer),
        ("s".into(), FieldType::String),
    ];
    let schema = FileSchema {
        measurement: "m".into(),
        tag_keys: vec!["host".into()],
        fields,
    };
    let series = (0..3_i64).map(|host| Rows {
        key: SeriesKey::new("m".into(), vec![("host".into(), format!("h{host}").into())]),
        times: (0..10).map(|n| n * 10 + host).collect(),
        fields: vec![
            Some((0..10).map(|n| Some(Value::Boolean(n % 3 == 0))).collect()),
            Some(
                (0..10)
                    .map(|n| Some(Value::Float(n as f64 / 7.0)))
                    .collect(),
            ),
            Some(
                (0..10)
                    .map(|n| (n % 4 != 1).then_some(Value::Integer(n * host)))
                    .collect(),
            ),
            Some(
                (0..10)
                    .map(|n| Some(Value::String(format!("text {n}").into())))
                    .collect(),
            ),
        ],
    });
    let options = FileOptions {
        row_group_rows: 16,
        page_rows: 4,
    };
    Model {
        schema,
        options,
        series: series.collect(),
    }
}

/// Reads all there is.
fn read_all(file_system: &SharedFileSystem) -> Result<(), FileError> {
    let file = DataFile::open(file_system.clone(), Path::new(PATH), &FileCache::new(0))?;
    let directory = file.directory()?;
    let names: Vec<&str> = directory.fields().iter().map(|(name, _)| &**name).collect();
    file.read(
        std::slice::from_ref(&(0..directory.row_count())),
        &names,
        true,
    )?;
    Ok(())
}

/// A file system that holds `bytes` as the file.
fn holding(bytes: &[u8]) -> SharedFileSystem {
    let file_system = file_system();
    let mut file = file_system.create(Path::new(PATH)).unwrap();
    file.append(bytes).unwrap();
    file_system
}

fn small_file() -> Vec<u8> {
    let file_system = file_system();
    small_model().write(&file_system);
    read_all(&file_system).unwrap();
    file_system.read(Path::new(PATH)).unwrap()
}

/// Positions that a reader of all fields depends on: everything but the magic number at the
/// start and the tag columns, which only other programs read.
fn positions_read(bytes: &[u8]) -> Vec<usize> {
    let file_system = holding(bytes);
    let file = DataFile::open(file_system, Path::new(PATH), &FileCache::new(1 << 20)).unwrap();
    let mut is_read = vec![true; bytes.len()];
    is_read[..4].fill(false);
    for range in file.tag_chunks() {
        is_read[range].fill(false);
    }
    (0..bytes.len()).filter(|&at| is_read[at]).collect()
}

#[test]
fn any_flipped_bit_is_noticed() {
    let bytes = small_file();
    for at in positions_read(&bytes) {
        for xor in [0x01, 0x20, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= xor;
            let error = read_all(&holding(&damaged)).expect_err(&format!("{xor:x} at {at}"));
            assert!(error.is_damage(), "at {at}: {error}");
            assert!(error.to_string().contains(PATH), "{error}");
        }
    }
}

#[test]
fn any_truncation_is_noticed() {
    let bytes = small_file();
    for length in 0..bytes.len() {
        let error = read_all(&holding(&bytes[..length])).expect_err("it is truncated");
        assert!(error.is_damage(), "{length} bytes: {error}");
    }
}

#[test]
fn zeroed_blocks_are_noticed() {
    let bytes = small_file();
    for start in (4..bytes.len()).step_by(64) {
        let mut damaged = bytes.clone();
        let end = (start + 64).min(bytes.len());
        damaged[start..end].fill(0);
        let is_read = positions_read(&bytes)
            .iter()
            .any(|at| (start..end).contains(at));
        assert_eq!(
            read_all(&holding(&damaged)).is_err(),
            is_read,
            "from {start}"
        );
    }
}

#[test]
fn a_newer_version_is_refused_naming_both() {
    let mut bytes = small_file();
    let key = b"headwater.format_version\x18\x01";
    let at = bytes
        .windows(key.len())
        .rposition(|window| window == key)
        .unwrap()
        + key.len();
    assert_eq!(bytes[at], b'1');
    bytes[at] = b'7';
    let error = read_all(&holding(&bytes)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "data file {PATH} has format version 7, this program reads versions up to 1: it was \
             written by a newer program"
        )
    );
}

#[test]
fn a_parquet_file_of_another_program_is_refused() {
    let mut bytes = small_file();
    let key = b"headwater.format_version";
    let at = bytes
        .windows(key.len())
        .rposition(|window| window == key)
        .unwrap();
    bytes[at] = b'x';
    let error = read_all(&holding(&bytes)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("its footer has no headwater.format_version"),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_not_called_damaged() {
    let error = read_all(&file_system()).unwrap_err();
    assert!(!error.is_damage(), "{error}");
}

#[test]
fn an_empty_file_can_be_read() {
    let model = Model {
        series: Vec::new(),
        ..small_model()
    };
    let file_system = file_system();
    let summary = model.write(&file_system);
    assert_eq!((summary.rows, summary.series_count), (0, 0));
    read_all(&file_system).unwrap();
}

#[test]
fn several_row_groups_with_many_rows_come_back() {
    let mut model = small_model();
    for rows in &mut model.series {
        rows.times = (0..5_000)
            .map(|n| 1_700_000_000_000_000_000 + n * 10_000_000_000)
            .collect();
        rows.fields = vec![
            Some(
                (0..5_000)
                    .map(|n| Some(Value::Boolean(n % 3 == 0)))
                    .collect(),
            ),
            Some(
                (0..5_000)
                    .map(|n| Some(Value::Float(f64::from(n * n) / 7.0)))
                    .collect(),
            ),
            Some(
                (0..5_000)
                    .map(|n| (n < 2_000).then_some(Value::Integer(n % 50)))
                    .collect(),
            ),
            Some(
                (0..5_000)
                    .map(|n| Some(Value::String(format!("{}", n % 9).into())))
                    .collect(),
            ),
        ];
    }
    model.options = FileOptions {
        row_group_rows: 6_000,
        page_rows: 700,
    };
    let file_system = file_system();
    model.write(&file_system);
    let file = DataFile::open(file_system, Path::new(PATH), &FileCache::new(1 << 20)).unwrap();
    model.check_read(&file, std::slice::from_ref(&(0..15_000)));
    model.check_read(
        &file,
        &[0..1, 699..701, 2_000..2_001, 5_999..6_002, 14_999..15_000],
    );
}
