//! Any records of files, columns and deletes in the catalog, as they are found at start-up.
//!
//! A line of the input is one record; its words are numbers or names, and what is missing is 0 or
//! empty:
//!
//!     file MEASUREMENT WHICH PARTITION-START PARTITION-END ROWS BYTES MIN-TIME MAX-TIME
//!          MIN-SEQUENCE MAX-SEQUENCE LEVEL
//!     column MEASUREMENT PARTITION-START NAME TYPE
//!     tombstone SEQUENCE MEASUREMENT MIN-TIME MAX-TIME PREDICATE
//!
//! WHICH chooses one of two files that are whole, or else is a path. A measurement `*` of a tombstone
//! is all.

use std::path::Path;

use headwater_catalog::{FileChange, FileRecord, SchemaColumn, SchemaRecord, TombstoneRecord};
use headwater_env::{FileSystem, SimulatedFileSystem};
use headwater_model::FieldType;

use super::{
    content::content,
    world::{World, put},
};

const RECORDS_MAX: usize = 20;

struct Template {
    world: World,
    /// Path under the data directory, and content.
    files: Vec<(String, Vec<u8>)>,
}

thread_local! {
    static TEMPLATE: Template = template();
}

/// The engine refuses the records or opens; it then reads, takes a write, flushes and compacts, or
/// says why not.
pub fn catalog_rows(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    TEMPLATE.with(|template| {
        let world = &template.world;
        let disk = SimulatedFileSystem::new();
        for (path, bytes) in &template.files {
            let path = Path::new("/headwater/data").join(path);
            put(&disk, &path, bytes).expect("the disk is whole");
        }
        for line in text.lines().take(RECORDS_MAX) {
            template.record(line);
        }
        // Refusals are answers; only panics are not.
        let _ = exercise(world, &disk);
        world.forget_files();
    });
}

fn exercise(world: &World, disk: &SimulatedFileSystem) -> headwater_storage::Result<()> {
    let engine = world.open(disk)?;
    let read = || content(&engine.snapshot(world.bucket)).map(drop);
    let found = read();
    world.write_to(&engine, "m,host=a f=1 1")?;
    found.and_then(|()| read())?;
    world.wait(engine.flush())?;
    world.wait(engine.compact_all(false))?;
    world.wait(engine.compact_all(true))?;
    read()
}

impl Template {
    /// Puts a record into the catalog; one that the catalog refuses is left out.
    fn record(&self, line: &str) {
        let bucket = self.world.bucket;
        let mut words = line.split(' ');
        let kind = words.next();
        let mut word = || words.next().unwrap_or_default();
        let number = |word: &str| word.parse::<i64>().unwrap_or_default();
        let count = |word: &str| number(word).unsigned_abs();
        let change = match kind {
            Some("file") => {
                let (measurement, which) = (word().to_owned(), word());
                let whole = which.parse().ok().and_then(|at: usize| self.files.get(at));
                let file = FileRecord {
                    id: self.world.catalog.new_id(),
                    bucket,
                    measurement,
                    partition_start: number(word()),
                    partition_end: number(word()),
                    path: whole.map_or(which, |(path, _)| path).to_owned(),
                    rows: count(word()),
                    bytes: count(word()),
                    min_time: number(word()),
                    max_time: number(word()),
                    min_sequence: count(word()),
                    max_sequence: count(word()),
                    level: number(word()) as u32,
                };
                FileChange {
                    added: vec![file],
                    ..FileChange::default()
                }
            }
            Some("column") => {
                let column = SchemaRecord {
                    bucket,
                    measurement: word().to_owned(),
                    partition_start: number(word()),
                    name: word().to_owned(),
                    column: FieldType::from_name(word())
                        .map_or(SchemaColumn::Tag, SchemaColumn::Field),
                };
                FileChange {
                    schema_added: vec![column],
                    ..FileChange::default()
                }
            }
            Some("tombstone") => {
                let tombstone = TombstoneRecord {
                    sequence: count(word()),
                    bucket,
                    measurement: Some(word().to_owned()).filter(|name| name != "*"),
                    min_time: number(word()),
                    max_time: number(word()),
                    predicate: Some(words.collect::<Vec<_>>().join(" "))
                        .filter(|text| !text.is_empty()),
                };
                FileChange {
                    tombstones_added: vec![tombstone],
                    ..FileChange::default()
                }
            }
            _ => return,
        };
        let _ = self.world.wait(self.world.catalog.commit_files(change));
    }
}

/// Two files of one partition that overlap, and nothing in the catalog.
fn template() -> Template {
    let world = World::new();
    world.write("m,host=a f=1,i=1i,s=\"x\" 1\nm,host=b f=2,b=true 2\nm f=3,u=3u 3");
    world.wait(world.engine.flush()).expect("the disk is whole");
    world.write("m,host=a f=4 1\nm,host=c i=5i 4");
    world.wait(world.engine.flush()).expect("the disk is whole");
    let folder = format!("{}/m", world.bucket);
    let dir = Path::new("/headwater/data").join(&folder);
    let names = world.disk.list(&dir).expect("the folder is there");
    let read = |name: &String| world.disk.read(&dir.join(name)).expect("the file is there");
    let files: Vec<_> = names
        .iter()
        .map(|name| (format!("{folder}/{name}"), read(name)))
        .collect();
    assert_eq!(files.len(), 2);
    world.forget_files();
    Template { world, files }
}
