//! `cargo xtask bench`: the same data and queries to our server and to InfluxDB 1.6.7, one after
//! the other in one run, with the server's CPU time as the first figure. Answers are compared
//! before anything is timed.

use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    process::{cargo, check, target_dir},
    server::Server,
    tools,
    workload::{Kind, Random, Scale, WORKLOADS},
};

const HELP: &str = "\
cargo xtask bench [OPTIONS]

  --hosts N      hosts that report (100)
  --hours N      hours of data, one row a host every 10 s (24)
  --count N      calls of each query (50)
  --seed N       of data and queries (123)
  --only TEXT    only queries whose name contains TEXT
  --floats       fields with four decimals in place of integers
";

const TOKEN: &str = "bench-token-0123456789abcdef";
const BATCH_ROWS: usize = 5_000;
const CONNECTIONS: usize = 2;

struct Options {
    scale: Scale,
    count: usize,
    only: String,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let Some(options) = parse(args)? else {
        print!("{HELP}");
        return Ok(());
    };
    tools::influxd()?;
    check(cargo().args(["build", "--release", "--package", "headwater"]))?;
    let bodies = options.scale.bodies(BATCH_ROWS);
    let dir = target_dir().join("xtask/bench");
    let _ = std::fs::remove_dir_all(&dir);
    let ours = Side::start("headwater", &dir)?;
    let theirs = Side::start("influxdb", &dir)?;
    println!(
        "{} rows of 10 fields, {CONNECTIONS} connections",
        options.scale.rows()
    );
    let loads = [
        ours.load(&bodies, options.scale)?,
        theirs.load(&bodies, options.scale)?,
    ];
    println!(
        "{:24} {:>12} {:>12} {:>8}",
        "load", "headwater", "influxdb", "ratio"
    );
    row(
        "rows per CPU second",
        loads[0].rows_per_cpu_second,
        loads[1].rows_per_cpu_second,
        true,
    );
    row(
        "rows per second",
        loads[0].rows_per_second,
        loads[1].rows_per_second,
        true,
    );
    row(
        "peak memory, MiB",
        loads[0].peak_memory_mib,
        loads[1].peak_memory_mib,
        false,
    );
    row(
        "bytes on disk, MiB",
        ours.disk_mib()?,
        theirs.disk_mib()?,
        false,
    );
    compare_queries(&ours, &theirs, &options)
}

/// Prints a figure of both sides with the ratio that is above 1 when ours is better.
fn row(name: &str, ours: f64, theirs: f64, more_is_better: bool) -> f64 {
    let ratio = if more_is_better {
        ours / theirs
    } else {
        theirs / ours
    };
    println!("{name:24} {ours:12.3} {theirs:12.3} {ratio:7.1}x");
    ratio
}

fn compare_queries(ours: &Side, theirs: &Side, options: &Options) -> Result<()> {
    println!(
        "\n{:24} {:>12} {:>12} {:>8}",
        "CPU ms per query", "headwater", "influxdb", "ratio"
    );
    let mut ratios: Vec<(Kind, f64)> = Vec::new();
    let mut different = 0;
    for workload in WORKLOADS.iter().filter(|w| w.name.contains(&options.only)) {
        let mut random = Random::new(options.scale.seed ^ 7);
        let queries: Vec<String> = (0..options.count)
            .map(|_| workload.query(&mut random, options.scale))
            .collect();
        for query in &queries[..queries.len().min(5)] {
            let (a, b) = (ours.answer(query)?, theirs.answer(query)?);
            if !near(&a, &b) {
                different += 1;
                println!("DIFFERENT ANSWERS: {query}\n  {a:.300}\n  {b:.300}");
                break;
            }
        }
        let (a, b) = (ours.time(&queries)?, theirs.time(&queries)?);
        ratios.push((workload.kind, row(workload.name, a.cpu_ms, b.cpu_ms, false)));
        println!(
            "{:24} {:12.3} {:12.3}",
            "  p50 ms, wall", a.p50_ms, b.p50_ms
        );
    }
    for (kind, name) in Kind::ALL {
        let logs: Vec<f64> = ratios
            .iter()
            .filter(|(k, _)| *k == kind)
            .map(|(_, ratio)| ratio.ln())
            .collect();
        if !logs.is_empty() {
            let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
            println!("geometric mean, {name}: {mean:.1}x");
        }
    }
    if different > 0 {
        bail!("{different} workloads got different answers");
    }
    Ok(())
}

fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options {
        scale: Scale {
            hosts: 100,
            hours: 24,
            seed: 123,
            floats: false,
        },
        count: 50,
        only: String::new(),
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--floats" => options.scale.floats = true,
            "--hosts" => options.scale.hosts = value()?.parse()?,
            "--hours" => options.scale.hours = value()?.parse()?,
            "--count" => options.count = value()?.parse()?,
            "--seed" => options.scale.seed = value()?.parse()?,
            "--only" => options.only = value()?.clone(),
            other => bail!("unknown option {other}\n\n{HELP}"),
        }
    }
    Ok(Some(options))
}

/// One of the two servers with its data directory.
struct Side {
    server: Server,
    dir: PathBuf,
    agent: ureq::Agent,
}

struct Load {
    rows_per_cpu_second: f64,
    rows_per_second: f64,
    peak_memory_mib: f64,
}

struct Timing {
    cpu_ms: f64,
    p50_ms: f64,
}

impl Side {
    fn start(name: &str, dir: &std::path::Path) -> Result<Self> {
        let dir = dir.join(name);
        let agent = ureq::Agent::new_with_defaults();
        if name == "influxdb" {
            let server = Server::influxdb(&dir, &[])?;
            agent
                .post(format!("{}/query", server.url))
                .query("q", "CREATE DATABASE bench")
                .send_empty()?;
            return Ok(Self { server, dir, agent });
        }
        let server = Server::headwater(&target_dir().join("release/headwater"), &dir, &[])?;
        let body = format!(
            r#"{{"username":"admin","password":"bench-password","org":"bench","bucket":"bench","token":"{TOKEN}"}}"#
        );
        agent
            .post(format!("{}/api/v2/setup", server.url))
            .send(&body)?;
        Ok(Self { server, dir, agent })
    }

    fn load(&self, bodies: &[String], scale: Scale) -> Result<Load> {
        let (cpu, start) = (self.server.cpu_seconds()?, Instant::now());
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = self.write(body) {
                            *failure.lock().expect("no thread panics") = Some(error);
                            return;
                        }
                    }
                });
            }
        });
        if let Some(error) = failure.into_inner().expect("no thread panics") {
            return Err(error);
        }
        let rows = scale.rows() as f64;
        Ok(Load {
            rows_per_cpu_second: rows / (self.server.cpu_seconds()? - cpu),
            rows_per_second: rows / start.elapsed().as_secs_f64(),
            peak_memory_mib: self.server.peak_memory_mib()? as f64,
        })
    }

    fn write(&self, body: &str) -> Result<()> {
        let response = self
            .agent
            .post(format!("{}/write?db=bench", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .send(body)?;
        if response.status() != 204 {
            bail!("a write was answered {}", response.status());
        }
        Ok(())
    }

    fn query(&self, query: &str) -> Result<Vec<u8>> {
        let mut response = self
            .agent
            .get(format!("{}/query", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .query("db", "bench")
            .query("epoch", "ns")
            .query("q", query)
            .call()?;
        Ok(response
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()?)
    }

    fn answer(&self, query: &str) -> Result<Value> {
        serde_json::from_slice(&self.query(query)?).context("the answer is not JSON")
    }

    /// CPU of the server and median latency, after one call to warm up.
    fn time(&self, queries: &[String]) -> Result<Timing> {
        self.query(&queries[0])?;
        let cpu = self.server.cpu_seconds()?;
        let mut wall = Vec::with_capacity(queries.len());
        for query in queries {
            let start = Instant::now();
            self.query(query)?;
            wall.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let cpu_ms = (self.server.cpu_seconds()? - cpu) * 1e3 / queries.len() as f64;
        wall.sort_by(f64::total_cmp);
        // The kernel counts CPU in ticks of 10 ms: less than one tick in all reads as half of one.
        let least = 5.0 / queries.len() as f64;
        Ok(Timing {
            cpu_ms: cpu_ms.max(least),
            p50_ms: wall[wall.len() / 2],
        })
    }

    fn disk_mib(&self) -> Result<f64> {
        let mut bytes = 0;
        let mut dirs = vec![self.dir.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    dirs.push(entry.path());
                } else {
                    bytes += entry.metadata()?.len();
                }
            }
        }
        Ok(bytes as f64 / (1024.0 * 1024.0))
    }
}

/// Equal, but for the last digits of floats, which depend on the order of addition.
fn near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| near(a, b)))
        }
        (Value::Number(x), Value::Number(y)) => {
            x == y
                || x.as_f64()
                    .zip(y.as_f64())
                    .is_some_and(|(x, y)| (x - y).abs() <= 1e-9 * x.abs().max(y.abs()))
        }
        _ => a == b,
    }
}
