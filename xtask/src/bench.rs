//! `cargo xtask bench`: the same data and queries to our server and to others, one after the other
//! in one run, with the server's CPU time as the first figure. Answers are compared before
//! anything is timed; a whole run writes `docs/benchmarks.md`.

mod concurrency;
mod growth;
mod instructions;
mod load;
mod queries;
mod report;
mod side;

use anyhow::{Context, Result, bail};

use self::report::Report;
use crate::{
    process::{cargo, check, target_dir},
    tools,
    workload::Scale,
};

const HELP: &str = "\
cargo xtask bench [OPTIONS] [PART …]

parts: load, queries, growth, concurrency, instructions; without any, all of them, and the tables
go to docs/benchmarks.md as well

  --hosts N      hosts that report (100)
  --hours N      hours of data, one row a host every 10 s (24)
  --count N      calls of each query (50)
  --seed N       of data and queries (123)
  --only TEXT    only queries whose name contains TEXT
";

const PARTS: [&str; 5] = ["load", "queries", "growth", "concurrency", "instructions"];

struct Options {
    scale: Scale,
    count: usize,
    only: String,
    parts: Vec<String>,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let Some(options) = parse(args)? else {
        print!("{HELP}");
        return Ok(());
    };
    tools::debian(&["influxdb", "victoria-metrics"])?;
    check(cargo().args(["build", "--release", "--package", "headwater"]))?;
    let dir = target_dir().join("xtask/bench");
    let mut report = Report::default();
    for part in PARTS {
        if !options.parts.is_empty() && !options.parts.iter().any(|p| p == part) {
            continue;
        }
        match part {
            "load" => load::run(&mut report, &dir, options.scale)?,
            "queries" => queries::run(&mut report, &dir, &options)?,
            "growth" => growth::run(&mut report, &dir, &options)?,
            "concurrency" => concurrency::run(&mut report, &dir, &options)?,
            _ => instructions::run(&mut report, &dir, &options)?,
        }
    }
    if options.parts.is_empty() {
        report.save(&format!("cargo xtask bench {}", args.join(" ")))?;
    }
    Ok(())
}

fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options {
        scale: Scale {
            hosts: 100,
            hours: 24,
            seed: 123,
            fields: 10,
            floats: false,
            rows_max: usize::MAX,
        },
        count: 50,
        only: String::new(),
        parts: Vec::new(),
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--hosts" => options.scale.hosts = value()?.parse()?,
            "--hours" => options.scale.hours = value()?.parse()?,
            "--count" => options.count = value()?.parse()?,
            "--seed" => options.scale.seed = value()?.parse()?,
            "--only" => options.only = value()?.clone(),
            part if PARTS.contains(&part) => options.parts.push(part.to_owned()),
            other => bail!("unknown option or part {other}\n\n{HELP}"),
        }
    }
    Ok(Some(options))
}
