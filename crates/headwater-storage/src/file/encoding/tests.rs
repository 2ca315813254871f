//! Which encoding is chosen for which values.

use arrow_array::{BooleanArray, Float64Array, Int64Array, StringArray};
use headwater_env::{Random, SeededRandom};
use headwater_model::FieldType;

use super::*;
use crate::file::schema::ColumnRecord;

const ROWS: usize = 20_000;

fn chosen(field_type: FieldType, values: ArrayRef, favors_size: bool) -> ChunkEncoding {
    let record = ColumnRecord::Field {
        name: "f".to_owned(),
        key: "f".to_owned(),
        field_type: field_type.name().to_owned(),
    };
    choose(&record.parquet_type().unwrap(), &values, favors_size).unwrap()
}

fn chosen_floats(value: impl FnMut(usize) -> f64, favors_size: bool) -> ChunkEncoding {
    let values = Float64Array::from_iter_values((0..ROWS).map(value));
    chosen(FieldType::Float, Arc::new(values), favors_size)
}

fn unit_interval(random: &SeededRandom) -> f64 {
    (random.u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[test]
fn floats_with_few_distinct_values_get_a_dictionary() {
    let random = SeededRandom::new(1);
    let value = |_| (unit_interval(&random) * 100.0).round();
    assert_eq!(chosen_floats(value, false), DICTIONARY);
}

#[test]
fn random_floats_stay_plain_unless_size_matters() {
    let random = SeededRandom::new(2);
    let value = |_| unit_interval(&random) * 100.0;
    assert_eq!(chosen_floats(value, false), lz4(Encoding::PLAIN));
    assert_eq!(
        chosen_floats(value, true),
        zstd(Encoding::BYTE_STREAM_SPLIT, 1)
    );
}

#[test]
fn decimals_are_compressed_harder_where_size_matters() {
    let random = SeededRandom::new(3);
    let mut level = 50.0;
    let value = |_| {
        level += unit_interval(&random) * 2.0 - 1.0;
        (level * 10_000.0_f64).round() / 10_000.0
    };
    assert_eq!(chosen_floats(value, true), zstd(Encoding::PLAIN, 2));
}

#[test]
fn steady_integers_are_stored_as_differences() {
    let values = Int64Array::from_iter_values((0..ROWS as i64).map(|n| 5_000 + n * 3 + n % 2));
    assert_eq!(chosen(FieldType::Integer, Arc::new(values), false), DELTA);
}

#[test]
fn few_far_apart_integers_get_a_dictionary() {
    let random = SeededRandom::new(4);
    let values = Int64Array::from_iter_values((0..ROWS).map(|_| 1_i64 << (random.u64() % 8 * 7)));
    assert_eq!(
        chosen(FieldType::Integer, Arc::new(values), false),
        DICTIONARY
    );
}

#[test]
fn repeated_strings_get_a_dictionary_and_others_do_not() {
    let states =
        StringArray::from_iter_values((0..ROWS).map(|n| ["ok", "warning", "critical"][n * n % 3]));
    assert_eq!(
        chosen(FieldType::String, Arc::new(states), false),
        DICTIONARY
    );
    let random = SeededRandom::new(5);
    let texts = StringArray::from_iter_values((0..ROWS).map(|_| format!("{:016x}", random.u64())));
    assert_ne!(
        chosen(FieldType::String, Arc::new(texts), false),
        DICTIONARY
    );
}

#[test]
fn booleans_and_nulls_need_no_choice() {
    let values = BooleanArray::from_iter((0..ROWS).map(|n| Some(n % 2 == 0)));
    assert_eq!(
        chosen(FieldType::Boolean, Arc::new(values), true),
        lz4(Encoding::PLAIN)
    );
    let nulls = Float64Array::new_null(ROWS);
    assert_eq!(
        chosen(FieldType::Float, Arc::new(nulls), true),
        lz4(Encoding::PLAIN)
    );
}
