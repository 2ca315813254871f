//! An immutable block of rows in arrival order and its order by series and time.

use std::{ops::Range, sync::OnceLock};

use arrow_array::{Array, ArrayRef, BooleanArray, UInt32Array, new_null_array};
use arrow_buffer::ScalarBuffer;
use arrow_select::{concat::concat, filter::filter, take::take};
use headwater_model::{FieldType, SeriesKey, TimeRange};
use rustc_hash::FxHashMap;

use crate::{
    arrays::data_type,
    error::Result,
    registry::{KeyBuilder, KeyTable, SeriesNumber},
    run::Run,
    schema::Slot,
};

#[derive(Debug)]
pub(crate) struct Block {
    series: ScalarBuffer<u32>,
    times: ScalarBuffer<i64>,
    /// By slot; a missing or `None` column has only nulls.
    columns: Vec<Option<ArrayRef>>,
    keys: KeyTable,
    bytes: usize,
    index: OnceLock<BlockIndex>,
}

/// The rows of a block by series and time; equal times in order of arrival.
#[derive(Debug)]
struct BlockIndex {
    /// Ascending.
    keys: Vec<SeriesKey>,
    /// Where in `order` the rows of series `i` are: `offsets[i]..offsets[i + 1]`.
    offsets: Vec<u32>,
    order: ScalarBuffer<u32>,
    /// The times in that order.
    times: ScalarBuffer<i64>,
    /// Whether a series has a time twice.
    has_duplicates: bool,
}

impl Block {
    pub(crate) fn new(
        series: Vec<SeriesNumber>,
        times: Vec<i64>,
        columns: Vec<Option<ArrayRef>>,
        keys: KeyTable,
        bytes: usize,
    ) -> Self {
        Self {
            series: ScalarBuffer::from(series),
            times: ScalarBuffer::from(times),
            columns,
            keys,
            bytes,
            index: OnceLock::new(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn index(&self) -> &BlockIndex {
        self.index
            .get_or_init(|| BlockIndex::build(&self.series, &self.times, &self.keys))
    }

    /// The series of the block, ascending.
    pub(crate) fn series_keys(&self) -> &[SeriesKey] {
        &self.index().keys
    }

    /// How many rows the series at `position` of [`Block::series_keys`] has, duplicates counted.
    pub(crate) fn series_rows(&self, position: u32) -> usize {
        self.index().rows(position).len()
    }

    /// Earliest and latest time of a series.
    pub(crate) fn series_range(&self, position: u32) -> TimeRange {
        let index = self.index();
        let rows = index.rows(position);
        TimeRange::new(index.times[rows.start], index.times[rows.end - 1])
    }

    /// The rows of a series in `range`, as positions in the block's order by series and time.
    pub(crate) fn rows_in(&self, position: u32, range: TimeRange) -> Range<u64> {
        let index = self.index();
        let all = index.rows(position);
        let times = &index.times[all.clone()];
        let start = times.partition_point(|&time| time < range.start);
        let end = times.partition_point(|&time| time <= range.end).max(start);
        (all.start + start) as u64..(all.start + end) as u64
    }

    /// `rows` of a series and those before and after it that share a time with its ends.
    pub(crate) fn whole_times(&self, position: u32, rows: Range<u64>) -> Range<u64> {
        let index = self.index();
        let all = index.rows(position);
        let (mut start, mut end) = (rows.start as usize, rows.end as usize);
        if !index.has_duplicates || start == end {
            return rows;
        }
        while start > all.start && index.times[start - 1] == index.times[start] {
            start -= 1;
        }
        while end < all.end && index.times[end - 1] == index.times[end] {
            end += 1;
        }
        start as u64..end as u64
    }

    /// Rows of one series, given by position, in time order; equal times in order of arrival.
    pub(crate) fn run(&self, rows: Range<u64>, slots: &[Option<Slot>]) -> Result<Run> {
        let index = self.index();
        let (start, end) = (rows.start as usize, rows.end as usize);
        let order = index.order.slice(start, end - start);
        let first = order.first().copied().unwrap_or(0);
        let is_contiguous = order
            .iter()
            .zip(first..)
            .all(|(&row, expected)| row == expected);
        let indices = UInt32Array::new(order, None);
        let columns = slots.iter().map(|slot| {
            let column = slot.and_then(|slot| self.columns.get(slot as usize)?.as_ref());
            Ok(match column {
                None => None,
                Some(array) if is_contiguous => Some(array.slice(first as usize, indices.len())),
                Some(array) => Some(take(array, &indices, None)?),
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let times = index.times.slice(start, end - start);
        Ok(Run::new(times, columns, index.has_duplicates))
    }

    /// All rows in order, for a flush.
    pub(crate) fn sorted(&self) -> Result<SortedBlock<'_>> {
        let index = self.index();
        let indices = UInt32Array::new(index.order.clone(), None);
        let is_sorted = index
            .order
            .iter()
            .zip(0..)
            .all(|(&row, expected)| row == expected);
        let columns = self.columns.iter().map(|column| {
            Ok(match column {
                Some(array) if is_sorted => Some(array.clone()),
                Some(array) => Some(take(array, &indices, None)?),
                None => None,
            })
        });
        Ok(SortedBlock {
            index,
            columns: columns.collect::<Result<_>>()?,
        })
    }

    /// One block with the rows of all, in order. `kinds` are the types by slot.
    pub(crate) fn concat(blocks: &[impl AsRef<Self>], kinds: &[FieldType]) -> Result<Self> {
        let rows = blocks.iter().map(|block| block.as_ref().rows()).sum();
        let mut series = Vec::with_capacity(rows);
        let mut times = Vec::with_capacity(rows);
        let mut keys = &KeyTable::default();
        for block in blocks.iter().map(AsRef::as_ref) {
            series.extend_from_slice(&block.series);
            times.extend_from_slice(&block.times);
            // Blocks of one generation number their series from one registry, which only grows.
            if block.keys.len() > keys.len() {
                keys = &block.keys;
            }
        }
        let column = |(slot, kind): (usize, &FieldType)| -> Result<Option<ArrayRef>> {
            let parts: Vec<_> = blocks
                .iter()
                .map(|block| (block.as_ref().rows(), block.as_ref().column(slot)))
                .collect();
            if parts.iter().all(|(_, column)| column.is_none()) {
                return Ok(None);
            }
            let parts: Vec<_> = parts
                .into_iter()
                .map(|(rows, column)| match column {
                    Some(array) => array.clone(),
                    None => new_null_array(&data_type(*kind), rows),
                })
                .collect();
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            Ok(Some(concat(&parts)?))
        };
        let columns = kinds
            .iter()
            .enumerate()
            .map(column)
            .collect::<Result<Vec<_>>>()?;
        let bytes = blocks.iter().map(|block| block.as_ref().bytes).sum();
        Ok(Self::new(series, times, columns, keys.clone(), bytes))
    }

    /// Whether any row has a value of a field.
    pub(crate) fn has_column(&self, slot: Slot) -> bool {
        self.column(slot as usize).is_some()
    }

    fn column(&self, slot: usize) -> Option<&ArrayRef> {
        self.columns.get(slot)?.as_ref()
    }

    /// The block without the rows in `range` of the series that `matches` selects; `None` when
    /// no row is left, `Some(None)` when none was removed.
    pub(crate) fn without(
        &self,
        range: TimeRange,
        matches: &impl Fn(&SeriesKey) -> bool,
    ) -> Result<Option<Option<Self>>> {
        let mut known = FxHashMap::default();
        let keep: Vec<bool> = self
            .series
            .iter()
            .zip(self.times.iter())
            .map(|(&series, &time)| {
                let mut is_hit = || {
                    *known
                        .entry(series)
                        .or_insert_with(|| matches(&self.keys.key(series)))
                };
                !range.contains(time) || !is_hit()
            })
            .collect();
        let rows = keep.iter().filter(|&&keep| keep).count();
        if rows == self.rows() {
            return Ok(Some(None));
        }
        if rows == 0 {
            return Ok(None);
        }
        let kept = |index: &usize| keep[*index];
        let series = (0..self.rows())
            .filter(kept)
            .map(|i| self.series[i])
            .collect();
        let times = (0..self.rows())
            .filter(kept)
            .map(|i| self.times[i])
            .collect();
        let mask = BooleanArray::from(keep.clone());
        let columns = self.columns.iter().map(|column| {
            Ok(match column {
                Some(array) => Some(filter(array, &mask)?),
                None => None,
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let bytes = self.bytes * rows / self.rows();
        Ok(Some(Some(Self::new(
            series,
            times,
            columns,
            self.keys.clone(),
            bytes,
        ))))
    }
}

impl BlockIndex {
    fn build(series: &[SeriesNumber], times: &[i64], keys: &KeyTable) -> Self {
        let (ranks, distinct) = rank(series, keys);
        let mut builder = KeyBuilder::default();
        let mut offsets = vec![0u32; distinct.len() + 1];
        for &rank in &ranks {
            offsets[rank as usize + 1] += 1;
        }
        for i in 1..offsets.len() {
            offsets[i] += offsets[i - 1];
        }
        let mut next = offsets.clone();
        let mut order = vec![0u32; series.len()];
        for (&rank, row) in ranks.iter().zip(0..) {
            let at = &mut next[rank as usize];
            order[*at as usize] = row;
            *at += 1;
        }
        let mut has_duplicates = false;
        for bounds in offsets.windows(2) {
            let rows = &mut order[bounds[0] as usize..bounds[1] as usize];
            let time = |row: &u32| times[*row as usize];
            if !rows.is_sorted_by_key(time) {
                rows.sort_by_key(time);
            }
            has_duplicates |= rows.windows(2).any(|pair| time(&pair[0]) == time(&pair[1]));
        }
        let sorted_times: Vec<i64> = order.iter().map(|&row| times[row as usize]).collect();
        Self {
            keys: distinct
                .into_iter()
                .map(|number| builder.key(keys, number))
                .collect(),
            offsets,
            order: ScalarBuffer::from(order),
            times: ScalarBuffer::from(sorted_times),
            has_duplicates,
        }
    }

    fn rows(&self, position: u32) -> Range<usize> {
        let at = position as usize;
        self.offsets[at] as usize..self.offsets[at + 1] as usize
    }
}

/// For each row the rank of its series among the distinct ones, which come sorted by key.
fn rank(series: &[SeriesNumber], keys: &KeyTable) -> (Vec<u32>, Vec<SeriesNumber>) {
    let largest = series.iter().copied().max().unwrap_or(0) as usize;
    if largest > 8 * series.len().max(1024) {
        let mut ranks: FxHashMap<SeriesNumber, u32> = series.iter().map(|&s| (s, 0)).collect();
        let mut distinct: Vec<_> = ranks.keys().copied().collect();
        distinct.sort_unstable_by(|&a, &b| keys.text(a).cmp(keys.text(b)));
        for (number, rank) in distinct.iter().zip(0..) {
            ranks.insert(*number, rank);
        }
        return (
            series.iter().map(|number| ranks[number]).collect(),
            distinct,
        );
    }
    let mut ranks = vec![u32::MAX; largest + 1];
    let mut distinct = Vec::new();
    for &number in series {
        if ranks[number as usize] == u32::MAX {
            ranks[number as usize] = 0;
            distinct.push(number);
        }
    }
    distinct.sort_unstable_by(|&a, &b| keys.text(a).cmp(keys.text(b)));
    for (&number, rank) in distinct.iter().zip(0..) {
        ranks[number as usize] = rank;
    }
    (
        series
            .iter()
            .map(|&number| ranks[number as usize])
            .collect(),
        distinct,
    )
}

/// A block's rows by series and time.
pub(crate) struct SortedBlock<'a> {
    index: &'a BlockIndex,
    columns: Vec<Option<ArrayRef>>,
}

impl SortedBlock<'_> {
    pub(crate) fn keys(&self) -> &[SeriesKey] {
        &self.index.keys
    }

    /// The rows of a series; `slots` chooses the columns.
    pub(crate) fn run(&self, position: u32, slots: &[Slot]) -> Run {
        let rows = self.index.rows(position);
        let columns = slots.iter().map(|&slot| {
            let column = self.columns.get(slot as usize)?.as_ref()?;
            Some(column.slice(rows.start, rows.len()))
        });
        let times = self.index.times.slice(rows.start, rows.len());
        Run::new(times, columns.collect(), self.index.has_duplicates)
    }
}
