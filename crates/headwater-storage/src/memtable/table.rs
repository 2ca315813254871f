//! The rows of one partition of a measurement in one memtable generation.

use std::sync::Arc;

use headwater_model::{
    FieldType, SeriesKey, TimeRange,
    line_protocol::{FieldValue, ParsedField, unescape_field_key, unescape_string},
};

use super::{Block, column::Column};
use crate::{
    error::Result,
    limits::{BLOCK_BYTES, BLOCK_ROWS, COPY_ROWS, SMALL_BLOCKS, STRING_BYTES_MAX},
    registry::{KeyTable, SeriesNumber},
    schema::{Schema, Slot},
};

/// Why a point was not stored (`spec/write.md` §6.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RowError {
    TypeConflict {
        field: String,
        is: FieldType,
        was: FieldType,
    },
    StringTooLong {
        field: String,
        bytes: usize,
    },
    /// The only field is called `time`.
    OnlyTime,
}

/// Sealed blocks in order of arrival, then the open one.
#[derive(Debug, Default)]
pub(crate) struct Table {
    sealed: Vec<Arc<Block>>,
    open: OpenBlock,
    /// A copy of the open block for readers, valid until the next row.
    copy: Option<Arc<Block>>,
    /// The slots of the fields of the row before; most rows repeat them.
    layout: Vec<Slot>,
    /// The slots of the fields of the row being added; `None` for a field called `time`.
    row: Vec<Option<Slot>>,
    /// Fields of that row that the schema lacks, by slot from the end of the schema on.
    new_fields: Vec<(String, FieldType)>,
}

#[derive(Debug, Default)]
struct OpenBlock {
    series: Vec<SeriesNumber>,
    times: Vec<i64>,
    columns: Vec<Option<Column>>,
    bytes: usize,
}

/// A stored row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) bytes: usize,
    /// A field called `time` was left out.
    pub(crate) is_time_stripped: bool,
    /// The open block is full: [`Table::seal`] it.
    pub(crate) is_full: bool,
}

impl Table {
    /// Checks and adds a row. On an error nothing has changed.
    pub(crate) fn push(
        &mut self,
        schema: &mut Schema,
        series: SeriesNumber,
        time: i64,
        fields: &[ParsedField<'_>],
    ) -> Result<Stored, RowError> {
        self.resolve(schema, fields)?;
        if !self.new_fields.is_empty() {
            for (name, kind) in self.new_fields.drain(..) {
                schema.add(&name, kind, false);
            }
        }
        self.copy = None;
        let columns = &mut self.open.columns;
        if columns.len() < schema.fields().len() {
            columns.resize_with(schema.fields().len(), || None);
        }
        let row = self.open.times.len();
        let mut bytes = 12;
        let mut is_time_stripped = false;
        for (field, slot) in fields.iter().zip(&self.row) {
            let Some(slot) = slot else {
                is_time_stripped = true;
                continue;
            };
            let column = columns[*slot as usize]
                .get_or_insert_with(|| Column::new(field.value.field_type()));
            bytes += column.set(row, &field.value);
        }
        self.open.series.push(series);
        self.open.times.push(time);
        self.open.bytes += bytes;
        let is_full = row + 1 >= BLOCK_ROWS || self.open.bytes >= BLOCK_BYTES;
        Ok(Stored {
            bytes,
            is_time_stripped,
            is_full,
        })
    }

    /// Fills `row` and `new_fields`.
    fn resolve(&mut self, schema: &Schema, fields: &[ParsedField<'_>]) -> Result<(), RowError> {
        self.row.clear();
        self.new_fields.clear();
        let known = schema.fields();
        let mut has_field = false;
        for (i, field) in fields.iter().enumerate() {
            let kind = field.value.field_type();
            check_length(field)?;
            let slot = match self.layout.get(i) {
                Some(&slot)
                    if known
                        .get(slot as usize)
                        .is_some_and(|f| *f.raw == *field.key) =>
                {
                    Some(slot)
                }
                _ => {
                    let slot = self.find(schema, field.key, kind)?;
                    if let Some(slot) = slot {
                        self.layout.resize(self.layout.len().max(i + 1), Slot::MAX);
                        self.layout[i] = slot;
                    }
                    slot
                }
            };
            if let Some(slot) = slot {
                has_field = true;
                if let Some(column) = known.get(slot as usize)
                    && column.kind != kind
                {
                    return Err(RowError::TypeConflict {
                        field: column.name.to_string(),
                        is: kind,
                        was: column.kind,
                    });
                }
            }
            self.row.push(slot);
        }
        if has_field {
            Ok(())
        } else {
            Err(RowError::OnlyTime)
        }
    }

    /// The slot of a field by its key; one past the schema's for a new field.
    #[cold]
    fn find(
        &mut self,
        schema: &Schema,
        raw: &[u8],
        kind: FieldType,
    ) -> Result<Option<Slot>, RowError> {
        let name = unescape_field_key(raw);
        if name == "time" {
            return Ok(None);
        }
        if let Some(slot) = schema.find_raw(raw) {
            return Ok(Some(slot));
        }
        let at = self
            .new_fields
            .iter()
            .position(|(known, _)| *known == *name);
        if let Some(at) = at
            && self.new_fields[at].1 != kind
        {
            return Err(RowError::TypeConflict {
                field: name.into_owned(),
                is: kind,
                was: self.new_fields[at].1,
            });
        }
        let at = at.unwrap_or_else(|| {
            self.new_fields.push((name.into_owned(), kind));
            self.new_fields.len() - 1
        });
        Ok(Some((schema.fields().len() + at) as Slot))
    }

    /// About how much memory the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.sealed.iter().map(|block| block.bytes()).sum::<usize>() + self.open.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.times.is_empty() && self.sealed.is_empty()
    }

    /// Closes the open block.
    pub(crate) fn seal(&mut self, keys: &KeyTable) -> Result<()> {
        let copy = self.copy.take();
        if self.open.times.is_empty() {
            return Ok(());
        }
        let open = std::mem::take(&mut self.open);
        self.sealed.push(match copy {
            Some(copy) => copy,
            None => Arc::new(open.finish(keys)?),
        });
        Ok(())
    }

    /// The blocks as they are now.
    pub(crate) fn blocks(&mut self, schema: &Schema, keys: &KeyTable) -> Result<Vec<Arc<Block>>> {
        let rows = self.open.times.len();
        if rows >= COPY_ROWS {
            self.seal(keys)?;
            self.merge_small(schema)?;
        } else if rows > 0 && self.copy.is_none() {
            self.copy = Some(Arc::new(self.open.copy().finish(keys)?));
        }
        Ok(self.sealed.iter().chain(&self.copy).cloned().collect())
    }

    /// Merges the last blocks once they are many and small.
    fn merge_small(&mut self, schema: &Schema) -> Result<()> {
        let small = self.sealed.iter().rev().take_while(|block| {
            block.rows() < BLOCK_ROWS / 2 && block.bytes() < BLOCK_BYTES / SMALL_BLOCKS
        });
        let count = small.count();
        if count >= SMALL_BLOCKS {
            let small = self.sealed.split_off(self.sealed.len() - count);
            let kinds: Vec<_> = schema.fields().iter().map(|field| field.kind).collect();
            self.sealed.push(Arc::new(Block::concat(&small, &kinds)?));
        }
        Ok(())
    }

    /// All blocks; the table is empty after.
    pub(crate) fn take(&mut self, keys: &KeyTable) -> Result<Vec<Arc<Block>>> {
        self.seal(keys)?;
        let blocks = std::mem::take(&mut self.sealed);
        *self = Self::default();
        Ok(blocks)
    }

    /// Removes the rows in `range` of matching series; returns the bytes that are gone.
    pub(crate) fn delete(
        &mut self,
        keys: &KeyTable,
        range: TimeRange,
        matches: &impl Fn(&SeriesKey) -> bool,
    ) -> Result<usize> {
        self.seal(keys)?;
        delete_rows(&mut self.sealed, range, matches)
    }
}

/// Removes the rows in `range` of matching series from blocks; returns the bytes that are gone.
pub(crate) fn delete_rows(
    blocks: &mut Vec<Arc<Block>>,
    range: TimeRange,
    matches: &impl Fn(&SeriesKey) -> bool,
) -> Result<usize> {
    let before: usize = blocks.iter().map(|block| block.bytes()).sum();
    let mut kept = Vec::with_capacity(blocks.len());
    for block in blocks.iter() {
        match block.without(range, matches)? {
            Some(None) => kept.push(block.clone()),
            Some(Some(rest)) => kept.push(Arc::new(rest)),
            None => {}
        }
    }
    *blocks = kept;
    Ok(before - blocks.iter().map(|block| block.bytes()).sum::<usize>())
}

impl OpenBlock {
    fn finish(self, keys: &KeyTable) -> Result<Block> {
        let rows = self.times.len();
        let columns = self.columns.into_iter().map(|column| match column {
            Some(column) => column.finish(rows),
            None => Ok(None),
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(Block::new(
            self.series,
            self.times,
            columns,
            keys.clone(),
            self.bytes,
        ))
    }

    fn copy(&self) -> Self {
        Self {
            series: self.series.clone(),
            times: self.times.clone(),
            columns: self
                .columns
                .iter()
                .map(|c| c.as_ref().map(Column::copy))
                .collect(),
            bytes: self.bytes,
        }
    }
}

#[inline]
fn check_length(field: &ParsedField<'_>) -> Result<(), RowError> {
    match field.value {
        FieldValue::String(raw, _) if raw.len() > STRING_BYTES_MAX => {
            let bytes = unescape_string(raw).len();
            if bytes <= STRING_BYTES_MAX {
                return Ok(());
            }
            let field = unescape_field_key(field.key).into_owned();
            Err(RowError::StringTooLong { field, bytes })
        }
        _ => Ok(()),
    }
}
