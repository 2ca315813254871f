//! One of the servers of a run: how it is started, loaded, asked and measured.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{process::target_dir, server::Server, workload::Scale};

pub(super) const BATCH_ROWS: usize = 5_000;
pub(super) const CONNECTIONS: usize = 2;
pub(super) const TOKEN: &str = "bench-token-0123456789abcdef";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Headwater,
    InfluxDb,
    /// Takes the writes, but has no InfluxQL.
    VictoriaMetrics,
}

impl Product {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Headwater => "headwater",
            Self::InfluxDb => "influxdb",
            Self::VictoriaMetrics => "victoriametrics",
        }
    }
}

/// A running server with its data directory.
pub(super) struct Side {
    product: Product,
    pub(super) server: Server,
    dir: PathBuf,
    agent: ureq::Agent,
}

pub(super) struct Load {
    pub(super) rows_per_cpu_second: f64,
    pub(super) rows_per_second: f64,
    pub(super) peak_memory_mib: f64,
}

pub(super) struct Timing {
    pub(super) cpu_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

pub(super) fn headwater_binary() -> PathBuf {
    target_dir().join("release/headwater")
}

impl Side {
    /// Starts on an empty directory of its own under `dir` and makes the database.
    pub(super) fn fresh(product: Product, dir: &Path) -> Result<Self> {
        let dir = dir.join(product.name());
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        let side = Self::open(product, dir, &[])?;
        match product {
            Product::Headwater => {
                let body = format!(
                    r#"{{"username":"admin","password":"bench-password","org":"bench","bucket":"bench","token":"{TOKEN}"}}"#
                );
                side.agent
                    .post(format!("{}/api/v2/setup", side.server.url))
                    .send(&body)?;
            }
            Product::InfluxDb => {
                side.agent
                    .post(format!("{}/query", side.server.url))
                    .query("q", "CREATE DATABASE bench")
                    .send_empty()?;
            }
            Product::VictoriaMetrics => {}
        }
        Ok(side)
    }

    fn open(product: Product, dir: PathBuf, env: &[(&str, &str)]) -> Result<Self> {
        let server = match product {
            Product::Headwater => Server::headwater(&headwater_binary(), &dir, &[])?,
            Product::InfluxDb => Server::influxdb(&dir, env)?,
            Product::VictoriaMetrics => Server::victoria_metrics(&dir)?,
        };
        Ok(Self {
            product,
            server,
            dir,
            agent: ureq::Agent::new_with_defaults(),
        })
    }

    /// Writes all rows over [`CONNECTIONS`] connections; making the lines is not part of the time
    /// of the server's CPU.
    pub(super) fn load(&self, scale: Scale) -> Result<Load> {
        let (cpu, start) = (self.server.cpu_seconds()?, Instant::now());
        let (sender, receiver) = mpsc::sync_channel::<String>(2 * CONNECTIONS);
        let receiver = Mutex::new(receiver);
        let next = || {
            let receiver = receiver.lock().expect("no thread panics with the lock");
            receiver.recv().ok()
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..CONNECTIONS)
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(body) = next() {
                            self.write(&body)?;
                        }
                        Ok::<(), anyhow::Error>(())
                    })
                })
                .collect();
            for body in scale.bodies(BATCH_ROWS) {
                if writers.iter().all(|writer| writer.is_finished()) {
                    break;
                }
                sender.send(body).context("no writer is left")?;
            }
            drop(sender);
            writers
                .into_iter()
                .try_for_each(|writer| writer.join().expect("a writer does not panic"))
        })?;
        let rows = scale.rows() as f64;
        Ok(Load {
            rows_per_cpu_second: rows / (self.server.cpu_seconds()? - cpu),
            rows_per_second: rows / start.elapsed().as_secs_f64(),
            peak_memory_mib: self.server.peak_memory_mib()? as f64,
        })
    }

    pub(super) fn write(&self, body: &str) -> Result<()> {
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

    pub(super) fn query(&self, query: &str) -> Result<Vec<u8>> {
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

    pub(super) fn answer(&self, query: &str) -> Result<Value> {
        serde_json::from_slice(&self.query(query)?).context("the answer is not JSON")
    }

    /// CPU of the server and latencies, after one call to warm up.
    pub(super) fn time(&self, queries: &[String]) -> Result<Timing> {
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
        Ok(Timing {
            cpu_ms,
            p50_ms: quantile(&wall, 0.5),
            p99_ms: quantile(&wall, 0.99),
        })
    }

    /// Stops the server; returns its data directory.
    pub(super) fn stop(self) -> Result<PathBuf> {
        self.server.stop()?;
        Ok(self.dir)
    }

    /// Stops and starts the server, lets it compact what it has, and returns it with the bytes of
    /// its data files.
    pub(super) fn compacted(self) -> Result<(Self, f64)> {
        let product = self.product;
        let dir = self.stop()?;
        // What 1.6.7 does after hours without writes.
        let side = Self::open(
            product,
            dir,
            &[
                ("INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION", "1s"),
                ("INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION", "1s"),
            ],
        )?;
        let (mut bytes, mut since) = (0, Instant::now());
        while since.elapsed() < Duration::from_secs(5) {
            let now = side.data_bytes()?;
            if now != bytes {
                (bytes, since) = (now, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok((side, bytes as f64))
    }

    /// Bytes of data files, without logs of writes.
    fn data_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        let mut dirs = vec![match self.product {
            Product::Headwater | Product::VictoriaMetrics => self.dir.clone(),
            Product::InfluxDb => self.dir.join("data"),
        }];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir)? {
                let entry = entry?;
                // A file that a compaction removes between listing and asking counts for nothing.
                let Ok(metadata) = entry.metadata() else {
                    continue;
                };
                if metadata.is_dir() && entry.file_name() != "wal" {
                    dirs.push(entry.path());
                } else if metadata.is_file() {
                    bytes += metadata.len();
                }
            }
        }
        Ok(bytes)
    }
}

/// Of sorted values; 0 of none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share) as usize;
    let index = rank.min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}
