//! All points of a snapshot as line protocol, which written to an empty bucket of the same shard
//! group duration gives the same points again: the same types, float bits, names and times.
//!
//! Lines come by measurement, partition, series and time, and in pieces, so that memory stays flat
//! however large the bucket is.

use std::{ops::ControlFlow, sync::Arc};

use arrow_array::{
    Array, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use headwater_model::{SeriesKey, TimeRange, Value, line_protocol};

use crate::{
    error::{Error, Result},
    limits::SCAN_VALUES,
    scan::{Partition, ScanRequest, SeriesHandle, Slice, Snapshot},
};

/// Text leaves when there is so much of it, in bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Takes pieces of the text, each of whole lines, and says whether to go on.
pub type Sink<'a> = dyn FnMut(Vec<u8>) -> ControlFlow<()> + 'a;

impl Snapshot {
    /// Hands the points in `range`, of one measurement or of all, to `sink`. Each line is a point
    /// with all its fields and its time in nanoseconds.
    ///
    /// # Errors
    /// A data file cannot be read. What `sink` has got by then are whole lines, but not all.
    pub fn export(
        &self,
        measurement: Option<&str>,
        range: TimeRange,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let names = match measurement {
            Some(name) => vec![Arc::from(name)],
            None => self.measurements()?,
        };
        let mut out = Vec::new();
        for name in names {
            for partition in self.partitions(&name, range) {
                if partition.export(&name, range, &mut out, sink)?.is_break() {
                    return Ok(());
                }
            }
        }
        if !out.is_empty() {
            // Nothing is left to go on with.
            let _ = sink(out);
        }
        Ok(())
    }
}

impl Partition {
    fn export(
        &self,
        measurement: &Arc<str>,
        range: TimeRange,
        out: &mut Vec<u8>,
        sink: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>> {
        let mut columns: Vec<Arc<str>> = self.fields().keys().cloned().collect();
        // Stable: otherwise in the order of names.
        columns.sort_by_key(|name| !line_protocol::may_be_first(name));
        let series = self.select(None)?;
        let is_big = |series: &SeriesHandle| parts(series, columns.len()) > 1;
        // A scan reads a series as a whole, so a big one is asked for in parts.
        for run in series.chunk_by(|a, b| !is_big(a) && !is_big(b)) {
            let ranges = match run {
                [one] => split(one, range, parts(one, columns.len())),
                _ => vec![range],
            };
            for range in ranges {
                let request = ScanRequest {
                    series: run,
                    columns: &columns,
                    range,
                    with_times: true,
                    descending_limit: None,
                    ascending_limit: None,
                };
                for found in self.scan(request)? {
                    let found = found?;
                    let printer = Printer::new(measurement, &run[found.index], &columns);
                    for slice in &found.slices {
                        printer.print(slice, out)?;
                        if out.len() >= PIECE_BYTES && sink(std::mem::take(out)).is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// In how many parts a series is read.
fn parts(series: &SeriesHandle, columns: usize) -> u64 {
    let values = series.rows_max.saturating_mul(columns as u64 + 1);
    values.div_ceil(SCAN_VALUES).max(1)
}

/// The times of a series that are in `range`, in `parts` ranges of about the same length.
fn split(series: &SeriesHandle, range: TimeRange, parts: u64) -> Vec<TimeRange> {
    let whole = range.intersect(TimeRange::new(series.min_time, series.max_time));
    if whole.is_empty() {
        return Vec::new();
    }
    let length = i128::from(whole.end) - i128::from(whole.start) + 1;
    let step = (length / i128::from(parts)).max(1);
    let at = |offset: i128| i64::try_from(i128::from(whole.start) + offset).unwrap_or(whole.end);
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < length {
        let end = (start + step).min(length);
        ranges.push(TimeRange::new(at(start), at(end - 1)));
        start = end;
    }
    ranges
}

/// What all lines of a series have in common.
struct Printer {
    key: SeriesKey,
    series: Vec<u8>,
    /// `name=` of each column.
    names: Vec<Vec<u8>>,
    /// A backslash is in a name, so that each line has to be looked at.
    has_backslash: bool,
}

/// `name=`, the values, and which of them there are.
type NamedColumn<'a> = (&'a [u8], Column<'a>, Option<&'a NullBuffer>);

enum Column<'a> {
    Float(&'a Float64Array),
    Integer(&'a Int64Array),
    Unsigned(&'a UInt64Array),
    String(&'a StringArray),
    Boolean(&'a BooleanArray),
}

impl Printer {
    fn new(measurement: &Arc<str>, series: &SeriesHandle, columns: &[Arc<str>]) -> Self {
        // The key's own measurement comes from its text, which loses a backslash before `=`.
        let key = SeriesKey::new(measurement.clone(), series.key.tags().to_vec());
        let mut text = Vec::new();
        line_protocol::print_series(&key, &mut text);
        let name = |name: &Arc<str>| {
            let mut text = Vec::new();
            line_protocol::print_field_key(name, &mut text);
            text.push(b'=');
            text
        };
        let mut named = key.tags().iter().flat_map(|(k, v)| [k, v]);
        let has_backslash = key.measurement().contains('\\')
            || named.any(|text| text.contains('\\'))
            || columns.iter().any(|name| name.contains('\\'));
        Self {
            key: key.clone(),
            series: text,
            names: columns.iter().map(name).collect(),
            has_backslash,
        }
    }

    fn print(&self, slice: &Slice, out: &mut Vec<u8>) -> Result<()> {
        let mut columns: Vec<NamedColumn<'_>> = Vec::with_capacity(self.names.len());
        for (name, column) in self.names.iter().zip(&slice.columns) {
            if let Some(array) = column {
                columns.push((name.as_slice(), Column::of(array)?, array.nulls()));
            }
        }
        for (row, time) in slice.times.iter().enumerate() {
            let start = out.len();
            out.extend_from_slice(&self.series);
            let mut separator = b' ';
            for (name, column, nulls) in &columns {
                if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                    out.push(separator);
                    separator = b',';
                    out.extend_from_slice(name);
                    column.print(row, out);
                }
            }
            if separator == b' ' {
                out.truncate(start);
                continue;
            }
            out.push(b' ');
            line_protocol::print_time(*time, out);
            out.push(b'\n');
            if self.has_backslash && !line_protocol::is_one_line(&out[start..]) {
                out.truncate(start);
                self.respell(&columns, row, *time, out)?;
            }
        }
        Ok(())
    }

    fn respell(
        &self,
        columns: &[NamedColumn<'_>],
        row: usize,
        time: i64,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let mut fields = Vec::new();
        for (name, column, nulls) in columns {
            if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                let mut field = name.to_vec();
                column.print(row, &mut field);
                fields.push(field);
            }
        }
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let spelled = line_protocol::respell(&self.key, &fields, time).ok_or_else(|| {
            let key = self.key.as_str();
            Error::Internal(format!("line protocol has no words for {key} at {time}"))
        })?;
        out.extend_from_slice(&spelled);
        Ok(())
    }
}

impl<'a> Column<'a> {
    fn of(array: &'a dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>()),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>()),
            DataType::UInt64 => Self::Unsigned(array.as_primitive::<UInt64Type>()),
            DataType::Utf8 => Self::String(array.as_string()),
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            other => {
                return Err(Error::Internal(format!("a field of the type {other}")));
            }
        })
    }

    fn print(&self, row: usize, out: &mut Vec<u8>) {
        let value = match self {
            Self::Float(array) => Value::Float(array.value(row)),
            Self::Integer(array) => Value::Integer(array.value(row)),
            Self::Unsigned(array) => Value::Unsigned(array.value(row)),
            Self::Boolean(array) => Value::Boolean(array.value(row)),
            Self::String(array) => return line_protocol::print_string(array.value(row), out),
        };
        line_protocol::print_value(&value, out);
    }
}
