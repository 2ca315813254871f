//! `headwater check`: the data directory of a stopped server, looked over and repaired.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use headwater_catalog::Catalog;
use headwater_env::{OsRandom, StdFileSystem, SystemClock};
use headwater_storage::{CheckReport, Components, Severity};

use crate::{
    settings::{Flags, Layers, Settings},
    wire,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
    /// Rebuild damaged files from what is left of them, cut a damaged write-ahead log, remove
    /// leftovers
    #[arg(long)]
    repair: bool,
}

/// Fails, which is exit code 1, when damage is left.
pub(crate) fn run(args: &Args) -> Result<()> {
    let settings = Layers::load(&args.flags, std::env::vars())?.settings;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let report = runtime.block_on(check(&settings, args.repair))?;
    print(&report);
    if report.is_damaged() {
        bail!("{} is damaged", settings.storage.data_dir.display());
    }
    Ok(())
}

async fn check(settings: &Settings, is_repair: bool) -> Result<CheckReport> {
    let dir = &settings.storage.data_dir;
    let path = dir.join("catalog.sqlite");
    if !path.exists() {
        bail!(
            "{} holds no data of Headwater: it has no catalog.sqlite",
            dir.display()
        );
    }
    let _lock = wire::lock(dir)?;
    let clock = Arc::new(SystemClock);
    let url = format!("sqlite://{}?mode=rw", path.display());
    let catalog = Catalog::open(&url, clock.clone(), Arc::new(OsRandom)).await;
    let catalog = catalog.map_err(|error| anyhow!("opening the catalog: {error}"))?;
    let components = Components {
        catalog: catalog.clone(),
        clock,
        file_system: Arc::new(StdFileSystem),
    };
    let report = headwater_storage::check(&settings.storage, components, is_repair).await;
    catalog.close().await;
    report.map_err(|error| anyhow!("{error}"))
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
fn print(report: &CheckReport) {
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Damage => "damage",
            Severity::Leftover => "leftover",
        };
        println!("{severity}: {}: {}", finding.place, finding.text);
        if let Some(repaired) = &finding.repaired {
            println!("    repaired: {repaired}");
        }
    }
    let CheckReport {
        segments,
        records,
        files,
        rows,
        ..
    } = report;
    println!(
        "checked {segments} segments of the write-ahead log with {records} records, {files} data \
         files with {rows} rows: {} findings",
        report.findings.len()
    );
}
