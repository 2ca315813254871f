//! Any bytes to the line protocol parser.

use headwater_model::{
    FieldType, MAX_TIME, MIN_TIME, Precision,
    line_protocol::{FieldValue, parse, series_key, unescape_field_key, unescape_string},
};

const PRECISIONS: [Precision; 6] = [
    Precision::Nanosecond,
    Precision::Microsecond,
    Precision::Millisecond,
    Precision::Second,
    Precision::Minute,
    Precision::Hour,
];

/// All lines are accepted or refused. A point that is accepted has fields, its time is in range,
/// and its series has a canonical key that reads as the same series.
pub fn line_protocol(data: &[u8]) {
    for precision in PRECISIONS {
        let batch = match parse(data, precision, 0) {
            Ok(batch) => batch,
            Err(errors) => {
                assert!(!errors.lines().is_empty() && !errors.to_string().is_empty());
                continue;
            }
        };
        for point in &batch.points {
            assert!((MIN_TIME..=MAX_TIME).contains(&point.time));
            let fields = batch.fields_of(point);
            assert!(!fields.is_empty());
            for field in fields {
                unescape_field_key(field.key);
                if let FieldValue::String(text, _) = &field.value {
                    unescape_string(text);
                    assert_eq!(field.value.field_type(), FieldType::String);
                }
            }
            let key = series_key(point.series);
            assert!(point.measurement_len <= point.series.len());
            // As in the reference, a backslash before `=` in a measurement's name is ambiguous.
            if !point.series.contains(&b'\\') {
                assert_eq!(series_key(key.as_str().as_bytes()), key);
            }
        }
    }
}
