//! Writing: rows per CPU second, memory, and bytes on disk after compaction.

use std::path::Path;

use anyhow::Result;

use super::{
    report::{Better, Report, figure, ratio},
    side::{Product, Side},
};
use crate::workload::Scale;

const PRODUCTS: [Product; 3] = [
    Product::Headwater,
    Product::InfluxDb,
    Product::VictoriaMetrics,
];

/// What one server needed for a load.
struct Figures([f64; 4]);

const ROWS: [(&str, Better); 4] = [
    ("rows per CPU second", Better::More),
    ("rows per second", Better::More),
    ("peak memory, MiB", Better::Less),
    ("bytes on disk per value", Better::Less),
];

/// The load of the queries' data, the same with floats, and one with many series.
pub(super) fn run(report: &mut Report, dir: &Path, scale: Scale) -> Result<()> {
    compare(report, dir, "Load", scale)?;
    let floats = Scale {
        floats: true,
        ..scale
    };
    compare(report, dir, "Load, floats with four decimals", floats)?;
    let many = Scale {
        hosts: 100_000,
        hours: 1,
        fields: 1,
        rows_max: 1_000_000,
        ..scale
    };
    compare(report, dir, "Load, 100,000 series", many)
}

fn compare(report: &mut Report, dir: &Path, title: &str, scale: Scale) -> Result<()> {
    let how = format!(
        "{} rows of {} fields in {} series, 5,000 rows a request over 2 connections. Bytes are those of data \
         files after a restart and compaction.",
        scale.rows(),
        scale.fields,
        scale.hosts
    );
    report.table(
        title,
        &how,
        &[
            "",
            "headwater",
            "influxdb",
            "ratio",
            "victoriametrics",
            "ratio",
        ],
    );
    let mut figures = Vec::new();
    for product in PRODUCTS {
        figures.push(measure(product, dir, scale)?);
    }
    for (i, (name, better)) in ROWS.into_iter().enumerate() {
        let of = |product: usize| figures[product].0[i];
        report.row(&[
            name.to_owned(),
            figure(of(0)),
            figure(of(1)),
            format!("{:.1}x", ratio(better, of(0), of(1))),
            figure(of(2)),
            format!("{:.1}x", ratio(better, of(0), of(2))),
        ]);
    }
    Ok(())
}

fn measure(product: Product, dir: &Path, scale: Scale) -> Result<Figures> {
    let side = Side::fresh(product, dir)?;
    let load = side.load(scale)?;
    let (_side, bytes) = side.compacted()?;
    Ok(Figures([
        load.rows_per_cpu_second,
        load.rows_per_second,
        load.peak_memory_mib,
        bytes / scale.values() as f64,
    ]))
}
