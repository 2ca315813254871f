//! What is counted, and its Prometheus text (format 0.0.4).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{Method, StatusCode};
use headwater_storage::Statistics;

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<Request, u64>>,
    write_points: AtomicU64,
    write_points_dropped: AtomicU64,
    write_bytes: AtomicU64,
    queries: AtomicU64,
}

/// Requests are told apart by route, not by path, so that their number stays small.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    route: String,
    method: &'static str,
    status: u16,
}

impl Metrics {
    pub(crate) fn count_request(&self, route: Option<&str>, method: &Method, status: StatusCode) {
        let request = Request {
            route: route.unwrap_or("none").to_owned(),
            method: method_name(method),
            status: status.as_u16(),
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(request).or_default() += 1;
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

    pub(crate) fn text(&self, uptime_seconds: f64, storage: &Statistics) -> String {
        let mut out = String::new();
        head(
            &mut out,
            "http_requests_total",
            "counter",
            "Requests by route, method and status.",
        );
        let requests = self
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (
            Request {
                route,
                method,
                status,
            },
            count,
        ) in requests
        {
            line(
                &mut out,
                &format!(
                    "http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
                ),
                count,
            );
        }
        for (name, help, value) in [
            ("write_points_total", "Points received.", &self.write_points),
            (
                "write_points_dropped_total",
                "Points refused.",
                &self.write_points_dropped,
            ),
            (
                "write_bytes_total",
                "Bytes of line protocol received.",
                &self.write_bytes,
            ),
            ("queries_total", "Query requests.", &self.queries),
        ] {
            head(&mut out, name, "counter", help);
            line(&mut out, name, value.load(Ordering::Relaxed));
        }
        for (name, help, value) in [
            (
                "storage_buckets",
                "Buckets with data.",
                storage.buckets as u64,
            ),
            (
                "storage_memtable_bytes",
                "Bytes not in files yet.",
                storage.memtable_bytes as u64,
            ),
            ("storage_files", "Data files.", storage.files as u64),
            (
                "storage_file_bytes",
                "Bytes of data files.",
                storage.file_bytes,
            ),
            (
                "storage_file_rows",
                "Rows of data files.",
                storage.file_rows,
            ),
            (
                "storage_poisoned",
                "1 when writes are refused.",
                u64::from(storage.is_poisoned),
            ),
        ] {
            head(&mut out, name, "gauge", help);
            line(&mut out, name, value);
        }
        head(
            &mut out,
            "uptime_seconds",
            "gauge",
            "Seconds since the start.",
        );
        line(&mut out, "uptime_seconds", uptime_seconds);
        out
    }
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

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(
        out,
        "# HELP headwater_{name} {help}\n# TYPE headwater_{name} {kind}"
    )
    .expect("a string takes every text");
}

fn line(out: &mut String, name: &str, value: impl std::fmt::Display) {
    writeln!(out, "headwater_{name} {value}").expect("a string takes every text");
}
