//! One suite that every file system passes.

use std::{io::ErrorKind, path::Path};

use crate::{FileSystem, SimulatedFileSystem, StdFileSystem};

fn on_both(check: impl Fn(&dyn FileSystem, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    check(&StdFileSystem, folder.path());
    let simulated = SimulatedFileSystem::new();
    simulated.create_dir_all(Path::new("/data")).unwrap();
    check(&simulated, Path::new("/data"));
}

fn write(fs: &dyn FileSystem, path: &Path, bytes: &[u8]) {
    let mut file = fs.create(path).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
}

#[test]
fn appended_bytes_are_read_back_in_order() {
    on_both(|fs, dir| {
        let path = dir.join("a");
        let mut file = fs.create(&path).unwrap();
        file.append(b"one ").unwrap();
        file.append(b"two").unwrap();
        file.sync().unwrap();
        assert_eq!(fs.read(&path).unwrap(), b"one two");
        let opened = fs.open(&path).unwrap();
        assert_eq!(opened.len(), 7);
        assert!(!opened.is_empty());
        assert_eq!(opened.read_at(2, 3).unwrap(), b"e t");
        assert_eq!(opened.read_at(7, 0).unwrap(), b"");
    });
}

#[test]
fn reading_past_the_end_is_an_error() {
    on_both(|fs, dir| {
        let path = dir.join("a");
        write(fs, &path, b"123");
        let opened = fs.open(&path).unwrap();
        for (offset, len) in [(2, 2), (4, 0), (0, usize::MAX), (u64::MAX, 1)] {
            let error = opened.read_at(offset, len).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{offset} {len}");
        }
    });
}

#[test]
fn creating_a_file_again_empties_it() {
    on_both(|fs, dir| {
        write(fs, &dir.join("a"), b"long content");
        write(fs, &dir.join("a"), b"new");
        assert_eq!(fs.read(&dir.join("a")).unwrap(), b"new");
    });
}

#[test]
fn names_are_listed_sorted_and_a_missing_folder_has_none() {
    on_both(|fs, dir| {
        write(fs, &dir.join("b"), b"");
        write(fs, &dir.join("a"), b"");
        fs.create_dir_all(&dir.join("c/d")).unwrap();
        fs.create_dir_all(&dir.join("c/d")).unwrap();
        fs.sync_dir(dir).unwrap();
        assert_eq!(fs.list(dir).unwrap(), ["a", "b", "c"]);
        assert_eq!(fs.list(&dir.join("c")).unwrap(), ["d"]);
        assert_eq!(fs.list(&dir.join("nothing")).unwrap(), [""; 0]);
    });
}

#[test]
fn renaming_replaces_the_target() {
    on_both(|fs, dir| {
        write(fs, &dir.join("a"), b"new");
        write(fs, &dir.join("b"), b"old");
        fs.rename(&dir.join("a"), &dir.join("b")).unwrap();
        assert_eq!(fs.list(dir).unwrap(), ["b"]);
        assert_eq!(fs.read(&dir.join("b")).unwrap(), b"new");
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    on_both(|fs, dir| {
        let path = dir.join("missing");
        let kinds = [
            fs.read(&path).unwrap_err().kind(),
            fs.open(&path).err().unwrap().kind(),
            fs.remove(&path).unwrap_err().kind(),
            fs.rename(&path, &dir.join("x")).unwrap_err().kind(),
            fs.truncate(&path, 0).unwrap_err().kind(),
            fs.create(&path.join("x")).err().unwrap().kind(),
            fs.sync_dir(&path).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::NotFound; 7]);
    });
}

#[test]
fn removed_files_are_gone() {
    on_both(|fs, dir| {
        write(fs, &dir.join("a"), b"x");
        fs.remove(&dir.join("a")).unwrap();
        assert_eq!(fs.list(dir).unwrap(), [""; 0]);
    });
}

#[test]
fn truncation_shortens_and_never_lengthens() {
    on_both(|fs, dir| {
        let path = dir.join("a");
        write(fs, &path, b"12345");
        fs.truncate(&path, 2).unwrap();
        assert_eq!(fs.read(&path).unwrap(), b"12");
        assert_eq!(
            fs.truncate(&path, 3).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    });
}
