//! Cuts a stream of line protocol into its lines, and lines into batches. A line is what the
//! server takes for one: a newline inside a quoted field value does not end it.

use anyhow::{Result, bail};
use headwater_model::line_protocol;

/// The longest line, in bytes. What is longer is no line but a quote that was never closed.
const LINE_BYTES_MAX: usize = 32 << 20;

/// A batch is sent when it has so many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// Lines of a stream that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
    /// Where the next line starts in `pending`.
    at: usize,
    /// Newlines before `at`.
    newlines: u64,
}

/// What comes after the pieces so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// More, at once.
    Follows,
    /// Perhaps more, but later: a newline that was last is not held back any longer.
    Pauses,
    Nothing,
}

/// A line and where it begins; lines of a file count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) number: u64,
    /// Without its newline.
    pub(crate) bytes: &'a [u8],
}

impl Lines {
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.pending.drain(..self.at);
        self.at = 0;
        self.pending.extend_from_slice(piece);
    }

    /// The next line that is there as a whole; at the end of the stream the rest is a line, too.
    pub(crate) fn next(&mut self, rest: Rest) -> Result<Option<Line<'_>>> {
        if self.at == self.pending.len() {
            return Ok(None);
        }
        let start = self.at;
        let end = line_protocol::line_end(&self.pending, start);
        let number = self.newlines + 1;
        // Before more bytes a newline that was last may turn out to be escaped.
        let is_whole = match rest {
            Rest::Follows => end + 1 < self.pending.len(),
            Rest::Pauses => end < self.pending.len(),
            Rest::Nothing => true,
        };
        if !is_whole {
            if end - start > LINE_BYTES_MAX {
                bail!(
                    "line {number} does not end within {} MiB; is a quote not closed?",
                    LINE_BYTES_MAX >> 20
                );
            }
            return Ok(None);
        }
        self.at = (end + 1).min(self.pending.len());
        let line = &self.pending[start..self.at];
        self.newlines += memchr::memchr_iter(b'\n', line).count() as u64;
        Ok(Some(Line {
            number,
            bytes: &self.pending[start..end],
        }))
    }
}

/// Whether the server would see a point in a line: it is not blank and no comment.
pub(crate) fn is_point(line: &[u8]) -> bool {
    let first = line.iter().find(|byte| !matches!(byte, b' ' | b'\t' | 0));
    first.is_some_and(|byte| *byte != b'#')
}

/// Lines that are sent together.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    /// Where each line ends in `bytes`, newline included, and its number in the file.
    lines: Vec<(usize, u64)>,
}

impl Batch {
    pub(crate) fn push(&mut self, line: Line<'_>) {
        self.bytes.extend_from_slice(line.bytes);
        self.bytes.push(b'\n');
        self.lines.push((self.bytes.len(), line.number));
    }

    pub(crate) fn is_full(&self, lines_max: usize) -> bool {
        self.lines.len() >= lines_max || self.bytes.len() >= BATCH_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }

    pub(crate) fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> {
        let mut start = 0;
        self.lines.iter().map(move |&(end, number)| {
            let bytes = &self.bytes[start..end - 1];
            start = end;
            Line { number, bytes }
        })
    }

    /// The number in the file of the line that holds the newline-counted line `number` of
    /// [`Batch::bytes`], as a server names it.
    pub(crate) fn file_line(&self, number: u64) -> Option<u64> {
        let mut newlines = 0;
        for line in self.lines() {
            newlines += 1 + memchr::memchr_iter(b'\n', line.bytes).count() as u64;
            if number <= newlines {
                return Some(line.number);
            }
        }
        None
    }

    /// Two batches with half of the lines each.
    pub(crate) fn halves(&self) -> [Self; 2] {
        let mut halves = [Self::default(), Self::default()];
        for (at, line) in self.lines().enumerate() {
            halves[usize::from(at >= self.len() / 2)].push(line);
        }
        halves
    }
}

#[cfg(test)]
mod tests;
