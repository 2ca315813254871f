//! Looks over the data directory of a stopped server: the write-ahead log, the catalog's records,
//! every data file with its checksums, counts and series. Repairs what can be repaired when told
//! to; without that nothing is changed.
//!
//! `files` knows what may be wrong with one data file, `repair` what is left of it.

mod files;
mod repair;

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use headwater_catalog::{Catalog, FileChange, FileRecord, SchemaColumn, StorageRecords};
use headwater_model::{FieldType, line_protocol};

use crate::{
    engine::Components,
    error::Result,
    file::{FileCache, FileOptions},
    live_file::{DAMAGED_SUFFIX, FileSpace},
    open::{check_format, own_files},
    settings::Settings,
    tombstone::Tombstone,
    wal::{self, Entry},
};

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// In the order of looking.
    pub findings: Vec<Finding>,
    /// Segments and records of the write-ahead log.
    pub segments: usize,
    pub records: usize,
    /// Listed data files, and their rows by the catalog.
    pub files: usize,
    pub rows: u64,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// The file or the row of the catalog.
    pub place: String,
    pub text: String,
    /// What the repair did about it; `None`: nothing.
    pub repaired: Option<String>,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The next start cleans it up, nothing is lost.
    Leftover,
    /// Something that was acknowledged cannot be read, or figures contradict each other.
    Damage,
}

impl CheckReport {
    /// Whether damage is left.
    pub fn is_damaged(&self) -> bool {
        let is_left = |f: &Finding| f.severity == Severity::Damage && f.repaired.is_none();
        self.findings.iter().any(is_left)
    }

    fn add(&mut self, severity: Severity, place: impl ToString, text: impl Into<String>) {
        self.findings.push(Finding {
            severity,
            place: place.to_string(),
            text: text.into(),
            repaired: None,
        });
    }

    fn repaired(&mut self, text: impl Into<String>) {
        if let Some(finding) = self.findings.last_mut() {
            finding.repaired = Some(text.into());
        }
    }
}

/// Checks the data under `settings.data_dir`, which no server may be using.
///
/// # Errors
/// The disk or the catalog fails, or a newer program has written here. Damage is no error: it is
/// in the report.
pub async fn check(
    settings: &Settings,
    components: Components,
    is_repair: bool,
) -> Result<CheckReport> {
    let space = FileSpace {
        file_system: components.file_system.clone(),
        cache: FileCache::new(0),
        root: settings.data_dir.join("data"),
        damage: Default::default(),
        options: FileOptions {
            row_group_rows: settings.row_group_rows,
            page_rows: settings.page_rows,
        },
    };
    check_format(&space, is_repair)?;
    let mut check = Check {
        report: CheckReport::default(),
        is_repair,
        space,
        catalog: components.catalog,
        quarantine: settings.data_dir.join("quarantine"),
    };
    check.log(&settings.data_dir.join("wal"))?;
    check.catalog().await?;
    let records = check.catalog.storage_records().await?;
    check.records(&records);
    check.files(&records).await?;
    check.leftovers(&records)?;
    Ok(check.report)
}

struct Check {
    report: CheckReport,
    is_repair: bool,
    space: FileSpace,
    catalog: Catalog,
    /// Where a repair moves what it cannot use.
    quarantine: PathBuf,
}

impl Check {
    fn log(&mut self, dir: &Path) -> Result<()> {
        for segment in wal::inspect(&*self.space.file_system, dir)? {
            self.report.segments += 1;
            self.report.records += segment.records.len();
            let path = segment.path.display().to_string();
            let mut is_bad = false;
            for (offset, reason) in &segment.damage {
                is_bad = true;
                let text = format!("it is damaged at byte {offset}: {reason}");
                self.report.add(Severity::Damage, &path, text);
                if self.is_repair {
                    self.report.repaired(
                        "kept the records before and after it; the old file is beside it",
                    );
                }
            }
            if let Some(at) = segment.torn_at {
                is_bad = true;
                let text = format!("it ends inside a record at byte {at}, never acknowledged");
                self.report.add(Severity::Leftover, &path, text);
                if self.is_repair {
                    self.report.repaired("cut there");
                }
            }
            for record in &segment.records {
                if let Entry::Write {
                    precision,
                    default_time,
                    lines,
                    ..
                } = &record.entry
                    && let Err(error) = line_protocol::parse(lines, *precision, *default_time)
                {
                    let text = format!("write {} does not parse: {error}", record.sequence);
                    self.report.add(Severity::Damage, &path, text);
                }
            }
            if is_bad && self.is_repair {
                segment.repair(&*self.space.file_system)?;
            }
        }
        Ok(())
    }

    async fn catalog(&mut self) -> Result<()> {
        for text in self.catalog.integrity().await? {
            self.report.add(Severity::Damage, "catalog", text);
        }
        Ok(())
    }

    /// Whether the catalog's records agree with each other.
    fn records(&mut self, records: &StorageRecords) {
        let known = self.catalog.state();
        let mut partitions: BTreeMap<_, Vec<&FileRecord>> = BTreeMap::new();
        for file in &records.files {
            let place = format!("catalog, file {}", file.id);
            let mut damage = |text: String| self.report.add(Severity::Damage, &place, text);
            if known.bucket(file.bucket).is_none() {
                let text = format!("its bucket {} does not exist", file.bucket);
                self.report.add(Severity::Leftover, &place, text);
                continue;
            }
            let path = FileSpace::relative_path(file.bucket, &file.measurement, file.id);
            if file.path != path {
                damage(format!("its path is {}, not {path}", file.path));
            }
            if file.min_time < file.partition_start || file.max_time >= file.partition_end {
                damage("its rows are outside of its partition".to_owned());
            }
            if file.min_sequence > file.max_sequence {
                damage("its first write is after its last".to_owned());
            }
            let partition = (file.bucket, &file.measurement, file.partition_start);
            partitions.entry(partition).or_default().push(file);
        }
        for files in partitions.values_mut() {
            files.sort_by_key(|file| file.min_sequence);
            for pair in files.windows(2) {
                if pair[0].min_sequence == pair[1].min_sequence {
                    let place = format!("catalog, file {}", pair[1].id);
                    let text = format!("it begins with the same write as file {}", pair[0].id);
                    self.report.add(Severity::Damage, place, text);
                }
            }
        }
        for tombstone in &records.tombstones {
            if let Err(error) = Tombstone::from_record(tombstone.clone()) {
                let place = format!("catalog, delete {}", tombstone.sequence);
                self.report.add(Severity::Damage, place, error.to_string());
            }
        }
    }

    async fn files(&mut self, records: &StorageRecords) -> Result<()> {
        let mut types: BTreeMap<_, BTreeMap<&str, FieldType>> = BTreeMap::new();
        for column in &records.schema {
            if let SchemaColumn::Field(kind) = column.column {
                let partition = (column.bucket, &*column.measurement, column.partition_start);
                let fields = types.entry(partition).or_default();
                fields.insert(&column.name, kind);
            }
        }
        let none = BTreeMap::new();
        for record in &records.files {
            self.report.files += 1;
            self.report.rows += record.rows;
            let partition = (record.bucket, &*record.measurement, record.partition_start);
            let fields = types.get(&partition).unwrap_or(&none);
            let found = files::inspect(&self.space, record, fields)?;
            if found.is_empty() {
                continue;
            }
            let path = self.space.root.join(&record.path);
            let first = self.report.findings.len();
            for text in found {
                self.report.add(Severity::Damage, path.display(), text);
            }
            if !self.is_repair {
                continue;
            }
            let repair = repair::repair(&self.space, &self.quarantine, record)?;
            let change = FileChange {
                removed: vec![record.id],
                added: repair.record.into_iter().collect(),
                ..FileChange::default()
            };
            self.catalog.commit_files(change).await?;
            for finding in &mut self.report.findings[first..] {
                finding.repaired = Some(repair.text.clone());
            }
        }
        Ok(())
    }

    /// Files that nothing refers to.
    fn leftovers(&mut self, records: &StorageRecords) -> Result<()> {
        let listed: HashSet<&str> = records.files.iter().map(|file| &*file.path).collect();
        for path in own_files(&self.space)? {
            let name = path.strip_suffix(DAMAGED_SUFFIX).unwrap_or(&path);
            if listed.contains(name) {
                continue;
            }
            let path = self.space.root.join(&path);
            let text = "the catalog does not list it";
            self.report.add(Severity::Leftover, path.display(), text);
            if self.is_repair && !self.catalog.state().is_setup_allowed() {
                let removed = self.space.file_system.remove(&path);
                removed.map_err(|source| crate::Error::Directory { path, source })?;
                self.report.repaired("removed");
            }
        }
        Ok(())
    }
}
