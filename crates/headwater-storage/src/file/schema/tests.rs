//! Names of columns.

use super::*;

fn schema(tags: &[&str], fields: &[&str]) -> FileSchema {
    FileSchema {
        measurement: "m".into(),
        tag_keys: tags.iter().map(|&t| t.into()).collect(),
        fields: fields
            .iter()
            .map(|&f| (f.into(), FieldType::Float))
            .collect(),
    }
}

fn names(tags: &[&str], fields: &[&str]) -> Vec<String> {
    schema(tags, fields)
        .column_records()
        .iter()
        .map(|r| r.name().to_owned())
        .collect()
}

#[test]
fn names_stay_plain_where_they_are_distinct() {
    assert_eq!(
        names(&["host", "rack"], &["usage"]),
        ["time", "host", "rack", "usage"]
    );
}

#[test]
fn a_field_keeps_its_name_and_the_tag_of_that_name_gets_a_suffix() {
    assert_eq!(
        names(&["a", "b"], &["a", "a_tag"]),
        ["time", "a_tag_tag", "b", "a", "a_tag"]
    );
}

#[test]
fn only_the_timestamp_is_called_time() {
    assert_eq!(
        names(&["time"], &["time", "time_field"]),
        ["time", "time_tag", "time_field_field", "time_field"]
    );
}

#[test]
fn records_give_the_schema_back() {
    let schema = schema(&["a", "time"], &["a", "time", "x"]);
    let text = serde_json::to_string(&schema.column_records()).unwrap();
    let records: Vec<ColumnRecord> = serde_json::from_str(&text).unwrap();
    assert_eq!(FileSchema::from_records("m", &records), Ok(schema));
}

#[test]
fn records_in_a_wrong_order_are_refused() {
    let mut records = schema(&["a"], &["x", "y"]).column_records();
    records.swap(2, 3);
    assert!(FileSchema::from_records("m", &records).is_err());
    records.swap(2, 3);
    assert!(FileSchema::from_records("m", &records).is_ok());
    records.swap(0, 1);
    assert!(FileSchema::from_records("m", &records).is_err());
}
