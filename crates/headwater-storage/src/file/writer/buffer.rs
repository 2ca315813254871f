//! The rows of the row group being collected, column by column.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int64Array, StringArray,
    builder::{
        ArrayBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, UInt64Builder,
    },
    cast::AsArray,
    types::{Float64Type, Int32Type, Int64Type, UInt64Type},
};
use arrow_schema::DataType;
use headwater_model::FieldType;

use super::tag_chunk::ValueRun;
use crate::file::{FileSchema, directory::DirectoryBuilder};

/// The Arrow type of the values of a field.
pub(super) fn arrow_type(field_type: FieldType) -> DataType {
    match field_type {
        FieldType::Float => DataType::Float64,
        FieldType::Integer => DataType::Int64,
        FieldType::Unsigned => DataType::UInt64,
        FieldType::String => DataType::Utf8,
        FieldType::Boolean => DataType::Boolean,
    }
}

/// Consecutive rows of one series.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesRun {
    pub(super) series: usize,
    pub(super) rows: usize,
}

/// Rows being collected.
pub(super) struct RowGroupBuffer {
    runs: Vec<SeriesRun>,
    times: Vec<i64>,
    fields: Vec<FieldBuffer>,
    string_bytes: usize,
}

/// Rows of a complete row group.
pub(super) struct RowGroupColumns {
    pub(super) runs: Vec<SeriesRun>,
    pub(super) times: ArrayRef,
    pub(super) fields: Vec<ArrayRef>,
}

enum FieldBuffer {
    Float(Float64Builder),
    Integer(Int64Builder),
    Unsigned(UInt64Builder),
    String(StringBuilder),
    Boolean(BooleanBuilder),
}

impl RowGroupBuffer {
    pub(super) fn new(schema: &FileSchema) -> Self {
        let fields = schema
            .fields
            .iter()
            .map(|(_, field_type)| FieldBuffer::new(*field_type));
        Self {
            runs: Vec::new(),
            times: Vec::new(),
            fields: fields.collect(),
            string_bytes: 0,
        }
    }

    pub(super) fn row_count(&self) -> usize {
        self.times.len()
    }

    pub(super) fn size_bytes(&self) -> usize {
        (1 + self.fields.len()) * 8 * self.times.len() + self.string_bytes
    }

    /// Appends `times` with the values of `columns` from row `start` on.
    pub(super) fn append(
        &mut self,
        run: SeriesRun,
        times: &[i64],
        columns: &[Option<ArrayRef>],
        start: usize,
    ) {
        self.runs.push(run);
        self.times.extend_from_slice(times);
        for (buffer, column) in self.fields.iter_mut().zip(columns) {
            match column {
                Some(column) => {
                    self.string_bytes += buffer.append(column, start, times.len());
                }
                None => buffer.append_nulls(times.len()),
            }
        }
    }

    /// Hands out the rows and begins anew.
    pub(super) fn take(&mut self) -> RowGroupColumns {
        self.string_bytes = 0;
        RowGroupColumns {
            runs: std::mem::take(&mut self.runs),
            times: Arc::new(Int64Array::from(std::mem::take(&mut self.times))),
            fields: self.fields.iter_mut().map(FieldBuffer::take).collect(),
        }
    }
}

impl FieldBuffer {
    fn new(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Float => Self::Float(Float64Builder::new()),
            FieldType::Integer => Self::Integer(Int64Builder::new()),
            FieldType::Unsigned => Self::Unsigned(UInt64Builder::new()),
            FieldType::String => Self::String(StringBuilder::new()),
            FieldType::Boolean => Self::Boolean(BooleanBuilder::new()),
        }
    }

    /// Appends rows of `column`; answers the bytes of the strings.
    fn append(&mut self, column: &ArrayRef, start: usize, rows: usize) -> usize {
        let column = column.slice(start, rows);
        match self {
            Self::Float(builder) => builder.append_array(column.as_primitive::<Float64Type>()),
            Self::Integer(builder) => builder.append_array(column.as_primitive::<Int64Type>()),
            Self::Unsigned(builder) => builder.append_array(column.as_primitive::<UInt64Type>()),
            Self::Boolean(builder) => builder.append_array(column.as_boolean()),
            Self::String(builder) => {
                let column = column.as_string::<i32>();
                let offsets = column.value_offsets();
                builder
                    .append_array(column)
                    .expect("a row group has less than 2 GiB of strings");
                return (offsets[rows] - offsets[0]) as usize;
            }
        }
        0
    }

    fn append_nulls(&mut self, rows: usize) {
        match self {
            Self::Float(builder) => builder.append_nulls(rows),
            Self::Integer(builder) => builder.append_nulls(rows),
            Self::Unsigned(builder) => builder.append_nulls(rows),
            Self::String(builder) => builder.append_nulls(rows),
            Self::Boolean(builder) => builder.append_nulls(rows),
        }
    }

    fn take(&mut self) -> ArrayRef {
        match self {
            Self::Float(builder) => ArrayBuilder::finish(builder),
            Self::Integer(builder) => ArrayBuilder::finish(builder),
            Self::Unsigned(builder) => ArrayBuilder::finish(builder),
            Self::String(builder) => ArrayBuilder::finish(builder),
            Self::Boolean(builder) => ArrayBuilder::finish(builder),
        }
    }
}

/// A tag's distinct values in these runs, and the runs as numbers into them.
pub(super) fn tag_runs<'a>(
    directory: &'a DirectoryBuilder,
    tag: usize,
    runs: &[SeriesRun],
) -> (Vec<&'a str>, Vec<ValueRun>) {
    let all_values = directory.provisional_values(tag);
    let mut values: Vec<&str> = Vec::new();
    let mut numbers = rustc_hash::FxHashMap::default();
    let mut value_runs = Vec::with_capacity(runs.len());
    for run in runs {
        let value = match directory.provisional_code(tag, run.series) {
            0 => None,
            code => Some(*numbers.entry(code).or_insert_with(|| {
                values.push(&all_values[code as usize - 1]);
                values.len() as u32 - 1
            })),
        };
        value_runs.push(ValueRun {
            value,
            rows: run.rows,
        });
    }
    (values, value_runs)
}

/// The same as one array.
pub(super) fn tag_column(values: &[&str], runs: &[ValueRun]) -> ArrayRef {
    let mut keys = arrow_array::builder::PrimitiveBuilder::<Int32Type>::new();
    for run in runs {
        match run.value {
            None => keys.append_nulls(run.rows),
            Some(value) => keys.append_value_n(value as i32, run.rows),
        }
    }
    let values = Arc::new(StringArray::from_iter_values(values));
    Arc::new(DictionaryArray::new(keys.finish(), values))
}
