//! `cargo xtask bench --cardinality`: what two million series cost, written from empty, with the
//! defaults: memory, the rate of writes beside that at 1,000 series, metadata, a restart.

use std::{
    fmt::Write as _,
    io::Read as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    process::{cargo, check, target_dir},
    server::Server,
};

const HELP: &str = "\
cargo xtask bench --cardinality [OPTIONS]

  --series N     series to write (2000000)
  --binary PATH  a server that is built already; otherwise it is built first
";

const TOKEN: &str = "bench-token-0123456789abcdef";
const FEW_SERIES: u64 = 1_000;
const BATCH_ROWS: u64 = 5_000;
const CONNECTIONS: usize = 2;
/// 2024-01-01, a Monday: all rows fall into one partition.
const START_SECONDS: u64 = 1_704_067_200;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut series = 2_000_000;
    let mut binary = None;
    let mut args = args.iter().filter(|arg| *arg != "--cardinality");
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--help" => {
                print!("{HELP}");
                return Ok(());
            }
            "--series" => series = value()?.parse()?,
            "--binary" => binary = Some(PathBuf::from(value()?)),
            other => bail!("unknown option {other}\n\n{HELP}"),
        }
    }
    let binary = match binary {
        Some(binary) => binary,
        None => {
            check(cargo().args(["build", "--release", "--package", "headwater"]))?;
            target_dir().join("release/headwater")
        }
    };
    let dir = target_dir().join("xtask/cardinality");
    let few = Run::fresh(&binary, &dir)?;
    few.write(FEW_SERIES, series.min(1_000_000) / FEW_SERIES)?;
    let at_few = few.write(FEW_SERIES, series.min(1_000_000) / FEW_SERIES)?;
    println!("rows per second at {FEW_SERIES} series: {at_few:.0}");
    drop(few);

    let many = Run::fresh(&binary, &dir)?;
    let new = many.write(series, 1)?;
    println!(
        "rows per second, {series} new series from empty: {new:.0} ({:.0} %)",
        100.0 * new / at_few
    );
    many.print_memory("after writing them")?;
    let again = many.write(series, 1)?;
    println!(
        "rows per second at {series} series: {again:.0} ({:.0} %)",
        100.0 * again / at_few
    );
    many.print_memory("after writing them again")?;
    for _ in 0..2 {
        many.ask("SHOW SERIES EXACT CARDINALITY")?;
    }
    many.ask("SHOW TAG VALUES WITH KEY = id")?;
    many.ask("SELECT last(v) FROM m WHERE id = 'device-0000042'")?;
    many.print_memory("after the queries")?;
    let many = many.restart(&binary)?;
    many.ask("SHOW SERIES EXACT CARDINALITY")?;
    many.print_memory("after the restart")
}

struct Run {
    server: Server,
    dir: PathBuf,
    agent: ureq::Agent,
    /// Rounds written so far: each has a later time.
    rounds: AtomicU64,
}

impl Run {
    fn fresh(binary: &Path, dir: &Path) -> Result<Self> {
        if dir.exists() {
            std::fs::remove_dir_all(dir)?;
        }
        let run = Self::open(binary, dir)?;
        let body = format!(
            r#"{{"username":"admin","password":"bench-password","org":"bench","bucket":"bench","token":"{TOKEN}"}}"#
        );
        let url = format!("{}/api/v2/setup", run.server.url);
        run.agent.post(url).send(&body)?;
        Ok(run)
    }

    fn open(binary: &Path, dir: &Path) -> Result<Self> {
        Ok(Self {
            server: Server::headwater(binary, dir, &[])?,
            dir: dir.to_owned(),
            agent: ureq::Agent::new_with_defaults(),
            rounds: AtomicU64::new(0),
        })
    }

    /// Writes a point of each series in each of `rounds`; returns rows per second.
    fn write(&self, series: u64, rounds: u64) -> Result<f64> {
        let first = self.rounds.fetch_add(rounds, Ordering::Relaxed);
        let batches = series.div_ceil(BATCH_ROWS);
        let next = AtomicU64::new(0);
        let started = Instant::now();
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= batches * rounds {
                    return Ok(());
                }
                let time = START_SECONDS + first + at / batches;
                let from = at % batches * BATCH_ROWS;
                self.post(&lines(from..(from + BATCH_ROWS).min(series), time))?;
            }
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
            writers
                .into_iter()
                .try_for_each(|writer| writer.join().expect("a writer does not panic"))
        })
        .map_err(|error: anyhow::Error| error)?;
        Ok((series * rounds) as f64 / started.elapsed().as_secs_f64())
    }

    fn post(&self, lines: &str) -> Result<()> {
        loop {
            let answer = self
                .agent
                .post(format!("{}/write?db=bench&precision=s", self.server.url))
                .config()
                .http_status_as_error(false)
                .build()
                .header("Authorization", format!("Token {TOKEN}"))
                .send(lines)?;
            match answer.status().as_u16() {
                204 => return Ok(()),
                // Back-pressure is part of the time.
                503 => std::thread::sleep(Duration::from_millis(100)),
                status => bail!("a write was answered {status}"),
            }
        }
    }

    /// Prints how long an answer took, to its first byte and to its last.
    fn ask(&self, query: &str) -> Result<()> {
        let started = Instant::now();
        let mut answer = self
            .agent
            .get(format!("{}/query", self.server.url))
            .query("db", "bench")
            .query("q", query)
            .header("Authorization", format!("Token {TOKEN}"))
            .call()?;
        let mut reader = answer.body_mut().as_reader();
        let mut chunk = vec![0; 1 << 16];
        let mut text = Vec::new();
        let (mut bytes, mut first) = (0, None);
        loop {
            let read = reader.read(&mut chunk)?;
            first.get_or_insert_with(|| started.elapsed());
            if read == 0 {
                break;
            }
            bytes += read;
            if text.len() < 160 {
                text.extend_from_slice(&chunk[..read.min(160)]);
            }
        }
        let text = String::from_utf8_lossy(&text);
        println!(
            "{query}: {:.3} s to the first byte, {:.3} s in all, {bytes} bytes: {}",
            first.unwrap_or_default().as_secs_f64(),
            started.elapsed().as_secs_f64(),
            text.chars().take(100).collect::<String>().trim_end()
        );
        Ok(())
    }

    fn print_memory(&self, when: &str) -> Result<()> {
        println!("peak memory {when}: {} MiB", self.server.peak_memory_mib()?);
        Ok(())
    }

    /// Kills the server and starts it again; prints the time to the first answer.
    fn restart(self, binary: &Path) -> Result<Self> {
        let dir = self.dir.clone();
        drop(self);
        let started = Instant::now();
        let run = Self::open(binary, &dir)?;
        let listening = started.elapsed();
        run.ask("SELECT last(v) FROM m WHERE id = 'device-0000042'")?;
        println!(
            "restart after kill -9: {:.3} s until it listens, {:.3} s to the first answer",
            listening.as_secs_f64(),
            started.elapsed().as_secs_f64()
        );
        Ok(run)
    }
}

fn lines(series: std::ops::Range<u64>, time: u64) -> String {
    let mut lines = String::new();
    for id in series {
        writeln!(
            lines,
            "m,id=device-{id:07},rack=r{},region=eu-{} v={}i,w={}.5 {time}",
            id / 100 % 1000,
            id % 5,
            id % 1000,
            id % 77
        )
        .expect("writes to a String");
    }
    lines
}
