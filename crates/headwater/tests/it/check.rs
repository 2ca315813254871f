//! `headwater check` on what a server left, through the real binary.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::json;

use crate::server::Server;

fn check(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["check", "--data-dir"])
        .arg(dir)
        .args(args)
        .output()
        .expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn damage_is_told_by_exit_code_and_repaired_on_request() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    server.write("s", "cpu,host=a v=1i 1\ncpu,host=b v=2i 2");
    let running = check(dir.path(), &[]);
    assert_eq!(running.status.code(), Some(1));
    let in_use = format!(
        "headwater: {} is in use by another process\n",
        dir.path().display()
    );
    assert_eq!(text(&running.stderr), in_use);
    assert!(server.terminate().success());

    let whole = check(dir.path(), &[]);
    assert_eq!(whole.status.code(), Some(0), "{whole:?}");
    let summary = text(&whole.stdout);
    assert!(
        summary.contains("1 data files with 2 rows: 0 findings"),
        "{summary}"
    );

    let file = files(&dir.path().join("data"));
    let file = file
        .iter()
        .find(|path| path.extension().is_some())
        .expect("a data file");
    let mut bytes = std::fs::read(file).expect("readable");
    let directory = b"{\"offset\":";
    let at = bytes
        .windows(directory.len())
        .rposition(|w| w == directory)
        .expect("in the footer");
    let digits = text(&bytes[at + directory.len()..at + directory.len() + 12]);
    let offset = digits
        .split(',')
        .next()
        .and_then(|d| d.parse::<usize>().ok())
        .expect("a number");
    bytes[offset + 4] ^= 1;
    std::fs::write(file, bytes).expect("writable");

    let damaged = check(dir.path(), &[]);
    assert_eq!(damaged.status.code(), Some(1));
    let found = text(&damaged.stdout);
    let expected = format!(
        "damage: {}: the checksum of its series directory is ",
        file.display()
    );
    assert!(found.starts_with(&expected), "{found}");
    let repaired = check(dir.path(), &["--repair"]);
    assert_eq!(repaired.status.code(), Some(0), "{repaired:?}");
    assert_eq!(check(dir.path(), &[]).status.code(), Some(0));
    let server = Server::start(dir.path());
    let answer = server.query("SELECT sum(v) FROM cpu");
    assert_eq!(answer["results"][0]["series"][0]["values"], json!([[0, 3]]));
}
