//! The end of a data file: Parquet footer, page index and what Headwater records there
//! (`docs/format.md` §3, §5).
//!
//! Parquet guards its footer with nothing, so a flipped bit there would be believed. We record a
//! checksum over everything behind the directory and verify it before any of it is decoded.

use std::{collections::HashMap, ops::Range, path::Path, sync::Arc};

use bytes::{Buf, Bytes};
use headwater_env::RandomAccessFile;
use headwater_model::{FieldType, TimeRange};
use parquet::{
    errors::ParquetError,
    file::{
        metadata::{KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
        page_index::column_index::ColumnIndexMetaData,
        reader::{ChunkReader, Length},
    },
    schema::types::{ColumnDescPtr, ColumnDescriptor},
};
use serde::{Deserialize, Serialize};

use super::{CHECKSUMS_COUNT, FileError, FileSchema, schema::ColumnRecord};

/// The version that this program writes, and the newest that it reads.
pub(super) const FORMAT_VERSION: u32 = 1;

const KEY_VERSION: &str = "headwater.format_version";
const KEY_MEASUREMENT: &str = "headwater.measurement";
const KEY_COLUMNS: &str = "headwater.columns";
const KEY_CHUNKS: &str = "headwater.chunk_crc32c";
const KEY_DIRECTORY: &str = "headwater.directory";
const KEY_INTEGRITY: &str = "headwater.integrity";

/// The timestamps are the first column.
pub(super) const TIME_COLUMN: usize = 0;

/// The integrity value: 16 hexadecimal digits of where the tail begins, 8 of its checksum.
const INTEGRITY_LENGTH: usize = 24;
const CHECKSUM_LENGTH: usize = 8;

/// Length of the footer and `PAR1`, at the very end.
const TRAILER_LENGTH: usize = 8;
const MAGIC: &[u8] = b"PAR1";

/// Read at first: enough for the whole tail of most files.
const FIRST_READ_BYTES: u64 = 64 * 1024;

/// A decoded footer.
#[derive(Debug)]
pub(super) struct Footer {
    pub(super) schema: FileSchema,
    pub(super) metadata: ParquetMetaData,
    /// First row of each row group, and the number of rows at the end.
    pub(super) row_group_starts: Vec<u64>,
    pub(super) directory: Section,
    /// CRC32C of each column chunk, row group by row group.
    chunk_checksums: Vec<u32>,
    columns: Vec<Column>,
    columns_by_field: HashMap<Arc<str>, usize>,
}

/// A Parquet column as the reader needs it.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) descriptor: ColumnDescPtr,
    /// The same column as if it were never null.
    pub(super) descriptor_required: ColumnDescPtr,
    /// `None` for time and tags.
    pub(super) field_type: Option<FieldType>,
}

/// Where the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    pub(super) offset: u64,
    /// In the file, compressed.
    pub(super) length: u64,
    pub(super) plain_length: u64,
    pub(super) crc32c: u32,
}

/// What the writer puts into the key-value metadata, in this order; the integrity value is filled
/// in by `seal`.
pub(super) fn key_values(
    schema: &FileSchema,
    records: &[ColumnRecord],
    chunk_checksums: &[u32],
    directory: Section,
) -> Result<Vec<KeyValue>, serde_json::Error> {
    let chunks: String = chunk_checksums
        .iter()
        .map(|crc| format!("{crc:08x}"))
        .collect();
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    Ok(vec![
        pair(KEY_MEASUREMENT, schema.measurement.to_string()),
        pair(KEY_COLUMNS, serde_json::to_string(records)?),
        pair(KEY_CHUNKS, chunks),
        pair(KEY_DIRECTORY, serde_json::to_string(&directory)?),
        pair(KEY_VERSION, FORMAT_VERSION.to_string()),
        pair(KEY_INTEGRITY, "0".repeat(INTEGRITY_LENGTH)),
    ])
}

/// Fills in the integrity value in `tail`, the encoded bytes from offset `tail_start` to the end
/// of the file. `None` when the value is not there, which would be our bug.
pub(super) fn seal(tail: &mut [u8], tail_start: u64) -> Option<()> {
    let at = find_integrity(tail)?;
    tail[at..at + 16].copy_from_slice(format!("{tail_start:016x}").as_bytes());
    let crc = checksum_of_tail(tail, at);
    tail[at + 16..at + INTEGRITY_LENGTH].copy_from_slice(format!("{crc:08x}").as_bytes());
    Some(())
}

/// The checksum of `tail` as if its own digits were zeros; `at` is where the value begins.
fn checksum_of_tail(tail: &[u8], at: usize) -> u32 {
    let digits = at + 16;
    let crc = crc32c::crc32c(&tail[..digits]);
    let crc = crc32c::crc32c_append(crc, &[b'0'; CHECKSUM_LENGTH]);
    crc32c::crc32c_append(crc, &tail[digits + CHECKSUM_LENGTH..])
}

/// Where the value of the integrity key begins: the last place where the key and a value of its
/// length stand as Thrift's compact protocol writes them. Names from users come before it.
fn find_integrity(bytes: &[u8]) -> Option<usize> {
    find_value(bytes, KEY_INTEGRITY, Some(INTEGRITY_LENGTH)).map(|(at, _)| at)
}

/// Position and length of the value of the last `key`; the length is below 128.
fn find_value(bytes: &[u8], key: &str, length: Option<usize>) -> Option<(usize, usize)> {
    const BINARY_NEXT_FIELD: u8 = 0x18;
    let mut pattern = key.as_bytes().to_vec();
    pattern.push(BINARY_NEXT_FIELD);
    let mut end = bytes.len();
    loop {
        let found = bytes[..end]
            .windows(pattern.len())
            .rposition(|window| window == pattern)?;
        let at = found + pattern.len() + 1;
        let actual = *bytes.get(at - 1).unwrap_or(&0xff) as usize;
        if actual < 128 && length.is_none_or(|l| l == actual) && at + actual <= bytes.len() {
            return Some((at, actual));
        }
        end = found + pattern.len() - 1;
    }
}

impl Footer {
    /// Reads and verifies the tail of `file`.
    pub(super) fn read(file: &dyn RandomAccessFile, path: &Path) -> Result<Self, FileError> {
        let damaged = |reason: &str| FileError::damaged(path, reason);
        let length = file.len();
        if length < (TRAILER_LENGTH + MAGIC.len()) as u64 {
            return Err(damaged("it is too short for a Parquet file"));
        }
        let mut tail = Tail::read(file, path, length.saturating_sub(FIRST_READ_BYTES))?;
        let trailer = &tail.bytes[tail.bytes.len() - TRAILER_LENGTH..];
        if &trailer[4..] != MAGIC {
            return Err(damaged("it does not end like a Parquet file"));
        }
        let footer_length = trailer[..4]
            .iter()
            .rev()
            .fold(0, |sum, &b| sum << 8 | u64::from(b));
        let footer_start = (length - TRAILER_LENGTH as u64)
            .checked_sub(footer_length)
            .ok_or_else(|| damaged("its footer is longer than the file"))?;
        if footer_start < tail.offset {
            tail = Tail::read(file, path, footer_start)?;
        }
        check_version(tail.slice(footer_start), path)?;
        let tail_start = recorded_tail_start(tail.slice(footer_start), path)?;
        if tail_start > footer_start {
            return Err(damaged("its integrity record contradicts its length"));
        }
        if tail_start < tail.offset {
            tail = Tail::read(file, path, tail_start)?;
        }
        let bytes = tail.bytes.slice((tail_start - tail.offset) as usize..);
        verify(&bytes, path)?;
        let footer =
            bytes.slice((footer_start - tail_start) as usize..bytes.len() - TRAILER_LENGTH);
        let window = Window {
            bytes,
            offset: tail_start,
        };
        Self::decode(&footer, &window, tail_start)
            .map_err(|reason| FileError::damaged(path, reason))
    }

    fn decode(footer: &[u8], tail: &Window, tail_start: u64) -> Result<Self, String> {
        let metadata = ParquetMetaDataReader::decode_metadata(footer).map_err(|e| e.to_string())?;
        let mut reader = ParquetMetaDataReader::new_with_metadata(metadata)
            .with_offset_index_policy(PageIndexPolicy::Required)
            .with_column_index_policy(PageIndexPolicy::Optional);
        reader.read_page_indexes(tail).map_err(|e| e.to_string())?;
        let metadata = reader.finish().map_err(|e| e.to_string())?;

        let records: Vec<ColumnRecord> = json(&metadata, KEY_COLUMNS)?;
        let schema = FileSchema::from_records(value(&metadata, KEY_MEASUREMENT)?, &records)?;
        let directory: Section = json(&metadata, KEY_DIRECTORY)?;
        if directory.offset.checked_add(directory.length) != Some(tail_start) {
            return Err("the directory does not end where the tail begins".to_owned());
        }
        let columns = decode_columns(&metadata, &records)?;
        let chunk_checksums = decode_checksums(value(&metadata, KEY_CHUNKS)?)?;
        if chunk_checksums.len() != metadata.num_row_groups() * columns.len() {
            return Err("there is not one checksum per column chunk".to_owned());
        }
        let row_group_starts = decode_row_groups(&metadata, directory.offset)?;
        let first_field = 1 + schema.tag_keys.len();
        let columns_by_field = schema
            .fields
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.clone(), first_field + index))
            .collect();
        Ok(Self {
            schema,
            metadata,
            row_group_starts,
            directory,
            chunk_checksums,
            columns,
            columns_by_field,
        })
    }

    /// Index of the Parquet column of a field.
    pub(super) fn column_of_field(&self, field: &str) -> Option<usize> {
        self.columns_by_field.get(field).copied()
    }

    pub(super) fn column(&self, column: usize) -> &Column {
        &self.columns[column]
    }

    /// The data pages of times that have some of `rows`, which count from the first row of the
    /// row group: these rows of each, and between which times they are.
    pub(super) fn time_pages(
        &self,
        row_group: usize,
        rows: Range<usize>,
    ) -> impl Iterator<Item = (Range<usize>, TimeRange)> {
        let index = self.metadata.page_index_for_row_group(row_group);
        let starts: Vec<usize> = index
            .page_locations(TIME_COLUMN)
            .into_iter()
            .flatten()
            .map(|page| usize::try_from(page.first_row_index).unwrap_or(0))
            .collect();
        let bounds: Vec<TimeRange> = match index.column_index(TIME_COLUMN) {
            Some(ColumnIndexMetaData::INT64(bounds)) => bounds
                .min_values()
                .iter()
                .zip(bounds.max_values())
                .map(|(min, max)| TimeRange::new(*min, *max))
                .collect(),
            _ => Vec::new(),
        };
        let first = starts.partition_point(|start| *start <= rows.start);
        let mut at = first.saturating_sub(1);
        let mut start = rows.start;
        std::iter::from_fn(move || {
            let end = starts
                .get(at + 1)
                .map_or(rows.end, |end| rows.end.min(*end));
            let page = (start < end).then(|| {
                // Files of before this index was written have no bounds.
                let times = bounds.get(at).copied().unwrap_or(TimeRange::ALL);
                (start..end, times)
            })?;
            at += 1;
            start = end;
            Some(page)
        })
    }

    pub(super) fn row_count(&self) -> u64 {
        *self
            .row_group_starts
            .last()
            .expect("holds one entry more than there are row groups")
    }

    /// The number of a column chunk, row group by row group.
    pub(super) fn chunk_number(&self, row_group: usize, column: usize) -> usize {
        row_group * self.columns.len() + column
    }

    pub(super) fn chunk_checksum(&self, row_group: usize, column: usize) -> u32 {
        self.chunk_checksums[self.chunk_number(row_group, column)]
    }

    /// About what the footer occupies in memory.
    pub(super) fn size_bytes(&self) -> usize {
        self.metadata.memory_size() + 4 * self.chunk_checksums.len() + 400 * self.columns.len()
    }
}

/// The last bytes of a file.
struct Tail {
    bytes: Bytes,
    offset: u64,
}

impl Tail {
    fn read(file: &dyn RandomAccessFile, path: &Path, offset: u64) -> Result<Self, FileError> {
        let length = usize::try_from(file.len() - offset)
            .map_err(|_| FileError::damaged(path, "its footer does not fit into memory"))?;
        let bytes = file
            .read_at(offset, length)
            .map_err(|e| FileError::io(path, e))?;
        Ok(Self {
            bytes: bytes.into(),
            offset,
        })
    }

    /// From `offset` in the file, which is not before the tail, to the end.
    fn slice(&self, offset: u64) -> &[u8] {
        &self.bytes[(offset - self.offset) as usize..]
    }
}

/// Refuses what is no data file of ours, and what a newer program has written.
fn check_version(footer: &[u8], path: &Path) -> Result<(), FileError> {
    let (at, length) = find_value(footer, KEY_VERSION, None)
        .ok_or_else(|| FileError::damaged(path, format!("its footer has no {KEY_VERSION}")))?;
    let found: u32 = std::str::from_utf8(&footer[at..at + length])
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| FileError::damaged(path, format!("its {KEY_VERSION} is no number")))?;
    match found {
        1..=FORMAT_VERSION => Ok(()),
        0 => Err(FileError::damaged(path, format!("its {KEY_VERSION} is 0"))),
        _ => Err(FileError::Version {
            path: path.to_owned(),
            found,
            supported: FORMAT_VERSION,
        }),
    }
}

/// Where the tail begins, as its integrity record says; unverified.
fn recorded_tail_start(footer: &[u8], path: &Path) -> Result<u64, FileError> {
    find_integrity(footer)
        .and_then(|at| std::str::from_utf8(&footer[at..at + INTEGRITY_LENGTH]).ok())
        .and_then(|text| u64::from_str_radix(text.get(..16)?, 16).ok())
        .ok_or_else(|| FileError::damaged(path, format!("its footer has no {KEY_INTEGRITY}")))
}

/// Compares the checksum of the tail with the recorded one.
fn verify(tail: &[u8], path: &Path) -> Result<(), FileError> {
    let at = find_integrity(tail)
        .ok_or_else(|| FileError::damaged(path, format!("its footer has no {KEY_INTEGRITY}")))?;
    let recorded = &tail[at + 16..at + INTEGRITY_LENGTH];
    let actual = format!("{:08x}", checksum_of_tail(tail, at));
    if actual.as_bytes() == recorded || !CHECKSUMS_COUNT {
        return Ok(());
    }
    let recorded = recorded.escape_ascii();
    let reason = format!("the checksum of its footer is {actual}, recorded is {recorded}");
    Err(FileError::damaged(path, reason))
}

fn value<'a>(metadata: &'a ParquetMetaData, key: &str) -> Result<&'a str, String> {
    metadata
        .file_metadata()
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == key))
        .and_then(|pair| pair.value.as_deref())
        .ok_or_else(|| format!("its footer has no {key}"))
}

fn json<T: for<'a> Deserialize<'a>>(metadata: &ParquetMetaData, key: &str) -> Result<T, String> {
    serde_json::from_str(value(metadata, key)?).map_err(|e| format!("{key}: {e}"))
}

fn decode_columns(
    metadata: &ParquetMetaData,
    records: &[ColumnRecord],
) -> Result<Vec<Column>, String> {
    let descriptor = metadata.file_metadata().schema_descr();
    if descriptor.num_columns() != records.len() {
        return Err("the recorded columns are not those of the Parquet schema".to_owned());
    }
    let mut columns = Vec::with_capacity(records.len());
    for (record, descriptor) in records.iter().zip(descriptor.columns()) {
        let expected = record.parquet_type().map_err(|e| e.to_string())?;
        if descriptor.self_type() != &*expected {
            return Err(format!("column {} has an unexpected type", record.name()));
        }
        let required =
            ColumnDescriptor::new(descriptor.self_type_ptr(), 0, 0, descriptor.path().clone());
        columns.push(Column {
            descriptor: descriptor.clone(),
            descriptor_required: Arc::new(required),
            field_type: match record {
                ColumnRecord::Field { field_type, .. } => FieldType::from_name(field_type),
                ColumnRecord::Time { .. } | ColumnRecord::Tag { .. } => None,
            },
        });
    }
    Ok(columns)
}

fn decode_checksums(text: &str) -> Result<Vec<u32>, String> {
    let mut checksums = Vec::with_capacity(text.len() / CHECKSUM_LENGTH);
    for digits in text.as_bytes().chunks(CHECKSUM_LENGTH) {
        let checksum = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| format!("{KEY_CHUNKS} is not hexadecimal"))?;
        checksums.push(checksum);
    }
    Ok(checksums)
}

/// First rows of the row groups. All column chunks are before `data_end`.
fn decode_row_groups(metadata: &ParquetMetaData, data_end: u64) -> Result<Vec<u64>, String> {
    let mut starts = vec![0_u64];
    let mut rows = 0_u64;
    for (index, row_group) in metadata.row_groups().iter().enumerate() {
        let page_index = metadata.page_index_for_row_group(index);
        for (column, chunk) in row_group.columns().iter().enumerate() {
            if chunk.data_page_offset() < 0 || chunk.compressed_size() < 0 {
                return Err("a column chunk has a negative position".to_owned());
            }
            let (start, length) = chunk.byte_range();
            if start.checked_add(length).is_none_or(|end| end > data_end) {
                return Err("a column chunk is outside of the file".to_owned());
            }
            if page_index.offset_index(column).is_none() {
                return Err("a column chunk has no page index".to_owned());
            }
        }
        rows += u64::try_from(row_group.num_rows()).map_err(|_| "a negative number of rows")?;
        starts.push(rows);
    }
    Ok(starts)
}

/// Part of a file in memory, addressed by positions in the file.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) bytes: Bytes,
    pub(super) offset: u64,
}

impl Window {
    fn at(&self, start: u64) -> Result<usize, ParquetError> {
        start
            .checked_sub(self.offset)
            .and_then(|at| usize::try_from(at).ok())
            .filter(|&at| at <= self.bytes.len())
            .ok_or_else(|| ParquetError::EOF(format!("offset {start} is outside of what was read")))
    }
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl ChunkReader for Window {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.bytes.slice(self.at(start)?..).reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let at = self.at(start)?;
        match at.checked_add(length) {
            Some(end) if end <= self.bytes.len() => Ok(self.bytes.slice(at..end)),
            _ => Err(ParquetError::EOF(format!(
                "{length} bytes at {start} are not there"
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
