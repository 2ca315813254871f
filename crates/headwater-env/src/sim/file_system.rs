//! A file system in memory that keeps apart what is there from what would survive a crash.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::{AppendFile, FileSystem, Random, RandomAccessFile, file_system::shorter_than};

/// Files in memory. Clones share them.
///
/// [`SimulatedFileSystem::crash`] leaves exactly what [`FileSystem`]'s rules promise, so code that
/// forgets a sync loses data in the first test that crashes. Handles opened before a crash fail
/// from then on.
#[derive(Debug, Clone, Default)]
pub struct SimulatedFileSystem {
    state: Arc<Mutex<State>>,
}

/// What an injected failure hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Create,
    /// The failing append leaves the first half of its bytes in the file, as a full disk does.
    Append,
    Sync,
    SyncDir,
    Rename,
    Remove,
    Truncate,
    CreateDir,
    /// Opening, reading, reading a part, listing.
    Read,
}

#[derive(Debug, Default)]
struct State {
    /// The running system's view.
    names: BTreeMap<PathBuf, FileId>,
    dirs: BTreeSet<PathBuf>,
    /// What a crash leaves.
    durable_names: BTreeMap<PathBuf, FileId>,
    files: Vec<File>,
    /// Counts crashes; a handle of an earlier epoch is dead.
    epoch: u64,
    faults: Vec<Fault>,
    /// Changes that still succeed before everything fails.
    power_left: Option<u64>,
    /// Bytes that all named files together may have.
    capacity: Option<u64>,
    changes: u64,
}

type FileId = usize;

#[derive(Debug, Clone, Default)]
struct File {
    content: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Debug)]
struct Fault {
    operation: Operation,
    skip: u64,
}

impl SimulatedFileSystem {
    /// An empty file system.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loses power and starts again: bytes that were not synced are gone, and so are changes of
    /// names whose folder was not synced. Pending injected failures are forgotten.
    pub fn crash(&self) {
        self.crash_keeping(|_| 0, |_| false);
    }

    /// As [`SimulatedFileSystem::crash`], but a random part of what was not synced survives: a
    /// prefix of the unsynced bytes of each file, the names of any of the folders.
    pub fn crash_torn(&self, random: &dyn Random) {
        self.crash_keeping(
            |unsynced| (random.u64() % (unsynced as u64 + 1)) as usize,
            |_| random.u64().is_multiple_of(2),
        );
    }

    /// Another file system with what a crash at this moment would leave; this one runs on.
    pub fn crash_image(&self) -> Self {
        let state = self.state.lock();
        let copy = State {
            names: state.names.clone(),
            dirs: state.dirs.clone(),
            durable_names: state.durable_names.clone(),
            files: state.files.clone(),
            ..State::default()
        };
        drop(state);
        let image = Self {
            state: Arc::new(Mutex::new(copy)),
        };
        image.crash();
        image
    }

    /// The next `operation` fails.
    pub fn fail_next(&self, operation: Operation) {
        self.fail_after(operation, 0);
    }

    /// The `operation` that follows `skip` further ones of its kind fails, once.
    pub fn fail_after(&self, operation: Operation, skip: u64) {
        self.state.lock().faults.push(Fault { operation, skip });
    }

    /// After `changes` more changes (anything but reading) every operation fails until
    /// [`SimulatedFileSystem::crash`]. With rising numbers a test dies once at every step.
    pub fn lose_power_after(&self, changes: u64) {
        self.state.lock().power_left = Some(changes);
    }

    /// Makes a disk of `bytes` (`None`: endless). An append that does not fit writes what fits and
    /// fails with [`io::ErrorKind::StorageFull`]; what is there stays.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state.lock().capacity = bytes;
    }

    /// Bytes of all files that have a name.
    pub fn used_bytes(&self) -> u64 {
        self.state.lock().used_bytes()
    }

    /// How many changes were asked for since the start.
    pub fn changes(&self) -> u64 {
        self.state.lock().changes
    }

    /// Overwrites a byte of a file, durably, as a failing disk does. `false`: there is none.
    pub fn corrupt(&self, path: &Path, offset: usize, xor: u8) -> bool {
        let mut state = self.state.lock();
        let Some(&id) = state.names.get(path) else {
            return false;
        };
        let file = &mut state.files[id];
        let Some(byte) = file.content.get_mut(offset) else {
            return false;
        };
        *byte ^= xor;
        if let Some(byte) = file.durable.get_mut(offset) {
            *byte ^= xor;
        }
        true
    }

    fn crash_keeping(&self, keep: impl Fn(usize) -> usize, keep_names: impl Fn(&Path) -> bool) {
        let mut state = self.state.lock();
        let State {
            names,
            durable_names,
            files,
            ..
        } = &mut *state;
        for file in files {
            let synced = file.durable.len();
            if file.content.starts_with(&file.durable) {
                let kept = keep(file.content.len() - synced);
                file.durable
                    .extend_from_slice(&file.content[synced..synced + kept]);
            }
            file.content.clone_from(&file.durable);
        }
        // A folder's changes survive together, so that a rename is never half done.
        let dirs: BTreeSet<PathBuf> = names
            .keys()
            .chain(durable_names.keys())
            .map(|path| parent(path).to_owned())
            .collect();
        for dir in dirs.into_iter().filter(|dir| keep_names(dir)) {
            sync_names(names, durable_names, &dir);
        }
        names.clone_from(durable_names);
        state.epoch += 1;
        state.faults.clear();
        state.power_left = None;
    }
}

impl State {
    /// Counts the operation and fails it when a test asked for that.
    fn admit(&mut self, operation: Operation) -> io::Result<()> {
        let is_change = operation != Operation::Read;
        self.changes += u64::from(is_change);
        match &mut self.power_left {
            Some(0) => return Err(io::Error::other("simulated loss of power")),
            Some(left) if is_change => *left -= 1,
            _ => {}
        }
        for at in 0..self.faults.len() {
            let fault = &mut self.faults[at];
            if fault.operation != operation {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else {
                self.faults.remove(at);
                return Err(io::Error::other(format!(
                    "simulated failure of {operation:?}"
                )));
            }
        }
        Ok(())
    }

    fn used_bytes(&self) -> u64 {
        let ids: BTreeSet<FileId> = self.names.values().copied().collect();
        let sizes = ids.iter().map(|&id| self.files[id].content.len() as u64);
        sizes.sum()
    }

    /// How many of `bytes` more bytes there is room for.
    fn room_for(&self, bytes: usize) -> usize {
        let Some(capacity) = self.capacity else {
            return bytes;
        };
        let room = capacity.saturating_sub(self.used_bytes());
        usize::try_from(room).map_or(bytes, |room| room.min(bytes))
    }

    fn file_id(&self, path: &Path) -> io::Result<FileId> {
        self.names.get(path).copied().ok_or_else(|| not_found(path))
    }

    fn check_dir(&self, path: &Path) -> io::Result<()> {
        let dir = parent(path);
        if is_root(dir) || self.dirs.contains(dir) {
            Ok(())
        } else {
            Err(not_found(dir))
        }
    }

    fn check_epoch(&self, epoch: u64) -> io::Result<()> {
        if self.epoch == epoch {
            Ok(())
        } else {
            Err(io::Error::other("handle of before a crash"))
        }
    }
}

impl FileSystem for SimulatedFileSystem {
    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut state = self.state.lock();
        state.admit(Operation::Create)?;
        state.check_dir(path)?;
        if state.dirs.contains(path) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let id = match state.names.get(path) {
            Some(&id) => {
                state.files[id].content.clear();
                id
            }
            None => {
                state.files.push(File::default());
                let id = state.files.len() - 1;
                state.names.insert(path.to_owned(), id);
                id
            }
        };
        let epoch = state.epoch;
        Ok(Box::new(Handle {
            state: Arc::clone(&self.state),
            id,
            epoch,
            len: 0,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>> {
        let mut state = self.state.lock();
        state.admit(Operation::Read)?;
        let id = state.file_id(path)?;
        let len = state.files[id].content.len() as u64;
        let epoch = state.epoch;
        Ok(Arc::new(Handle {
            state: Arc::clone(&self.state),
            id,
            epoch,
            len,
        }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut state = self.state.lock();
        state.admit(Operation::Read)?;
        let id = state.file_id(path)?;
        Ok(state.files[id].content.clone())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state.lock();
        state.admit(Operation::Read)?;
        let paths = state.names.keys().chain(&state.dirs);
        let inside = paths.filter(|path| parent(path) == dir);
        let mut names: Vec<String> = inside
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.admit(Operation::Rename)?;
        state.check_dir(to)?;
        let id = state.file_id(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.admit(Operation::Remove)?;
        state.file_id(path)?;
        state.names.remove(path);
        Ok(())
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.admit(Operation::CreateDir)?;
        for dir in dir.ancestors().filter(|dir| !is_root(dir)) {
            if state.names.contains_key(dir) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.dirs.insert(dir.to_owned());
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.admit(Operation::SyncDir)?;
        if !is_root(dir) && !state.dirs.contains(dir) {
            return Err(not_found(dir));
        }
        let State {
            names,
            durable_names,
            ..
        } = &mut *state;
        sync_names(names, durable_names, dir);
        Ok(())
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        state.admit(Operation::Truncate)?;
        let id = state.file_id(path)?;
        let file = &mut state.files[id];
        let have = file.content.len() as u64;
        if have < len {
            return Err(shorter_than(path, have, len));
        }
        file.content.truncate(len as usize);
        file.durable.clone_from(&file.content);
        Ok(())
    }
}

/// An open file, for appending or for reading.
struct Handle {
    state: Arc<Mutex<State>>,
    id: FileId,
    epoch: u64,
    len: u64,
}

impl AppendFile for Handle {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        state.check_epoch(self.epoch)?;
        let admitted = state.admit(Operation::Append);
        let written = if admitted.is_ok() {
            &bytes[..state.room_for(bytes.len())]
        } else {
            &bytes[..bytes.len() / 2]
        };
        state.files[self.id].content.extend_from_slice(written);
        admitted?;
        if written.len() < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state.lock();
        state.check_epoch(self.epoch)?;
        state.admit(Operation::Sync)?;
        let File { content, durable } = &mut state.files[self.id];
        if content.starts_with(durable) {
            durable.extend_from_slice(&content[durable.len()..]);
        } else {
            durable.clone_from(content);
        }
        Ok(())
    }
}

impl RandomAccessFile for Handle {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state.lock();
        state.check_epoch(self.epoch)?;
        state.admit(Operation::Read)?;
        let content = &state.files[self.id].content;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = start
            .checked_add(len)
            .and_then(|end| content.get(start..end));
        bytes
            .map(<[u8]>::to_vec)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Makes the names in one folder durable.
fn sync_names(
    names: &BTreeMap<PathBuf, FileId>,
    durable_names: &mut BTreeMap<PathBuf, FileId>,
    dir: &Path,
) {
    durable_names.retain(|path, _| parent(path) != dir);
    let inside = names.iter().filter(|(path, _)| parent(path) == dir);
    durable_names.extend(inside.map(|(path, id)| (path.clone(), *id)));
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The two folders that are always there: `/` and the current one.
fn is_root(dir: &Path) -> bool {
    dir.as_os_str().is_empty() || dir.parent().is_none()
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("no such file or folder: {}", path.display()),
    )
}
