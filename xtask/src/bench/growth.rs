//! What ten times the data and ten times the series cost.

use std::path::Path;

use anyhow::Result;

use super::{
    Options,
    report::{Report, figure},
    side::{Product, Side},
};
use crate::workload::{Kind, Random, Scale, WORKLOADS};

const TIMES: usize = 10;

pub(super) fn run(report: &mut Report, dir: &Path, options: &Options) -> Result<()> {
    more_data(report, dir, options)?;
    more_series(report, dir, options.scale)
}

/// The same queries over the same window of ten times as many hours, but for those whose window
/// is all of the data.
fn more_data(report: &mut Report, dir: &Path, options: &Options) -> Result<()> {
    let small = options.scale;
    let large = Scale {
        hours: small.hours * TIMES as i64,
        ..small
    };
    report.table(
        "Ten times the data",
        &format!(
            "CPU per query of the same window of {} and of {} hours of data, Headwater alone.",
            small.hours, large.hours
        ),
        &["", "CPU ms", "10 x the data", "times"],
    );
    let mut timed = Vec::new();
    for scale in [small, large] {
        let side = Side::fresh(Product::Headwater, dir)?;
        side.load(scale)?;
        let (side, _) = side.compacted()?;
        let mut cpu = Vec::new();
        for workload in WORKLOADS.iter().filter(|w| is_of_a_window(w.kind, w.name)) {
            let mut random = Random::new(small.seed ^ 7);
            let queries: Vec<String> = (0..options.count.max(1))
                .map(|_| workload.query(&mut random, small))
                .collect();
            cpu.push((workload.name, side.time(&queries)?.cpu_ms));
        }
        timed.push(cpu);
    }
    for ((name, small), (_, large)) in timed[0].iter().zip(&timed[1]) {
        report.row(&[
            (*name).to_owned(),
            figure(*small),
            figure(*large),
            format!("{:.2}", large / small),
        ]);
    }
    Ok(())
}

fn is_of_a_window(kind: Kind, name: &str) -> bool {
    match kind {
        Kind::Small | Kind::Metadata | Kind::LastPoint => true,
        Kind::Scan => !matches!(name, "full-mean" | "groupby-orderby-limit"),
    }
}

/// As many rows of ten times as many series.
fn more_series(report: &mut Report, dir: &Path, scale: Scale) -> Result<()> {
    report.table(
        "Ten times the series",
        "Ingest of as many rows, Headwater alone.",
        &["", "series", "rows per CPU second"],
    );
    let rows = scale.rows();
    for hosts in [
        scale.hosts,
        scale.hosts * TIMES,
        scale.hosts * TIMES * TIMES,
    ] {
        let side = Side::fresh(Product::Headwater, dir)?;
        let load = side.load(Scale {
            hosts,
            rows_max: rows,
            ..scale
        })?;
        report.row(&[
            format!("{rows} rows"),
            hosts.to_string(),
            figure(load.rows_per_cpu_second),
        ]);
    }
    Ok(())
}
