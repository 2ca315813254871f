//! Reading: CPU and latency of each workload, and whether the answers are equal.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use super::{
    Options,
    report::{Better, Report, figure, geometric_mean, ratio},
    side::{Product, Side},
};
use crate::workload::{Kind, Random, WORKLOADS};

pub(super) fn run(report: &mut Report, dir: &Path, options: &Options) -> Result<()> {
    let ours = Side::fresh(Product::Headwater, dir)?;
    let theirs = Side::fresh(Product::InfluxDb, dir)?;
    ours.load(options.scale)?;
    theirs.load(options.scale)?;
    let how = format!(
        "{} calls of each query with its random parts drawn anew, after the load of {} rows, one connection. \
         Five answers of each are compared before anything is timed.",
        options.count,
        options.scale.rows()
    );
    report.table(
        "Queries",
        &how,
        &[
            "", "CPU ms", "influxdb", "ratio", "p50 ms", "influxdb", "p99 ms", "influxdb",
        ],
    );
    let mut ratios: Vec<(Kind, f64)> = Vec::new();
    let mut different = Vec::new();
    for workload in WORKLOADS.iter().filter(|w| w.name.contains(&options.only)) {
        let mut random = Random::new(options.scale.seed ^ 7);
        let queries: Vec<String> = (0..options.count.max(1))
            .map(|_| workload.query(&mut random, options.scale))
            .collect();
        if let Some(text) = difference(&ours, &theirs, &queries[..queries.len().min(5)])? {
            different.push(text);
        }
        let (a, b) = (ours.time(&queries)?, theirs.time(&queries)?);
        let cpu = ratio(Better::Less, a.cpu_ms, b.cpu_ms);
        ratios.push((workload.kind, cpu));
        report.row(&[
            workload.name.to_owned(),
            figure(a.cpu_ms),
            figure(b.cpu_ms),
            format!("{cpu:.1}x"),
            figure(a.p50_ms),
            figure(b.p50_ms),
            figure(a.p99_ms),
            figure(b.p99_ms),
        ]);
    }
    for (kind, name) in Kind::ALL {
        let of_kind: Vec<f64> = ratios
            .iter()
            .filter(|(k, _)| *k == kind)
            .map(|(_, ratio)| *ratio)
            .collect();
        if let Some(mean) = geometric_mean(&of_kind) {
            let least = of_kind.iter().copied().fold(f64::INFINITY, f64::min);
            report.note(&format!(
                "{name}: geometric mean {mean:.1}x, least {least:.1}x"
            ));
        }
    }
    if !different.is_empty() {
        bail!("answers differ:\n{}", different.join("\n"));
    }
    report.note("All compared answers are equal.");
    Ok(())
}

/// The first query that the two answer differently, with both answers' beginnings.
fn difference(ours: &Side, theirs: &Side, queries: &[String]) -> Result<Option<String>> {
    for query in queries {
        let (a, b) = (ours.answer(query)?, without_partial(theirs.answer(query)?));
        if !near(&a, &b) {
            return Ok(Some(format!("{query}\n  {a:.300}\n  {b:.300}")));
        }
    }
    Ok(None)
}

/// 1.6.7 leaves `"partial":true` on a series of more than 10,000 rows of an answer that is not
/// chunked; 2.x does not (`docs/compat.md`).
fn without_partial(mut answer: Value) -> Value {
    let results = answer["results"].as_array_mut();
    for series in results
        .into_iter()
        .flatten()
        .filter_map(|result| result.get_mut("series").and_then(Value::as_array_mut))
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        series.remove("partial");
    }
    answer
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
