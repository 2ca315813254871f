//! From column chunks to arrays, one column at a time.

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};
use arrow_buffer::{
    BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
};
use headwater_model::FieldType;
use parquet::{
    column::reader::ColumnReaderImpl,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::serialized_reader::SerializedPageReader,
};

use super::{DataFile, Selection};
use crate::file::{
    FileError,
    footer::{Footer, Window},
};

const TIME_COLUMN: usize = 0;

/// The times of the selected rows.
pub(super) fn times(
    file: &DataFile,
    footer: &Footer,
    selections: &[Selection],
) -> Result<ScalarBuffer<i64>, FileError> {
    Ok(
        read_values::<Int64Type>(file, footer, TIME_COLUMN, selections, 0)?
            .values
            .into(),
    )
}

/// The values of a field in the selected rows.
pub(super) fn field(
    file: &DataFile,
    footer: &Footer,
    column: usize,
    selections: &[Selection],
) -> Result<ArrayRef, FileError> {
    let field_type = footer
        .column(column)
        .field_type
        .expect("the column is a field");
    Ok(match field_type {
        FieldType::Float => {
            let values = read_values::<DoubleType>(file, footer, column, selections, 0.0)?;
            Arc::new(Float64Array::new(values.values.into(), values.nulls))
        }
        FieldType::Integer => {
            let values = read_values::<Int64Type>(file, footer, column, selections, 0)?;
            Arc::new(Int64Array::new(values.values.into(), values.nulls))
        }
        FieldType::Unsigned => {
            let values = read_values::<Int64Type>(file, footer, column, selections, 0)?;
            let length = values.values.len();
            let bits = ScalarBuffer::new(Buffer::from_vec(values.values), 0, length);
            Arc::new(UInt64Array::new(bits, values.nulls))
        }
        FieldType::Boolean => {
            let values = read_values::<BoolType>(file, footer, column, selections, false)?;
            Arc::new(BooleanArray::new(
                BooleanBuffer::from(values.values),
                values.nulls,
            ))
        }
        FieldType::String => {
            let empty = ByteArray::from(Vec::new());
            let values = read_values::<ByteArrayType>(file, footer, column, selections, empty)?;
            strings(values).map_err(|reason| FileError::damaged(file.path(), reason))?
        }
    })
}

/// One value for each row, some filling where it is null.
struct Values<T> {
    values: Vec<T>,
    nulls: Option<NullBuffer>,
}

fn read_values<T: DataType>(
    file: &DataFile,
    footer: &Footer,
    column: usize,
    selections: &[Selection],
    filling: T::T,
) -> Result<Values<T::T>, FileError> {
    let rows = selections
        .iter()
        .flat_map(|selection| &selection.rows)
        .map(Range::len)
        .sum();
    let mut output = Output::<T::T>::with_capacity(rows, filling);
    for selection in selections {
        read_chunk::<T>(file, footer, column, selection, &mut output)?;
    }
    Ok(Values {
        values: output.values,
        nulls: output.nulls.map(|mut n| n.finish().into()),
    })
}

/// Values read so far. The null buffer begins with the first chunk that has nulls.
struct Output<T> {
    capacity: usize,
    values: Vec<T>,
    /// Stands where there is no value.
    filling: T,
    nulls: Option<BooleanBufferBuilder>,
}

impl<T: Clone> Output<T> {
    fn with_capacity(capacity: usize, filling: T) -> Self {
        Self {
            capacity,
            values: Vec::with_capacity(capacity),
            filling,
            nulls: None,
        }
    }

    /// The null buffer, complete up to the values read so far.
    fn nulls(&mut self) -> &mut BooleanBufferBuilder {
        let known = self.values.len();
        let nulls = self
            .nulls
            .get_or_insert_with(|| BooleanBufferBuilder::new(self.capacity));
        if nulls.len() < known {
            nulls.append_n(known - nulls.len(), true);
        }
        nulls
    }

    fn push_nulls(&mut self, rows: usize) {
        self.nulls().append_n(rows, false);
        let length = self.values.len() + rows;
        self.values.resize(length, self.filling.clone());
    }

    /// Adds a row for each definition level: the next of `present` where it is 1, else null.
    fn push_levels(&mut self, levels: &[i16], present: Vec<T>) {
        if present.len() == levels.len() {
            self.nulls().append_n(levels.len(), true);
            return self.values.extend(present);
        }
        self.nulls().append_packed_levels(levels);
        let mut present = present.into_iter();
        let filling = &self.filling;
        self.values.extend(levels.iter().map(|&level| {
            let value = if level == 0 { None } else { present.next() };
            value.unwrap_or_else(|| filling.clone())
        }));
    }
}

trait AppendLevels {
    fn append_packed_levels(&mut self, levels: &[i16]);
}

impl AppendLevels for BooleanBufferBuilder {
    fn append_packed_levels(&mut self, levels: &[i16]) {
        let bits = BooleanBuffer::collect_bool(levels.len(), |row| levels[row] != 0);
        self.append_buffer(&bits);
    }
}

fn read_chunk<T: DataType>(
    file: &DataFile,
    footer: &Footer,
    column: usize,
    selection: &Selection,
    output: &mut Output<T::T>,
) -> Result<(), FileError> {
    let row_group = footer.metadata.row_group(selection.row_group);
    let metadata = row_group.column(column);
    let null_count = metadata
        .statistics()
        .and_then(|statistics| statistics.null_count_opt());
    if null_count == Some(row_group.num_rows() as u64) {
        for range in &selection.rows {
            output.push_nulls(range.len());
        }
        return Ok(());
    }
    let bytes = file.chunk(footer, selection.row_group, column)?;
    let chunk = Window {
        bytes,
        offset: metadata.byte_range().0,
    };
    let locations = footer
        .metadata
        .page_index_for_row_group(selection.row_group)
        .offset_index(column)
        .map(|index| index.page_locations().clone());
    let has_nulls = column != TIME_COLUMN && null_count != Some(0);
    let read = || -> Result<(), ParquetError> {
        let pages = SerializedPageReader::new(
            Arc::new(chunk),
            metadata,
            row_group.num_rows() as usize,
            locations,
        )?;
        let column = footer.column(column);
        // Data pages of version 2 keep definition levels apart, so a chunk without nulls can be
        // read as if the column were required, without looking at any level.
        let descriptor = if has_nulls {
            &column.descriptor
        } else {
            &column.descriptor_required
        };
        let reader = ColumnReaderImpl::<T>::new(descriptor.clone(), Box::new(pages));
        if has_nulls {
            read_nullable(reader, &selection.rows, output)
        } else {
            read_required(reader, &selection.rows, output)
        }
    };
    read().map_err(|error| {
        let name = footer.column(column).descriptor.name();
        let reason = format!(
            "column {name} in row group {}: {error}",
            selection.row_group
        );
        FileError::damaged(file.path(), reason)
    })
}

fn read_required<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: &[Range<usize>],
    output: &mut Output<T::T>,
) -> Result<(), ParquetError> {
    let mut at = 0;
    for range in rows {
        reader.skip_records(range.start - at)?;
        let (read, _, _) = reader.read_records(range.len(), None, None, &mut output.values)?;
        check_count(read, range)?;
        at = range.end;
    }
    if output.nulls.is_some() {
        output.nulls();
    }
    Ok(())
}

fn read_nullable<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: &[Range<usize>],
    output: &mut Output<T::T>,
) -> Result<(), ParquetError> {
    let mut at = 0;
    let mut levels = Vec::new();
    let mut present = Vec::new();
    for range in rows {
        reader.skip_records(range.start - at)?;
        let (read, _, _) =
            reader.read_records(range.len(), Some(&mut levels), None, &mut present)?;
        check_count(read, range)?;
        at = range.end;
    }
    output.push_levels(&levels, present);
    Ok(())
}

fn check_count(read: usize, range: &Range<usize>) -> Result<(), ParquetError> {
    if read == range.len() {
        return Ok(());
    }
    Err(ParquetError::General(format!(
        "it has {read} of the {} rows {range:?}",
        range.len()
    )))
}

fn strings(values: Values<ByteArray>) -> Result<ArrayRef, String> {
    let total = values.values.iter().map(ByteArray::len).sum();
    let mut bytes = Vec::with_capacity(total);
    let mut offsets = Vec::with_capacity(values.values.len() + 1);
    offsets.push(0_i32);
    for value in &values.values {
        bytes.extend_from_slice(value.data());
        let end = i32::try_from(bytes.len()).map_err(|_| "more than 2 GiB of strings in a read")?;
        offsets.push(end);
    }
    let offsets = OffsetBuffer::new(offsets.into());
    let array = StringArray::try_new(offsets, Buffer::from_vec(bytes), values.nulls)
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(array))
}
