//! A data file of ours in which any bytes have changed.
//!
//! The input is a list of changes of four bytes: where (two bytes, modulo the length), how (odd:
//! the file ends here; even: the byte is set) and the new byte.
//!
//! Under libFuzzer the checksums of the directory and of the footer, which would refuse nearly all
//! of these, are not compared: decoding these two must not rest on them. Column chunks are decoded by
//! the `parquet` crate, which panics over pages that contradict the footer; there the checksums are
//! what keeps damage out, so rows are read of a file only that is whole.

use std::path::{Path, PathBuf};

use headwater_env::{FileSystem, SimulatedFileSystem};
use headwater_model::TimeRange;
use headwater_storage::{Snapshot, TagPredicate};

use super::{
    content::{Content, content},
    world::{World, put},
};

struct Template {
    world: World,
    path: PathBuf,
    bytes: Vec<u8>,
    content: Content,
}

thread_local! {
    static TEMPLATE: Template = template();
}

/// The file is refused or read.
pub fn parquet_file(data: &[u8]) {
    TEMPLATE.with(|template| {
        let mut bytes = template.bytes.clone();
        for change in data.chunks_exact(4).take(64) {
            if bytes.is_empty() {
                break;
            }
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
            match change[2] % 2 {
                0 => bytes[at] = change[3],
                _ => bytes.truncate(at),
            }
        }
        let disk = SimulatedFileSystem::new();
        put(&disk, &template.path, &bytes).expect("the disk is whole");
        let engine = template.world.open(&disk).expect("the file is there");
        let snapshot = engine.snapshot(template.world.bucket);
        if bytes == template.bytes {
            let found = content(&snapshot).expect("the file is whole");
            assert_eq!(found, template.content);
        }
        // Refusals are answers; only panics are not.
        let _ = look(&snapshot);
    });
}

/// What needs the footer and the directory.
fn look(snapshot: &Snapshot) -> headwater_storage::Result<()> {
    let predicate = TagPredicate::Or(vec![
        TagPredicate::Not(Box::new(TagPredicate::Has {
            key: "region".to_owned(),
        })),
        TagPredicate::Equals {
            key: "host".to_owned(),
            value: "h2".to_owned(),
        },
    ]);
    snapshot.measurements()?;
    for partition in snapshot.partitions("m", TimeRange::ALL) {
        partition.tag_keys();
        let all = partition.select(None)?;
        assert!(partition.select(Some(&predicate))?.len() <= all.len());
    }
    Ok(())
}

/// A file with every type, absent tags and fields, several row groups and pages.
fn template() -> Template {
    let world = World::new();
    let mut lines = String::new();
    for at in 0..120_i64 {
        let (series, step) = (at % 7, at / 7);
        let region = if series % 2 == 0 { ",region=eu" } else { "" };
        let float = (at as f64) * 0.37;
        lines.push_str(&format!(
            "m,host=h{series}{region} f={float},i={}i",
            at * at
        ));
        if at % 3 == 0 {
            lines.push_str(&format!(",u={at}u,b={},s=\"text {step}\"", at % 2 == 0));
        }
        lines.push_str(&format!(" {}\n", step * 10_000_000_000));
    }
    world.write(&lines);
    world.wait(world.engine.flush()).expect("the disk is whole");
    let dir = format!("/headwater/data/{}/m", world.bucket);
    let dir = Path::new(&dir);
    let names = world.disk.list(dir).expect("the folder is there");
    let path = dir.join(&names[0]);
    let bytes = world.disk.read(&path).expect("the file is there");
    let content = content(&world.engine.snapshot(world.bucket)).expect("the file is whole");
    assert_eq!((names.len(), content.len()), (1, 120 * 2 + 40 * 3));
    Template {
        world,
        path,
        bytes,
        content,
    }
}
