//! The counters as Prometheus reads them (text format 0.0.4), related ones together.

use std::{
    fmt::{Display, Write as _},
    sync::atomic::Ordering,
};

use headwater_storage::Statistics;

use super::{Metrics, locked, process::Process};
use crate::edge::Refusal;

/// What others count, at the time of asking.
pub(crate) struct Gauges<'a> {
    pub(crate) version: &'a str,
    /// Seconds since 1970.
    pub(crate) started_seconds: f64,
    pub(crate) uptime_seconds: f64,
    pub(crate) storage: Statistics,
    pub(crate) queries: headwater_query::Statistics,
}

impl Metrics {
    pub(crate) fn text(&self, gauges: &Gauges<'_>) -> String {
        let mut out = Exposition::default();
        out.gauge("headwater_build_info", "Always 1; tells the version.");
        let version = [("version", gauges.version)];
        out.sample("headwater_build_info", &version, 1);
        out.gauge("headwater_uptime_seconds", "Time since the start.");
        out.sample("headwater_uptime_seconds", &[], gauges.uptime_seconds);
        self.requests(&mut out);
        self.durations(&mut out);
        self.ingest(&mut out);
        queries(&mut out, gauges.queries);
        storage(&mut out, &gauges.storage);
        if let Some(process) = Process::read() {
            of_process(&mut out, &process, gauges.started_seconds);
        }
        out.0
    }

    fn requests(&self, out: &mut Exposition) {
        let name = "headwater_http_requests_total";
        out.counter(name, "Answered requests.");
        for (route, of_route) in &*locked(&self.routes) {
            for ((method, status), count) in &of_route.answers {
                let status = status.to_string();
                let labels = [("route", &**route), ("method", method), ("status", &status)];
                out.sample(name, &labels, count);
            }
        }
        let name = "headwater_http_requests_refused_total";
        out.counter(name, "Requests refused by a limit, unread.");
        let refusals = locked(&self.refusals).clone();
        for (refusal, limit) in [
            (Refusal::HeadTooLarge, "header_bytes_max"),
            (Refusal::TooManyRequests, "rate_limit_per_second"),
            (Refusal::TooBusy, "requests_max"),
        ] {
            let count = refusals.get(&refusal).copied().unwrap_or(0);
            out.sample(name, &[("limit", limit)], count);
        }
        let under_way = self.under_way.load(Ordering::Relaxed);
        out.gauge(
            "headwater_http_requests_running",
            "Requests being answered.",
        );
        out.sample("headwater_http_requests_running", &[], under_way);
        let bytes = self.response_bytes.load(Ordering::Relaxed);
        let help = "Bytes of answers' bodies, as sent.";
        out.total("headwater_http_response_bytes_total", help, bytes);
    }

    fn durations(&self, out: &mut Exposition) {
        let name = "headwater_http_request_duration_seconds";
        let help = "Time from the head of a request to the end of its answer.";
        out.head(name, "histogram", help);
        let (buckets, sum, count) = (
            format!("{name}_bucket"),
            format!("{name}_sum"),
            format!("{name}_count"),
        );
        for (route, of_route) in &*locked(&self.routes) {
            let (route, durations) = (("route", &**route), &of_route.durations);
            for (bound, below) in durations.cumulative() {
                out.sample(&buckets, &[route, ("le", bound)], below);
            }
            out.sample(&buckets, &[route, ("le", "+Inf")], durations.count());
            out.sample(&sum, &[route], durations.sum().as_secs_f64());
            out.sample(&count, &[route], durations.count());
        }
    }

    fn ingest(&self, out: &mut Exposition) {
        for (name, help, value) in [
            (
                "headwater_write_points_total",
                "Points received in writes that parse.",
                &self.write_points,
            ),
            (
                "headwater_write_points_dropped_total",
                "Points of them that were refused: types, retention, limits.",
                &self.write_points_dropped,
            ),
            (
                "headwater_write_bytes_total",
                "Bytes of line protocol, unpacked.",
                &self.write_bytes,
            ),
            (
                "headwater_queries_total",
                "Requests to run InfluxQL.",
                &self.queries,
            ),
        ] {
            out.total(name, help, value.load(Ordering::Relaxed));
        }
    }
}

fn queries(out: &mut Exposition, queries: headwater_query::Statistics) {
    for (name, help, value) in [
        (
            "headwater_queries_running",
            "Requests to run InfluxQL that have a worker.",
            queries.running as u64,
        ),
        (
            "headwater_queries_queued",
            "Requests to run InfluxQL that wait for a worker.",
            queries.queued as u64,
        ),
        (
            "headwater_queries_memory_bytes",
            "Bytes of rows, windows and sets that running statements hold.",
            queries.memory_bytes,
        ),
    ] {
        out.gauge(name, help);
        out.sample(name, &[], value);
    }
}

fn storage(out: &mut Exposition, storage: &Statistics) {
    for (name, help, value) in [
        (
            "headwater_storage_buckets",
            "Buckets with data.",
            storage.buckets as u64,
        ),
        (
            "headwater_storage_memtable_bytes",
            "Bytes of points that are not in files yet.",
            storage.memtable_bytes as u64,
        ),
        (
            "headwater_storage_log_bytes",
            "Bytes of the write-ahead log on disk.",
            storage.log_bytes as u64,
        ),
        (
            "headwater_storage_flushes_waiting",
            "Full memtables that wait to be written to files.",
            storage.frozen_generations as u64,
        ),
        (
            "headwater_storage_cache_bytes",
            "Bytes of files' footers, directories and columns kept in memory.",
            storage.cache_bytes as u64,
        ),
        (
            "headwater_storage_compactions_waiting",
            "Time partitions whose files are to be merged.",
            storage.compactions_waiting as u64,
        ),
        (
            "headwater_storage_files",
            "Data files.",
            storage.files as u64,
        ),
        (
            "headwater_storage_file_bytes",
            "Bytes of data files.",
            storage.file_bytes,
        ),
        (
            "headwater_storage_file_rows",
            "Rows of data files.",
            storage.file_rows,
        ),
        (
            "headwater_storage_damaged_files",
            "Data files set aside because they are damaged or missing.",
            storage.damaged_files as u64,
        ),
        (
            "headwater_storage_tombstones",
            "Deletes whose points are still in files.",
            storage.tombstones as u64,
        ),
        (
            "headwater_storage_poisoned",
            "1 while writes are refused because of a failure.",
            u64::from(storage.is_poisoned),
        ),
        (
            "headwater_storage_disk_full",
            "1 while writes are refused because the disk is full.",
            u64::from(storage.is_disk_full),
        ),
    ] {
        out.gauge(name, help);
        out.sample(name, &[], value);
    }
    let help = "Look-ups of parts of files that were answered from memory.";
    out.total(
        "headwater_storage_cache_hits_total",
        help,
        storage.cache_hits,
    );
    let help = "Look-ups of parts of files that had to read them.";
    out.total(
        "headwater_storage_cache_misses_total",
        help,
        storage.cache_misses,
    );
    let help = "Writes and deletes that storage has taken, since the beginning of its data.";
    let changes = storage.last_sequence;
    out.total("headwater_storage_changes_total", help, changes);
}

/// By the names that all Prometheus clients use.
fn of_process(out: &mut Exposition, process: &Process, started_seconds: f64) {
    out.counter("process_cpu_seconds_total", "Processor time used.");
    out.sample("process_cpu_seconds_total", &[], process.cpu_seconds);
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            Some(process.resident_bytes),
        ),
        (
            "process_virtual_memory_bytes",
            "Address space in use.",
            Some(process.virtual_bytes),
        ),
        ("process_threads", "Threads.", Some(process.threads)),
        ("process_open_fds", "Open files.", Some(process.open_files)),
        (
            "process_max_fds",
            "Files that may be open.",
            process.open_files_max,
        ),
    ] {
        if let Some(value) = value {
            out.gauge(name, help);
            out.sample(name, &[], value);
        }
    }
    let help = "Start of the process, since 1970.";
    out.gauge("process_start_time_seconds", help);
    out.sample("process_start_time_seconds", &[], started_seconds);
}

/// The text while it is written.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}")
            .expect("a string takes every text");
    }

    fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, "gauge", help);
    }

    fn counter(&mut self, name: &str, help: &str) {
        self.head(name, "counter", help);
    }

    /// A counter without labels.
    fn total(&mut self, name: &str, help: &str, value: u64) {
        self.counter(name, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let open = if at == 0 { '{' } else { ',' };
            write!(self.0, "{open}{label}=\"{text}\"").expect("a string takes every text");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        writeln!(self.0, "{close} {value}").expect("a string takes every text");
    }
}
