//! Printing a point and parsing it gives the point back.

use std::sync::Arc;

use headwater_model::{
    MAX_TIME, MIN_TIME, Precision, SeriesKey, Value, escape_tag,
    line_protocol::{FieldValue, parse, series_key, unescape_field_key, unescape_string},
};
use proptest::prelude::*;

/// A name that line protocol can carry: not empty, not ending in a backslash, no newline, and no
/// backslash before a byte that an escape would change.
fn name() -> impl Strategy<Value = String> {
    "[a-zé_\"#][a-zé \",=#.]{0,6}".prop_filter("reserved", |name| {
        !["time", "_field", "_measurement"].contains(&&**name)
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(Value::Float),
        any::<i64>().prop_map(Value::Integer),
        any::<u64>().prop_map(Value::Unsigned),
        any::<bool>().prop_map(Value::Boolean),
        "[a-zé \",=\\\\\n]{0,12}".prop_map(|text| Value::String(text.into())),
    ]
}

fn print(value: &Value) -> String {
    match value {
        Value::Float(value) => format!("{value:e}"),
        Value::Integer(value) => format!("{value}i"),
        Value::Unsigned(value) => format!("{value}u"),
        Value::Boolean(value) => value.to_string(),
        Value::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn read(value: FieldValue<'_>) -> Value {
    match value {
        FieldValue::Float(value) => Value::Float(value),
        FieldValue::Integer(value) => Value::Integer(value),
        FieldValue::Unsigned(value) => Value::Unsigned(value),
        FieldValue::Boolean(value) => Value::Boolean(value),
        FieldValue::String(raw, true) => Value::String(unescape_string(raw).into()),
        FieldValue::String(raw, false) => Value::String(String::from_utf8_lossy(raw).into()),
    }
}

proptest! {
    #[test]
    fn a_printed_point_is_read_back(
        measurement in "[a-zé_][a-zé \",=#.]{0,8}",
        tags in proptest::collection::btree_map(name(), name(), 0..4),
        fields in proptest::collection::btree_map(name(), value(), 1..5),
        time in MIN_TIME..=MAX_TIME,
    ) {
        let tags = tags.iter().map(|(k, v)| (Arc::from(&**k), Arc::from(&**v))).collect();
        let key = SeriesKey::new(measurement.into(), tags);
        let printed: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", escape_tag(name), print(value))).collect();
        let line = format!("{} {} {time}\n", key.as_str(), printed.join(","));
        let body = line.repeat(2);
        let batch = parse(body.as_bytes(), Precision::Nanosecond, 0)
            .map_err(|errors| TestCaseError::fail(errors.to_string()))?;
        prop_assert_eq!(batch.points.len(), 2);
        for point in &batch.points {
            prop_assert_eq!(point.time, time);
            prop_assert_eq!(&series_key(point.series), &key);
            let got: Vec<(String, Value)> = batch
                .fields_of(point)
                .iter()
                .map(|field| (unescape_field_key(field.key).into_owned(), read(field.value)))
                .collect();
            let expected: Vec<(String, Value)> = fields.clone().into_iter().collect();
            prop_assert_eq!(got, expected);
        }
    }
}
