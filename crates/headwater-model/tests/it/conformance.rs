//! Recorded answers of the reference, where the folder with them is beside the checkout.

use std::{fs, path::Path};

use headwater_model::{
    Precision,
    line_protocol::{FieldValue, parse, series_key, unescape_field_key, unescape_string},
};
use serde_json::{Map, Value, json};

/// The server times of the recordings.
const RECORDED_NOW: [i64; 2] = [1_234_567_890_123_456_789, 946_730_096_789_012_345];

fn cases(file: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let Ok(text) = fs::read_to_string(root.join(file)) else {
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn truncated(now: i64, precision: Precision) -> i64 {
    now - now % precision.nanoseconds()
}

fn check(file: &str) {
    for case in cases(file) {
        let input = case["input"].as_str().unwrap();
        let name = case["precision"].as_str().unwrap();
        let precision = Precision::from_name(name).unwrap_or_default();
        // The reference's 2.x knows not all names of precisions; its 1.x does, and so do we.
        let knows = ["", "n", "ns", "us", "ms", "s"].contains(&name);
        let expected = if knows || case["v1"].is_null() {
            &case
        } else {
            &case["v1"]
        };
        let now = truncated(RECORDED_NOW[0], precision);
        let got: Value = match parse(input.as_bytes(), precision, now) {
            Err(errors) => json!({"error": errors.to_string()}),
            Ok(batch) => {
                let points: Vec<Value> = batch
                    .points
                    .iter()
                    .map(|point| describe(point, batch.fields_of(point)))
                    .collect();
                json!({"points": points})
            }
        };
        let wanted = if expected["valid"] == true {
            json!({"points": wanted_points(&expected["points"], precision, &got)})
        } else {
            json!({"error": case["error"]})
        };
        assert_eq!(got, wanted, "{file} {}: {input:?}", case["id"]);
    }
}

fn describe(
    point: &headwater_model::line_protocol::ParsedPoint<'_>,
    fields: &[headwater_model::line_protocol::ParsedField<'_>],
) -> Value {
    let key = series_key(point.series);
    let mut values = Map::new();
    for field in fields {
        let value = match field.value {
            FieldValue::Float(value) => json!({"float": value.to_bits()}),
            FieldValue::Integer(value) => json!({"integer": value.to_string()}),
            FieldValue::Unsigned(value) => json!({"unsigned": value.to_string()}),
            FieldValue::Boolean(value) => json!({"boolean": value}),
            FieldValue::String(raw, _) => json!({"string": unescape_string(raw)}),
        };
        values.insert(unescape_field_key(field.key).into_owned(), value);
    }
    values.sort_keys();
    let tags: Vec<Value> = key
        .tags()
        .iter()
        .map(|(k, v)| json!([&**k, &**v]))
        .collect();
    let time = point.time.to_string();
    json!({"measurement": &**key.measurement(), "tags": tags, "fields": values, "time": time})
}

fn wanted_points(points: &Value, precision: Precision, got: &Value) -> Value {
    let mut points = points.clone();
    for (index, point) in points.as_array_mut().unwrap().iter_mut().enumerate() {
        let point = point.as_object_mut().unwrap();
        // The key as written; ours is canonical and follows from the other parts.
        point.remove("key");
        for field in point["fields"].as_object_mut().unwrap().values_mut() {
            if let Some(text) = field["float"].as_str() {
                *field = json!({"float": text.parse::<f64>().unwrap().to_bits()});
            }
        }
        point["fields"].as_object_mut().unwrap().sort_keys();
        let now = truncated(RECORDED_NOW[0], precision).to_string();
        let recorded = RECORDED_NOW.map(|now| truncated(now, precision).to_string());
        let is_default =
            point["time"] == "default" || recorded.iter().any(|now| point["time"] == **now);
        if is_default && got["points"][index]["time"] == now {
            point["time"] = json!(now);
        }
    }
    points
}

#[test]
fn hand_written_lines_are_read_as_the_reference_reads_them() {
    check("line_protocol.jsonl");
}

#[test]
fn mutated_lines_are_read_as_the_reference_reads_them() {
    check("line_protocol_mutations.jsonl");
}
