//! When a flush is due. Pure.

use std::time::Duration;

use crate::settings::Settings;

/// Whether to flush, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Nothing,
    /// The memtable is large, or an earlier flush failed and is to be tried again.
    Size,
    /// The oldest row has waited long enough.
    Age,
}

/// `active_bytes` and `since` (monotonic time of the first row) describe the active memtable,
/// `is_frozen` whether an older one waits.
pub(crate) fn choose(
    settings: &Settings,
    active_bytes: usize,
    since: Option<Duration>,
    is_frozen: bool,
    now: Duration,
) -> Choice {
    if is_frozen || active_bytes >= settings.memtable_bytes_flush {
        return Choice::Size;
    }
    match since {
        Some(since) if now.saturating_sub(since) >= settings.flush_age => Choice::Age,
        _ => Choice::Nothing,
    }
}

#[cfg(test)]
mod tests;
