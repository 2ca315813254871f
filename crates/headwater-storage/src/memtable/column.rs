//! One growing column of an open block.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};
use arrow_buffer::{
    BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
};
use headwater_model::{
    FieldType,
    line_protocol::{FieldValue, unescape_string},
};

use crate::error::Result;

/// Values by row; a row without a value is null. The validity is allocated with the first null.
#[derive(Debug)]
pub(crate) struct Column {
    values: Values,
    validity: Option<BooleanBufferBuilder>,
}

#[derive(Debug)]
enum Values {
    Float(Vec<f64>),
    Integer(Vec<i64>),
    Unsigned(Vec<u64>),
    Boolean(Vec<bool>),
    String { ends: Vec<i32>, bytes: Vec<u8> },
}

impl Column {
    pub(crate) fn new(kind: FieldType) -> Self {
        let values = match kind {
            FieldType::Float => Values::Float(Vec::new()),
            FieldType::Integer => Values::Integer(Vec::new()),
            FieldType::Unsigned => Values::Unsigned(Vec::new()),
            FieldType::Boolean => Values::Boolean(Vec::new()),
            FieldType::String => Values::String {
                ends: vec![0],
                bytes: Vec::new(),
            },
        };
        Self {
            values,
            validity: None,
        }
    }

    fn len(&self) -> usize {
        match &self.values {
            Values::Float(v) => v.len(),
            Values::Integer(v) => v.len(),
            Values::Unsigned(v) => v.len(),
            Values::Boolean(v) => v.len(),
            Values::String { ends, .. } => ends.len() - 1,
        }
    }

    /// Sets row `row`, which is the last one or a new one; rows in between become null. The
    /// value must be of the column's type. Returns the bytes that were added.
    #[inline]
    pub(crate) fn set(&mut self, row: usize, value: &FieldValue<'_>) -> usize {
        let len = self.len();
        if len != row {
            if len > row {
                self.remove_last();
            } else {
                self.pad(row);
            }
        }
        if let Some(validity) = &mut self.validity {
            validity.append(true);
        }
        match (&mut self.values, value) {
            (Values::Float(v), FieldValue::Float(x)) => v.push(*x),
            (Values::Integer(v), FieldValue::Integer(x)) => v.push(*x),
            (Values::Unsigned(v), FieldValue::Unsigned(x)) => v.push(*x),
            (Values::Boolean(v), FieldValue::Boolean(x)) => {
                v.push(*x);
                return 1;
            }
            (Values::String { ends, bytes }, FieldValue::String(raw, has_escapes)) => {
                let before = bytes.len();
                if *has_escapes {
                    bytes.extend_from_slice(unescape_string(raw).as_bytes());
                } else {
                    bytes.extend_from_slice(raw);
                }
                ends.push(i32::try_from(bytes.len()).expect("blocks are sealed long before 2 GiB"));
                return bytes.len() - before + 4;
            }
            _ => unreachable!("the type was checked against the schema"),
        }
        8
    }

    /// Takes back the value of the last row: a later field of the same line has the same key.
    #[cold]
    fn remove_last(&mut self) {
        let len = self.len() - 1;
        match &mut self.values {
            Values::Float(v) => v.truncate(len),
            Values::Integer(v) => v.truncate(len),
            Values::Unsigned(v) => v.truncate(len),
            Values::Boolean(v) => v.truncate(len),
            Values::String { ends, bytes } => {
                ends.truncate(len + 1);
                bytes.truncate(ends[len] as usize);
            }
        }
        if let Some(validity) = &mut self.validity {
            validity.truncate(len);
        }
    }

    /// Null up to, not including, row `rows`.
    #[cold]
    fn pad(&mut self, rows: usize) {
        let len = self.len();
        let validity = self.validity.get_or_insert_with(|| {
            let mut validity = BooleanBufferBuilder::new(rows);
            validity.append_n(len, true);
            validity
        });
        validity.append_n(rows - len, false);
        match &mut self.values {
            Values::Float(v) => v.resize(rows, 0.0),
            Values::Integer(v) => v.resize(rows, 0),
            Values::Unsigned(v) => v.resize(rows, 0),
            Values::Boolean(v) => v.resize(rows, false),
            Values::String { ends, .. } => {
                let end = *ends.last().expect("the first offset is always there");
                ends.resize(rows + 1, end);
            }
        }
    }

    /// The column as an array of `rows` rows; `None` when all are null.
    pub(crate) fn finish(mut self, rows: usize) -> Result<Option<ArrayRef>> {
        if self.len() == 0 {
            return Ok(None);
        }
        if self.len() < rows {
            self.pad(rows);
        }
        let nulls = self
            .validity
            .map(|mut validity| NullBuffer::new(validity.finish()));
        Ok(Some(match self.values {
            Values::Float(v) => Arc::new(Float64Array::new(ScalarBuffer::from(v), nulls)),
            Values::Integer(v) => Arc::new(Int64Array::new(ScalarBuffer::from(v), nulls)),
            Values::Unsigned(v) => Arc::new(UInt64Array::new(ScalarBuffer::from(v), nulls)),
            Values::Boolean(v) => Arc::new(BooleanArray::new(BooleanBuffer::from(v), nulls)),
            Values::String { ends, bytes } => Arc::new(StringArray::try_new(
                OffsetBuffer::new(ScalarBuffer::from(ends)),
                Buffer::from_vec(bytes),
                nulls,
            )?),
        }))
    }

    /// A copy of the column as it is now.
    pub(crate) fn copy(&self) -> Self {
        let values = match &self.values {
            Values::Float(v) => Values::Float(v.clone()),
            Values::Integer(v) => Values::Integer(v.clone()),
            Values::Unsigned(v) => Values::Unsigned(v.clone()),
            Values::Boolean(v) => Values::Boolean(v.clone()),
            Values::String { ends, bytes } => Values::String {
                ends: ends.clone(),
                bytes: bytes.clone(),
            },
        };
        let validity = self.validity.as_ref().map(|validity| {
            let mut copy = BooleanBufferBuilder::new(validity.len());
            copy.append_packed_range(0..validity.len(), validity.as_slice());
            copy
        });
        Self { values, validity }
    }
}
