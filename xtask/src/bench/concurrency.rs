//! Many dashboards at once: throughput and the spread of latencies.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    Options,
    report::{Better, Report, figure, ratio},
    side::{Product, Side, quantile},
};
use crate::workload::{Kind, Random, Scale, WORKLOADS};

const CLIENTS: u64 = 32;
const DURATION: Duration = Duration::from_secs(10);

pub(super) fn run(report: &mut Report, dir: &Path, options: &Options) -> Result<()> {
    report.table(
        "32 dashboards",
        "32 clients that each ask one small dashboard query after the other for 10 s; they share the machine's \
         cores with the server.",
        &["", "headwater", "influxdb", "ratio"],
    );
    let mut figures = Vec::new();
    for product in [Product::Headwater, Product::InfluxDb] {
        let side = Side::fresh(product, dir)?;
        side.load(options.scale)?;
        figures.push(measure(&side, options.scale)?);
    }
    let rows = [
        ("queries per second", Better::More),
        ("CPU ms per query", Better::Less),
        ("p50 ms", Better::Less),
        ("p99 ms", Better::Less),
    ];
    for (i, (name, better)) in rows.into_iter().enumerate() {
        let (ours, theirs) = (figures[0][i], figures[1][i]);
        report.row(&[
            name.to_owned(),
            figure(ours),
            figure(theirs),
            format!("{:.1}x", ratio(better, ours, theirs)),
        ]);
    }
    Ok(())
}

fn measure(side: &Side, scale: Scale) -> Result<[f64; 4]> {
    let (cpu, start) = (side.server.cpu_seconds()?, Instant::now());
    let results: Vec<Result<Vec<f64>>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || ask(side, scale, client, start)))
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("a client does not panic"))
            .collect()
    });
    let mut latencies = Vec::new();
    for result in results {
        latencies.extend(result?);
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = side.server.cpu_seconds()? - cpu;
    latencies.sort_by(f64::total_cmp);
    let count = latencies.len() as f64;
    Ok([
        count / seconds,
        cpu * 1e3 / count,
        quantile(&latencies, 0.5),
        quantile(&latencies, 0.99),
    ])
}

/// One client's latencies, in milliseconds.
fn ask(side: &Side, scale: Scale, client: u64, start: Instant) -> Result<Vec<f64>> {
    let mut random = Random::new(scale.seed ^ client);
    let small: Vec<_> = WORKLOADS
        .iter()
        .filter(|workload| workload.kind == Kind::Small)
        .collect();
    let mut latencies = Vec::new();
    while start.elapsed() < DURATION {
        let workload = small[random.below(small.len() as i64) as usize];
        let query = workload.query(&mut random, scale);
        let asked = Instant::now();
        side.query(&query)?;
        latencies.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    Ok(latencies)
}
