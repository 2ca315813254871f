//! The persisted form of a directory (`docs/format.md` §4): columns of variable-length integers,
//! compressed as a whole.

use std::sync::Arc;

use super::{Codes, Directory, TagColumn};
use crate::file::FileSchema;

const ZSTD_LEVEL: i32 = 3;

/// Why bytes are no directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("the directory cannot be decompressed")]
    Compression,
    #[error("the directory ends early")]
    Truncated,
    #[error("the directory contradicts itself: {0}")]
    Contradiction(&'static str),
}

/// The compressed directory and its length before compression.
pub(crate) fn encode(directory: &Directory) -> std::io::Result<(Vec<u8>, usize)> {
    let plain = encode_plain(directory);
    let compressed = zstd::bulk::compress(&plain, ZSTD_LEVEL)?;
    Ok((compressed, plain.len()))
}

/// Reverses `encode`. `plain_length` and `bytes` are as recorded, guarded by a checksum.
pub(crate) fn decode(
    bytes: &[u8],
    plain_length: usize,
    schema: FileSchema,
) -> Result<Directory, DecodeError> {
    let plain =
        zstd::bulk::decompress(bytes, plain_length).map_err(|_| DecodeError::Compression)?;
    decode_plain(&plain, schema)
}

pub(super) fn encode_plain(directory: &Directory) -> Vec<u8> {
    let mut out = Vec::with_capacity(directory.series_count() * 8 + 64);
    let base = directory.min_times.iter().copied().min().unwrap_or(0);
    let unit = time_unit(directory, base);
    write_unsigned(&mut out, directory.series_count() as u64);
    write_signed(&mut out, base);
    write_unsigned(&mut out, unit);
    for column in &directory.tags {
        write_values(&mut out, &column.values);
    }
    for column in &directory.tags {
        let mut previous = 0;
        for series in 0..directory.series_count() {
            let code = i64::from(column.codes.get(series));
            write_signed(&mut out, code - previous);
            previous = code;
        }
    }
    for rows in directory.row_starts.windows(2) {
        write_unsigned(&mut out, rows[1] - rows[0]);
    }
    let mut previous = 0;
    for &time in &directory.min_times {
        let offset = distance(base, time) / unit;
        write_signed(&mut out, offset.wrapping_sub(previous) as i64);
        previous = offset;
    }
    for (&from, &to) in directory.min_times.iter().zip(&directory.max_times) {
        write_unsigned(&mut out, distance(from, to) / unit);
    }
    out
}

pub(super) fn decode_plain(plain: &[u8], schema: FileSchema) -> Result<Directory, DecodeError> {
    let mut input = Input(plain);
    // Each series takes several bytes: a count beyond that is refused before memory is taken.
    let count = input.count(plain.len())?;
    let base = input.signed()?;
    let unit = input.unsigned()?;
    let mut tags = Vec::with_capacity(schema.tag_keys.len());
    for _ in &schema.tag_keys {
        tags.push(TagColumn {
            values: read_values(&mut input)?,
            codes: Codes::default(),
        });
    }
    for column in &mut tags {
        column.codes = read_codes(&mut input, count, column.values.len())?;
    }
    let mut row_starts = Vec::with_capacity(count + 1);
    let mut rows = 0_u64;
    row_starts.push(rows);
    for _ in 0..count {
        rows = rows
            .checked_add(input.unsigned()?)
            .ok_or(DecodeError::Contradiction("too many rows"))?;
        row_starts.push(rows);
    }
    let mut min_times = Vec::with_capacity(count);
    let mut offset = 0_u64;
    for _ in 0..count {
        offset = offset.wrapping_add(input.signed()? as u64);
        min_times.push(base.wrapping_add(offset.wrapping_mul(unit) as i64));
    }
    let mut max_times = Vec::with_capacity(count);
    for &min_time in &min_times {
        let max_time = min_time.wrapping_add(input.unsigned()?.wrapping_mul(unit) as i64);
        if max_time < min_time {
            return Err(DecodeError::Contradiction("a series ends before it begins"));
        }
        max_times.push(max_time);
    }
    if !input.0.is_empty() {
        return Err(DecodeError::Contradiction("bytes after the end"));
    }
    Ok(Directory::new(
        schema, tags, row_starts, min_times, max_times,
    ))
}

/// `to - from` where `from <= to`; the difference may exceed `i64`.
fn distance(from: i64, to: i64) -> u64 {
    to.wrapping_sub(from) as u64
}

/// The largest unit in which all times are whole, at least 1: data that arrives every ten seconds
/// should not cost nanoseconds.
fn time_unit(directory: &Directory, base: i64) -> u64 {
    let mut unit = 0;
    for (&min_time, &max_time) in directory.min_times.iter().zip(&directory.max_times) {
        unit = greatest_common_divisor(distance(base, min_time), unit);
        unit = greatest_common_divisor(distance(min_time, max_time), unit);
        if unit == 1 {
            break;
        }
    }
    unit.max(1)
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Sorted strings, each as the length it shares with the one before and the rest.
fn write_values(out: &mut Vec<u8>, values: &[Arc<str>]) {
    write_unsigned(out, values.len() as u64);
    let mut previous: &[u8] = &[];
    for value in values {
        let value = value.as_bytes();
        let shared = previous
            .iter()
            .zip(value)
            .take_while(|(a, b)| a == b)
            .count();
        write_unsigned(out, shared as u64);
        write_unsigned(out, (value.len() - shared) as u64);
        out.extend_from_slice(&value[shared..]);
        previous = value;
    }
}

fn read_values(input: &mut Input<'_>) -> Result<Vec<Arc<str>>, DecodeError> {
    let count = input.count(input.0.len())?;
    let mut values: Vec<Arc<str>> = Vec::with_capacity(count);
    let mut current: Vec<u8> = Vec::new();
    for _ in 0..count {
        let shared = input.count(current.len())?;
        let rest = input.count(input.0.len())?;
        current.truncate(shared);
        current.extend_from_slice(input.bytes(rest)?);
        let value = std::str::from_utf8(&current)
            .map_err(|_| DecodeError::Contradiction("a tag value is not UTF-8"))?;
        if values.last().map_or("", |last| last) >= value {
            return Err(DecodeError::Contradiction("tag values are not sorted"));
        }
        values.push(value.into());
    }
    Ok(values)
}

fn read_codes(input: &mut Input<'_>, count: usize, code_max: usize) -> Result<Codes, DecodeError> {
    let mut codes = Codes::with_capacity(code_max, count);
    let mut code = 0_i64;
    for _ in 0..count {
        code = code.wrapping_add(input.signed()?);
        match u32::try_from(code) {
            Ok(code) if code as usize <= code_max => codes.push(code),
            _ => return Err(DecodeError::Contradiction("a tag code without a value")),
        }
    }
    Ok(codes)
}

/// Seven bits a byte, lowest first; the high bit says that more follow.
fn write_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Zigzag: small magnitudes of either sign are short.
fn write_signed(out: &mut Vec<u8>, value: i64) {
    write_unsigned(out, ((value << 1) ^ (value >> 63)) as u64);
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn unsigned(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(DecodeError::Truncated)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Contradiction("an integer is too long"))
    }

    fn signed(&mut self) -> Result<i64, DecodeError> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number that cannot be above `max`.
    fn count(&mut self, max: usize) -> Result<usize, DecodeError> {
        match usize::try_from(self.unsigned()?) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(DecodeError::Contradiction("a length beyond the end")),
        }
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(bytes)
    }
}
