//! Which Parquet encoding and codec a column chunk gets, and the encoding of one.
//!
//! The right choice depends on the values, so it is made for each chunk, by trying the candidates
//! on a sample (`docs/format.md` §2). A candidate that decodes slowly must be clearly smaller.

use std::{io, sync::Arc};

use arrow_array::{
    Array, ArrayRef,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use arrow_schema::{DataType, Field, Schema};
use parquet::{
    arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves},
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::types::TypePtr,
};
use rustc_hash::FxHashSet;

use super::schema::parquet_schema;

/// More distinct values than this make a dictionary too large to be read for a few rows.
const DICTIONARY_VALUES_MAX: usize = 4_096;
/// A dictionary must at least replace this many rows per value.
const ROWS_PER_VALUE_MIN: usize = 8;
/// The sample: this many runs of rows, evenly spread.
const SAMPLE_RUNS: usize = 3;
const SAMPLE_RUN_ROWS: usize = 3_000;
/// A compressed page must be below this share of the plain page to be kept compressed.
const COMPRESSION_RATIO_MAX: f64 = 0.9;
/// By how much zstd must be smaller than lz4: it decodes several times slower, and to set it up
/// costs more than to read an hour of one series.
const ZSTD_RATIO_MAX_FOR_SPEED: f64 = 0.5;
const ZSTD_RATIO_MAX_FOR_SIZE: f64 = 0.9;

/// How a column chunk is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkEncoding {
    /// `None`: dictionary.
    encoding: Option<Encoding>,
    compression: Compression,
}

const fn lz4(encoding: Encoding) -> ChunkEncoding {
    ChunkEncoding {
        encoding: Some(encoding),
        compression: Compression::LZ4_RAW,
    }
}

fn zstd(encoding: Encoding, level: i32) -> ChunkEncoding {
    ChunkEncoding {
        encoding: Some(encoding),
        compression: Compression::ZSTD(ZstdLevel::try_new(level).expect("a level of zstd")),
    }
}

/// Few distinct values: numbers into a dictionary.
pub(super) const DICTIONARY: ChunkEncoding = ChunkEncoding {
    encoding: None,
    compression: Compression::LZ4_RAW,
};
/// Ascending times: differences are small and often equal.
pub(super) const DELTA: ChunkEncoding = lz4(Encoding::DELTA_BINARY_PACKED);

/// Encodes `values` as one column chunk of the Parquet column `column`, with a page every
/// `page_rows` rows.
pub(super) fn encode_chunk(
    column: &TypePtr,
    values: &ArrayRef,
    how: ChunkEncoding,
    page_rows: usize,
) -> Result<ArrowColumnChunk, ParquetError> {
    // Bounds of each page are of use where rows are looked for by them: only times, the one
    // column that is never null, are.
    let statistics = if column.is_optional() {
        EnabledStatistics::Chunk
    } else {
        EnabledStatistics::Page
    };
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_statistics_enabled(statistics)
        .set_compression(how.compression)
        .set_data_page_v2_compression_ratio_threshold(COMPRESSION_RATIO_MAX)
        .set_dictionary_enabled(how.encoding.is_none())
        // The number of values is bounded; falling back in the middle of a chunk helps nobody.
        .set_dictionary_page_size_limit(usize::MAX)
        .set_data_page_row_count_limit(page_rows)
        .set_write_batch_size(page_rows);
    let properties = match how.encoding {
        Some(encoding) => properties.set_encoding(encoding),
        None => properties,
    };
    let schema = parquet_schema(vec![column.clone()])?;
    let file = SerializedFileWriter::new(io::sink(), schema, Arc::new(properties.build()))?;
    let is_nullable = column.is_optional();
    let field = Field::new(column.name(), values.data_type().clone(), is_nullable);
    let factory =
        ArrowRowGroupWriterFactory::new(&file, Arc::new(Schema::new(vec![field.clone()])));
    let mut writers = factory.create_column_writers(0)?;
    let mut writer = writers.pop().expect("one column has one writer");
    for leaf in compute_leaves(&field, values)? {
        writer.write(&leaf)?;
    }
    writer.close()
}

/// Decides how to encode the values of a field; `favors_size` is for files that will be kept long
/// and read seldom.
pub(super) fn choose(
    column: &TypePtr,
    values: &ArrayRef,
    favors_size: bool,
) -> Result<ChunkEncoding, ParquetError> {
    let (fast, smaller) = candidates(values.data_type());
    if values.null_count() == values.len() || *values.data_type() == DataType::Boolean {
        return Ok(fast);
    }
    let sample = sample(values)?;
    let is_integer = matches!(values.data_type(), DataType::Int64 | DataType::UInt64);
    let dictionary_size = || distinct_values(values).map(|distinct| distinct.size(values.len()));
    let mut known_size = None;
    if !is_integer {
        known_size = dictionary_size();
        if known_size.is_some_and(|size| size < 1.0) {
            return Ok(DICTIONARY);
        }
    }
    let size = |how: ChunkEncoding| -> Result<f64, ParquetError> {
        let chunk = encode_chunk(column, &sample, how, SAMPLE_RUN_ROWS)?;
        Ok(chunk.close().bytes_written as f64 / sample.len() as f64)
    };
    let mut best = fast;
    let mut best_size = size(fast)?;
    if is_integer {
        // Integers mostly encode smaller as differences; then the sample already has too many
        // distinct values for a dictionary, and the whole column need not be looked at.
        let at_least = distinct_values(&sample).map(|distinct| distinct.number_size());
        if at_least.is_none_or(|size| size < best_size) {
            known_size = dictionary_size();
        }
    }
    if let Some(size) = known_size
        && size < best_size
    {
        (best, best_size) = (DICTIONARY, size);
    }
    let ratio_max = if favors_size {
        ZSTD_RATIO_MAX_FOR_SIZE
    } else {
        ZSTD_RATIO_MAX_FOR_SPEED
    };
    let mut size_max = best_size * ratio_max;
    for candidate in smaller {
        let size = size(candidate)?;
        if size < size_max {
            (best, size_max) = (candidate, size);
        }
    }
    Ok(best)
}

/// For values of a type: what decodes fast, and what may be smaller.
fn candidates(data_type: &DataType) -> (ChunkEncoding, Vec<ChunkEncoding>) {
    match data_type {
        DataType::Int64 | DataType::UInt64 => (DELTA, vec![zstd(Encoding::DELTA_BINARY_PACKED, 1)]),
        // Decimals compress better as they are, random mantissas when split by bytes.
        DataType::Float64 => (
            lz4(Encoding::PLAIN),
            vec![
                zstd(Encoding::PLAIN, 2),
                zstd(Encoding::BYTE_STREAM_SPLIT, 1),
            ],
        ),
        DataType::Utf8 => (lz4(Encoding::PLAIN), vec![zstd(Encoding::PLAIN, 2)]),
        _ => (lz4(Encoding::PLAIN), Vec::new()),
    }
}

struct Distinct {
    count: usize,
    /// Of the dictionary before compression.
    bytes: usize,
}

impl Distinct {
    /// Bytes per row of a chunk of `rows` rows, which a sample could not tell.
    fn size(&self, rows: usize) -> f64 {
        self.number_size() + self.bytes as f64 / rows as f64
    }

    /// Bytes of a number into the dictionary.
    fn number_size(&self) -> f64 {
        let bits = usize::BITS - self.count.saturating_sub(1).leading_zeros();
        f64::from(bits) / 8.0
    }
}

/// The distinct values, when there are few enough for a dictionary.
fn distinct_values(values: &ArrayRef) -> Option<Distinct> {
    let count_max = DICTIONARY_VALUES_MAX.min(values.len() / ROWS_PER_VALUE_MIN);
    match values.data_type() {
        DataType::Int64 => {
            let values = values.as_primitive::<Int64Type>().iter().flatten();
            distinct(values, count_max, |_| 8)
        }
        DataType::UInt64 => {
            let values = values.as_primitive::<UInt64Type>().iter().flatten();
            distinct(values, count_max, |_| 8)
        }
        DataType::Float64 => {
            let values = values.as_primitive::<Float64Type>().iter().flatten();
            distinct(values.map(f64::to_bits), count_max, |_| 8)
        }
        DataType::Utf8 => distinct(values.as_string::<i32>().iter().flatten(), count_max, |s| {
            4 + s.len()
        }),
        _ => None,
    }
}

fn distinct<T: std::hash::Hash + Eq + Copy>(
    values: impl Iterator<Item = T>,
    count_max: usize,
    size: impl Fn(T) -> usize,
) -> Option<Distinct> {
    let mut seen = FxHashSet::default();
    let mut bytes = 0;
    let mut previous = None;
    for value in values {
        if previous != Some(value) && seen.insert(value) {
            bytes += size(value);
            if seen.len() > count_max {
                return None;
            }
        }
        previous = Some(value);
    }
    Some(Distinct {
        count: seen.len(),
        bytes,
    })
}

/// A few runs of rows; all rows when there are not many.
fn sample(values: &ArrayRef) -> Result<ArrayRef, ParquetError> {
    let length = values.len();
    if length <= SAMPLE_RUNS * SAMPLE_RUN_ROWS {
        return Ok(values.clone());
    }
    let step = (length - SAMPLE_RUN_ROWS) / (SAMPLE_RUNS - 1);
    let runs: Vec<ArrayRef> = (0..SAMPLE_RUNS)
        .map(|run| values.slice(run * step, SAMPLE_RUN_ROWS))
        .collect();
    let runs: Vec<&dyn Array> = runs.iter().map(|run| &**run).collect();
    Ok(arrow_select::concat::concat(&runs)?)
}

#[cfg(test)]
mod tests;
