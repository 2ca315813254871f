//! What is read again and what is kept.

use std::sync::Mutex;

use arrow_array::{Array, Float64Array};
use headwater_env::{AppendFile, FileSystem, RandomAccessFile, SimulatedFileSystem};
use headwater_model::{FieldType, SeriesKey};

use super::*;
use crate::file::{FileOptions, FileSchema, FileWriter};

const PATH: &str = "/data/f.parquet";

/// Notes the length of each read.
#[derive(Debug, Default)]
struct Observed {
    inner: SimulatedFileSystem,
    reads: Arc<Mutex<Vec<usize>>>,
}

struct ObservedFile {
    inner: Arc<dyn RandomAccessFile>,
    reads: Arc<Mutex<Vec<usize>>>,
}

impl RandomAccessFile for ObservedFile {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, len: usize) -> std::io::Result<Vec<u8>> {
        self.reads.lock().unwrap().push(len);
        self.inner.read_at(offset, len)
    }
}

impl FileSystem for Observed {
    fn create(&self, path: &Path) -> std::io::Result<Box<dyn AppendFile>> {
        self.inner.create(path)
    }

    fn open(&self, path: &Path) -> std::io::Result<Arc<dyn RandomAccessFile>> {
        let inner = self.inner.open(path)?;
        Ok(Arc::new(ObservedFile {
            inner,
            reads: self.reads.clone(),
        }))
    }

    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn list(&self, dir: &Path) -> std::io::Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> std::io::Result<()> {
        self.inner.remove(path)
    }

    fn create_dir_all(&self, dir: &Path) -> std::io::Result<()> {
        self.inner.create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> std::io::Result<()> {
        self.inner.sync_dir(dir)
    }

    fn truncate(&self, path: &Path, len: u64) -> std::io::Result<()> {
        self.inner.truncate(path, len)
    }
}

/// A file of two row groups of 50 rows with two fields.
fn file(cache: &FileCache) -> (DataFile, Arc<Mutex<Vec<usize>>>) {
    let file_system = Arc::new(Observed::default());
    file_system.create_dir_all(Path::new("/data")).unwrap();
    let schema = FileSchema {
        measurement: "m".into(),
        tag_keys: Vec::new(),
        fields: vec![
            ("f".into(), FieldType::Float),
            ("g".into(), FieldType::Float),
        ],
    };
    let options = FileOptions {
        row_group_rows: 50,
        page_rows: 10,
    };
    let mut writer =
        FileWriter::create(file_system.clone(), Path::new(PATH), schema, options).unwrap();
    let times: Vec<i64> = (0..100).collect();
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values((0..100).map(f64::from)));
    let key = SeriesKey::new("m".into(), Vec::new());
    writer
        .write_series(&key, &times, &[Some(values), None])
        .unwrap();
    writer.finish().unwrap();
    let reads = file_system.reads.clone();
    (
        DataFile::open(file_system, Path::new(PATH), cache).unwrap(),
        reads,
    )
}

fn count(reads: &Arc<Mutex<Vec<usize>>>) -> usize {
    std::mem::take(&mut *reads.lock().unwrap()).len()
}

#[test]
fn only_the_chunks_that_are_needed_are_read_and_only_once() {
    let (file, reads) = file(&FileCache::new(1 << 20));
    count(&reads);
    file.read(&[0..5, 20..30], &["f"], false).unwrap();
    assert_eq!(count(&reads), 1, "one column of one row group");
    file.read(&[0..5, 20..30], &["f"], true).unwrap();
    assert_eq!(count(&reads), 1, "the times");
    file.read(std::slice::from_ref(&(0..100)), &["f"], true)
        .unwrap();
    assert_eq!(count(&reads), 2, "the second row group");
    file.read(std::slice::from_ref(&(0..100)), &["f"], true)
        .unwrap();
    assert_eq!(count(&reads), 0, "all is known");
}

#[test]
fn nulls_throughout_are_known_without_reading() {
    let (file, reads) = file(&FileCache::new(1 << 20));
    count(&reads);
    let read = file
        .read(std::slice::from_ref(&(40..60)), &["g"], false)
        .unwrap();
    assert_eq!(read.columns[0].as_ref().unwrap().null_count(), 20);
    assert_eq!(count(&reads), 0);
}

#[test]
fn without_a_cache_everything_is_read_again() {
    let (file, reads) = file(&FileCache::new(0));
    count(&reads);
    for _ in 0..2 {
        assert_eq!(file.directory().unwrap().series_count(), 1);
        assert_eq!(count(&reads), 2, "the footer and the directory");
        let read = file
            .read(std::slice::from_ref(&(3..5)), &["f"], true)
            .unwrap();
        assert_eq!(read.times.to_vec(), [3, 4]);
        assert_eq!(count(&reads), 3, "the footer and two columns");
    }
}

#[test]
fn the_page_index_leaves_only_pages_of_the_range() {
    let (file, _) = file(&FileCache::new(1 << 20));
    let near = |rows, start, end| file.rows_near(rows, TimeRange::new(start, end)).unwrap();
    assert_eq!(near(0..100, 23, 23), 20..30);
    assert_eq!(
        near(0..100, 38, 61),
        30..70,
        "over the border of row groups"
    );
    assert_eq!(
        near(25..58, 23, 90),
        25..58,
        "never more than was asked for"
    );
    assert_eq!(near(25..58, 0, 31), 25..40);
    assert!(near(0..100, 200, 300).is_empty());
}
