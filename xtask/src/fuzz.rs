//! `cargo xtask fuzz`: libFuzzer on the targets of `fuzz/`, with the stable toolchain.
//!
//! Our own crates are compiled with LLVM's coverage counters, which libFuzzer follows; everything
//! else is used as it was built for the tests. For that, cargo calls this program in place of the
//! compiler ([`compile`]), which adds the flags where the name of the crate is one of ours.
//!
//! A target begins with `fuzz/seeds/TARGET.txt` and with what was found earlier, `fuzz/finds/`.
//! What libFuzzer adds is kept beside the build, so that the next run goes on from there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::process::{cargo, check, root, target_dir};

/// Set for cargo by [`build`]: whoever finds it acts as the compiler.
pub(crate) const COMPILE: &str = "HEADWATER_XTASK_COMPILE";

const HELP: &str = "\
cargo xtask fuzz [TARGET…] [--seconds N] [-- LIBFUZZER-OPTIONS]

Runs the targets, or all of them, one after the other, each for N seconds (60). An input that
panics, takes more than 5 seconds or more than 1 GiB ends the run; where it is kept is printed.
";

/// A target and the dictionary that it uses.
const TARGETS: [(&str, &str); 9] = [
    ("influxql", "influxql"),
    ("planner", "influxql"),
    ("params", "influxql"),
    ("line_protocol", "line_protocol"),
    ("regex", "regex"),
    ("wal_record", "line_protocol"),
    ("parquet_file", ""),
    ("catalog_rows", "catalog_rows"),
    ("request_bodies", "requests"),
];

/// `fuzzing` lets bytes pass that a checksum would refuse, so that what decodes them is reached.
const FLAGS: [&str; 8] = [
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut targets = Vec::new();
    let mut seconds = 60;
    let mut options: &[String] = &[];
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(());
            }
            "--seconds" => {
                let value = rest.next().context("--seconds needs a number")?;
                seconds = value.parse().context("--seconds needs a number")?;
            }
            "--" => {
                options = rest.as_slice();
                break;
            }
            name => targets.push(target(name)?),
        }
    }
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    for (target, dictionary) in targets {
        build(target)?;
        fuzz(target, dictionary, seconds, options)?;
    }
    Ok(())
}

fn target(name: &str) -> Result<(&'static str, &'static str)> {
    let known = TARGETS.iter().find(|(target, _)| *target == name);
    known.copied().with_context(|| {
        let names: Vec<_> = TARGETS.iter().map(|(target, _)| *target).collect();
        format!("no target `{name}`; there are {}", names.join(", "))
    })
}

fn build(target: &str) -> Result<()> {
    // The same versions as everywhere; cargo adds what only libFuzzer needs.
    let lock = root().join("fuzz/Cargo.lock");
    std::fs::copy(root().join("Cargo.lock"), &lock).context("cannot copy the lock file")?;
    let this = std::env::current_exe().context("cannot find this program")?;
    check(
        cargo()
            .args(["build", "--quiet", "--manifest-path", "fuzz/Cargo.toml"])
            .args(["--bin", target])
            .env("CARGO_TARGET_DIR", target_dir())
            .env("RUSTC_WRAPPER", this)
            .env(COMPILE, "1"),
    )
}

/// Runs the compiler that cargo would have run.
pub(crate) fn compile(compiler: &str, args: &[String]) -> Result<()> {
    let is_ours = args.windows(2).any(|pair| {
        pair[0] == "--crate-name" && pair[1].starts_with("headwater") && pair[1] != "headwater_fuzz"
    });
    let flags: &[&str] = if is_ours { &FLAGS } else { &[] };
    let mut command = Command::new(compiler);
    let status = command.args(args).args(flags).status();
    let status = status.with_context(|| format!("cannot start {compiler}"))?;
    std::process::exit(status.code().unwrap_or(1));
}

fn fuzz(target: &str, dictionary: &str, seconds: u64, options: &[String]) -> Result<()> {
    let kept = target_dir().join("fuzz").join(target);
    let (corpus, seeds, artifacts) = (
        kept.join("corpus"),
        kept.join("seeds"),
        kept.join("artifacts"),
    );
    for dir in [&corpus, &artifacts] {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    write_seeds(target, &seeds)?;
    let finds = root().join("fuzz/finds").join(target);
    let dictionary = root().join(format!("fuzz/dictionaries/{dictionary}.dict"));
    let mut command = Command::new(target_dir().join("debug").join(target));
    command
        .current_dir(&kept)
        .arg(format!("-max_total_time={seconds}"))
        .args(["-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1"])
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(options);
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(&corpus).arg(&seeds);
    if finds.exists() {
        command.arg(&finds);
    }
    let status = command.status().context("cannot start the target")?;
    if !status.success() {
        bail!("`{target}` fails for the input named above");
    }
    Ok(())
}

/// One file a seed, as libFuzzer wants them.
fn write_seeds(target: &str, dir: &Path) -> Result<()> {
    if dir.exists() {
        std::fs::remove_dir_all(dir).context("cannot remove old seeds")?;
    }
    std::fs::create_dir_all(dir).context("cannot create the folder for seeds")?;
    let path = root().join(format!("fuzz/seeds/{target}.txt"));
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let mut seeds: Vec<String> = text.split("\n----\n").map(str::to_owned).collect();
    if ["influxql", "planner"].contains(&target) {
        seeds.extend(golden_queries()?);
    }
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(dir.join(number.to_string()), seed).context("cannot write a seed")?;
    }
    Ok(())
}

/// The queries of the golden cases.
fn golden_queries() -> Result<Vec<String>> {
    let dir = root().join("tests/golden");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| format!("cannot list {}", dir.display()))?;
    files.sort();
    let mut queries = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        for step in text.split("\n-- query").skip(1) {
            let body = step.split_once('\n').map_or("", |(_, body)| body);
            let query = body.split("\n==\n").next().unwrap_or_default();
            queries.push(query.to_owned());
        }
    }
    Ok(queries)
}
