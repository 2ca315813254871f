//! What survives a crash, and failures on demand.

use std::path::Path;

use super::*;
use crate::SeededRandom;

fn file_system() -> (SimulatedFileSystem, PathBuf) {
    let fs = SimulatedFileSystem::new();
    fs.create_dir_all(Path::new("/d")).unwrap();
    (fs, PathBuf::from("/d/a"))
}

#[test]
fn a_crash_keeps_content_up_to_the_last_sync() {
    let (fs, path) = file_system();
    let mut file = fs.create(&path).unwrap();
    fs.sync_dir(Path::new("/d")).unwrap();
    file.append(b"kept").unwrap();
    file.sync().unwrap();
    file.append(b" lost").unwrap();
    assert_eq!(fs.crash_image().read(&path).unwrap(), b"kept");
    assert_eq!(fs.read(&path).unwrap(), b"kept lost");
    fs.crash();
    assert_eq!(fs.read(&path).unwrap(), b"kept");
    assert!(file.append(b"x").is_err(), "handles die with the crash");
}

#[test]
fn a_crash_keeps_names_only_after_their_folder_was_synced() {
    let (fs, path) = file_system();
    let dir = Path::new("/d");
    let mut file = fs.create(&path).unwrap();
    file.append(b"x").unwrap();
    file.sync().unwrap();
    assert_eq!(fs.crash_image().list(dir).unwrap(), [""; 0]);
    fs.sync_dir(dir).unwrap();
    fs.rename(&path, Path::new("/d/b")).unwrap();
    assert_eq!(fs.crash_image().list(dir).unwrap(), ["a"]);
    fs.sync_dir(dir).unwrap();
    fs.remove(Path::new("/d/b")).unwrap();
    assert_eq!(fs.crash_image().list(dir).unwrap(), ["b"]);
    fs.sync_dir(dir).unwrap();
    assert_eq!(fs.crash_image().list(dir).unwrap(), [""; 0]);
}

#[test]
fn truncation_survives_a_crash() {
    let (fs, path) = file_system();
    let mut file = fs.create(&path).unwrap();
    fs.sync_dir(Path::new("/d")).unwrap();
    file.append(b"12345").unwrap();
    file.sync().unwrap();
    fs.truncate(&path, 3).unwrap();
    fs.crash();
    assert_eq!(fs.read(&path).unwrap(), b"123");
}

#[test]
fn a_torn_crash_keeps_a_prefix_that_holds_all_synced_bytes() {
    for seed in 0..50 {
        let (fs, path) = file_system();
        let mut file = fs.create(&path).unwrap();
        fs.sync_dir(Path::new("/d")).unwrap();
        file.append(b"synced").unwrap();
        file.sync().unwrap();
        file.append(b" and not").unwrap();
        fs.crash_torn(&SeededRandom::new(seed));
        let left = fs.read(&path).unwrap();
        assert!(
            left.starts_with(b"synced") && b"synced and not".starts_with(&left),
            "{seed}"
        );
    }
}

#[test]
fn an_injected_failure_hits_once_and_in_its_turn() {
    let (fs, path) = file_system();
    let mut file = fs.create(&path).unwrap();
    fs.fail_after(Operation::Append, 1);
    file.append(b"12").unwrap();
    assert!(file.append(b"3456").is_err());
    assert_eq!(fs.read(&path).unwrap(), b"1234", "half of the failed bytes");
    file.append(b"7").unwrap();
    fs.fail_next(Operation::Sync);
    assert!(file.sync().is_err());
    file.sync().unwrap();
    fs.fail_next(Operation::Create);
    assert!(fs.create(&path).is_err());
}

#[test]
fn after_the_loss_of_power_nothing_works_until_the_crash() {
    let (fs, path) = file_system();
    fs.lose_power_after(1);
    let mut file = fs.create(&path).unwrap();
    assert!(file.append(b"x").is_err());
    assert!(fs.read(&path).is_err());
    fs.crash();
    assert!(fs.list(Path::new("/d")).is_ok());
}

#[test]
fn a_corrupted_byte_stays_corrupted() {
    let (fs, path) = file_system();
    let mut file = fs.create(&path).unwrap();
    fs.sync_dir(Path::new("/d")).unwrap();
    file.append(b"ab").unwrap();
    file.sync().unwrap();
    assert!(fs.corrupt(&path, 1, 0xff));
    assert!(!fs.corrupt(&path, 2, 0xff));
    fs.crash();
    assert_eq!(fs.read(&path).unwrap(), [b'a', b'b' ^ 0xff]);
}
