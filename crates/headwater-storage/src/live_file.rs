//! A data file that is part of a bucket, and where files are.

use std::{
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use headwater_catalog::FileRecord;
use headwater_env::SharedFileSystem;
use headwater_model::{Id, TimeRange};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    error::{Error, Result},
    file::{
        DataFile, Directory, FileCache, FileError, FileOptions, FileSchema, FileWriter, RowBatches,
    },
    footprint::Footprint,
    tombstone::Tombstone,
    watch::Watch,
};

/// Where data files are and what opens them. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct FileSpace {
    pub(crate) file_system: SharedFileSystem,
    pub(crate) cache: FileCache,
    /// The folder `data`.
    pub(crate) root: PathBuf,
    pub(crate) damage: Arc<DamageReports>,
    pub(crate) options: FileOptions,
}

/// Listed files that readers found damaged or missing and that the engine still has to leave out.
#[derive(Debug, Default)]
pub(crate) struct DamageReports {
    has_any: AtomicBool,
    files: Mutex<Vec<FileRecord>>,
}

impl DamageReports {
    /// What was reported since the last call.
    pub(crate) fn take(&self) -> Vec<FileRecord> {
        match self.has_any.swap(false, Ordering::AcqRel) {
            true => std::mem::take(&mut *self.files.lock()),
            false => Vec::new(),
        }
    }
}

/// Behind the name of a data file that is set aside.
pub(crate) const DAMAGED_SUFFIX: &str = ".damaged";

/// Longest name of a measurement's folder, in bytes.
const FOLDER_BYTES_MAX: usize = 120;

impl FileSpace {
    /// `BUCKET/MEASUREMENT/ID.parquet`, relative to the root. Bytes of the measurement that some
    /// file system would not take are written as `%XX`; an overlong name is cut and marked with a
    /// checksum.
    pub(crate) fn relative_path(bucket: Id, measurement: &str, id: Id) -> String {
        let mut folder = String::new();
        for byte in measurement.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => folder.push(byte as char),
                _ => folder.push_str(&format!("%{byte:02X}")),
            }
        }
        if folder.len() > FOLDER_BYTES_MAX {
            folder.truncate(FOLDER_BYTES_MAX - 9);
            folder.push_str(&format!("~{:08x}", crc32c::crc32c(measurement.as_bytes())));
        }
        format!("{bucket}/{folder}/{id}.parquet")
    }

    /// Begins a data file at a relative path, in a folder that is made if need be.
    pub(crate) fn create(&self, path: &str, schema: FileSchema) -> Result<FileWriter> {
        let path = self.root.join(path);
        if let Some(dir) = path.parent() {
            let failed = |source| Error::Directory {
                path: dir.to_owned(),
                source,
            };
            self.file_system.create_dir_all(dir).map_err(failed)?;
        }
        Ok(FileWriter::create(
            self.file_system.clone(),
            &path,
            schema,
            self.options,
        )?)
    }

    /// Whether a name in a measurement's folder is one that this engine gives: a data file, one
    /// that was being written, or one that is set aside.
    pub(crate) fn is_own_name(name: &str) -> bool {
        let stem = name
            .strip_suffix(".tmp")
            .or_else(|| name.strip_suffix(DAMAGED_SUFFIX))
            .unwrap_or(name);
        stem.strip_suffix(".parquet")
            .is_some_and(|id| id.parse::<Id>().is_ok())
    }
}

/// A listed data file. It is opened when it is first read. Once it is [`LiveFile::retire`]d, the
/// last holder removes it from the disk, so no reader loses a file under its hands.
#[derive(Debug)]
pub(crate) struct LiveFile {
    record: FileRecord,
    space: FileSpace,
    path: PathBuf,
    data: OnceLock<DataFile>,
    is_retired: AtomicBool,
    is_damaged: AtomicBool,
    /// The series that a tombstone selects, by its sequence number.
    selections: Mutex<FxHashMap<u64, Arc<[u32]>>>,
}

impl LiveFile {
    pub(crate) fn new(record: FileRecord, space: FileSpace) -> Self {
        let path = space.root.join(&record.path);
        Self {
            record,
            space,
            path,
            data: OnceLock::new(),
            is_retired: AtomicBool::new(false),
            is_damaged: AtomicBool::new(false),
            selections: Mutex::default(),
        }
    }

    pub(crate) fn record(&self) -> &FileRecord {
        &self.record
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The times of its rows.
    pub(crate) fn range(&self) -> TimeRange {
        TimeRange::new(self.record.min_time, self.record.max_time)
    }

    pub(crate) fn data(&self) -> Result<&DataFile> {
        if let Some(data) = self.data.get() {
            return Ok(data);
        }
        let file_system = self.space.file_system.clone();
        let data = self.watch(DataFile::open(file_system, &self.path, &self.space.cache))?;
        Ok(self.data.get_or_init(|| data))
    }

    pub(crate) fn directory(&self) -> Result<Arc<Directory>> {
        self.watch(self.data()?.directory())
    }

    /// As [`DataFile::read`].
    pub(crate) fn read(
        &self,
        rows: &[Range<u64>],
        columns: &[&str],
        with_time: bool,
    ) -> Result<RowBatches> {
        self.watch(self.data()?.read(rows, columns, with_time))
    }

    /// As [`DataFile::footprint`].
    pub(crate) fn footprint(&self, rows: &[Range<u64>], columns: &[&str]) -> Result<Footprint> {
        self.watch(self.data()?.footprint(rows, columns))
    }

    /// As [`DataFile::rows_near`].
    pub(crate) fn rows_near(&self, rows: Range<u64>, range: TimeRange) -> Result<Range<u64>> {
        self.watch(self.data()?.rows_near(rows, range))
    }

    /// Sets the file aside when it turns out to be damaged or missing: later snapshots do without
    /// it, so that the rest stays readable.
    fn watch<T>(&self, result: Result<T, FileError>) -> Result<T> {
        result.map_err(|error| {
            let is_broken = error.is_damage() || error.is_missing();
            if is_broken && !self.is_damaged.swap(true, Ordering::AcqRel) {
                self.set_aside(&error);
            }
            error.into()
        })
    }

    #[cold]
    fn set_aside(&self, error: &FileError) {
        let file_system = &self.space.file_system;
        let moved = if error.is_missing() {
            Ok(())
        } else {
            let moved = file_system.rename(&self.path, &aside(&self.path));
            moved.and_then(|()| match self.path.parent() {
                Some(dir) => file_system.sync_dir(dir),
                None => Ok(()),
            })
        };
        let rows = self.record.rows;
        tracing::error!(
            path = %self.path.display(), %error, rows,
            "a data file is set aside, queries go on without its rows; \
             `headwater check --repair` rebuilds what it can"
        );
        if let Err(error) = moved {
            tracing::error!(path = %self.path.display(), %error, "cannot rename a data file");
        }
        let damage = &self.space.damage;
        damage.files.lock().push(self.record.clone());
        damage.has_any.store(true, Ordering::Release);
    }

    /// To be called at the start for a file that is set aside or missing.
    pub(crate) fn mark_damaged(&self) {
        self.is_damaged.store(true, Ordering::Release);
    }

    /// Whether the tombstone hides rows of this file: it is newer, and their times meet.
    pub(crate) fn is_hit_by(&self, tombstone: &Tombstone) -> bool {
        self.record.max_sequence < tombstone.sequence
            && tombstone.concerns(&self.record.measurement)
            && tombstone.range.overlaps(self.range())
    }

    /// The series that a tombstone with a predicate selects, ascending.
    pub(crate) fn selection(&self, tombstone: &Tombstone) -> Result<Option<Arc<[u32]>>> {
        let Some(predicate) = &tombstone.predicate else {
            return Ok(None);
        };
        if let Some(known) = self.selections.lock().get(&tombstone.sequence) {
            return Ok(Some(known.clone()));
        }
        let selected: Arc<[u32]> = self
            .directory()?
            .select(predicate, &mut Watch::new(&|_| true))?
            .into();
        self.selections
            .lock()
            .insert(tombstone.sequence, selected.clone());
        Ok(Some(selected))
    }

    /// To be called when the catalog no longer lists the file.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }
}

/// The name of a file that is set aside.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(DAMAGED_SUFFIX);
    name.into()
}

impl Drop for LiveFile {
    fn drop(&mut self) {
        if !self.is_retired.load(Ordering::Acquire) {
            return;
        }
        let file_system = &self.space.file_system;
        let is_damaged = self.is_damaged.load(Ordering::Acquire);
        if is_damaged && file_system.remove(&aside(&self.path)).is_ok() {
            return;
        }
        match file_system.remove(&self.path) {
            Ok(()) => {}
            Err(error) if is_damaged && error.kind() == io::ErrorKind::NotFound => {}
            // The file is not listed any more; the next start removes it.
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "cannot remove a data file");
            }
        }
    }
}

#[cfg(test)]
mod tests;
