//! CSV results (`spec/query.md` §5): `name,tags,<columns>` before the rows of a statement and
//! again where the columns change; times always as integers; failed statements print nothing.

use std::sync::Arc;

use headwater_model::{Precision, Value, escape_tag};
use headwater_query::series::{Column, ResultPiece, Series};

use super::{is_valid, number::write_plain_float};

pub(crate) struct Csv {
    precision: Precision,
    /// Every piece is an answer of its own: an error takes nothing back.
    chunked: bool,
    /// The statement whose header was printed last, and its columns.
    header: Option<(i64, Arc<[Arc<str>]>)>,
    /// The statement of the last piece, where it begins in the buffer, and the header before it;
    /// the position is `None` once it has left.
    statement: Option<(i64, Option<usize>)>,
    header_before: Option<(i64, Arc<[Arc<str>]>)>,
}

impl Csv {
    pub(crate) fn new(precision: Precision, chunked: bool) -> Self {
        Self {
            precision,
            chunked,
            header: None,
            statement: None,
            header_before: None,
        }
    }

    pub(crate) fn write(&mut self, piece: &ResultPiece, out: &mut Vec<u8>) {
        if self
            .statement
            .is_none_or(|(id, _)| id != piece.statement_id)
        {
            self.statement = Some((piece.statement_id, Some(out.len())));
            self.header_before = self.header.clone();
        }
        if piece.error.is_some() {
            if let (false, Some((_, Some(start)))) = (self.chunked, self.statement) {
                out.truncate(start);
                self.header = self.header_before.clone();
            }
            return;
        }
        for series in &piece.series {
            self.write_header(piece.statement_id, series, out);
            self.write_rows(series, out);
        }
    }

    /// See [`super::Encoder::flush`].
    pub(crate) fn flushed(&mut self) {
        if let Some((_, start)) = &mut self.statement {
            *start = None;
        }
    }

    fn write_header(&mut self, statement: i64, series: &Series, out: &mut Vec<u8>) {
        if let Some((id, columns)) = &self.header {
            if *id == statement && *columns == series.columns {
                return;
            }
            out.push(b'\n');
        }
        self.header = Some((statement, Arc::clone(&series.columns)));
        out.extend_from_slice(b"name,tags");
        for column in series.columns.iter() {
            out.push(b',');
            write_field(column, out);
        }
        out.push(b'\n');
    }

    fn write_rows(&self, series: &Series, out: &mut Vec<u8>) {
        let mut start = Vec::new();
        write_field(series.name.as_deref().unwrap_or(""), &mut start);
        start.push(b',');
        write_field(&tag_set(series), &mut start);
        for row in 0..series.row_count() {
            out.extend_from_slice(&start);
            for (at, column) in series.values.iter().enumerate() {
                out.push(b',');
                let unit = if at == 0 {
                    self.precision.nanoseconds()
                } else {
                    1
                };
                write_cell(column, row, unit, out);
            }
            out.push(b'\n');
        }
    }
}

/// `k=v,k2=v2`, escaped as in line protocol; a tag that the series lacks is left out.
fn tag_set(series: &Series) -> String {
    let mut text = String::new();
    for (key, value) in series.tags.iter().flat_map(|tags| tags.iter()) {
        if value.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&escape_tag(key));
        text.push('=');
        text.push_str(&escape_tag(value));
    }
    text
}

fn write_cell(column: &Column, row: usize, unit: i64, out: &mut Vec<u8>) {
    match column {
        Column::Time(times) => write_integer(times[row] / unit, out),
        Column::Float { values, valid } if is_valid(valid, row) => write_float(values[row], out),
        Column::Integer { values, valid } if is_valid(valid, row) => {
            write_integer(values[row], out);
        }
        Column::Unsigned { values, valid } if is_valid(valid, row) => {
            out.extend_from_slice(itoa::Buffer::new().format(values[row]).as_bytes());
        }
        Column::Boolean { values, valid } if is_valid(valid, row) => {
            write_boolean(values[row], out);
        }
        Column::String(values) => write_field(values[row].as_deref().unwrap_or(""), out),
        Column::Repeated { texts, numbers } => {
            let text = texts.get(numbers[row] as usize);
            write_field(text.map_or("", |text| text), out);
        }
        Column::Constant { value, .. } => write_value(value.as_ref(), out),
        Column::Mixed(values) => write_value(values[row].as_ref(), out),
        Column::Float { .. }
        | Column::Integer { .. }
        | Column::Unsigned { .. }
        | Column::Boolean { .. } => {}
    }
}

fn write_value(value: Option<&Value>, out: &mut Vec<u8>) {
    match value {
        None => {}
        Some(Value::Float(value)) => write_float(*value, out),
        Some(Value::Integer(value)) => write_integer(*value, out),
        Some(Value::Unsigned(value)) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
        }
        Some(Value::Boolean(value)) => write_boolean(*value, out),
        Some(Value::String(value)) => write_field(value, out),
    }
}

/// NaN is null here as in JSON.
fn write_float(value: f64, out: &mut Vec<u8>) {
    if !value.is_nan() {
        write_plain_float(out, value);
    }
}

fn write_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_boolean(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn write_field(text: &str, out: &mut Vec<u8>) {
    if !needs_quotes(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn needs_quotes(text: &str) -> bool {
    text == r"\."
        || text
            .bytes()
            .any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'))
        || text.chars().next().is_some_and(char::is_whitespace)
}
