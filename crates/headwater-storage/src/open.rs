//! Start-up: from the catalog's records, the data directory and the write-ahead log to a running
//! engine.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
};

use headwater_catalog::{Catalog, FileRecord, SchemaColumn, StorageRecords};
use headwater_model::Id;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::{
    engine::{Components, Engine, Inner},
    error::{Error, Result},
    file::{FileCache, FileOptions},
    live_file::{DAMAGED_SUFFIX, FileSpace, LiveFile},
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
        damage: Arc::default(),
        options,
    };
    check_format(&space, true)?;
    let records = listed_records(&catalog).await?;
    let is_new = catalog.state().is_setup_allowed() && records.files.is_empty();
    let missing = sweep(&space, &records, is_new)?;
    let mut state = build_state(records, &space, &missing)?;

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
        counting: tokio::sync::Mutex::default(),
        unlisted_files: Mutex::default(),
        admitted_bytes: AtomicUsize::new(0),
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

/// Refuses records that no flush and no compaction makes: what is built on them would be wrong.
fn check_records(files: &[FileRecord]) -> Result<()> {
    let mut beginnings = HashSet::new();
    for file in files {
        let partition = (file.bucket, &*file.measurement, file.partition_start);
        let are_times_ordered = file.partition_start <= file.min_time
            && file.min_time <= file.max_time
            && file.max_time < file.partition_end;
        let reason = if !are_times_ordered {
            "its rows are not in its partition"
        } else if file.min_sequence > file.max_sequence {
            "it ends with a write before its first"
        } else if !beginnings.insert((partition, file.min_sequence)) {
            "another one begins with the same write"
        } else {
            continue;
        };
        return Err(Error::Contradiction {
            path: file.path.clone(),
            reason,
        });
    }
    Ok(())
}

/// The state before replay. Files at `missing` paths are set aside.
fn build_state(
    records: StorageRecords,
    space: &FileSpace,
    missing: &HashSet<String>,
) -> Result<State> {
    check_records(&records.files)?;
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
    for record in records.tombstones {
        let bucket = state.bucket(record.bucket);
        bucket
            .tombstones
            .push(Arc::new(Tombstone::from_record(record)?));
    }
    for record in records.files {
        let bucket = state.bucket(record.bucket);
        let number = bucket.measurement(&record.measurement.as_str().into());
        let (start, end) = (record.partition_start, record.partition_end);
        let partition = bucket.measurements[number as usize].listed_partition(start, end);
        let is_missing = missing.contains(&record.path);
        let file = Arc::new(LiveFile::new(record, space.clone()));
        if is_missing {
            file.mark_damaged();
            partition.damaged.push(file);
        } else {
            partition.add_file(file);
        }
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
    Ok(state)
}

/// The version of all that is under the data directory, the catalog apart.
const FORMAT_VERSION: u32 = 1;

/// Refuses a data directory that a newer program has written to, before anything of it is read;
/// notes the version in one that has none, if it is to be noted.
pub(crate) fn check_format(space: &FileSpace, is_noted: bool) -> Result<()> {
    let path = space.root.join("format");
    let io = |source| Error::Directory {
        path: path.clone(),
        source,
    };
    let file_system = &space.file_system;
    let text = match file_system.read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_noted => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            file_system.create_dir_all(&space.root).map_err(io)?;
            let mut file = file_system.create(&path).map_err(io)?;
            let text = format!("{FORMAT_VERSION}\n");
            file.append(text.as_bytes()).map_err(io)?;
            file.sync().map_err(io)?;
            return file_system.sync_dir(&space.root).map_err(io);
        }
        Err(error) => return Err(io(error)),
    };
    let text = String::from_utf8_lossy(&text);
    let refused = |reason: String| Error::Refused {
        path: path.clone(),
        reason,
    };
    match text.trim().parse() {
        // A crash may leave it without content, the first start.
        Err(_) if text.is_empty() => Ok(()),
        Ok(0..=FORMAT_VERSION) => Ok(()),
        Ok(found) => Err(refused(format!(
            "it has format version {found}, this program knows versions up to {FORMAT_VERSION}: it \
             was written by a newer program"
        ))),
        Err(_) => Err(refused(format!("{text:?} is no format version"))),
    }
}

/// Compares the listed files with those that are there: returns the paths that cannot be read
/// since the file is missing or set aside, and removes own files that are not listed: a flush or
/// a compaction did not come to its end, a file was replaced and still being read, or its bucket
/// was being deleted.
///
/// A catalog `is_new` when nothing was ever set up in it: then files are not leftovers, but the
/// catalog is lost, and nothing may be removed.
fn sweep(space: &FileSpace, records: &StorageRecords, is_new: bool) -> Result<HashSet<String>> {
    let listed: HashSet<&str> = records.files.iter().map(|file| &*file.path).collect();
    let mut missing: HashSet<&str> = listed.clone();
    let mut removed = 0;
    for path in own_files(space)? {
        let name = path.strip_suffix(DAMAGED_SUFFIX).unwrap_or(&path);
        if name == path {
            missing.remove(name);
        }
        if listed.contains(name) {
            continue;
        }
        let path = space.root.join(&path);
        if is_new {
            let reason = "it is a data file, but nothing was ever set up in the catalog: is \
                          catalog.sqlite the one that belongs to it?";
            let reason = reason.to_owned();
            return Err(Error::Refused { path, reason });
        }
        space
            .file_system
            .remove(&path)
            .map_err(|source| Error::Directory {
                path: path.clone(),
                source,
            })?;
        removed += 1;
    }
    if removed > 0 {
        tracing::info!(removed, "removed data files that were not listed");
    }
    for path in &missing {
        let path = space.root.join(path);
        tracing::error!(
            path = %path.display(),
            "a listed data file is missing or was set aside as damaged; queries go on without it"
        );
    }
    Ok(missing.into_iter().map(str::to_owned).collect())
}

/// All files of this engine's making below the root, relative to it.
pub(crate) fn own_files(space: &FileSpace) -> Result<Vec<String>> {
    let list = |dir: &std::path::Path| {
        let listed = space.file_system.list(dir);
        listed.map_err(|source| Error::Directory {
            path: dir.to_owned(),
            source,
        })
    };
    let mut paths = Vec::new();
    for bucket in list(&space.root)? {
        if bucket.parse::<Id>().is_err() {
            continue;
        }
        let bucket_dir = space.root.join(&bucket);
        for folder in list(&bucket_dir)? {
            for name in list(&bucket_dir.join(&folder))? {
                if FileSpace::is_own_name(&name) {
                    paths.push(format!("{bucket}/{folder}/{name}"));
                }
            }
        }
    }
    Ok(paths)
}
