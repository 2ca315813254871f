//! The column chunk of a tag, written from runs of rows instead of row by row: a tag has one value
//! for all rows of a series, so that a run-length encoded page costs a few bytes a series, and
//! the general encoder would hash each row's value anew.

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriter},
        writer::ColumnCloseResult,
    },
    data_type::ByteArray,
    errors::{ParquetError, Result},
    file::{
        metadata::ColumnChunkMetaData,
        page_index::offset_index::{OffsetIndexMetaData, PageLocation},
        statistics::{Statistics, ValueStatistics},
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};

/// A smaller dictionary is not worth setting up a decompressor.
const PLAIN_BYTES_MAX: usize = 4096;
/// Longer values do not become statistics.
const STATISTICS_BYTES_MAX: usize = 64;

/// Consecutive rows with one value, by position in the dictionary; `None` is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ValueRun {
    pub(super) value: Option<u32>,
    pub(super) rows: usize,
}

/// An encoded chunk: what [`parquet::file::writer::SerializedRowGroupWriter::append_column`]
/// takes.
pub(super) type EncodedChunk = (Bytes, ColumnCloseResult);

/// Whether [`encode`] is the better encoder: long runs, and a value at all.
pub(super) fn is_suited(values: &[&str], runs: &[ValueRun]) -> bool {
    let rows: usize = runs.iter().map(|run| run.rows).sum();
    !values.is_empty() && rows >= runs.len() * 8
}

/// Encodes a chunk with one data page. `values` are distinct, and each occurs.
pub(super) fn encode(
    column: ColumnDescPtr,
    values: &[&str],
    runs: &[ValueRun],
) -> Result<EncodedChunk> {
    let rows: usize = runs.iter().map(|run| run.rows).sum();
    let is_null = |run: &&ValueRun| run.value.is_none();
    let nulls: usize = runs.iter().filter(is_null).map(|run| run.rows).sum();
    let count = |n: usize| u32::try_from(n).map_err(|e| ParquetError::General(e.to_string()));

    let (dictionary, plain_bytes, compression) = dictionary(values)?;
    let dictionary = CompressedPage::new(
        Page::DictionaryPage {
            buf: dictionary,
            num_values: count(values.len())?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        },
        plain_bytes,
    );
    let (data, levels) = data(column.max_def_level() > 0, values.len(), runs);
    let data_bytes = data.len();
    let page = CompressedPage::new(
        Page::DataPageV2 {
            buf: data.into(),
            num_values: count(rows)?,
            encoding: Encoding::RLE_DICTIONARY,
            num_nulls: count(nulls)?,
            num_rows: count(rows)?,
            def_levels_byte_len: count(levels)?,
            rep_levels_byte_len: 0,
            is_compressed: false,
            statistics: None,
        },
        data_bytes,
    );

    let mut sink = TrackedWrite::new(Vec::new());
    let mut pages = SerializedPageWriter::new(&mut sink);
    let first = pages.write_page(dictionary)?;
    let second = pages.write_page(page)?;
    pages.close()?;
    let bytes = Bytes::from(sink.into_inner()?);

    let mut metadata = ColumnChunkMetaData::builder(column)
        .set_encodings(vec![
            Encoding::PLAIN,
            Encoding::RLE,
            Encoding::RLE_DICTIONARY,
        ])
        .set_compression(compression)
        .set_num_values(rows as i64)
        .set_total_compressed_size(bytes.len() as i64)
        .set_total_uncompressed_size((first.uncompressed_size + second.uncompressed_size) as i64)
        .set_dictionary_page_offset(Some(0))
        .set_data_page_offset(second.offset as i64);
    if let Some(statistics) = statistics(values, nulls) {
        metadata = metadata.set_statistics(statistics);
    }
    let location = PageLocation {
        offset: second.offset as i64,
        compressed_page_size: second.compressed_size as i32,
        first_row_index: 0,
    };
    let offset_index = OffsetIndexMetaData {
        page_locations: vec![location],
        unencoded_byte_array_data_bytes: None,
    };
    let close = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: rows as u64,
        metadata: metadata.build()?,
        bloom_filter: None,
        column_index: None,
        offset_index: Some(offset_index),
    };
    Ok((bytes, close))
}

/// The values one after the other, each after its length; and how they are compressed.
fn dictionary(values: &[&str]) -> Result<(Bytes, usize, Compression)> {
    let mut plain = Vec::new();
    for value in values {
        plain.extend_from_slice(&(value.len() as u32).to_le_bytes());
        plain.extend_from_slice(value.as_bytes());
    }
    let plain_bytes = plain.len();
    if plain_bytes <= PLAIN_BYTES_MAX {
        return Ok((plain.into(), plain_bytes, Compression::UNCOMPRESSED));
    }
    let packed = zstd::bulk::compress(&plain, 1)?;
    Ok((
        packed.into(),
        plain_bytes,
        Compression::ZSTD(ZstdLevel::try_new(1)?),
    ))
}

/// The data page: definition levels if the column may be null, then the numbers into the
/// dictionary. With the length of the levels.
fn data(is_nullable: bool, values: usize, runs: &[ValueRun]) -> (Vec<u8>, usize) {
    let mut data = Vec::new();
    if is_nullable {
        for_each_run(
            runs.iter()
                .map(|run| (u32::from(run.value.is_some()), run.rows)),
            |run| {
                push_run(&mut data, 1, run);
            },
        );
    }
    let levels = data.len();
    let bits = (u32::BITS - (values as u32).saturating_sub(1).leading_zeros()).max(1);
    data.push(bits as u8);
    let present = runs.iter().filter_map(|run| Some((run.value?, run.rows)));
    for_each_run(present, |run| {
        push_run(&mut data, bits.div_ceil(8) as usize, run)
    });
    (data, levels)
}

/// Joins neighbours with one value.
fn for_each_run(runs: impl IntoIterator<Item = (u32, usize)>, mut emit: impl FnMut((u32, usize))) {
    let mut current: Option<(u32, usize)> = None;
    for (value, rows) in runs {
        match &mut current {
            Some((same, total)) if *same == value => *total += rows,
            _ => {
                if let Some(done) = current.replace((value, rows)) {
                    emit(done);
                }
            }
        }
    }
    if let Some(done) = current {
        emit(done);
    }
}

/// A run of the hybrid encoding: its length shifted left by one as a varint, then the value.
fn push_run(data: &mut Vec<u8>, value_bytes: usize, (value, rows): (u32, usize)) {
    let mut header = (rows as u64) << 1;
    while header >= 0x80 {
        data.push(header as u8 | 0x80);
        header >>= 7;
    }
    data.push(header as u8);
    data.extend_from_slice(&value.to_le_bytes()[..value_bytes]);
}

fn statistics(values: &[&str], nulls: usize) -> Option<Statistics> {
    let least = values.iter().min()?;
    let greatest = values.iter().max()?;
    if least.len() > STATISTICS_BYTES_MAX || greatest.len() > STATISTICS_BYTES_MAX {
        return None;
    }
    let value = |text: &str| Some(ByteArray::from(text));
    let statistics = ValueStatistics::new(
        value(least),
        value(greatest),
        None,
        Some(nulls as u64),
        false,
    );
    Some(Statistics::ByteArray(
        statistics.with_min_is_exact(true).with_max_is_exact(true),
    ))
}

#[cfg(test)]
mod tests;
