//! Which Arrow type a field has.

use arrow_schema::DataType;
use headwater_model::FieldType;

/// The Arrow type of a field's values, in memory and in scans.
pub(crate) fn data_type(kind: FieldType) -> DataType {
    match kind {
        FieldType::Float => DataType::Float64,
        FieldType::Integer => DataType::Int64,
        FieldType::Unsigned => DataType::UInt64,
        FieldType::String => DataType::Utf8,
        FieldType::Boolean => DataType::Boolean,
    }
}
