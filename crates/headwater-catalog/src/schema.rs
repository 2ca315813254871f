//! Storage's records of the columns a measurement has in a time partition.

use headwater_model::{FieldType, Id};

/// One column of a measurement in one partition. A name may be a tag and a field at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaRecord {
    pub bucket: Id,
    pub measurement: String,
    /// First nanosecond of the time partition.
    pub partition_start: i64,
    pub name: String,
    pub column: SchemaColumn,
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaColumn {
    Tag,
    Field(FieldType),
}
