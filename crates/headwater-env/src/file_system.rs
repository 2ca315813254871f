//! The synchronous file system under the WAL and the data files.
//!
//! What a caller may rely on after a crash, with the real one and with the simulated twin:
//! - bytes of a file: those present at its last [`AppendFile::sync`];
//! - names (created, renamed, removed): as at the last [`FileSystem::sync_dir`] of their folder;
//! - [`FileSystem::create_dir_all`] and [`FileSystem::truncate`] are durable when they return.

mod std;

#[cfg(test)]
mod tests;

use ::std::{fmt::Debug, io, path::Path, sync::Arc};

pub use self::std::StdFileSystem;

/// Durable files. Errors are the system's; [`io::ErrorKind::NotFound`] is kept.
pub trait FileSystem: Send + Sync + Debug + 'static {
    /// Opens an empty file to append to; a file of that name loses its content.
    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;

    /// Opens a file to read parts of it.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>>;

    /// The whole content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The names in a folder, files and folders alike, sorted. A missing folder has none.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Gives a file a new name, replacing a file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Creates a folder and those above it, durably.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Cuts a file to `len` bytes, durably. A shorter file is an error.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;
}

/// A file system as components hold it.
pub type SharedFileSystem = Arc<dyn FileSystem>;

/// A file being written from its start to its end.
pub trait AppendFile: Send {
    /// Adds bytes. After an error an unknown part of them may be in the file.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all bytes appended so far durable. After an error nothing is known about those since
    /// the last successful call, and a further call proves nothing.
    fn sync(&mut self) -> io::Result<()>;
}

/// A finished file.
pub trait RandomAccessFile: Send + Sync {
    /// The length in bytes when the file was opened.
    fn len(&self) -> u64;

    /// Whether the file was empty when it was opened.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Exactly `len` bytes from `offset`; [`io::ErrorKind::UnexpectedEof`] when there are fewer.
    fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>>;
}

/// The error of [`FileSystem::truncate`] on a file that is too short already.
pub(crate) fn shorter_than(path: &Path, have: u64, want: u64) -> io::Error {
    let text = format!(
        "cannot truncate {} to {want} bytes, it has {have}",
        path.display()
    );
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
