//! The thread that appends and syncs.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use headwater_env::{AppendFile, SharedClock, SharedFileSystem};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    reader::segment_path,
    record::{Entry, FRAME_MARK, Record, SEGMENT_HEAD},
};
use crate::{
    error::{Error, Result},
    limits::WAL_BUFFER_BYTES,
    poison::Poison,
    settings::{Fsync, WalSettings},
    state::Generation,
};

/// Answers when what was asked for is durable.
pub(crate) type Done = oneshot::Receiver<Result<(), Arc<str>>>;
type Reply = oneshot::Sender<Result<(), Arc<str>>>;

/// Hands work to the thread. Work is done in the order in which it is handed in.
#[derive(Debug)]
pub(crate) struct Wal {
    sender: Mutex<Option<Sender<Command>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
enum Command {
    Append(Record, Reply),
    /// A memtable generation begins: later records belong to it.
    Begin(Generation),
    /// A generation is in data files: its segments may go.
    Release {
        generation: Generation,
        sequence: u64,
        reply: Reply,
    },
}

/// What the thread starts with.
pub(crate) struct Start {
    pub(crate) file_system: SharedFileSystem,
    pub(crate) clock: SharedClock,
    pub(crate) dir: PathBuf,
    pub(crate) settings: WalSettings,
    pub(crate) poison: Poison,
    /// Segments that were there; their records belong to `generation`.
    pub(crate) segments: Vec<u64>,
    pub(crate) generation: Generation,
}

impl Wal {
    /// Creates the first segment and starts the thread.
    pub(crate) fn start(start: Start) -> Result<Self> {
        let next = start.segments.last().map_or(1, |last| last + 1);
        let path = start.dir.clone();
        let mut writer = Writer {
            generations: VecDeque::from([(
                start.generation,
                start.segments.first().copied().unwrap_or(next),
            )]),
            old: start.segments,
            current: None,
            number: next,
            segment_len: 0,
            unsynced: false,
            buffer: Vec::new(),
            waiting: Vec::new(),
            synced_at: start.clock.monotonic(),
            file_system: start.file_system,
            clock: start.clock,
            dir: start.dir,
            settings: start.settings,
            poison: start.poison,
        };
        writer.open_segment(next)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("headwater-wal".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|source| Error::Wal { path, source })?;
        Ok(Self {
            sender: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a record.
    pub(crate) fn append(&self, record: Record) -> Done {
        let (reply, done) = oneshot::channel();
        self.send(Command::Append(record, reply));
        done
    }

    /// Later records belong to `generation`.
    pub(crate) fn begin(&self, generation: Generation) {
        self.send(Command::Begin(generation));
    }

    /// Removes the segments of `generation` and those before, after writing down that all
    /// records up to `sequence` are in data files.
    pub(crate) fn release(&self, generation: Generation, sequence: u64) -> Done {
        let (reply, done) = oneshot::channel();
        self.send(Command::Release {
            generation,
            sequence,
            reply,
        });
        done
    }

    fn send(&self, command: Command) {
        // After `stop` the reply is dropped, which the waiting side reports as closed.
        if let Some(sender) = &*self.sender.lock() {
            let _ = sender.send(command);
        }
    }

    /// Finishes what is queued and ends the thread. Blocks.
    pub(crate) fn stop(&self) {
        self.sender.lock().take();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the write-ahead log's thread panicked");
        }
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Writer {
    file_system: SharedFileSystem,
    clock: SharedClock,
    dir: PathBuf,
    settings: WalSettings,
    poison: Poison,
    /// Closed segments that are still there, ascending.
    old: Vec<u64>,
    /// `None` only after a failure.
    current: Option<Box<dyn AppendFile>>,
    number: u64,
    segment_len: usize,
    /// Each generation that is not released, with the first segment that may hold its records.
    generations: VecDeque<(Generation, u64)>,
    buffer: Vec<u8>,
    unsynced: bool,
    synced_at: Duration,
    waiting: Vec<Reply>,
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Command>) {
        loop {
            let first = match self.patience() {
                Some(patience) => match receiver.recv_timeout(patience) {
                    Ok(command) => Some(command),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
                None => match receiver.recv() {
                    Ok(command) => Some(command),
                    Err(_) => break,
                },
            };
            let result = self.batch(first, receiver);
            self.answer(result);
        }
        let result = self.write_buffer().and_then(|()| self.sync());
        self.answer(result);
    }

    /// How long to wait for work before a sync is due; `None` when none is.
    fn patience(&self) -> Option<Duration> {
        match self.settings.fsync {
            Fsync::Interval(interval) if self.unsynced => {
                Some((self.synced_at + interval).saturating_sub(self.clock.monotonic()))
            }
            _ => None,
        }
    }

    /// Takes all that is queued, then makes it durable together.
    fn batch(&mut self, first: Option<Command>, receiver: &Receiver<Command>) -> io::Result<()> {
        let mut next = first;
        while let Some(command) = next {
            self.take(command)?;
            next = receiver.try_recv().ok();
        }
        self.write_buffer()?;
        let is_due = match self.settings.fsync {
            Fsync::Always => true,
            Fsync::Interval(_) => self.patience().is_some_and(|patience| patience.is_zero()),
        };
        if is_due {
            self.sync()?;
        }
        if self.segment_len >= self.settings.segment_bytes {
            self.rotate()?;
        }
        Ok(())
    }

    fn take(&mut self, command: Command) -> io::Result<()> {
        match command {
            Command::Append(record, reply) => {
                self.waiting.push(reply);
                self.append(&record)
            }
            Command::Begin(generation) => {
                if self.segment_len > 0 {
                    self.rotate()?;
                }
                self.generations.push_back((generation, self.number));
                Ok(())
            }
            Command::Release {
                generation,
                sequence,
                reply,
            } => {
                self.waiting.push(reply);
                self.append(&Record {
                    sequence,
                    entry: Entry::Checkpoint,
                })?;
                self.write_buffer()?;
                self.sync()?;
                self.release(generation)
            }
        }
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        if self.poison.is_set() {
            return Err(io::Error::other("the log failed before"));
        }
        let (head, body) = record.encode();
        let too_long = |_| io::Error::other("record is longer than a frame can say");
        let len = u32::try_from(head.len() + body.len()).map_err(too_long)?;
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&head), &body);
        self.buffer.extend_from_slice(&FRAME_MARK);
        self.buffer.extend_from_slice(&len.to_le_bytes());
        self.buffer.extend_from_slice(&checksum.to_le_bytes());
        self.buffer.extend_from_slice(&head);
        if body.len() >= WAL_BUFFER_BYTES {
            self.write_buffer()?;
            self.write(&body)?;
        } else {
            self.buffer.extend_from_slice(&body);
        }
        if self.buffer.len() >= WAL_BUFFER_BYTES {
            self.write_buffer()?;
        }
        Ok(())
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.write(&buffer);
        buffer.clear();
        self.buffer = buffer;
        result
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self
            .current
            .as_mut()
            .ok_or_else(|| io::Error::other("no open segment"))?;
        file.append(bytes)?;
        self.segment_len += bytes.len();
        self.unsynced = true;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.unsynced {
            let file = self
                .current
                .as_mut()
                .ok_or_else(|| io::Error::other("no open segment"))?;
            file.sync()?;
            self.unsynced = false;
        }
        self.synced_at = self.clock.monotonic();
        Ok(())
    }

    /// Closes the segment, synced, so that only the last one can end in a torn record.
    fn rotate(&mut self) -> io::Result<()> {
        self.write_buffer()?;
        self.sync()?;
        self.old.push(self.number);
        self.create_segment(self.number + 1)
    }

    fn open_segment(&mut self, number: u64) -> Result<()> {
        let path = segment_path(&self.dir, number);
        self.file_system
            .create_dir_all(&self.dir)
            .and_then(|()| self.create_segment(number))
            .map_err(|source| Error::Wal { path, source })
    }

    fn create_segment(&mut self, number: u64) -> io::Result<()> {
        self.current = None;
        let mut file = self.file_system.create(&segment_path(&self.dir, number))?;
        let mut head = SEGMENT_HEAD.to_vec();
        head.extend_from_slice(&number.to_le_bytes());
        file.append(&head)?;
        file.sync()?;
        self.file_system.sync_dir(&self.dir)?;
        self.current = Some(file);
        self.number = number;
        self.segment_len = 0;
        Ok(())
    }

    /// Removes the segments that hold only records of `generation` and older ones.
    fn release(&mut self, generation: Generation) -> io::Result<()> {
        while self.generations.len() > 1 && self.generations[0].0 <= generation {
            self.generations.pop_front();
        }
        let first_needed = self
            .generations
            .front()
            .map_or(self.number, |(_, segment)| *segment);
        let (gone, kept) = self.old.iter().partition(|&&number| number < first_needed);
        self.old = kept;
        let gone: Vec<u64> = gone;
        for &number in &gone {
            self.file_system.remove(&segment_path(&self.dir, number))?;
        }
        if !gone.is_empty() {
            self.file_system.sync_dir(&self.dir)?;
        }
        Ok(())
    }

    /// Tells those who wait. A failure poisons: what is in the file after it is unknown.
    fn answer(&mut self, result: io::Result<()>) {
        let result = result.map_err(|error| -> Arc<str> {
            let path = segment_path(&self.dir, self.number);
            let text = format!("write-ahead log {}: {error}", path.display());
            self.poison.set(text.clone());
            self.current = None;
            self.buffer.clear();
            self.unsynced = false;
            text.into()
        });
        for reply in self.waiting.drain(..) {
            // One who no longer waits does not want to know.
            let _ = reply.send(result.clone());
        }
    }
}
