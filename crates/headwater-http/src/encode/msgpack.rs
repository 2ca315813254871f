//! MessagePack results (`spec/query.md` §6). Its arrays state their length first, so that a whole
//! answer is gathered, in columns, before its first byte is written.

use headwater_model::{Precision, Value};
use headwater_query::series::{Column, Message, ResultPiece, Series};
use rmp::encode as pack;

use super::is_valid;

/// The extension type of a time: seconds as `i64`, then nanoseconds as `u32`, big-endian.
const TIME_EXTENSION: i8 = 5;

pub(crate) struct MessagePack {
    /// `None` prints times as extension values.
    epoch: Option<Precision>,
    gathered_cells_max: usize,
    gathered_cells: usize,
    results: Vec<Gathered>,
}

/// A statement's pieces so far.
#[derive(Default)]
struct Gathered {
    statement_id: i64,
    /// The rows of one series may come in several parts.
    series: Vec<Vec<Series>>,
    messages: Vec<Message>,
    partial: bool,
    error: Option<String>,
}

impl MessagePack {
    pub(crate) fn new(epoch: Option<Precision>, gathered_cells_max: usize) -> Self {
        Self {
            epoch,
            gathered_cells_max,
            gathered_cells: 0,
            results: Vec::new(),
        }
    }

    pub(crate) fn gather(&mut self, piece: ResultPiece) {
        if self
            .results
            .last()
            .is_none_or(|last| last.statement_id != piece.statement_id)
        {
            self.results.push(Gathered {
                statement_id: piece.statement_id,
                ..Gathered::default()
            });
        }
        let Some(result) = self.results.last_mut() else {
            return;
        };
        if result.error.is_some() {
            return;
        }
        self.gathered_cells += piece
            .series
            .iter()
            .map(|series| series.row_count() * series.columns.len())
            .sum::<usize>();
        if self.gathered_cells > self.gathered_cells_max {
            result.fail("result too large for MessagePack: ask for it with chunked=true".into());
            return;
        }
        result.partial = piece.partial;
        result.messages.extend(piece.messages);
        if let Some(error) = piece.error {
            result.fail(error);
            return;
        }
        for (at, series) in piece.series.into_iter().enumerate() {
            match result.series.last_mut() {
                Some(parts) if at == 0 && is_same_series(&parts[0], &series) => parts.push(series),
                _ => result.series.push(vec![series]),
            }
        }
    }

    /// Writes what was gathered as one document and forgets it.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        self.gathered_cells = 0;
        let results = std::mem::take(&mut self.results);
        if results.is_empty() {
            infallible(pack::write_map_len(out, 0));
            return;
        }
        infallible(pack::write_map_len(out, 1));
        write_str("results", out);
        write_array_len(results.len(), out);
        for result in &results {
            self.write_result(result, out);
        }
    }

    fn write_result(&self, result: &Gathered, out: &mut Vec<u8>) {
        if let Some(error) = &result.error {
            infallible(pack::write_map_len(out, 1));
            write_str("error", out);
            write_str(error, out);
            return;
        }
        let has_messages = !result.messages.is_empty();
        let members = 2 + u32::from(has_messages) + u32::from(result.partial);
        infallible(pack::write_map_len(out, members));
        write_str("statement_id", out);
        infallible(pack::write_sint(out, result.statement_id));
        if has_messages {
            write_str("messages", out);
            write_array_len(result.messages.len(), out);
            for message in &result.messages {
                infallible(pack::write_map_len(out, 2));
                write_str("level", out);
                write_str(message.level, out);
                write_str("text", out);
                write_str(&message.text, out);
            }
        }
        write_str("series", out);
        write_array_len(result.series.len(), out);
        for parts in &result.series {
            self.write_series(parts, out);
        }
        if result.partial {
            write_str("partial", out);
            infallible(pack::write_bool(out, true));
        }
    }

    fn write_series(&self, parts: &[Series], out: &mut Vec<u8>) {
        let head = &parts[0];
        let name = head.name.as_deref().filter(|name| !name.is_empty());
        let tags = head.tags.as_deref().filter(|tags| !tags.is_empty());
        let partial = parts.last().is_some_and(|last| last.partial);
        let members =
            2 + u32::from(name.is_some()) + u32::from(tags.is_some()) + u32::from(partial);
        infallible(pack::write_map_len(out, members));
        if let Some(name) = name {
            write_str("name", out);
            write_str(name, out);
        }
        if let Some(tags) = tags {
            write_str("tags", out);
            infallible(pack::write_map_len(out, length(tags.len())));
            for (key, value) in tags {
                write_str(key, out);
                write_str(value, out);
            }
        }
        write_str("columns", out);
        write_array_len(head.columns.len(), out);
        for column in head.columns.iter() {
            write_str(column, out);
        }
        write_str("values", out);
        write_array_len(parts.iter().map(Series::row_count).sum(), out);
        for part in parts {
            for row in 0..part.row_count() {
                write_array_len(part.values.len(), out);
                for (at, column) in part.values.iter().enumerate() {
                    let epoch = self.epoch.filter(|_| at == 0);
                    write_cell(column, row, epoch, out);
                }
            }
        }
        if partial {
            write_str("partial", out);
            infallible(pack::write_bool(out, true));
        }
    }
}

impl Gathered {
    fn fail(&mut self, error: String) {
        self.series.clear();
        self.error = Some(error);
    }
}

fn is_same_series(a: &Series, b: &Series) -> bool {
    a.name == b.name && a.tags == b.tags
}

fn write_cell(column: &Column, row: usize, epoch: Option<Precision>, out: &mut Vec<u8>) {
    match column {
        Column::Time(times) => write_time(times[row], epoch, out),
        Column::Float { values, valid } if is_valid(valid, row) => write_float(values[row], out),
        Column::Integer { values, valid } if is_valid(valid, row) => {
            write_signed(values[row], out);
        }
        Column::Unsigned { values, valid } if is_valid(valid, row) => {
            infallible(pack::write_uint(out, values[row]));
        }
        Column::Boolean { values, valid } if is_valid(valid, row) => {
            infallible(pack::write_bool(out, values[row]));
        }
        Column::String(values) => match &values[row] {
            Some(text) => write_str(text, out),
            None => write_nil(out),
        },
        Column::Repeated { texts, numbers } => match texts.get(numbers[row] as usize) {
            Some(text) => write_str(text, out),
            None => write_nil(out),
        },
        Column::Constant { value, .. } => write_value(value.as_ref(), out),
        Column::Mixed(values) => write_value(values[row].as_ref(), out),
        Column::Float { .. }
        | Column::Integer { .. }
        | Column::Unsigned { .. }
        | Column::Boolean { .. } => write_nil(out),
    }
}

fn write_value(value: Option<&Value>, out: &mut Vec<u8>) {
    match value {
        None => write_nil(out),
        Some(Value::Float(value)) => write_float(*value, out),
        Some(Value::Integer(value)) => write_signed(*value, out),
        Some(Value::Unsigned(value)) => infallible(pack::write_uint(out, *value)),
        Some(Value::Boolean(value)) => infallible(pack::write_bool(out, *value)),
        Some(Value::String(value)) => write_str(value, out),
    }
}

fn write_time(nanoseconds: i64, epoch: Option<Precision>, out: &mut Vec<u8>) {
    if let Some(precision) = epoch {
        write_signed(nanoseconds / precision.nanoseconds(), out);
        return;
    }
    infallible(pack::write_ext_meta(out, 12, TIME_EXTENSION));
    out.extend_from_slice(&nanoseconds.div_euclid(1_000_000_000).to_be_bytes());
    let fraction = nanoseconds.rem_euclid(1_000_000_000) as u32;
    out.extend_from_slice(&fraction.to_be_bytes());
}

/// NaN is null here as in JSON.
fn write_float(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        write_nil(out);
    } else {
        infallible(pack::write_f64(out, value));
    }
}

/// The smallest form of the signed family, for positive values too.
fn write_signed(value: i64, out: &mut Vec<u8>) {
    if (0..=127).contains(&value) {
        out.push(value as u8);
    } else if (-32..0).contains(&value) {
        out.push(value as i8 as u8);
    } else if let Ok(value) = i8::try_from(value) {
        infallible(pack::write_i8(out, value));
    } else if let Ok(value) = i16::try_from(value) {
        infallible(pack::write_i16(out, value));
    } else if let Ok(value) = i32::try_from(value) {
        infallible(pack::write_i32(out, value));
    } else {
        infallible(pack::write_i64(out, value));
    }
}

fn write_nil(out: &mut Vec<u8>) {
    infallible(pack::write_nil(out));
}

fn write_str(text: &str, out: &mut Vec<u8>) {
    infallible(pack::write_str(out, text));
}

fn write_array_len(len: usize, out: &mut Vec<u8>) {
    infallible(pack::write_array_len(out, length(len)));
}

/// MessagePack counts with 32 bits; the limit of gathered cells stays below.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Takes the result of writing to a vector, which cannot fail.
fn infallible<T, E: std::fmt::Debug>(written: Result<T, E>) {
    written.expect("a vector takes every byte");
}
