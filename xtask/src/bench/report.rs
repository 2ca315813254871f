//! The tables of a run: printed as they are made, and kept as Markdown for `docs/benchmarks.md`.

use std::{fmt::Write as _, process::Command};

use anyhow::{Context, Result};

use crate::process::{output, root};

/// How a figure compares.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    More,
    Less,
}

/// How many times better `ours` is than `theirs`.
pub(super) fn ratio(better: Better, ours: f64, theirs: f64) -> f64 {
    match better {
        Better::More => ours / theirs,
        Better::Less => theirs / ours,
    }
}

/// The mean of ratios: the root of their product. `None` of none.
pub(super) fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (sum / ratios.len() as f64).exp())
}

/// Three significant digits or so, whatever the size.
pub(super) fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// What a run has to say.
#[derive(Default)]
pub(super) struct Report {
    markdown: String,
}

impl Report {
    /// A heading, a sentence that tells how the figures were made, and the head of a table.
    pub(super) fn table(&mut self, title: &str, how: &str, columns: &[&str]) {
        print!("\n{title}\n");
        self.line(&format!("\n## {title}\n\n{how}\n"));
        self.row(columns);
        let rule: Vec<&str> = columns
            .iter()
            .enumerate()
            .map(|(i, _)| if i == 0 { "---" } else { "---:" })
            .collect();
        self.line(&format!("| {} |", rule.join(" | ")));
    }

    pub(super) fn row(&mut self, cells: &[impl AsRef<str>]) {
        let mut text = String::new();
        for (i, cell) in cells.iter().enumerate() {
            let cell = cell.as_ref();
            let written = if i == 0 {
                write!(text, "{cell:34}")
            } else {
                write!(text, " {cell:>14}")
            };
            written.expect("writes to a String");
        }
        println!("{text}");
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    /// A sentence under a table.
    pub(super) fn note(&mut self, text: &str) {
        println!("{text}");
        self.line(&format!("\n{text}"));
    }

    fn line(&mut self, text: &str) {
        self.markdown.push_str(text);
        self.markdown.push('\n');
    }

    /// Writes `docs/benchmarks.md`.
    pub(super) fn save(&self, command: &str) -> Result<()> {
        let page = format!("{}{}", head(command)?, self.markdown);
        let path = root().join("docs/benchmarks.md");
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// What the figures were measured on and with.
fn head(command: &str) -> Result<String> {
    let cpu_info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu_info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    let commit =
        output(
            Command::new("git")
                .current_dir(root())
                .args(["rev-parse", "--short", "HEAD"]),
        )?;
    Ok(format!(
        "# Benchmarks\n\n\
         Written by `{command}`: ours and the other servers one after the other in one run on one machine, \
         so that ratios can be trusted where absolute figures cannot. CPU is the server process's own, user \
         and system, in nanoseconds of its CPU clock. A ratio above 1 means that Headwater is better. \
         InfluxDB is Debian's 1.6.7 with the TSI index, VictoriaMetrics is Debian's 1.79. Headwater syncs its \
         log before it answers a write, as InfluxDB does; VictoriaMetrics does not.\n\n\
         Machine: {cores} cores, {model}. Commit {}.\n",
        commit.trim()
    ))
}
