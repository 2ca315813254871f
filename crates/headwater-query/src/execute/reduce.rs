//! Reduce: one round a window, one reducer a tag set (`spec/influxql/00_execution_model.md` §3.4).

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use super::{
    point::{Peekable, Point, PointStream, Points, Tags},
    sort,
    stage::same_tags,
    window::Windows,
};
use crate::{
    Error,
    guard::{Guard, Held},
    profile::Operator,
};

mod reducer;

pub(super) use reducer::{Emitted, Reducer, ReducerKind, percentile_index, stddev};

/// What a stream's last `None` was.
pub(super) type Gap = Rc<Cell<Pause>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pause {
    /// The end.
    #[default]
    No,
    /// A window gave nothing. A consumer that asks again gets what follows, if anything does.
    Once,
    /// A point lies outside of its own window: no end, but nothing follows either.
    Forever,
}

impl Pause {
    /// Nothing, or a pause.
    pub(super) fn once(pauses: bool) -> Self {
        if pauses { Self::Once } else { Self::No }
    }
}

pub(super) struct Reduce<'a> {
    input: Peekable<'a>,
    windows: Windows,
    ascending: bool,
    /// Whether the points of a window are sorted by their own times.
    is_ordered: bool,
    kind: ReducerKind,
    pending: VecDeque<Point>,
    gap: Gap,
    /// The reducers of a round, and what they give; empty between rounds.
    groups: Vec<(Tags, Reducer)>,
    emitted: Vec<Emitted>,
    /// For the points of the round.
    held: Held,
}

/// Tag sets of a round that are searched one by one, before there is an index.
const UNINDEXED: usize = 8;

impl<'a> Reduce<'a> {
    pub(super) fn new(
        input: Points<'a>,
        windows: Windows,
        ascending: bool,
        is_ordered: bool,
        kind: ReducerKind,
        gap: Gap,
        guard: &Rc<Guard>,
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
            groups: Vec::new(),
            emitted: Vec::new(),
            held: Held::new(guard),
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
        let guard = Rc::clone(self.held.guard());
        let _reducing = guard.enter(Operator::Aggregate);
        self.gap.set(Pause::No);
        self.held.set(0)?;
        let Some(first) = self.first()? else {
            return Ok(());
        };
        let (start, end) = self.windows.of(first.time);
        if first.time < start || first.time >= end {
            // The first point lies outside of its own window: nothing is consumed, ever.
            self.input.unread(first);
            self.gap.set(Pause::Forever);
            return Ok(());
        }
        let mut index: BTreeMap<Tags, usize> = BTreeMap::new();
        let mut last = 0;
        let mut next = Some(first);
        while let Some(point) = next {
            if point.time < start || point.time >= end {
                self.input.unread(point);
                break;
            }
            if point.value.is_some() {
                last = self.place(&point.tags, last, &mut index)?;
                let bytes = self.groups[last].1.add(&point);
                self.held.grow(bytes)?;
            }
            next = self.input.next()?;
        }
        self.emit(start)?;
        self.gap.set(Pause::once(self.pending.is_empty()));
        Ok(())
    }

    /// Where the reducer of a tag set is, made if need be; `last` is where the last one was.
    fn place(
        &mut self,
        tags: &Tags,
        last: usize,
        index: &mut BTreeMap<Tags, usize>,
    ) -> Result<usize, Error> {
        if self
            .groups
            .get(last)
            .is_some_and(|(known, _)| same_tags(known, tags))
        {
            return Ok(last);
        }
        let count = self.groups.len();
        let found = if count <= UNINDEXED {
            self.groups
                .iter()
                .position(|(known, _)| same_tags(known, tags))
        } else {
            if index.is_empty() {
                let places = self.groups.iter().enumerate();
                index.extend(places.map(|(at, (tags, _))| (Rc::clone(tags), at)));
            }
            index.get(tags).copied()
        };
        if let Some(found) = found {
            return Ok(found);
        }
        self.held.grow(size_of::<(Tags, Reducer)>())?;
        self.groups.push((Rc::clone(tags), self.kind.reducer()));
        if !index.is_empty() {
            index.insert(Rc::clone(tags), count);
        }
        Ok(count)
    }

    /// Gives the points of the round's reducers, whose window starts at `start`.
    fn emit(&mut self, start: i64) -> Result<(), Error> {
        let guard = Rc::clone(self.held.guard());
        if self.groups.len() > 1 {
            sort::stable_sort(&mut self.groups, |left, right| left.0.cmp(&right.0), &guard)?;
            if !self.ascending {
                self.groups.reverse();
            }
        }
        let mut has_own_time = false;
        for (tags, reducer) in self.groups.drain(..) {
            guard.work(1)?;
            reducer.emit(&mut self.emitted, &guard)?;
            for Emitted {
                time,
                value,
                aux,
                weight,
            } in self.emitted.drain(..)
            {
                has_own_time |= time.is_some();
                let time = time.unwrap_or(start);
                let tags = Rc::clone(&tags);
                self.pending.push_back(Point {
                    time,
                    tags,
                    value: Some(value),
                    aux,
                    weight,
                });
            }
        }
        if has_own_time && self.is_ordered && self.pending.len() > 1 {
            let mut points = Vec::from(std::mem::take(&mut self.pending));
            sort::sort_by_time(&mut points, self.ascending, &guard)?;
            self.pending = points.into();
        }
        self.held.set(self.pending.len() * size_of::<Point>())
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
