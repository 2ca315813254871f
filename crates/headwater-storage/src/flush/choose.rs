//! When a flush is due. Pure.

use std::time::Duration;

use crate::{settings::Settings, state::ActiveGeneration};

/// Whether to flush, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Nothing,
    /// The memtable or its part of the log is large, or an earlier flush failed and is to be tried again.
    Size,
    /// The oldest row has waited long enough.
    Age,
}

/// `is_frozen`: an older memtable waits.
pub(crate) fn choose(
    settings: &Settings,
    active: &ActiveGeneration,
    is_frozen: bool,
    now: Duration,
) -> Choice {
    if is_frozen || is_large(settings, active) {
        return Choice::Size;
    }
    match active.since {
        Some(since) if now.saturating_sub(since) >= settings.flush_age => Choice::Age,
        _ => Choice::Nothing,
    }
}

/// Whether the active memtable or what the log holds of it is large enough.
pub(crate) fn is_large(settings: &Settings, active: &ActiveGeneration) -> bool {
    active.bytes >= settings.memtable_bytes_flush || active.log_bytes >= settings.wal.bytes_flush
}

#[cfg(test)]
mod tests;
