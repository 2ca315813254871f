//! A clock that stands still until a test moves it.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use crate::Clock;

/// Stands still; [`SimulatedClock::advance`] and [`SimulatedClock::set`] move it.
#[derive(Debug, Default)]
pub struct SimulatedClock {
    now: AtomicI64,
    monotonic: AtomicU64,
}

impl SimulatedClock {
    /// A clock that shows `now` (nanoseconds since 1970).
    pub fn new(now: i64) -> Self {
        Self {
            now: AtomicI64::new(now),
            monotonic: AtomicU64::new(0),
        }
    }

    /// Changes the date alone, forwards or backwards, as an administrator would.
    pub fn set(&self, now: i64) {
        self.now.store(now, Ordering::SeqCst);
    }

    /// Lets time pass, for both readings.
    pub fn advance(&self, span: Duration) {
        let span = u64::try_from(span.as_nanos()).expect("tests advance by less than 584 years");
        self.monotonic.fetch_add(span, Ordering::SeqCst);
        self.now.fetch_add(span.cast_signed(), Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_date_leaves_the_monotonic_reading() {
        let clock = SimulatedClock::new(10);
        clock.advance(Duration::from_nanos(5));
        assert_eq!((clock.now(), clock.monotonic().as_nanos()), (15, 5));
        clock.set(-3);
        assert_eq!((clock.now(), clock.monotonic().as_nanos()), (-3, 5));
    }
}
