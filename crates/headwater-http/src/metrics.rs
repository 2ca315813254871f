//! What is counted, and what of it Prometheus and Telegraf are told.

mod histogram;
mod process;
mod text;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::http::{Method, StatusCode};

use self::histogram::Histogram;
pub(crate) use self::text::Gauges;
use crate::edge::Refusal;

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Requests are told apart by route, not by path, so that their number stays small.
    routes: Mutex<BTreeMap<String, Route>>,
    refusals: Mutex<BTreeMap<Refusal, u64>>,
    under_way: Arc<AtomicU64>,
    response_bytes: AtomicU64,
    write_points: AtomicU64,
    write_points_dropped: AtomicU64,
    write_bytes: AtomicU64,
    queries: AtomicU64,
}

#[derive(Debug, Default)]
struct Route {
    /// By method and status.
    answers: BTreeMap<(&'static str, u16), u64>,
    durations: Histogram,
}

/// What Telegraf's plugin for InfluxDB asks for, since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) requests_query: u64,
    pub(crate) requests_write: u64,
    pub(crate) requests_ping: u64,
    pub(crate) client_errors: u64,
    pub(crate) server_errors: u64,
    pub(crate) refused_credentials: u64,
    pub(crate) query_time: Duration,
    pub(crate) write_time: Duration,
    pub(crate) write_points: u64,
    pub(crate) write_points_dropped: u64,
    pub(crate) write_bytes: u64,
    pub(crate) under_way: u64,
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<AtomicU64>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn request_under_way(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.under_way))
    }

    pub(crate) fn count_refusal(&self, refusal: Refusal) {
        *locked(&self.refusals).entry(refusal).or_default() += 1;
    }

    pub(crate) fn count_request(&self, route: &str, method: &Method, status: StatusCode) {
        let answer = (method_name(method), status.as_u16());
        self.with_route(route, |route| {
            *route.answers.entry(answer).or_default() += 1;
        });
    }

    /// An answer that has left, or broke off, with the bytes of its body.
    pub(crate) fn time_request(&self, route: &str, took: Duration, bytes: u64) {
        self.response_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.with_route(route, |route| route.durations.observe(took));
    }

    fn with_route(&self, name: &str, change: impl FnOnce(&mut Route)) {
        let mut routes = locked(&self.routes);
        if let Some(route) = routes.get_mut(name) {
            return change(route);
        }
        change(routes.entry(name.to_owned()).or_default());
    }

    /// Points of one write, the dropped among them, and the bytes of its body.
    pub(crate) fn count_write(&self, points: usize, dropped: usize, bytes: usize) {
        self.write_points
            .fetch_add(points as u64, Ordering::Relaxed);
        self.write_points_dropped
            .fetch_add(dropped as u64, Ordering::Relaxed);
        self.write_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_query(&self) {
        self.queries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals {
            write_points: self.write_points.load(Ordering::Relaxed),
            write_points_dropped: self.write_points_dropped.load(Ordering::Relaxed),
            write_bytes: self.write_bytes.load(Ordering::Relaxed),
            under_way: self.under_way.load(Ordering::Relaxed),
            ..Totals::default()
        };
        for (name, route) in &*locked(&self.routes) {
            let mut requests = 0;
            for ((_, status), count) in &route.answers {
                requests += count;
                match status {
                    401 => {
                        totals.refused_credentials += count;
                        totals.client_errors += count;
                    }
                    400..=499 => totals.client_errors += count,
                    500..=599 => totals.server_errors += count,
                    _ => {}
                }
            }
            totals.requests += requests;
            match name.as_str() {
                "/query" => {
                    totals.requests_query += requests;
                    totals.query_time += route.durations.sum();
                }
                "/write" | "/api/v2/write" => {
                    totals.requests_write += requests;
                    totals.write_time += route.durations.sum();
                }
                "/ping" => totals.requests_ping += requests,
                _ => {}
            }
        }
        totals
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Methods beyond the usual ones are counted together.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
