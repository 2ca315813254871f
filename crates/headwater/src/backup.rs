//! Backups: a folder that holds the data files of a data directory, a copy of its catalog and of
//! its write-ahead log, and `manifest.json`, which lists them with lengths and checksums.
//!
//! A backup is taken from the files of a server that may be running. Data files never change, so
//! only new ones are copied. The manifest is replaced at the end, in one step, and what only the
//! old one lists is removed after that: a backup that breaks off leaves the one before it whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use headwater_catalog::{Catalog, FileRecord};
use serde::{Deserialize, Serialize};

/// The version of the layout.
const VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// How often a backup begins again because a compaction took a file away, or a flush a piece of
/// the log.
const ATTEMPTS: usize = 10;

/// What a backup consists of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    version: u32,
    /// Counts the backups into this folder.
    number: u64,
    /// By path in the folder.
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    crc32c: u32,
    /// Where it belongs in a data directory.
    restored_as: String,
}

/// What a backup did.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) copied: usize,
    pub(crate) copied_bytes: u64,
    /// Data files that an earlier backup had brought.
    pub(crate) kept: usize,
}

impl Manifest {
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let manifest: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no manifest of a backup", path.display()))?;
        if manifest.version > VERSION {
            bail!(
                "{} has version {}, this program knows versions up to {VERSION}: it was written by a \
                 newer program",
                path.display(),
                manifest.version
            );
        }
        Ok(Some(manifest))
    }

    fn write(&self, dir: &Path) -> Result<()> {
        let temporary = dir.join("manifest.json.tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        fs::rename(&temporary, dir.join(MANIFEST))?;
        File::open(dir)?.sync_all()?;
        Ok(())
    }
}

/// Backs up `data_dir` into `dir`.
pub(crate) async fn back_up(data_dir: &Path, dir: &Path) -> Result<Summary> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let before = Manifest::read(dir)?;
    let number = before.as_ref().map_or(1, |manifest| manifest.number + 1);
    let mut known = before.map(|manifest| manifest.files).unwrap_or_default();
    let mut summary = Summary::default();
    for _ in 0..ATTEMPTS {
        let mut attempt = Attempt {
            data_dir,
            dir,
            number,
            known: &mut known,
            files: BTreeMap::new(),
            summary: &mut summary,
        };
        if attempt.run().await? {
            let files = attempt.files;
            let manifest = Manifest {
                version: VERSION,
                number,
                files,
            };
            manifest.write(dir)?;
            remove_unlisted(dir, &manifest)?;
            return Ok(summary);
        }
    }
    bail!("files went away under the backup {ATTEMPTS} times; try again when less is written")
}

struct Attempt<'a> {
    data_dir: &'a Path,
    dir: &'a Path,
    number: u64,
    /// Data files that are there.
    known: &'a mut BTreeMap<String, Entry>,
    files: BTreeMap<String, Entry>,
    summary: &'a mut Summary,
}

impl Attempt<'_> {
    /// `false`: the server took something away meanwhile.
    ///
    /// The log is copied before the catalog and again after it: the first copy holds what is not
    /// in the catalog's files yet, the second the records of all deletes that the catalog knows.
    /// So the second is the state to restore, unless a flush has removed a segment in between.
    async fn run(&mut self) -> Result<bool> {
        let log = self.dir.join(format!("wal-{}", self.number));
        if log.exists() {
            fs::remove_dir_all(&log)?;
        }
        let first = self.log()?;
        let catalog = self.dir.join(format!("catalog-{}.sqlite", self.number));
        remove_if_there(&catalog)?;
        Catalog::copy(&self.data_dir.join("catalog.sqlite"), &catalog).await?;
        let records = crate::wire::catalog_files(&catalog).await?;
        self.note(&catalog, "catalog.sqlite")?;
        if !self.log()?.is_superset(&first) {
            return Ok(false);
        }
        for record in &records {
            if !self.data_file(record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Copies the segments of the log; returns their names.
    fn log(&mut self) -> Result<BTreeSet<String>> {
        let from = self.data_dir.join("wal");
        let to = self.dir.join(format!("wal-{}", self.number));
        fs::create_dir_all(&to)?;
        let mut names = BTreeSet::new();
        for entry in
            fs::read_dir(&from).with_context(|| format!("cannot read {}", from.display()))?
        {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".log") {
                continue;
            }
            // One that is removed now is in data files.
            if copy(&from.join(&name), &to.join(&name))?.is_some() {
                self.note(&to.join(&name), &format!("wal/{name}"))?;
                names.insert(name);
            }
        }
        Ok(names)
    }

    fn data_file(&mut self, record: &FileRecord) -> Result<bool> {
        let path = format!("data/{}", record.path);
        if let Some(entry) = self.known.get(&path)
            && fs::metadata(self.dir.join(&path)).is_ok_and(|found| found.len() == entry.bytes)
        {
            self.files.insert(path, entry.clone());
            self.summary.kept += 1;
            return Ok(true);
        }
        let to = self.dir.join(&path);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut aside = record.path.clone();
        aside.push_str(".damaged");
        let data = self.data_dir.join("data");
        let Some((bytes, crc32c)) = copy(&data.join(&record.path), &to)? else {
            // One that was set aside as damaged is missing in the backup too.
            return Ok(data.join(aside).exists());
        };
        self.summary.copied += 1;
        self.summary.copied_bytes += bytes;
        let entry = Entry {
            bytes,
            crc32c,
            restored_as: path.clone(),
        };
        self.known.insert(path.clone(), entry.clone());
        self.files.insert(path, entry);
        Ok(true)
    }

    fn note(&mut self, path: &Path, restored_as: &str) -> Result<()> {
        let (bytes, crc32c) = transfer(File::open(path)?, io::sink())?;
        let inside = path.strip_prefix(self.dir).unwrap_or(path);
        let entry = Entry {
            bytes,
            crc32c,
            restored_as: restored_as.to_owned(),
        };
        self.files.insert(inside.display().to_string(), entry);
        Ok(())
    }
}

/// Restores a backup into a folder where nothing is; returns the number of files. `is_wanted`
/// chooses data files by their bucket's identifier.
pub(crate) fn restore(
    dir: &Path,
    data_dir: &Path,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<usize> {
    let manifest = Manifest::read(dir)?
        .with_context(|| format!("{} holds no backup: it has no {MANIFEST}", dir.display()))?;
    let mut count = 0;
    for (path, entry) in &manifest.files {
        let bucket = entry.restored_as.strip_prefix("data/");
        let bucket = bucket.and_then(|path| path.split('/').next());
        if bucket.is_some_and(|bucket| !is_wanted(bucket)) {
            continue;
        }
        let from = dir.join(path);
        let to = data_dir.join(&entry.restored_as);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        let found = copy(&from, &to)?.with_context(|| format!("{} is missing", from.display()))?;
        if found != (entry.bytes, entry.crc32c) {
            bail!(
                "{} is damaged: it has {} bytes with checksum {:08x}, recorded are {} with {:08x}",
                from.display(),
                found.0,
                found.1,
                entry.bytes,
                entry.crc32c
            );
        }
        count += 1;
    }
    Ok(count)
}

/// The catalog's copy in a backup.
pub(crate) fn catalog_of(dir: &Path) -> Result<PathBuf> {
    let manifest = Manifest::read(dir)?
        .with_context(|| format!("{} holds no backup: it has no {MANIFEST}", dir.display()))?;
    let mut files = manifest.files.iter();
    let catalog = files.find(|(_, entry)| entry.restored_as == "catalog.sqlite");
    let (path, _) = catalog.context("the backup has no catalog")?;
    Ok(dir.join(path))
}

/// Copies a file durably; its length and checksum, or `None` if it is not there.
fn copy(from: &Path, to: &Path) -> Result<Option<(u64, u32)>> {
    let source = match File::open(from) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", from.display())),
    };
    let mut target = File::create(to).with_context(|| format!("cannot create {}", to.display()))?;
    let copied = transfer(source, &mut target)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    target.sync_all()?;
    Ok(Some(copied))
}

fn transfer(mut source: impl Read, mut target: impl Write) -> io::Result<(u64, u32)> {
    let mut chunk = vec![0; 1 << 20];
    let (mut bytes, mut checksum) = (0, 0);
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            return Ok((bytes, checksum));
        }
        target.write_all(&chunk[..read])?;
        checksum = crc32c::crc32c_append(checksum, &chunk[..read]);
        bytes += read as u64;
    }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Removes what the manifest does not list any more, of what backups bring.
fn remove_unlisted(dir: &Path, manifest: &Manifest) -> Result<()> {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let inside = path.strip_prefix(dir).unwrap_or(&path);
            let inside = inside.display().to_string();
            let is_ours = ["data", "wal-", "catalog-"]
                .iter()
                .any(|p| inside.starts_with(p));
            if !is_ours || manifest.files.contains_key(&inside) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                remove_if_there(&path)?;
            }
        }
    }
    Ok(())
}
