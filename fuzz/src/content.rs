//! Everything that a bucket holds.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{
    Array,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use headwater_model::{FieldType, TimeRange};
use headwater_storage::{Partition, Result, ScanRequest, Snapshot};

/// By series, time and field.
pub(crate) type Content = BTreeMap<(String, i64, Arc<str>), String>;

/// Reads all points, or fails as a query would.
pub(crate) fn content(snapshot: &Snapshot) -> Result<Content> {
    let mut content = Content::new();
    for measurement in snapshot.measurements()? {
        for partition in snapshot.partitions(&measurement, TimeRange::ALL) {
            read(&partition, &mut content)?;
        }
    }
    Ok(content)
}

fn read(partition: &Partition, content: &mut Content) -> Result<()> {
    partition.tag_keys();
    let series = partition.select(None)?;
    let columns: Vec<Arc<str>> = partition.fields().keys().cloned().collect();
    let request = ScanRequest {
        series: &series,
        columns: &columns,
        range: TimeRange::ALL,
        with_times: true,
        descending_limit: None,
        ascending_limit: None,
    };
    for slices in partition.scan(request)? {
        let slices = slices?;
        for slice in slices.slices {
            for (row, &time) in slice.times.iter().enumerate() {
                for (name, column) in columns.iter().zip(&slice.columns) {
                    if let Some(column) = column.as_ref().filter(|column| column.is_valid(row)) {
                        let key = (
                            series[slices.index].key.as_str().to_owned(),
                            time,
                            name.clone(),
                        );
                        content.insert(key, cell(column, partition.fields()[name], row));
                    }
                }
            }
        }
    }
    Ok(())
}

fn cell(column: &dyn Array, kind: FieldType, row: usize) -> String {
    match kind {
        FieldType::Float => column.as_primitive::<Float64Type>().value(row).to_string(),
        FieldType::Integer => column.as_primitive::<Int64Type>().value(row).to_string(),
        FieldType::Unsigned => column.as_primitive::<UInt64Type>().value(row).to_string(),
        FieldType::String => column.as_string::<i32>().value(row).to_owned(),
        FieldType::Boolean => column.as_boolean().value(row).to_string(),
    }
}
