//! `headwater backup` and `headwater restore`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{
    backup,
    settings::{Flags, Layers},
    wire,
};

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    flags: Flags,
    /// Folder of the backup; data files that it has already are not copied again
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    flags: Flags,
    /// Folder of the backup
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Restore only this bucket; the others are not in the restored catalog
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(crate) fn back_up(args: &BackupArgs) -> Result<()> {
    let settings = Layers::load(&args.flags, std::env::vars())?.settings;
    let data_dir = &settings.storage.data_dir;
    if !data_dir.join("catalog.sqlite").exists() {
        bail!(
            "{} holds no data of Headwater: it has no catalog.sqlite",
            data_dir.display()
        );
    }
    let summary = runtime()?.block_on(backup::back_up(data_dir, &args.to))?;
    println!(
        "backed up {} to {}: copied {} data files with {} bytes, {} were there",
        data_dir.display(),
        args.to.display(),
        summary.copied,
        summary.copied_bytes,
        summary.kept
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(crate) fn restore(args: &RestoreArgs) -> Result<()> {
    let settings = Layers::load(&args.flags, std::env::vars())?.settings;
    let data_dir = &settings.storage.data_dir;
    std::fs::create_dir_all(data_dir)?;
    let _lock = wire::lock(data_dir)?;
    for name in ["catalog.sqlite", "data", "wal"] {
        if data_dir.join(name).exists() {
            bail!(
                "{} has data; restore into an empty folder",
                data_dir.display()
            );
        }
    }
    let catalog = backup::catalog_of(&args.from)?;
    let runtime = runtime()?;
    let bucket = match &args.bucket {
        Some(name) => Some(runtime.block_on(wire::bucket_in(&catalog, name))?),
        None => None,
    };
    let wanted = bucket.map(|bucket| bucket.to_string());
    let is_wanted = |bucket: &str| wanted.as_ref().is_none_or(|wanted| wanted == bucket);
    let count = backup::restore(&args.from, data_dir, is_wanted)?;
    if let Some(bucket) = bucket {
        let path = data_dir.join("catalog.sqlite");
        runtime.block_on(wire::keep_only(&path, bucket))?;
    }
    println!("restored {count} files to {}", data_dir.display());
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
