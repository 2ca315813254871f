//! What ends a statement before it is done: nobody waits for it any longer, it was killed, its
//! time is over, or it reads or holds more than it may.
//!
//! Whatever loops over rows, series or values tells the guard of its work ([`Guard::work`]), and
//! whatever keeps them accounts for the bytes ([`Held`]). Work between two looks at the signal is
//! bounded by [`WORK_UNITS`], which is how a statement ends within a tenth of a second.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use headwater_env::SharedClock;
use tokio::sync::Notify;

use crate::{
    Error,
    profile::{Entered, Operator, Profile},
};

#[cfg(test)]
mod tests;

/// Units of work (rows, values, series, comparisons) between two looks at the signal.
pub(crate) const WORK_UNITS: usize = 64 * 1024;

/// Work and series up to which a statement may run on the thread that took the request.
const ATTEMPT_WORK_UNITS: usize = 32 * 1024;
const ATTEMPT_SERIES: usize = 16;

/// Units that looking at a series counts for: its tags are compared, maybe with a regular
/// expression, where a row only has a few numbers.
pub(crate) const SERIES_UNITS: usize = 16;

/// Why a request is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The receiver of the answer is gone.
    ClientGone,
    /// KILL QUERY.
    Killed,
    /// `query_timeout` is over.
    TimedOut,
}

/// Tells a request, from any thread, that it is to end. The first reason stays.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    /// 0 while nothing was raised.
    reason: AtomicU8,
    raised: Notify,
    /// What the request's statement holds, for those who watch.
    held_bytes: AtomicU64,
}

impl Signal {
    /// False if an earlier reason stands.
    pub(crate) fn raise(&self, reason: Interruption) -> bool {
        let code = match reason {
            Interruption::ClientGone => 1,
            Interruption::Killed => 2,
            Interruption::TimedOut => 3,
        };
        let is_first = self
            .reason
            .compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        self.raised.notify_waiters();
        is_first
    }

    /// Bytes that the request holds at this moment.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.held_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn raised(&self) -> Option<Interruption> {
        Some(match self.reason.load(Ordering::Acquire) {
            0 => return None,
            1 => Interruption::ClientGone,
            2 => Interruption::Killed,
            _ => Interruption::TimedOut,
        })
    }

    /// The failure of a statement that the signal ended.
    pub(crate) fn error(&self) -> Error {
        match self.raised() {
            Some(Interruption::TimedOut) => Error::TimeLimit,
            _ => Error::Interrupted,
        }
    }

    /// Returns once a reason was raised.
    pub(crate) async fn wait(&self) {
        let raised = self.raised.notified();
        tokio::pin!(raised);
        // From here on a call of `raise` is noticed, so that none falls between the two.
        raised.as_mut().enable();
        if self.raised().is_none() {
            raised.await;
        }
    }
}

/// Limits of one statement; 0 is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// `max-select-point`.
    pub(crate) points: u64,
    /// `max-select-series`.
    pub(crate) series: u64,
    pub(crate) memory_bytes: u64,
}

/// Watches over one statement on its thread.
#[derive(Debug)]
pub(crate) struct Guard {
    signal: Arc<Signal>,
    limits: Limits,
    /// Units since the last look at the signal.
    work: Cell<usize>,
    /// Looks at the signal so far.
    looks: Cell<u64>,
    /// Rows that were read.
    points: Cell<u64>,
    /// Bytes that are held, and the most that were.
    held: Cell<u64>,
    held_max: Cell<u64>,
    work_units: usize,
    /// If somebody wants to know where the time goes.
    profile: Option<Profile>,
    /// Whether the statement is to end when it turns out to be much work.
    is_attempt: bool,
    has_given_up: Cell<bool>,
    /// For tests: the look that finds the statement interrupted.
    #[cfg(test)]
    interrupted_at: Option<u64>,
}

impl Default for Guard {
    fn default() -> Self {
        Self::new(Arc::default(), Limits::default())
    }
}

impl Guard {
    pub(crate) fn new(signal: Arc<Signal>, limits: Limits) -> Self {
        Self {
            signal,
            limits,
            work: Cell::default(),
            looks: Cell::default(),
            points: Cell::default(),
            held: Cell::default(),
            held_max: Cell::default(),
            work_units: WORK_UNITS,
            profile: None,
            is_attempt: false,
            has_given_up: Cell::default(),
            #[cfg(test)]
            interrupted_at: None,
        }
    }

    /// Ends the statement also when it is more work than may be done on the thread that took the
    /// request; [`Guard::has_given_up`] then.
    pub(crate) fn attempt(self) -> Self {
        Self {
            work_units: ATTEMPT_WORK_UNITS,
            is_attempt: true,
            ..self
        }
    }

    /// Whether an attempt has ended as too much work: what came out of it counts for nothing.
    pub(crate) fn has_given_up(&self) -> bool {
        self.has_given_up.get()
    }

    fn give_up(&self) -> Error {
        self.has_given_up.set(true);
        Error::Interrupted
    }

    /// The same with another number of units between two looks.
    #[cfg(test)]
    pub(crate) fn looking_every(self, work_units: usize) -> Self {
        Self { work_units, ..self }
    }

    /// The same with a profile.
    pub(crate) fn profiled(self, clock: SharedClock) -> Self {
        Self {
            profile: Some(Profile::new(clock)),
            ..self
        }
    }

    pub(crate) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Tells the profile, if there is one, that an operator is at work until this is dropped.
    #[inline]
    pub(crate) fn enter(&self, operator: Operator) -> Option<Entered<'_>> {
        self.profile.as_ref().map(|profile| profile.enter(operator))
    }

    /// A guard whose look of this number, counted from 1, ends the statement.
    #[cfg(test)]
    pub(crate) fn interrupted_at(look: u64) -> Self {
        Self {
            interrupted_at: Some(look),
            ..Self::default()
        }
    }

    /// Fails when the statement is to end.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_attempt {
            // Work adds up, so that all of it is bounded.
            if self.has_given_up() || self.work.get() >= self.work_units {
                return Err(self.give_up());
            }
        } else {
            self.work.set(0);
        }
        self.looks.set(self.looks.get() + 1);
        #[cfg(test)]
        if self.interrupted_at.is_some_and(|at| self.looks.get() >= at) {
            return Err(Error::Interrupted);
        }
        match self.signal.raised() {
            None => Ok(()),
            Some(_) => Err(self.signal.error()),
        }
    }

    /// Notes units of work, which may be many at once; looks at the signal from time to time.
    #[inline]
    pub(crate) fn work(&self, units: usize) -> Result<(), Error> {
        let work = self.work.get().saturating_add(units);
        self.work.set(work);
        if work >= self.work_units {
            self.check()
        } else {
            Ok(())
        }
    }

    /// Ends an attempt that is about to begin more work than it may do, before it is begun.
    pub(crate) fn expect(&self, units: usize) -> Result<(), Error> {
        if self.is_attempt && self.work.get().saturating_add(units) >= self.work_units {
            return Err(self.give_up());
        }
        Ok(())
    }

    /// Looks at the signal so far.
    #[cfg(test)]
    pub(crate) fn looks(&self) -> u64 {
        self.looks.get()
    }

    /// Notes rows that were read of storage.
    pub(crate) fn read_points(&self, rows: usize) -> Result<(), Error> {
        let count = self.points.get().saturating_add(rows as u64);
        self.points.set(count);
        let limit = self.limits.points;
        if limit > 0 && count > limit {
            return Err(Error::PointLimit { count, limit });
        }
        self.work(rows)
    }

    /// Refuses an access to more series than are allowed.
    pub(crate) fn check_series(&self, count: usize) -> Result<(), Error> {
        if self.is_attempt && count > ATTEMPT_SERIES {
            return Err(self.give_up());
        }
        let (count, limit) = (count as u64, self.limits.series);
        if limit > 0 && count > limit {
            // The reference counts no further than to the first one too many.
            let count = limit + 1;
            return Err(Error::SeriesLimit { count, limit });
        }
        Ok(())
    }

    /// The most bytes that were held at a time.
    pub(crate) fn held_max(&self) -> u64 {
        self.held_max.get()
    }

    fn grow(&self, bytes: u64) -> Result<(), Error> {
        let held = self.held.get().saturating_add(bytes);
        let limit = self.limits.memory_bytes;
        if limit > 0 && held > limit {
            return Err(Error::MemoryLimit { held, limit });
        }
        self.held.set(held);
        self.signal.held_bytes.store(held, Ordering::Relaxed);
        if held > self.held_max.get() {
            self.held_max.set(held);
        }
        Ok(())
    }

    fn shrink(&self, bytes: u64) {
        let held = self.held.get().saturating_sub(bytes);
        self.held.set(held);
        self.signal.held_bytes.store(held, Ordering::Relaxed);
    }
}

/// Bytes that something keeps; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    guard: Rc<Guard>,
    bytes: u64,
}

impl Held {
    pub(crate) fn new(guard: &Rc<Guard>) -> Self {
        Self {
            guard: Rc::clone(guard),
            bytes: 0,
        }
    }

    /// Bytes from the start.
    pub(crate) fn of(guard: &Rc<Guard>, bytes: usize) -> Result<Self, Error> {
        let mut held = Self::new(guard);
        held.grow(bytes)?;
        Ok(held)
    }

    #[inline]
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        if bytes > 0 {
            self.guard.grow(bytes as u64)?;
            self.bytes += bytes as u64;
        }
        Ok(())
    }

    /// Makes it this many bytes.
    pub(crate) fn set(&mut self, bytes: usize) -> Result<(), Error> {
        let bytes = bytes as u64;
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.guard.grow(more)?,
            None => self.guard.shrink(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }

    pub(crate) fn guard(&self) -> &Rc<Guard> {
        &self.guard
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.guard.shrink(self.bytes);
    }
}
