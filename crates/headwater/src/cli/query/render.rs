//! Series as text for people and for other programs. A series that comes in several pieces is
//! printed as one; the widths of its columns are those that its first piece needs.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use unicode_width::UnicodeWidthStr;

use super::{
    Format,
    answer::{Series, cell_text, is_number},
};

/// Prints the series of an answer one after the other.
pub(super) struct Renderer {
    format: Format,
    open: Option<Open>,
}

/// The series that was printed last, which may go on.
struct Open {
    name: String,
    tags: String,
    columns: Vec<String>,
    widths: Vec<usize>,
}

impl Renderer {
    pub(super) fn new(format: Format) -> Self {
        Self { format, open: None }
    }

    pub(super) fn print(&mut self, series: &Series<'_>, out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<Vec<Cell<'_>>> = series
            .values
            .iter()
            .map(|row| row.iter().map(|cell| Cell::of(cell, self.format)).collect())
            .collect();
        let tags = series.tag_text(if self.format == Format::Csv {
            ","
        } else {
            ", "
        });
        let goes_on = self.open.as_ref().is_some_and(|open| {
            open.columns == series.columns
                && (self.format == Format::Csv || (open.name == series.name && open.tags == tags))
        });
        if !goes_on {
            if self.format == Format::Csv && self.open.is_some() {
                writeln!(out)?;
            }
            self.finish(out)?;
            let open = Open {
                name: series.name.clone(),
                widths: widths(&series.columns, &rows),
                tags: tags.clone(),
                columns: series.columns.clone(),
            };
            open.print_head(self.format, out)?;
            self.open = Some(open);
        }
        let Some(open) = &self.open else {
            return Ok(());
        };
        for row in &rows {
            match self.format {
                Format::Csv => csv_row(&series.name, &tags, row, out)?,
                Format::Column => columns_row(row, &open.widths, out)?,
                Format::Table | Format::Json => table_row(row, &open.widths, out)?,
            }
        }
        Ok(())
    }

    /// Ends the open series.
    pub(super) fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        match self.format {
            Format::Table => table_line(&open.widths, out),
            Format::Column => writeln!(out),
            Format::Csv | Format::Json => Ok(()),
        }
    }
}

impl Open {
    fn print_head(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        if format != Format::Csv {
            if !self.name.is_empty() {
                writeln!(out, "name: {}", self.name)?;
            }
            if !self.tags.is_empty() {
                writeln!(out, "tags: {}", self.tags)?;
            }
        }
        let head: Vec<Cell<'_>> = self.columns.iter().map(|name| Cell::text(name)).collect();
        match format {
            Format::Csv => csv_row("name", "tags", &head, out),
            Format::Column => {
                columns_row(&head, &self.widths, out)?;
                let dashes: Vec<String> =
                    self.columns.iter().map(|c| "-".repeat(c.width())).collect();
                let dashes: Vec<Cell<'_>> = dashes.iter().map(|d| Cell::text(d)).collect();
                columns_row(&dashes, &self.widths, out)
            }
            Format::Table | Format::Json => {
                table_line(&self.widths, out)?;
                table_row(&head, &self.widths, out)?;
                table_line(&self.widths, out)
            }
        }
    }
}

struct Cell<'a> {
    text: Cow<'a, str>,
    is_number: bool,
}

impl<'a> Cell<'a> {
    fn text(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            is_number: false,
        }
    }

    fn of(cell: &'a serde_json::value::RawValue, format: Format) -> Self {
        let mut text = cell_text(cell);
        // A row of a table is a line.
        if format != Format::Csv && text.contains(char::is_control) {
            text = Cow::Owned(text.escape_debug().to_string().replace("\\\"", "\""));
        }
        Self {
            text,
            is_number: is_number(cell),
        }
    }
}

fn widths(columns: &[String], rows: &[Vec<Cell<'_>>]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|name| name.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    widths
}

/// `| time | usage |`
fn table_row(row: &[Cell<'_>], widths: &[usize], out: &mut dyn Write) -> io::Result<()> {
    for (cell, width) in row.iter().zip(widths) {
        let pad = width.saturating_sub(cell.text.width());
        let (left, right) = if cell.is_number { (pad, 0) } else { (0, pad) };
        write!(out, "| {:left$}{}{:right$} ", "", cell.text, "")?;
    }
    writeln!(out, "|")
}

fn table_line(widths: &[usize], out: &mut dyn Write) -> io::Result<()> {
    for width in widths {
        write!(out, "+{}", "-".repeat(width + 2))?;
    }
    writeln!(out, "+")
}

/// Columns apart by a space; the last one is not padded.
fn columns_row(row: &[Cell<'_>], widths: &[usize], out: &mut dyn Write) -> io::Result<()> {
    for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
        let pad = match at + 1 < row.len() {
            true => width.saturating_sub(cell.text.width()) + 1,
            false => 0,
        };
        write!(out, "{}{:pad$}", cell.text, "")?;
    }
    writeln!(out)
}

/// The name and the tags come first.
fn csv_row(name: &str, tags: &str, row: &[Cell<'_>], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{},{}", csv(name), csv(tags))?;
    for cell in row {
        write!(out, ",{}", csv(&cell.text))?;
    }
    writeln!(out)
}

fn csv(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests;
