//! JSON results (`spec/query.md` §4). Rows go straight into the buffer; consecutive pieces of one
//! series share one array of rows; an error takes back what its statement gave, as far as that has
//! not left yet.

use std::sync::Arc;

use headwater_model::Value;
use headwater_query::series::{Column, Message, ResultPiece, Series};

use super::{
    Next, is_valid,
    number::{non_finite_name, write_json_float},
    text::write_json_string,
    time::{Rfc3339, TimeFormat},
};

pub(crate) struct Json {
    time: TimeFormat,
    /// The document was begun.
    begun: bool,
    /// The end was written; nothing may follow.
    ended: bool,
    statement: Option<Statement>,
    /// Some bytes of the document have left.
    flushed: bool,
}

/// The result object that is open.
struct Statement {
    id: i64,
    /// Where in the buffer its members after `statement_id` begin; `None` once they have left.
    members_at: Option<usize>,
    series: Option<OpenSeries>,
    has_series: bool,
    messages: Vec<Message>,
    partial: bool,
    error: Option<String>,
}

/// Keys and values, as [`Series`] has them.
type Tags = [(Arc<str>, Arc<str>)];

/// The series object that is open.
struct OpenSeries {
    name: Option<Arc<str>>,
    tags: Option<Arc<Tags>>,
    has_rows: bool,
    partial: bool,
}

/// A cell that JSON has no number for.
struct NonFinite(f64);

impl Json {
    pub(crate) fn new(time: TimeFormat) -> Self {
        Self {
            time,
            begun: false,
            ended: false,
            statement: None,
            flushed: false,
        }
    }

    pub(crate) fn write(&mut self, piece: &ResultPiece, out: &mut Vec<u8>) -> Next {
        if self.ended {
            return Next::Nothing;
        }
        if self
            .statement
            .as_ref()
            .is_none_or(|open| open.id != piece.statement_id)
        {
            self.close_statement(out);
            self.open_statement(piece.statement_id, out);
        }
        let Some(statement) = self.statement.as_mut() else {
            return Next::Nothing;
        };
        statement.partial = piece.partial;
        statement.messages.extend(piece.messages.iter().cloned());
        if let Some(error) = &piece.error {
            statement.fail(error.clone(), out);
            return Next::Piece;
        }
        for (at, series) in piece.series.iter().enumerate() {
            if let Err(NonFinite(value)) = statement.write_series(series, at == 0, self.time, out) {
                let error = format!("json: unsupported value: {}", non_finite_name(value));
                self.give_up(error, out);
                return Next::Nothing;
            }
        }
        Next::Piece
    }

    /// See [`super::Encoder::flush`].
    pub(crate) fn flushed(&mut self) {
        self.flushed = true;
        if let Some(statement) = &mut self.statement {
            statement.members_at = None;
        }
    }

    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.close_statement(out);
        out.extend_from_slice(if self.begun { b"]}\n" } else { b"{}\n" });
    }

    fn open_statement(&mut self, id: i64, out: &mut Vec<u8>) {
        let start: &[u8] = if std::mem::replace(&mut self.begun, true) {
            b","
        } else {
            br#"{"results":["#
        };
        out.extend_from_slice(start);
        out.extend_from_slice(br#"{"statement_id":"#);
        out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
        self.statement = Some(Statement {
            id,
            members_at: Some(out.len()),
            series: None,
            has_series: false,
            messages: Vec::new(),
            partial: false,
            error: None,
        });
    }

    fn close_statement(&mut self, out: &mut Vec<u8>) {
        if let Some(mut statement) = self.statement.take() {
            statement.close(out);
        }
    }

    /// The whole answer becomes `error` under statement 0 (`spec/query.md` §3). Where its
    /// beginning has left already, the open statement gets the error and the answer ends there.
    fn give_up(&mut self, error: String, out: &mut Vec<u8>) {
        if self.flushed {
            if let Some(statement) = &mut self.statement {
                statement.fail(error, out);
            }
        } else {
            out.clear();
            self.begun = false;
            self.open_statement(0, out);
            if let Some(statement) = &mut self.statement {
                statement.error = Some(error);
            }
        }
        self.finish(out);
    }
}

impl Statement {
    fn fail(&mut self, error: String, out: &mut Vec<u8>) {
        match self.members_at {
            Some(at) => {
                out.truncate(at);
                self.series = None;
                self.has_series = false;
            }
            None => self.close_row(out),
        }
        self.partial = false;
        self.error = Some(error);
    }

    /// `first` of its piece, the series may go on with the one that is open.
    fn write_series(
        &mut self,
        series: &Series,
        first: bool,
        time: TimeFormat,
        out: &mut Vec<u8>,
    ) -> Result<(), NonFinite> {
        let goes_on = first
            && self
                .series
                .as_ref()
                .is_some_and(|open| open.name == series.name && open.tags == series.tags);
        if !goes_on {
            self.close_row(out);
            let start: &[u8] = if std::mem::replace(&mut self.has_series, true) {
                b","
            } else {
                br#","series":["#
            };
            out.extend_from_slice(start);
            write_head(series, out);
            self.series = Some(OpenSeries {
                name: series.name.clone(),
                tags: series.tags.clone(),
                has_rows: false,
                partial: false,
            });
        }
        let Some(open) = self.series.as_mut() else {
            return Ok(());
        };
        open.partial = series.partial;
        if series.row_count() > 0 {
            let start: &[u8] = if std::mem::replace(&mut open.has_rows, true) {
                b","
            } else {
                br#","values":["#
            };
            out.extend_from_slice(start);
            write_rows(series, time, out)?;
        }
        Ok(())
    }

    fn close_row(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.series.take() {
            if open.has_rows {
                out.push(b']');
            }
            if open.partial {
                out.extend_from_slice(br#","partial":true"#);
            }
            out.push(b'}');
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.close_row(out);
        if self.has_series {
            out.push(b']');
        }
        for (at, message) in self.messages.iter().enumerate() {
            out.extend_from_slice(if at == 0 {
                br#","messages":[{"level":"#
            } else {
                br#",{"level":"#
            });
            write_json_string(out, message.level);
            out.extend_from_slice(br#","text":"#);
            write_json_string(out, &message.text);
            out.push(b'}');
        }
        if !self.messages.is_empty() {
            out.push(b']');
        }
        if self.partial {
            out.extend_from_slice(br#","partial":true"#);
        }
        if let Some(error) = &self.error {
            out.extend_from_slice(br#","error":"#);
            write_json_string(out, error);
        }
        out.push(b'}');
    }
}

/// The members of a series object before its rows, without closing it.
fn write_head(series: &Series, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(name) = series.name.as_ref().filter(|name| !name.is_empty()) {
        out.extend_from_slice(br#""name":"#);
        write_json_string(out, name);
        out.push(b',');
    }
    if let Some(tags) = series.tags.as_ref().filter(|tags| !tags.is_empty()) {
        out.extend_from_slice(br#""tags":{"#);
        for (at, (key, value)) in tags.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_json_string(out, key);
            out.push(b':');
            write_json_string(out, value);
        }
        out.extend_from_slice(b"},");
    }
    out.extend_from_slice(br#""columns":["#);
    for (at, column) in series.columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_json_string(out, column);
    }
    out.push(b']');
}

fn write_rows(series: &Series, time: TimeFormat, out: &mut Vec<u8>) -> Result<(), NonFinite> {
    let mut columns: Vec<Cells<'_>> = series
        .values
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let time = if at == 0 { time } else { TimeFormat::Rfc3339 };
            Cells::new(column, time, series.timezone)
        })
        .collect::<Result<_, _>>()?;
    for row in 0..series.row_count() {
        out.extend_from_slice(if row == 0 { b"[" } else { b",[" });
        for (at, cells) in columns.iter_mut().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            cells.write(row, out)?;
        }
        out.push(b']');
    }
    Ok(())
}

/// A column made ready to print: what is the same for all rows is done once.
enum Cells<'a> {
    Rfc3339(&'a [i64], Rfc3339),
    Epoch(&'a [i64], i64),
    Float(&'a [f64], &'a Option<Vec<bool>>),
    Integer(&'a [i64], &'a Option<Vec<bool>>),
    Unsigned(&'a [u64], &'a Option<Vec<bool>>),
    Boolean(&'a [bool], &'a Option<Vec<bool>>),
    String(&'a [Option<Arc<str>>]),
    /// The texts as they print, and the rows' numbers of them.
    Repeated(Vec<Vec<u8>>, &'a [u32]),
    Constant(Vec<u8>),
    Mixed(&'a [Option<Value>]),
}

impl<'a> Cells<'a> {
    fn new(
        column: &'a Column,
        time: TimeFormat,
        timezone: Option<chrono_tz::Tz>,
    ) -> Result<Self, NonFinite> {
        Ok(match column {
            Column::Time(times) => match time {
                TimeFormat::Rfc3339 => Self::Rfc3339(times, Rfc3339::new(timezone)),
                TimeFormat::Epoch(precision) => Self::Epoch(times, precision.nanoseconds()),
            },
            Column::Float { values, valid } => Self::Float(values, valid),
            Column::Integer { values, valid } => Self::Integer(values, valid),
            Column::Unsigned { values, valid } => Self::Unsigned(values, valid),
            Column::Boolean { values, valid } => Self::Boolean(values, valid),
            Column::String(values) => Self::String(values),
            Column::Repeated { texts, numbers } => {
                let print = |text: &Arc<str>| {
                    let mut out = Vec::with_capacity(text.len() + 2);
                    write_json_string(&mut out, text);
                    out
                };
                Self::Repeated(texts.iter().map(print).collect(), numbers)
            }
            Column::Constant { value, .. } => {
                let mut text = Vec::new();
                write_value(value.as_ref(), &mut text)?;
                Self::Constant(text)
            }
            Column::Mixed(values) => Self::Mixed(values),
        })
    }

    fn write(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), NonFinite> {
        match self {
            Self::Rfc3339(times, writer) => {
                out.push(b'"');
                writer.write(out, times[row]);
                out.push(b'"');
            }
            Self::Epoch(times, unit) => write_integer(times[row] / *unit, out),
            Self::Float(values, valid) if is_valid(valid, row) => write_float(values[row], out)?,
            Self::Integer(values, valid) if is_valid(valid, row) => write_integer(values[row], out),
            Self::Unsigned(values, valid) if is_valid(valid, row) => {
                out.extend_from_slice(itoa::Buffer::new().format(values[row]).as_bytes());
            }
            Self::Boolean(values, valid) if is_valid(valid, row) => {
                write_boolean(values[row], out);
            }
            Self::String(values) => match &values[row] {
                Some(text) => write_json_string(out, text),
                None => out.extend_from_slice(b"null"),
            },
            Self::Repeated(texts, numbers) => {
                let text = texts.get(numbers[row] as usize);
                out.extend_from_slice(text.map_or(b"null", Vec::as_slice));
            }
            Self::Constant(text) => out.extend_from_slice(text),
            Self::Mixed(values) => write_value(values[row].as_ref(), out)?,
            Self::Float(..) | Self::Integer(..) | Self::Unsigned(..) | Self::Boolean(..) => {
                out.extend_from_slice(b"null");
            }
        }
        Ok(())
    }
}

fn write_value(value: Option<&Value>, out: &mut Vec<u8>) -> Result<(), NonFinite> {
    match value {
        None => out.extend_from_slice(b"null"),
        Some(Value::Float(value)) => write_float(*value, out)?,
        Some(Value::Integer(value)) => write_integer(*value, out),
        Some(Value::Unsigned(value)) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
        }
        Some(Value::Boolean(value)) => write_boolean(*value, out),
        Some(Value::String(value)) => write_json_string(out, value),
    }
    Ok(())
}

/// NaN is null, as the reference's result rows have it; an infinity is an error.
fn write_float(value: f64, out: &mut Vec<u8>) -> Result<(), NonFinite> {
    if value.is_finite() {
        write_json_float(out, value);
    } else if value.is_nan() {
        out.extend_from_slice(b"null");
    } else {
        return Err(NonFinite(value));
    }
    Ok(())
}

fn write_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_boolean(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}
