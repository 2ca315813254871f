//! Builds every component and joins them; the only place that does.

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use headwater_catalog::{BucketKind, Catalog, FileRecord};
use headwater_env::{OsRandom, SharedClock, SharedRandom, StdFileSystem, SystemClock};
use headwater_http::AppState;
use headwater_model::Id;
use headwater_query::QueryEngine;
use headwater_storage::{Components, Engine};
use tracing::{info, warn};

use crate::settings::Settings;

/// The server, ready to be listened for.
pub(crate) struct Wired {
    pub(crate) catalog: Catalog,
    pub(crate) engine: Engine,
    pub(crate) routes: axum::Router,
    /// Held as long as the data directory is ours.
    _lock: File,
}

pub(crate) async fn open(settings: &Settings) -> Result<Wired> {
    let dir = &settings.storage.data_dir;
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let lock = lock(dir)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let random: SharedRandom = Arc::new(OsRandom);
    let started = clock.monotonic();
    let catalog = Catalog::open_with(
        &format!("sqlite://{}?mode=rwc", dir.join("catalog.sqlite").display()),
        settings.catalog(),
        clock.clone(),
        random.clone(),
    )
    .await
    .map_err(|error| anyhow!("opening the catalog: {error}"))?;
    tell_catalog(&catalog, clock.monotonic().saturating_sub(started));
    let opening = clock.monotonic();
    let components = Components {
        catalog: catalog.clone(),
        clock: clock.clone(),
        file_system: Arc::new(StdFileSystem),
    };
    let engine = Engine::open(settings.storage.clone(), components)
        .await
        .map_err(|error| anyhow!("opening the storage engine: {error}"))?;
    tell_storage(&engine, clock.monotonic().saturating_sub(opening));
    let query = QueryEngine::new(
        catalog.clone(),
        engine.clone(),
        clock.clone(),
        settings.query.clone(),
    );
    let state = AppState {
        catalog: catalog.clone(),
        engine: engine.clone(),
        query,
        clock,
        random,
        settings: Arc::new(settings.http.clone()),
    };
    Ok(Wired {
        catalog,
        engine,
        routes: headwater_http::routes(state),
        _lock: lock,
    })
}

fn tell_catalog(catalog: &Catalog, took: Duration) {
    let state = catalog.state();
    info!(
        "opened the catalog in {took:.1?}: profile {:?}, {} organizations, {} users, {} tokens, {} buckets",
        state.profile(),
        state.organizations().count(),
        state.users().count(),
        state.authorizations().count(),
        state.buckets().count(),
    );
}

fn tell_storage(engine: &Engine, took: Duration) {
    let storage = engine.statistics();
    info!(
        "opened the data in {took:.1?}: {} files with {} rows in {} bytes; recovered {} bytes of \
         points from {} bytes of write-ahead log",
        storage.files,
        storage.file_rows,
        storage.file_bytes,
        storage.memtable_bytes,
        storage.log_bytes,
    );
    if storage.damaged_files > 0 {
        warn!(
            "{} data files are damaged or missing and set aside: stop the server and run \
             `headwater check`",
            storage.damaged_files
        );
    }
}

/// Two processes on one data directory would destroy it.
pub(crate) fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("{} is in use by another process", dir.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// A catalog of files that no server is using.
async fn open_catalog(path: &Path) -> Result<Catalog> {
    let url = format!("sqlite://{}?mode=rw", path.display());
    let catalog = Catalog::open(&url, Arc::new(SystemClock), Arc::new(OsRandom)).await;
    catalog.map_err(|error| anyhow!("opening {}: {error}", path.display()))
}

/// The data files that a catalog lists.
pub(crate) async fn catalog_files(path: &Path) -> Result<Vec<FileRecord>> {
    let catalog = open_catalog(path).await?;
    let records = catalog.storage_records().await;
    catalog.close().await;
    Ok(records.map_err(|error| anyhow!("{error}"))?.files)
}

/// The bucket of a name in a catalog.
pub(crate) async fn bucket_in(path: &Path, name: &str) -> Result<Id> {
    // A look must not change the backup.
    let copy = path.with_extension("tmp");
    std::fs::copy(path, &copy)?;
    let catalog = open_catalog(&copy).await?;
    let state = catalog.state();
    let mut found = state.buckets().filter(|bucket| bucket.name == name);
    let id = match (found.next(), found.next()) {
        (Some(bucket), None) => Ok(bucket.id),
        (None, _) => Err(anyhow!("the backup has no bucket {name:?}")),
        (Some(_), Some(_)) => Err(anyhow!("several organizations have a bucket {name:?}")),
    };
    catalog.close().await;
    std::fs::remove_file(&copy)?;
    id
}

/// Removes all buckets but one from a catalog, with the records of their files.
pub(crate) async fn keep_only(path: &Path, bucket: Id) -> Result<()> {
    let catalog = open_catalog(path).await?;
    let others: Vec<_> = catalog.state().buckets().cloned().collect();
    for other in others.iter().filter(|other| other.id != bucket) {
        catalog
            .remove_bucket_storage(other.id)
            .await
            .map_err(|error| anyhow!("{error}"))?;
        // System buckets stay: they belong to their organization and hold nothing here.
        if other.kind == BucketKind::User {
            let deleted = catalog.delete_bucket(other.id).await;
            deleted.map_err(|error| anyhow!("{error}"))?;
        }
    }
    catalog.close().await;
    Ok(())
}
