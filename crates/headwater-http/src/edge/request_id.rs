//! `Request-Id` and `X-Request-Id`: the client's own, else a new version 1 UUID, as in 1.x
//! (`spec/query.md` §7).

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderValue};
use headwater_env::SharedClock;

use super::{REQUEST_ID, REQUEST_ID_SHORT};
use crate::state::Shared;

/// From 1582-10-15 to 1970-01-01 in the 100 ns units of a UUID's time.
const GREGORIAN_OFFSET: u64 = 0x01b2_1dd2_1381_4000;

pub(super) struct RequestIds {
    clock: SharedClock,
    /// Tells this process from others.
    node: u64,
    /// The last time given out, so that no two are equal.
    last: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            clock: shared.clock.clone(),
            node: shared.random.u64(),
            last: AtomicU64::new(0),
        }
    }

    pub(super) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        headers
            .get(REQUEST_ID)
            .or_else(|| headers.get(REQUEST_ID_SHORT))
            .filter(|value| !value.is_empty())
            .cloned()
            .unwrap_or_else(|| self.next())
    }

    fn next(&self) -> HeaderValue {
        let now = (self.clock.now().max(0) as u64) / 100 + GREGORIAN_OFFSET;
        let advance = |last: u64| Some(now.max(last + 1));
        let time = match self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance)
        {
            Ok(last) | Err(last) => now.max(last + 1),
        };
        HeaderValue::from_str(&uuid_v1(time, self.node)).expect("hexadecimal digits and hyphens")
    }
}

fn uuid_v1(time: u64, node: u64) -> String {
    let sequence = (node >> 48) as u16 & 0x3fff | 0x8000;
    format!(
        "{:08x}-{:04x}-1{:03x}-{sequence:04x}-{:012x}",
        time as u32,
        (time >> 32) as u16,
        time >> 48 & 0xfff,
        node & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests;
