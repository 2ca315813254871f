//! What is refused before anything else is looked at: heads that are too large, callers that ask
//! too often, requests beyond what may run at the same time.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::Request,
    http::{StatusCode, header},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Settings,
    error::{Code, Error},
    extract::params::Params,
    server::Peer,
    state::RateLimitBy,
};

/// How many callers are remembered before those that are back at their full allowance are
/// forgotten.
const CALLERS_MAX: usize = 10_000;

/// Paths that answer however busy the server is: they are how one finds out.
const ALWAYS_ANSWERED: [&str; 5] = ["/health", "/ready", "/ping", "/metrics", "/debug/vars"];

/// Why a request is refused, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    HeadTooLarge,
    TooManyRequests,
    TooBusy,
}

/// Keeps count, and refuses.
#[derive(Debug)]
pub(super) struct Limits {
    header_bytes_max: usize,
    running: Option<Arc<Semaphore>>,
    rate: Option<RateLimit>,
}

/// Held while a request is answered.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        let running =
            (settings.requests_max > 0).then(|| Arc::new(Semaphore::new(settings.requests_max)));
        Self {
            header_bytes_max: settings.header_bytes_max,
            running,
            rate: (settings.rate_limit_per_second > 0).then(|| RateLimit::new(settings)),
        }
    }

    /// `now` is monotonic.
    pub(super) fn admit(&self, request: &Request, now: Duration) -> Result<Turn, (Refusal, Error)> {
        let head = head_bytes(request);
        if head > self.header_bytes_max {
            return Err((Refusal::HeadTooLarge, self.head_too_large(head)));
        }
        if ALWAYS_ANSWERED.contains(&request.uri().path()) {
            return Ok(None);
        }
        if let Some(rate) = &self.rate
            && let Err(wait) = rate.take(request, now)
        {
            return Err((Refusal::TooManyRequests, too_many(wait)));
        }
        match &self.running {
            None => Ok(None),
            Some(running) => match Arc::clone(running).try_acquire_owned() {
                Ok(turn) => Ok(Some(turn)),
                Err(_) => Err((Refusal::TooBusy, too_busy())),
            },
        }
    }

    fn head_too_large(&self, bytes: usize) -> Error {
        let max = self.header_bytes_max;
        let message =
            format!("request line and headers have {bytes} bytes, of which {max} are taken");
        Error::new(Code::TooLarge, message).with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    }
}

/// The size of the request line and the headers, near enough.
fn head_bytes(request: &Request) -> usize {
    let line = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + headers.sum::<usize>()
}

fn too_many(wait: Duration) -> Error {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
    Error::new(Code::TooManyRequests, "too many requests: slow down").retry_after(seconds.max(1))
}

fn too_busy() -> Error {
    let message = "too many requests are running: try again later";
    Error::unavailable(message, StatusCode::SERVICE_UNAVAILABLE)
}

/// A bucket of tokens for each caller: one comes back every `interval`, up to `burst`.
#[derive(Debug)]
struct RateLimit {
    interval: Duration,
    burst: u32,
    by: RateLimitBy,
    /// Callers are told apart by hashes, so that no secret is kept.
    hasher: RandomState,
    /// When each caller would be back at its full allowance.
    full_at: Mutex<HashMap<u64, Duration>>,
}

impl RateLimit {
    fn new(settings: &Settings) -> Self {
        let per_second = settings.rate_limit_per_second.max(1);
        let burst = match settings.rate_limit_burst {
            0 => per_second,
            burst => burst,
        };
        Self {
            interval: Duration::from_secs(1) / per_second,
            burst,
            by: settings.rate_limit_by,
            hasher: RandomState::new(),
            full_at: Mutex::default(),
        }
    }

    /// Takes a token, or tells how long until there is one.
    fn take(&self, request: &Request, now: Duration) -> Result<(), Duration> {
        let caller = self.caller(request);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= CALLERS_MAX {
            full_at.retain(|_, at| *at > now);
        }
        let full = full_at.entry(caller).or_insert(now);
        let next = (*full).max(now) + self.interval;
        let allowance = self.interval * self.burst;
        if next > now + allowance {
            return Err(next - (now + allowance));
        }
        *full = next;
        Ok(())
    }

    fn caller(&self, request: &Request) -> u64 {
        let address: Option<IpAddr> = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
        if self.by == RateLimitBy::Address {
            return self.hasher.hash_one(address);
        }
        let url = Params::parse(request.uri().query().unwrap_or_default().as_bytes());
        if let (Some(username), Some(password)) = (url.get_filled("u"), url.get_filled("p")) {
            return self.hasher.hash_one((username, password));
        }
        let headers = request.headers();
        let header = headers
            .get(header::AUTHORIZATION)
            .or_else(|| headers.get(header::COOKIE));
        match header {
            Some(value) => self.hasher.hash_one(value.as_bytes()),
            None => self.hasher.hash_one(address),
        }
    }
}

#[cfg(test)]
mod tests;
