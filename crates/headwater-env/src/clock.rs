//! The time of day and a clock that never runs backwards.

use std::{
    fmt::Debug,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

/// Tells the time. Two readings differ in what they promise: [`Clock::now`] is the date and may
/// jump, [`Clock::monotonic`] only measures spans.
pub trait Clock: Send + Sync + Debug + 'static {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;

    /// Time since an arbitrary fixed moment; never smaller than an earlier reading.
    fn monotonic(&self) -> Duration;
}

/// A clock as components hold it.
pub type SharedClock = Arc<dyn Clock>;

/// The system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> i64 {
        let clamp = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => clamp(since),
            Err(before) => -clamp(before.duration()),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}
