//! Rows of several series side by side, for merges: of small groups all that there is, of large
//! ones as much as a merge needs next.

use std::collections::VecDeque;

use super::{
    leaf::{Rows, SeriesRows, Shape},
    source::SeriesCursors,
};
use crate::{error::Error, profile::Operator};

/// The rows of some series, in one direction of time.
pub(super) struct Feed<'a> {
    /// Where more comes from; `None`: all is here.
    source: Option<(Shape<'a>, Box<dyn SeriesCursors + 'a>)>,
    /// Of each series the next slices, in the direction of the feed.
    queues: Vec<VecDeque<Rows>>,
    /// Positions in `LeafShard::series`.
    series: Vec<usize>,
    /// Those whose queue ran empty while more of them may come. They are read together: series
    /// are mostly in step.
    hungry: Vec<usize>,
    has_ended: Vec<bool>,
    ascending: bool,
}

impl<'a> Feed<'a> {
    /// Reads from `cursors`, which go in the same direction, when rows are asked for.
    pub(super) fn new(
        shape: Shape<'a>,
        cursors: Box<dyn SeriesCursors + 'a>,
        ascending: bool,
    ) -> Self {
        let series = shape.series().to_vec();
        let count = series.len();
        Self {
            source: Some((shape, cursors)),
            queues: (0..count).map(|_| VecDeque::new()).collect(),
            series,
            hungry: (0..count).collect(),
            has_ended: vec![false; count],
            ascending,
        }
    }

    /// All rows of series in the order of their keys.
    pub(super) fn of(rows: Vec<SeriesRows>, ascending: bool) -> Self {
        let series = rows.iter().map(|one| one.series).collect();
        let queue = |one: SeriesRows| {
            let mut queue = VecDeque::from(one.slices);
            if !ascending {
                queue.make_contiguous().reverse();
            }
            queue
        };
        let queues: Vec<VecDeque<Rows>> = rows.into_iter().map(queue).collect();
        Self {
            source: None,
            series,
            hungry: Vec::new(),
            has_ended: vec![true; queues.len()],
            queues,
            ascending,
        }
    }

    /// The series, as positions in `LeafShard::series`.
    pub(super) fn series(&self) -> &[usize] {
        &self.series
    }

    /// The next slice of the series at a position; its rows ascend all the same.
    pub(super) fn next(&mut self, at: usize) -> Result<Option<Rows>, Error> {
        while self.queues[at].is_empty() && !self.has_ended[at] {
            self.read()?;
        }
        let rows = self.queues[at].pop_front();
        if self.queues[at].is_empty() && !self.has_ended[at] {
            self.hungry.push(at);
        }
        Ok(rows)
    }

    /// Reads on in all series that have nothing left.
    fn read(&mut self) -> Result<(), Error> {
        let Some((shape, cursors)) = &mut self.source else {
            return Ok(());
        };
        self.hungry.sort_unstable();
        let scanning = shape.guard().enter(Operator::Scan);
        let mut given = cursors.read(&self.hungry)?.into_iter().peekable();
        drop(scanning);
        let mut hungry = Vec::new();
        for at in std::mem::take(&mut self.hungry) {
            let Some(slices) = given.next_if(|slices| slices.index == at) else {
                self.has_ended[at] = true;
                continue;
            };
            let rows = shape.rows(slices)?.slices;
            if self.ascending {
                self.queues[at].extend(rows);
            } else {
                self.queues[at].extend(rows.into_iter().rev());
            }
            if self.queues[at].is_empty() {
                hungry.push(at);
            }
        }
        self.hungry = hungry;
        Ok(())
    }
}
