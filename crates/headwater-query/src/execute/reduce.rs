//! Reduce: one round a window, one reducer a tag set (`spec/influxql/00_execution_model.md` §3.4).

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use super::{
    point::{Peekable, Point, PointStream, Points, Tags},
    window::Windows,
};
use crate::error::Error;

mod reducer;

pub(super) use reducer::{Emitted, Reducer, ReducerKind, percentile_index, stddev};

/// Set while a stream's last `None` was no end: a window gave nothing, or a point lay outside of
/// its own window. A consumer that asks again gets what follows, if anything does.
pub(super) type Gap = Rc<Cell<bool>>;

pub(super) struct Reduce<'a> {
    input: Peekable<'a>,
    windows: Windows,
    ascending: bool,
    /// Whether the points of a window are sorted by their own times.
    is_ordered: bool,
    kind: ReducerKind,
    pending: VecDeque<Point>,
    gap: Gap,
}

impl<'a> Reduce<'a> {
    pub(super) fn new(
        input: Points<'a>,
        windows: Windows,
        ascending: bool,
        is_ordered: bool,
        kind: ReducerKind,
        gap: Gap,
    ) -> Self {
        let input = Peekable::new(input);
        Self {
            input,
            windows,
            ascending,
            is_ordered,
            kind,
            pending: VecDeque::new(),
            gap,
        }
    }

    /// The first point of the next round, which fixes the window.
    fn first(&mut self) -> Result<Option<Point>, Error> {
        loop {
            match self.input.next()? {
                Some(point) if point.value.is_none() => {}
                other => return Ok(other),
            }
        }
    }

    /// Reduces one window.
    fn round(&mut self) -> Result<(), Error> {
        self.gap.set(false);
        let Some(first) = self.first()? else {
            return Ok(());
        };
        let (start, end) = self.windows.of(first.time);
        if first.time < start || first.time >= end {
            // The first point lies outside of its own window: nothing is consumed, ever.
            self.input.unread(first);
            self.gap.set(true);
            return Ok(());
        }
        let mut groups: Vec<(Tags, Reducer)> = Vec::new();
        let mut index: BTreeMap<Tags, usize> = BTreeMap::new();
        let mut last: Option<usize> = None;
        let mut next = Some(first);
        while let Some(point) = next {
            if point.time < start || point.time >= end {
                self.input.unread(point);
                break;
            }
            if point.value.is_some() {
                let at = match last.filter(|at| Rc::ptr_eq(&groups[*at].0, &point.tags)) {
                    Some(at) => at,
                    None => *index.entry(Rc::clone(&point.tags)).or_insert_with(|| {
                        groups.push((Rc::clone(&point.tags), self.kind.reducer()));
                        groups.len() - 1
                    }),
                };
                last = Some(at);
                groups[at].1.add(&point);
            }
            next = self.input.next()?;
        }
        groups.sort_by(|left, right| left.0.cmp(&right.0));
        if !self.ascending {
            groups.reverse();
        }
        self.emit(start, groups);
        self.gap.set(self.pending.is_empty());
        Ok(())
    }

    fn emit(&mut self, start: i64, groups: Vec<(Tags, Reducer)>) {
        let mut has_own_time = false;
        let mut emitted = Vec::new();
        let mut points = Vec::new();
        for (tags, reducer) in groups {
            reducer.emit(&mut emitted);
            for Emitted {
                time,
                value,
                aux,
                weight,
            } in emitted.drain(..)
            {
                has_own_time |= time.is_some();
                let time = time.unwrap_or(start);
                let tags = Rc::clone(&tags);
                points.push(Point {
                    time,
                    tags,
                    value: Some(value),
                    aux,
                    weight,
                });
            }
        }
        if has_own_time && self.is_ordered && points.len() > 1 {
            if self.ascending {
                points.sort_by_key(|point| point.time);
            } else {
                points.sort_by_key(|point| std::cmp::Reverse(point.time));
            }
        }
        self.pending.extend(points);
    }
}

impl PointStream for Reduce<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        if self.pending.is_empty() {
            self.round()?;
        }
        Ok(self.pending.pop_front())
    }
}
