//! Ingest and scan figures: `cargo bench -p headwater-storage [-- ROWS HOSTS]`. Rows are those of
//! a host monitor: ten tags, ten integer fields, a point every ten seconds. CPU time counts all
//! threads, so it includes parsing, log, memtable, flush and compaction.

#![expect(clippy::print_stdout, reason = "figures are for the terminal")]

use std::{fmt::Write as _, fs, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_catalog::{Catalog, NewBucket, NewOrganization};
use headwater_env::{Clock, OsRandom, StdFileSystem, SystemClock};
use headwater_model::{Id, Precision, TimeRange, line_protocol};
use headwater_storage::{
    Components, Engine, Partition, ScanRequest, Settings, TagPredicate, WriteTarget,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: i64 = 1_451_606_400_000_000_000;
const STEP: i64 = 10_000_000_000;
const BATCH: usize = 5000;
const WEEK: i64 = 7 * 24 * 3600 * 1_000_000_000;
const FIELDS: [&str; 10] = [
    "usage_user",
    "usage_system",
    "usage_idle",
    "usage_nice",
    "usage_iowait",
    "usage_irq",
    "usage_softirq",
    "usage_steal",
    "usage_guest",
    "usage_guest_nice",
];

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let rows = numbers.first().copied().unwrap_or(1_000_000);
    let hosts = numbers.get(1).copied().unwrap_or(100);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run(rows, hosts));
}

async fn run(rows: usize, hosts: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(SystemClock);
    let url = format!("sqlite://{}/catalog?mode=rwc", folder.path().display());
    let catalog = Catalog::open(&url, clock.clone(), Arc::new(OsRandom))
        .await
        .expect("a catalog");
    let bucket = create_bucket(&catalog).await;
    let mut settings = Settings::new(folder.path());
    settings.background = false;
    settings.memtable_bytes_max = usize::MAX;
    let components = Components {
        catalog,
        clock,
        file_system: Arc::new(StdFileSystem),
    };
    let engine = Engine::open(settings, components).await.expect("an engine");

    let bodies = bodies(rows, hosts);
    let bytes: usize = bodies.iter().map(Bytes::len).sum();
    measure("parse only", rows, || {
        for body in &bodies {
            line_protocol::parse(body, Precision::Nanosecond, 0).expect("lines");
        }
        rows
    });
    let before = Moment::now();
    let writers = [0, 1].map(|writer| {
        let own = bodies.iter().skip(writer).step_by(2).cloned().collect();
        tokio::spawn(ingest(engine.clone(), bucket, own))
    });
    for writer in writers {
        writer.await.expect("a writer");
    }
    before.report("write path", rows);
    measure("scan 1 column in memory", rows, || {
        scan(&engine, bucket, 1, None)
    });
    measure("scan 1 column in memory, again", rows, || {
        scan(&engine, bucket, 1, None)
    });
    let flush = Moment::now();
    engine.flush().await.expect("a flush");
    flush.report("flush", rows);
    let compact = Moment::now();
    engine.compact_all(true).await.expect("a compaction");
    compact.report("compaction", rows);
    let statistics = engine.statistics();
    println!(
        "{} MB of lines became {} files of {} MB",
        bytes >> 20,
        statistics.files,
        statistics.file_bytes >> 20
    );
    for round in ["cold", "warm"] {
        measure(&format!("scan 1 column, {round}"), rows, || {
            scan(&engine, bucket, 1, None)
        });
        measure(&format!("scan 10 columns, {round}"), rows, || {
            scan(&engine, bucket, 10, None)
        });
    }
    let repeat = 100;
    let hour = TimeRange::new(START + 3600 * 1_000_000_000, START + 7200 * 1_000_000_000);
    measure("one host, one hour, 1 column (each)", repeat, || {
        (0..repeat)
            .map(|i| scan(&engine, bucket, 1, Some((i % hosts, hour))))
            .sum()
    });
    measure("last point of each host (each)", repeat, || {
        (0..repeat).map(|_| last_points(&engine, bucket)).sum()
    });
    engine.close().await.expect("an end");
}

async fn create_bucket(catalog: &Catalog) -> Id {
    let new = NewOrganization {
        name: "o".to_owned(),
        ..NewOrganization::default()
    };
    let organization = catalog
        .create_organization(new)
        .await
        .expect("an organization");
    let org_id = Some(organization.id);
    let new = NewBucket {
        org_id,
        name: "b".to_owned(),
        ..NewBucket::default()
    };
    catalog.create_bucket(new).await.expect("a bucket").id
}

async fn ingest(engine: Engine, bucket: Id, bodies: Vec<Bytes>) {
    let target = WriteTarget {
        bucket,
        shard_group: WEEK,
        oldest: None,
    };
    for body in bodies {
        let batch = line_protocol::parse(&body, Precision::Nanosecond, 0).expect("lines");
        let written = engine
            .write(target, body.clone(), Precision::Nanosecond, 0, &batch)
            .await;
        written.expect("a write");
    }
}

/// Request bodies in the order of time.
fn bodies(rows: usize, hosts: usize) -> Vec<Bytes> {
    let tags: Vec<String> = (0..hosts)
        .map(|host| {
            format!(
                "cpu,hostname=host_{host},region=eu-west-1,datacenter=eu-west-1b,rack={},\
                 os=Ubuntu16.04LTS,arch=x64,team=NYC,service={},service_version=1,\
                 service_environment=production",
                host * 7 % 100,
                host * 3 % 20
            )
        })
        .collect();
    let mut state = vec![[50i64; 10]; hosts];
    let mut seed = 88_172_645_463_325_252u64;
    let mut bodies = Vec::new();
    let mut body = String::new();
    for row in 0..rows {
        let host = row % hosts;
        body.push_str(&tags[host]);
        for (field, value) in FIELDS.iter().zip(&mut state[host]) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            *value = (*value + (seed % 5) as i64 - 2).clamp(0, 100);
            let separator = if *field == FIELDS[0] { ' ' } else { ',' };
            write!(body, "{separator}{field}={value}i").expect("memory");
        }
        writeln!(body, " {}", START + (row / hosts) as i64 * STEP).expect("memory");
        if row % BATCH == BATCH - 1 || row + 1 == rows {
            bodies.push(Bytes::from(std::mem::take(&mut body)));
        }
    }
    bodies
}

/// Scans all hosts or one; returns the rows.
fn scan(engine: &Engine, bucket: Id, columns: usize, one: Option<(usize, TimeRange)>) -> usize {
    let columns: Vec<Arc<str>> = FIELDS[..columns]
        .iter()
        .map(|name| (*name).into())
        .collect();
    let range = one.map_or(TimeRange::ALL, |(_, range)| range);
    let predicate = one.map(|(host, _)| TagPredicate::Equals {
        key: "hostname".to_owned(),
        value: format!("host_{host}"),
    });
    let mut rows = 0;
    for partition in engine.snapshot(bucket).partitions("cpu", range) {
        let series = partition.select(predicate.as_ref()).expect("series");
        let request = ScanRequest {
            series: &series,
            columns: &columns,
            range,
            with_times: true,
            descending_limit: None,
            ascending_limit: None,
        };
        rows += count(&partition, request);
    }
    rows
}

fn last_points(engine: &Engine, bucket: Id) -> usize {
    let columns: Vec<Arc<str>> = FIELDS.iter().map(|name| (*name).into()).collect();
    let partitions = engine.snapshot(bucket).partitions("cpu", TimeRange::ALL);
    let Some(last) = partitions.last() else {
        return 0;
    };
    let series = last.select(None).expect("series");
    let request = ScanRequest {
        series: &series,
        columns: &columns,
        range: TimeRange::ALL,
        with_times: true,
        descending_limit: Some(1),
        ascending_limit: None,
    };
    count(last, request)
}

fn count(partition: &Partition, request: ScanRequest<'_>) -> usize {
    let slices = partition
        .scan(request)
        .expect("a scan")
        .flat_map(|s| s.expect("rows").slices);
    slices.map(|slice| slice.rows()).sum()
}

/// Wall and CPU time.
struct Moment {
    wall: Duration,
    cpu: f64,
}

impl Moment {
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let ticks: f64 = fields
            .skip(11)
            .take(2)
            .filter_map(|t| t.parse::<f64>().ok())
            .sum();
        Self {
            wall: SystemClock.monotonic(),
            cpu: ticks / 100.0,
        }
    }

    fn report(&self, what: &str, count: usize) {
        let now = Self::now();
        let wall = (now.wall - self.wall).as_secs_f64();
        let cpu = (now.cpu - self.cpu).max(0.01);
        println!(
            "{what:45} {wall:7.3} s  cpu {cpu:6.2} s  {:10.0} per cpu second, {:9.1} us each",
            count as f64 / cpu,
            wall * 1e6 / count as f64
        );
    }
}

fn measure(what: &str, count: usize, work: impl FnOnce() -> usize) {
    let before = Moment::now();
    let rows = work();
    before.report(&format!("{what} ({rows})"), count);
}
