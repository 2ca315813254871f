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
    footer::{Footer, TIME_COLUMN, Window},
};

/// Values that are decoded at a time where they are moved once more; they stay in the cache of
/// the processor.
const BATCH: usize = 1_024;

/// The times of the selected rows.
pub(super) fn times(
    file: &DataFile,
    footer: &Footer,
    selections: &[Selection],
) -> Result<ScalarBuffer<i64>, FileError> {
    let (times, _) = read_column::<Numbers<Int64Type>>(file, footer, TIME_COLUMN, selections)?;
    Ok(times.0.into())
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
            let (values, nulls) =
                read_column::<Numbers<DoubleType>>(file, footer, column, selections)?;
            Arc::new(Float64Array::new(values.0.into(), nulls))
        }
        FieldType::Integer => {
            let (values, nulls) =
                read_column::<Numbers<Int64Type>>(file, footer, column, selections)?;
            Arc::new(Int64Array::new(values.0.into(), nulls))
        }
        FieldType::Unsigned => {
            let (values, nulls) =
                read_column::<Numbers<Int64Type>>(file, footer, column, selections)?;
            let rows = values.0.len();
            // The same 64 bits under another type.
            let bits = ScalarBuffer::new(Buffer::from_vec(values.0), 0, rows);
            Arc::new(UInt64Array::new(bits, nulls))
        }
        FieldType::Boolean => {
            let (values, nulls) =
                read_column::<Numbers<BoolType>>(file, footer, column, selections)?;
            Arc::new(BooleanArray::new(BooleanBuffer::from(values.0), nulls))
        }
        FieldType::String => {
            let (values, nulls) = read_column::<Strings>(file, footer, column, selections)?;
            let offsets = OffsetBuffer::new(values.ends.into());
            let strings = StringArray::try_new(offsets, Buffer::from_vec(values.bytes), nulls)
                .map_err(|error| {
                    let name = footer.column(column).descriptor.name();
                    FileError::damaged(file.path(), format!("column {name}: {error}"))
                })?;
            Arc::new(strings)
        }
    })
}

/// Values of rows, one for each; where a row is null the value is arbitrary.
trait Values: Sized {
    type Kind: DataType;

    fn with_capacity(rows: usize) -> Self;

    /// Appends `rows` rows that are null.
    fn push_nulls(&mut self, rows: usize);

    /// Appends what the next `rows` rows of `reader` hold, none of which is null; answers how
    /// many there were.
    fn read(
        &mut self,
        reader: &mut ColumnReaderImpl<Self::Kind>,
        rows: usize,
    ) -> Result<usize, ParquetError>;

    /// Appends a row for each definition level: the next of `present` where it is 1. There are
    /// as many values as levels of 1; the vector may be changed.
    fn spread(
        &mut self,
        levels: &[i16],
        present: &mut Vec<Present<Self>>,
    ) -> Result<(), ParquetError>;
}

type Present<V> = <<V as Values>::Kind as DataType>::T;

struct Numbers<K: DataType>(Vec<K::T>);

impl<K: DataType<T: Copy>> Values for Numbers<K> {
    type Kind = K;

    fn with_capacity(rows: usize) -> Self {
        Self(Vec::with_capacity(rows))
    }

    fn push_nulls(&mut self, rows: usize) {
        self.0.resize(self.0.len() + rows, K::T::default());
    }

    fn read(
        &mut self,
        reader: &mut ColumnReaderImpl<K>,
        rows: usize,
    ) -> Result<usize, ParquetError> {
        Ok(reader.read_records(rows, None, None, &mut self.0)?.0)
    }

    fn spread(&mut self, levels: &[i16], present: &mut Vec<K::T>) -> Result<(), ParquetError> {
        // One value more, so that there is always a next one and the loop needs no branch.
        present.push(K::T::default());
        let last = present.len() - 1;
        let mut next = 0;
        self.0.extend(levels.iter().map(|&level| {
            let value = present[next.min(last)];
            next += usize::from(level != 0);
            value
        }));
        Ok(())
    }
}

struct Strings {
    /// Where each string ends in `bytes`, preceded by a 0.
    ends: Vec<i32>,
    bytes: Vec<u8>,
    batch: Vec<ByteArray>,
}

impl Strings {
    fn end(&self) -> Result<i32, ParquetError> {
        i32::try_from(self.bytes.len())
            .map_err(|_| ParquetError::General("more than 2 GiB of strings in a read".to_owned()))
    }
}

impl Values for Strings {
    type Kind = ByteArrayType;

    fn with_capacity(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self {
            ends,
            bytes: Vec::new(),
            batch: Vec::new(),
        }
    }

    fn push_nulls(&mut self, rows: usize) {
        let end = *self.ends.last().expect("begins with 0");
        self.ends.resize(self.ends.len() + rows, end);
    }

    fn read(
        &mut self,
        reader: &mut ColumnReaderImpl<ByteArrayType>,
        rows: usize,
    ) -> Result<usize, ParquetError> {
        let mut read = 0;
        while read < rows {
            self.batch.clear();
            let count = BATCH.min(rows - read);
            let (count, _, _) = reader.read_records(count, None, None, &mut self.batch)?;
            if count == 0 {
                break;
            }
            read += count;
            for value in &self.batch {
                self.bytes.extend_from_slice(value.data());
                let end = i32::try_from(self.bytes.len());
                self.ends.push(end.unwrap_or(i32::MAX));
            }
            self.end()?;
        }
        Ok(read)
    }

    fn spread(&mut self, levels: &[i16], present: &mut Vec<ByteArray>) -> Result<(), ParquetError> {
        let mut present = present.iter();
        for &level in levels {
            if level != 0
                && let Some(value) = present.next()
            {
                self.bytes.extend_from_slice(value.data());
            }
            let end = self.end()?;
            self.ends.push(end);
        }
        Ok(())
    }
}

/// Which rows are not null. The buffer begins with the first chunk that has nulls.
struct Validity {
    rows: usize,
    capacity: usize,
    bits: Option<BooleanBufferBuilder>,
}

impl Validity {
    fn push_valid(&mut self, rows: usize) {
        self.rows += rows;
        if let Some(bits) = &mut self.bits {
            bits.append_n(rows, true);
        }
    }

    fn push_nulls(&mut self, rows: usize) {
        self.bits().append_n(rows, false);
        self.rows += rows;
    }

    fn push_levels(&mut self, levels: &[i16]) {
        let valid = BooleanBuffer::collect_bool(levels.len(), |row| levels[row] != 0);
        self.bits().append_buffer(&valid);
        self.rows += levels.len();
    }

    fn bits(&mut self) -> &mut BooleanBufferBuilder {
        self.bits.get_or_insert_with(|| {
            let mut bits = BooleanBufferBuilder::new(self.capacity);
            bits.append_n(self.rows, true);
            bits
        })
    }
}

fn read_column<V: Values>(
    file: &DataFile,
    footer: &Footer,
    column: usize,
    selections: &[Selection],
) -> Result<(V, Option<NullBuffer>), FileError> {
    let capacity = selections
        .iter()
        .flat_map(|selection| &selection.rows)
        .map(Range::len)
        .sum();
    let mut values = V::with_capacity(capacity);
    let mut validity = Validity {
        rows: 0,
        capacity,
        bits: None,
    };
    for selection in selections {
        read_chunk(file, footer, column, selection, &mut values, &mut validity)?;
    }
    Ok((values, validity.bits.map(|mut bits| bits.finish().into())))
}

fn read_chunk<V: Values>(
    file: &DataFile,
    footer: &Footer,
    column: usize,
    selection: &Selection,
    values: &mut V,
    validity: &mut Validity,
) -> Result<(), FileError> {
    let row_group = footer.metadata.row_group(selection.row_group);
    let metadata = row_group.column(column);
    let null_count = metadata
        .statistics()
        .and_then(|statistics| statistics.null_count_opt());
    if null_count == Some(row_group.num_rows() as u64) {
        for range in &selection.rows {
            values.push_nulls(range.len());
            validity.push_nulls(range.len());
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
        let rows_in_chunk = row_group.num_rows() as usize;
        let pages = SerializedPageReader::new(Arc::new(chunk), metadata, rows_in_chunk, locations)?;
        let column = footer.column(column);
        // Data pages of version 2 keep definition levels apart, so a chunk without nulls can be
        // read as if the column were required, without looking at any level.
        let descriptor = if has_nulls {
            &column.descriptor
        } else {
            &column.descriptor_required
        };
        let mut reader = ColumnReaderImpl::<V::Kind>::new(descriptor.clone(), Box::new(pages));
        let mut at = 0;
        for range in &selection.rows {
            reader.skip_records(range.start - at)?;
            let read = if has_nulls {
                read_nullable(&mut reader, range.len(), values, validity)?
            } else {
                validity.push_valid(range.len());
                values.read(&mut reader, range.len())?
            };
            if read != range.len() {
                let reason = format!("it has {read} of the {} rows {range:?}", range.len());
                return Err(ParquetError::General(reason));
            }
            at = range.end;
        }
        Ok(())
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

fn read_nullable<V: Values>(
    reader: &mut ColumnReaderImpl<V::Kind>,
    rows: usize,
    values: &mut V,
    validity: &mut Validity,
) -> Result<usize, ParquetError> {
    let mut levels = Vec::new();
    let mut present = Vec::new();
    let mut read = 0;
    while read < rows {
        levels.clear();
        present.clear();
        let count = BATCH.min(rows - read);
        let (count, _, _) = reader.read_records(count, Some(&mut levels), None, &mut present)?;
        if count == 0 {
            break;
        }
        read += count;
        validity.push_levels(&levels);
        values.spread(&levels, &mut present)?;
    }
    Ok(read)
}
