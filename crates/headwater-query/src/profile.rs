//! Where the time of a statement goes, for EXPLAIN ANALYZE. A statement that nobody asks about
//! has no profile, and does not look at the clock.

use std::{cell::Cell, time::Duration};

use headwater_env::SharedClock;

/// Parts of execution, in the order in which rows pass them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// Finding series by their tags.
    Select,
    /// Reading and decoding rows, and making one series of what several files have of it.
    Scan,
    /// Fields in WHERE.
    Filter,
    /// Windows and what they are reduced to, with the points that are made for it.
    Aggregate,
    /// Functions of streams of points, and forecasts.
    Transform,
    /// Windows that have no points.
    Fill,
    /// All else: merging series and calls to rows, the select list, limits.
    Rows,
}

impl Operator {
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Select, "select_series"),
        (Self::Scan, "scan"),
        (Self::Filter, "filter"),
        (Self::Aggregate, "aggregate"),
        (Self::Transform, "transform"),
        (Self::Fill, "fill"),
        (Self::Rows, "rows"),
    ];
}

/// The time so far. At each moment one operator is at work; those below it have their own time.
#[derive(Debug)]
pub(crate) struct Profile {
    clock: SharedClock,
    current: Cell<Operator>,
    since: Cell<Duration>,
    spent: [Cell<Duration>; Operator::ALL.len()],
    rows_read: Cell<u64>,
    /// As arrays.
    bytes_decoded: Cell<u64>,
}

impl Profile {
    /// Starts with [`Operator::Rows`].
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            current: Cell::new(Operator::Rows),
            since: Cell::new(clock.monotonic()),
            spent: Default::default(),
            rows_read: Cell::default(),
            bytes_decoded: Cell::default(),
            clock,
        }
    }

    fn switch(&self, to: Operator) -> Operator {
        let now = self.clock.monotonic();
        let from = self.current.replace(to);
        let spent = &self.spent[from as usize];
        spent.set(spent.get() + now.saturating_sub(self.since.replace(now)));
        from
    }

    /// From now on an operator is at work, until what is given is dropped.
    pub(crate) fn enter(&self, operator: Operator) -> Entered<'_> {
        Entered {
            profile: self,
            before: self.switch(operator),
        }
    }

    /// Time of an operator without that of others that it called.
    pub(crate) fn spent(&self, operator: Operator) -> Duration {
        self.spent[operator as usize].get()
    }

    pub(crate) fn count_rows(&self, rows: usize, bytes: usize) {
        self.rows_read.set(self.rows_read.get() + rows as u64);
        self.bytes_decoded
            .set(self.bytes_decoded.get() + bytes as u64);
    }

    pub(crate) fn rows_read(&self) -> u64 {
        self.rows_read.get()
    }

    pub(crate) fn bytes_decoded(&self) -> u64 {
        self.bytes_decoded.get()
    }
}

/// An operator at work.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    profile: &'a Profile,
    before: Operator,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.profile.switch(self.before);
    }
}

#[cfg(test)]
mod tests;
