//! Start-up: from the catalog's records, the data directory and the write-ahead log to a running
//! engine.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, atomic::AtomicBool},
};

use headwater_catalog::{Catalog, SchemaColumn, StorageRecords};
use headwater_env::FileSystem;
use headwater_model::Id;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::{
    engine::{Components, Engine, Inner},
    error::{Error, Result},
    file::{FileCache, FileOptions},
    live_file::{FileSpace, LiveFile},
    poison::Poison,
    replay::replay,
    settings::Settings,
    state::State,
    tasks,
    tombstone::Tombstone,
    wal::{self, Start, Wal},
};

pub(crate) async fn open(settings: Settings, components: Components) -> Result<Engine> {
    let Components {
        catalog,
        clock,
        file_system,
    } = components;
    let options = FileOptions {
        row_group_rows: settings.row_group_rows,
        page_rows: settings.page_rows,
    };
    let space = FileSpace {
        file_system: file_system.clone(),
        cache: FileCache::new(settings.cache_bytes),
        root: settings.data_dir.join("data"),
        options,
    };
    let records = listed_records(&catalog).await?;
    let (mut state, listed) = build_state(records, &space)?;
    check_directory(&space, &listed)?;

    let wal_dir = settings.data_dir.join("wal");
    let opened = wal::open(&*file_system, &wal_dir)?;
    let known: HashSet<Id> = catalog.state().buckets().map(|bucket| bucket.id).collect();
    let replayed = replay(&mut state, opened.records, &known)?;
    if !state.active.tables.is_empty() {
        state.active.since = Some(clock.monotonic());
    }

    let poison = Poison::default();
    let wal = Wal::start(Start {
        file_system,
        clock: clock.clone(),
        dir: wal_dir,
        settings: settings.wal,
        poison: poison.clone(),
        segments: opened.segments,
        generation: state.active.number,
    })?;
    let inner = Arc::new(Inner {
        settings,
        catalog,
        clock,
        space,
        state: Mutex::new(state),
        wal,
        poison,
        maintenance: tokio::sync::Mutex::default(),
        flushing: tokio::sync::Mutex::default(),
        compacting: tokio::sync::Mutex::default(),
        flush_wanted: Notify::new(),
        flushed: Notify::new(),
        is_closed: AtomicBool::new(false),
        shutdown: watch::Sender::new(false),
        tasks: Mutex::default(),
    });
    inner.finish_deletes(replayed).await?;
    if inner.settings.background {
        *inner.tasks.lock() = tasks::start(&inner);
    }
    Ok(Engine(inner))
}

/// The catalog's records without those of buckets whose deletion a crash interrupted.
async fn listed_records(catalog: &Catalog) -> Result<StorageRecords> {
    let mut records = catalog.storage_records().await?;
    let known = catalog.state();
    let mentioned: BTreeSet<Id> = records
        .files
        .iter()
        .map(|file| file.bucket)
        .chain(records.schema.iter().map(|column| column.bucket))
        .chain(records.tombstones.iter().map(|tombstone| tombstone.bucket))
        .filter(|bucket| known.bucket(*bucket).is_none())
        .collect();
    for bucket in mentioned {
        catalog.remove_bucket_storage(bucket).await?;
        records.files.retain(|file| file.bucket != bucket);
        records.schema.retain(|column| column.bucket != bucket);
        records
            .tombstones
            .retain(|tombstone| tombstone.bucket != bucket);
    }
    Ok(records)
}

/// The state before replay, and the paths of all listed files.
fn build_state(records: StorageRecords, space: &FileSpace) -> Result<(State, HashSet<String>)> {
    let flushed = records
        .files
        .iter()
        .map(|file| file.max_sequence)
        .max()
        .unwrap_or(0);
    let deleted = records
        .tombstones
        .iter()
        .map(|tombstone| tombstone.sequence)
        .max();
    let mut state = State::new(flushed.max(deleted.unwrap_or(0)) + 1, flushed);
    let mut listed = HashSet::new();
    for record in records.tombstones {
        let bucket = state.bucket(record.bucket);
        bucket
            .tombstones
            .push(Arc::new(Tombstone::from_record(record)?));
    }
    for record in records.files {
        listed.insert(record.path.clone());
        let bucket = state.bucket(record.bucket);
        let number = bucket.measurement(&record.measurement.as_str().into());
        let (start, end) = (record.partition_start, record.partition_end);
        let partition = bucket.measurements[number as usize].listed_partition(start, end);
        partition.add_file(Arc::new(LiveFile::new(record, space.clone())));
        bucket.mark_stale(number, start);
    }
    for column in records.schema {
        let SchemaColumn::Field(kind) = column.column else {
            continue;
        };
        let bucket = state.bucket(column.bucket);
        let number = bucket.measurement(&column.measurement.as_str().into());
        if let Some(partition) = bucket.partition(number, column.partition_start) {
            partition.schema.add(&column.name, kind, true);
        }
    }
    Ok((state, listed))
}

/// Every listed file must be there; own files that are not listed are removed: a flush or a
/// compaction did not come to its end, or a file was replaced and still being read.
fn check_directory(space: &FileSpace, listed: &HashSet<String>) -> Result<()> {
    let io = |path: &std::path::Path| {
        let path = path.to_owned();
        move |source| Error::Directory { path, source }
    };
    let file_system: &dyn FileSystem = &*space.file_system;
    file_system
        .create_dir_all(&space.root)
        .map_err(io(&space.root))?;
    let mut found = HashSet::new();
    for bucket in file_system.list(&space.root).map_err(io(&space.root))? {
        if bucket.parse::<Id>().is_err() {
            continue;
        }
        let bucket_dir = space.root.join(&bucket);
        for folder in file_system.list(&bucket_dir).map_err(io(&bucket_dir))? {
            let dir = bucket_dir.join(&folder);
            for name in file_system.list(&dir).map_err(io(&dir))? {
                let path = format!("{bucket}/{folder}/{name}");
                if listed.contains(&path) {
                    found.insert(path);
                } else if FileSpace::is_own_name(&name) {
                    let path = space.root.join(path);
                    file_system.remove(&path).map_err(io(&path))?;
                }
            }
        }
    }
    match listed.iter().find(|path| !found.contains(*path)) {
        Some(path) => Err(Error::FileMissing {
            path: space.root.join(path),
        }),
        None => Ok(()),
    }
}
