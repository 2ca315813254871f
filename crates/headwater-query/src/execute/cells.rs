//! Columns as they come from storage: typed Arrow arrays, constants for tags, nothing for absent
//! columns; with the conversions between numeric types (`spec/influxql/semantics_select.md` §1).

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array,
    cast::AsArray as _,
    types::{Float64Type, Int64Type, UInt64Type},
};
use headwater_model::{FieldType, Value};

use super::point::{float_to_integer, float_to_unsigned};

/// The cells of one column of a slice.
#[derive(Debug, Clone)]
pub(super) enum Cells {
    /// Null in every row.
    Null,
    /// A tag of the series.
    Constant(Arc<str>),
    Float(Float64Array),
    Integer(Int64Array),
    Unsigned(UInt64Array),
    String(StringArray),
    Boolean(BooleanArray),
}

impl Cells {
    /// Reads a field that is stored as `stored` under the type `wanted`.
    pub(super) fn field(array: Option<&ArrayRef>, stored: FieldType, wanted: FieldType) -> Self {
        let Some(array) = array else {
            return Self::Null;
        };
        if stored != wanted && !(stored.is_numeric() && wanted.is_numeric()) {
            return Self::Null;
        }
        let cells = match stored {
            FieldType::Float => Self::Float(array.as_primitive().clone()),
            FieldType::Integer => Self::Integer(array.as_primitive().clone()),
            FieldType::Unsigned => Self::Unsigned(array.as_primitive().clone()),
            FieldType::String => Self::String(array.as_string().clone()),
            FieldType::Boolean => Self::Boolean(array.as_boolean().clone()),
        };
        if stored == wanted {
            cells
        } else {
            cells.convert(wanted)
        }
    }

    fn convert(self, wanted: FieldType) -> Self {
        match (self, wanted) {
            (Self::Float(a), FieldType::Integer) => {
                Self::Integer(a.unary::<_, Int64Type>(float_to_integer))
            }
            (Self::Float(a), FieldType::Unsigned) => {
                Self::Unsigned(a.unary::<_, UInt64Type>(float_to_unsigned))
            }
            (Self::Integer(a), FieldType::Float) => {
                Self::Float(a.unary::<_, Float64Type>(|v| v as f64))
            }
            (Self::Integer(a), FieldType::Unsigned) => {
                Self::Unsigned(a.unary::<_, UInt64Type>(|v| v as u64))
            }
            (Self::Unsigned(a), FieldType::Float) => {
                Self::Float(a.unary::<_, Float64Type>(|v| v as f64))
            }
            (Self::Unsigned(a), FieldType::Integer) => {
                Self::Integer(a.unary::<_, Int64Type>(|v| v as i64))
            }
            (same, _) => same,
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<Value> {
        if !self.is_valid(row) {
            return None;
        }
        Some(match self {
            Self::Null => return None,
            Self::Constant(value) => Value::String(Arc::clone(value)),
            Self::Float(a) => Value::Float(a.value(row)),
            Self::Integer(a) => Value::Integer(a.value(row)),
            Self::Unsigned(a) => Value::Unsigned(a.value(row)),
            Self::String(a) => Value::String(a.value(row).into()),
            Self::Boolean(a) => Value::Boolean(a.value(row)),
        })
    }

    /// Whether the cell is not null.
    pub(super) fn is_valid(&self, row: usize) -> bool {
        match self {
            Self::Null => false,
            Self::Constant(_) => true,
            Self::Float(a) => a.is_valid(row),
            Self::Integer(a) => a.is_valid(row),
            Self::Unsigned(a) => a.is_valid(row),
            Self::String(a) => a.is_valid(row),
            Self::Boolean(a) => a.is_valid(row),
        }
    }

    /// Whether no cell is null.
    pub(super) fn is_dense(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Constant(_) => true,
            Self::Float(a) => a.null_count() == 0,
            Self::Integer(a) => a.null_count() == 0,
            Self::Unsigned(a) => a.null_count() == 0,
            Self::String(a) => a.null_count() == 0,
            Self::Boolean(a) => a.null_count() == 0,
        }
    }

    /// Whether the cells are numbers, whatever the slice.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Float(_) | Self::Integer(_) | Self::Unsigned(_))
    }

    /// The text of a string cell, without allocation.
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Constant(value) => Some(value),
            Self::String(a) if a.is_valid(row) => Some(a.value(row)),
            _ => None,
        }
    }
}
