//! What columns a data file has, and what they are called inside Parquet (`docs/format.md` §2).
//!
//! A measurement may have a tag and a field of one name, or one called `time`; Parquet columns
//! need distinct names. So the key-value metadata record what each column is.

use std::{collections::HashSet, sync::Arc};

use headwater_model::FieldType;
use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType},
    errors::ParquetError,
    schema::types::{Type, TypePtr},
};
use serde::{Deserialize, Serialize};

/// The measurement and the columns of one data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSchema {
    pub(crate) measurement: Arc<str>,
    /// Sorted, distinct.
    pub(crate) tag_keys: Vec<Arc<str>>,
    /// Sorted by name, distinct.
    pub(crate) fields: Vec<(Arc<str>, FieldType)>,
}

/// What a Parquet column is, as recorded in the key-value metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub(super) enum ColumnRecord {
    Time {
        name: String,
    },
    Tag {
        name: String,
        key: String,
    },
    Field {
        name: String,
        key: String,
        #[serde(rename = "type")]
        field_type: String,
    },
}

pub(super) const TIME_COLUMN: &str = "time";

impl FileSchema {
    /// The columns in file order: time, tags, fields.
    pub(super) fn column_records(&self) -> Vec<ColumnRecord> {
        let mut taken: HashSet<String> = self.fields.iter().map(|(f, _)| f.to_string()).collect();
        taken.insert(TIME_COLUMN.to_owned());
        let mut records = vec![ColumnRecord::Time {
            name: TIME_COLUMN.to_owned(),
        }];
        for key in &self.tag_keys {
            let name = distinct_name(key, "_tag", &mut taken);
            records.push(ColumnRecord::Tag {
                name,
                key: key.to_string(),
            });
        }
        for (key, field_type) in &self.fields {
            let name = if &**key == TIME_COLUMN {
                distinct_name(key, "_field", &mut taken)
            } else {
                key.to_string()
            };
            let field_type = field_type.name().to_owned();
            records.push(ColumnRecord::Field {
                name,
                key: key.to_string(),
                field_type,
            });
        }
        records
    }

    /// The inverse of `column_records`; `Err` tells what is wrong with them.
    pub(super) fn from_records(
        measurement: &str,
        records: &[ColumnRecord],
    ) -> Result<Self, String> {
        let mut schema = Self {
            measurement: measurement.into(),
            tag_keys: Vec::new(),
            fields: Vec::new(),
        };
        for record in records {
            match record {
                ColumnRecord::Time { .. } => {}
                ColumnRecord::Tag { key, .. } => schema.tag_keys.push(key.as_str().into()),
                ColumnRecord::Field {
                    key, field_type, ..
                } => {
                    let field_type = FieldType::from_name(field_type)
                        .ok_or_else(|| format!("field {key} has the unknown type {field_type}"))?;
                    schema.fields.push((key.as_str().into(), field_type));
                }
            }
        }
        let is_sorted = schema.tag_keys.is_sorted_by(|a, b| a < b)
            && schema.fields.is_sorted_by(|a, b| a.0 < b.0);
        if !is_sorted || schema.column_records() != records {
            return Err("the recorded columns are not in order".to_owned());
        }
        Ok(schema)
    }
}

/// `key`, with as many suffixes as make it distinct from all names in `taken`.
fn distinct_name(key: &str, suffix: &str, taken: &mut HashSet<String>) -> String {
    let mut name = key.to_owned();
    while taken.contains(&name) {
        name.push_str(suffix);
    }
    taken.insert(name.clone());
    name
}

impl ColumnRecord {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Time { name } | Self::Tag { name, .. } | Self::Field { name, .. } => name,
        }
    }

    /// The Parquet column.
    pub(super) fn parquet_type(&self) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match self {
            Self::Time { .. } => (
                PhysicalType::INT64,
                Some(LogicalType::timestamp(true, TimeUnit::NANOS)),
            ),
            Self::Tag { .. } => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Field {
                field_type, key, ..
            } => match FieldType::from_name(field_type) {
                Some(FieldType::Float) => (PhysicalType::DOUBLE, None),
                Some(FieldType::Integer) => (PhysicalType::INT64, None),
                Some(FieldType::Unsigned) => {
                    (PhysicalType::INT64, Some(LogicalType::integer(64, false)))
                }
                Some(FieldType::String) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
                Some(FieldType::Boolean) => (PhysicalType::BOOLEAN, None),
                None => {
                    return Err(ParquetError::General(format!(
                        "field {key} has the unknown type {field_type}"
                    )));
                }
            },
        };
        let repetition = match self {
            Self::Time { .. } => Repetition::REQUIRED,
            Self::Tag { .. } | Self::Field { .. } => Repetition::OPTIONAL,
        };
        let column = Type::primitive_type_builder(self.name(), physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(column))
    }
}

/// The Parquet schema of columns.
pub(super) fn parquet_schema(columns: Vec<TypePtr>) -> Result<TypePtr, ParquetError> {
    Ok(Arc::new(
        Type::group_type_builder("schema")
            .with_fields(columns)
            .build()?,
    ))
}

#[cfg(test)]
mod tests;
