//! `cargo xtask conformance`: replays the recorded answers of real servers in
//! `../shared/conformance` against the built server. The folder is not part of the project;
//! where it is absent there is nothing to replay and the command says so.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    process::{cargo, check, root, target_dir},
    server::Server,
    tools,
};

/// A file of cases, its runner, and how many must pass. What falls short of all is either decided
/// otherwise (`docs/compat.md`) or listed there as open; the shares only keep it from growing.
struct Suite {
    file: &'static str,
    runner: Runner,
    /// A percentage of cases that must pass.
    passing_min: f64,
}

enum Runner {
    /// Needs a server that is not set up.
    Http {
        only: Option<&'static str>,
    },
    Run,
    Check,
}

const SUITES: [Suite; 7] = [
    Suite {
        file: "http.jsonl",
        runner: Runner::Http { only: None },
        passing_min: 99.8,
    },
    Suite {
        file: "v2_v1tests.jsonl",
        runner: Runner::Run,
        passing_min: 99.6,
    },
    Suite {
        file: "v1_tests.jsonl",
        runner: Runner::Run,
        passing_min: 99.0,
    },
    Suite {
        file: "engine_2x.jsonl",
        runner: Runner::Run,
        passing_min: 99.4,
    },
    Suite {
        file: "golden.jsonl",
        runner: Runner::Check,
        passing_min: 99.6,
    },
    Suite {
        file: "differential.jsonl",
        runner: Runner::Check,
        passing_min: 99.4,
    },
    Suite {
        file: "delete.jsonl",
        runner: Runner::Check,
        passing_min: 70.0,
    },
];

const TOKEN: &str = "conformance-token-0123456789abcdef";

pub(crate) fn run(args: &[String]) -> Result<()> {
    let folder = root().join("../shared/conformance");
    if !folder.is_dir() {
        println!("conformance: no recorded cases beside this checkout, nothing to replay");
        return Ok(());
    }
    let python = tools::python()?;
    check(cargo().args(["build", "--package", "headwater"]))?;
    let binary = target_dir().join("debug/headwater");
    let mut missed = Vec::new();
    for suite in &SUITES {
        if args
            .first()
            .is_some_and(|only| !suite.file.contains(only.as_str()))
        {
            continue;
        }
        let (passed, failed) =
            suite.replay(&folder, &python, &binary, args.get(1..).unwrap_or(&[]))?;
        let share = 100.0 * passed as f64 / (passed + failed).max(1) as f64;
        println!(
            "{:24} {passed:5} passed {failed:5} failed  {share:6.2} %",
            suite.file
        );
        if share < suite.passing_min {
            missed.push(format!(
                "{}: {share:.2} % < {} %",
                suite.file, suite.passing_min
            ));
        }
    }
    if !missed.is_empty() {
        bail!("conformance: {}", missed.join(", "));
    }
    Ok(())
}

impl Suite {
    fn replay(
        &self,
        folder: &Path,
        python: &Path,
        binary: &Path,
        args: &[String],
    ) -> Result<(u64, u64)> {
        let data = target_dir().join("xtask/conformance");
        let _ = std::fs::remove_dir_all(&data);
        let server = Server::headwater(binary, &data, &[])?;
        let mut runner = Command::new(python);
        let cases = folder.join(self.file);
        match self.runner {
            Runner::Http { only } => {
                runner
                    .arg(folder.join("http_run.py"))
                    .arg("--check")
                    .arg(&cases);
                if let Some(only) = only {
                    runner.args(["--only", only]);
                }
            }
            Runner::Run => {
                set_up(&server.url)?;
                runner.arg(folder.join("run.py")).arg("--cases").arg(&cases);
                runner.args(["--mode", "v2", "--token", TOKEN, "--org", "conformance"]);
                runner.args(["--compare", "approx"]);
            }
            Runner::Check => {
                set_up(&server.url)?;
                runner.arg(folder.join("check.py")).arg(&cases);
                runner.args(["--mode", "v2", "--token", TOKEN, "--org", "conformance"]);
            }
        }
        let output = runner.args(["--url", &server.url]).args(args).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !args.is_empty() {
            print!("{text}");
        }
        let last = text
            .lines()
            .rev()
            .find(|line| line.contains(" passed, "))
            .with_context(|| {
                format!("{}: {}", self.file, String::from_utf8_lossy(&output.stderr))
            })?;
        let mut numbers = last.split(' ').filter_map(|word| word.parse::<u64>().ok());
        Ok((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
    }
}

fn set_up(url: &str) -> Result<()> {
    let body = format!(
        r#"{{"username":"admin","password":"conformance","org":"conformance","bucket":"first","token":"{TOKEN}"}}"#
    );
    ureq::post(format!("{url}/api/v2/setup"))
        .header("Content-Type", "application/json")
        .send(&body)
        .context("the server refused to be set up")?;
    Ok(())
}
