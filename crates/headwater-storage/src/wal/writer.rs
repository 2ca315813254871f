//! The thread that appends and syncs.
//!
//! A failed sync or append poisons the engine: what is in the file after it is unknown. A full
//! disk does not: the torn end is cut off, those who wait are told, and the records stay queued
//! until there is room or a flush has made them superfluous, so that memory and log agree.

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
    record::{Entry, FRAME_MARK, Record, SEGMENT_HEAD, SEGMENT_HEAD_LEN},
};
use crate::{
    error::{Error, Result},
    limits::WAL_BUFFER_BYTES,
    poison::Poison,
    settings::{Fsync, WalSettings},
    state::Generation,
};

/// Answers when what was asked for is durable.
pub(crate) type Done = oneshot::Receiver<Result<(), WalFailure>>;
type Reply = oneshot::Sender<Result<(), WalFailure>>;

/// How often a full disk is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Why something did not become durable.
#[derive(Debug, Clone)]
pub(crate) enum WalFailure {
    /// There is no room; what was asked for is tried again when there is.
    Full(Arc<str>),
    /// Nothing goes into the log any more.
    Failed(Arc<str>),
}

/// The reason why the log cannot grow, while that is so. Cheap to clone.
#[derive(Debug, Clone, Default)]
struct Full(Arc<Mutex<Option<Arc<str>>>>);

/// Hands work to the thread. Work is done in the order in which it is handed in.
#[derive(Debug)]
pub(crate) struct Wal {
    full: Full,
    sender: Mutex<Option<Sender<Command>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
enum Command {
    /// Nobody waits any more once a full disk was reported.
    Append(Record, Option<Reply>),
    /// Asks whether there is room again.
    Probe(Reply),
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
    /// Starts the thread. The first record creates the first segment.
    pub(crate) fn start(start: Start) -> Result<Self> {
        let next = start.segments.last().map_or(1, |last| last + 1);
        let dir = start.dir.clone();
        let failed = |source| Error::Wal {
            path: dir.clone(),
            source,
        };
        start.file_system.create_dir_all(&dir).map_err(failed)?;
        let full = Full::default();
        let writer = Writer {
            generations: VecDeque::from([(
                start.generation,
                start.segments.first().copied().unwrap_or(next),
            )]),
            old: start.segments,
            current: None,
            number: next,
            segment_len: 0,
            whole_len: 0,
            unsynced: false,
            buffer: Vec::new(),
            queue: VecDeque::new(),
            batch: Vec::new(),
            full: full.clone(),
            synced_at: start.clock.monotonic(),
            file_system: start.file_system,
            clock: start.clock,
            dir: start.dir,
            settings: start.settings,
            poison: start.poison,
        };
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("headwater-wal".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(failed)?;
        Ok(Self {
            full,
            sender: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a record.
    pub(crate) fn append(&self, record: Record) -> Done {
        let (reply, done) = oneshot::channel();
        self.send(Command::Append(record, Some(reply)));
        done
    }

    /// Whether the disk was full when the log was last written to.
    pub(crate) fn is_full(&self) -> bool {
        self.full.0.lock().is_some()
    }

    /// Tries a full disk again; fails while it is full.
    pub(crate) fn probe(&self) -> Done {
        let (reply, done) = oneshot::channel();
        self.send(Command::Probe(reply));
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
    full: Full,
    /// Closed segments that are still there, ascending.
    old: Vec<u64>,
    /// The segment that takes records; `None` until the next record creates it.
    current: Option<Box<dyn AppendFile>>,
    /// Of the current segment, or of the next one.
    number: u64,
    segment_len: usize,
    /// How much of the segment holds records that were reported durable, or written if syncs come
    /// at an interval.
    whole_len: usize,
    /// Each generation that is not released, with the first segment that may hold its records.
    generations: VecDeque<(Generation, u64)>,
    /// Encoded and not in the file.
    buffer: Vec<u8>,
    unsynced: bool,
    synced_at: Duration,
    /// To be done, in order.
    queue: VecDeque<Command>,
    /// Taken from the queue and not durable.
    batch: Vec<Command>,
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
            self.queue.extend(first);
            // All that waits becomes durable together.
            self.queue.extend(receiver.try_iter());
            let result = self.work();
            self.conclude(result);
        }
        let result = self.work().and_then(|()| self.commit(true));
        self.conclude(result);
    }

    /// How long to wait for work before something else is due; `None` when nothing is.
    fn patience(&self) -> Option<Duration> {
        if !self.queue.is_empty() {
            return Some(RETRY);
        }
        match self.settings.fsync {
            Fsync::Interval(interval) if self.unsynced => {
                Some((self.synced_at + interval).saturating_sub(self.clock.monotonic()))
            }
            _ => None,
        }
    }

    /// Carries out the queue. After an error what is not durable is still in it, or in the batch.
    fn work(&mut self) -> io::Result<()> {
        while let Some(command) = self.queue.pop_front() {
            // What an error interrupts is done again.
            let result = self.carry_out(&command);
            match command {
                Command::Append(..) | Command::Probe(_) => self.batch.push(command),
                _ if result.is_err() => self.queue.push_front(command),
                Command::Begin(_) => {}
                Command::Release { reply, .. } => {
                    let _ = reply.send(Ok(()));
                }
            }
            result?;
        }
        let is_due = match self.settings.fsync {
            Fsync::Always => true,
            Fsync::Interval(_) => self.patience().is_some_and(|patience| patience.is_zero()),
        };
        self.commit(is_due)?;
        if self.segment_len >= self.settings.segment_bytes {
            self.seal()?;
        }
        Ok(())
    }

    fn carry_out(&mut self, command: &Command) -> io::Result<()> {
        match command {
            Command::Append(record, _) => self.append(record),
            Command::Probe(_) => Ok(()),
            Command::Begin(generation) => {
                self.seal()?;
                self.generations.push_back((*generation, self.number));
                Ok(())
            }
            Command::Release {
                generation,
                sequence,
                ..
            } => {
                self.append(&Record {
                    sequence: *sequence,
                    entry: Entry::Checkpoint,
                })?;
                self.commit(true)?;
                self.release(*generation)
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
        if self.current.is_none() {
            self.create_segment()?;
        }
        let file = self.current.as_mut().expect("was just created if need be");
        file.append(bytes)?;
        self.segment_len += bytes.len();
        self.unsynced = true;
        Ok(())
    }

    /// Writes what is buffered, makes it durable if that is due, and tells those who wait.
    fn commit(&mut self, is_sync_due: bool) -> io::Result<()> {
        self.write_buffer()?;
        if is_sync_due {
            if let Some(file) = self.current.as_mut().filter(|_| self.unsynced) {
                file.sync()?;
                self.unsynced = false;
            }
            self.synced_at = self.clock.monotonic();
        }
        self.whole_len = self.segment_len;
        for command in self.batch.drain(..) {
            if let Command::Append(_, Some(reply)) | Command::Probe(reply) = command {
                // One who no longer waits does not want to know.
                let _ = reply.send(Ok(()));
            }
        }
        Ok(())
    }

    /// Closes the segment, synced, so that only the last one can end in a torn record.
    fn seal(&mut self) -> io::Result<()> {
        self.commit(true)?;
        if self.current.take().is_some() {
            self.old.push(self.number);
            self.number += 1;
            (self.segment_len, self.whole_len) = (0, 0);
        }
        Ok(())
    }

    fn create_segment(&mut self) -> io::Result<()> {
        let path = segment_path(&self.dir, self.number);
        let mut file = self.file_system.create(&path)?;
        let mut head = SEGMENT_HEAD.to_vec();
        head.extend_from_slice(&self.number.to_le_bytes());
        file.append(&head)?;
        file.sync()?;
        self.file_system.sync_dir(&self.dir)?;
        self.current = Some(file);
        self.segment_len = 0;
        self.whole_len = 0;
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

    /// What follows from how the work went.
    fn conclude(&mut self, result: io::Result<()>) {
        let Err(error) = result else {
            if self.full.0.lock().take().is_some() {
                tracing::info!("there is room for the write-ahead log again");
            }
            return;
        };
        let path = segment_path(&self.dir, self.number);
        let text: Arc<str> = format!("write-ahead log {}: {error}", path.display()).into();
        let stalled = match is_full(&error) {
            true => self.stall(&text),
            false => Err(error),
        };
        if stalled.is_ok() {
            return;
        }
        self.poison.set(&*text);
        self.current = None;
        self.buffer.clear();
        self.unsynced = false;
        for command in self.batch.drain(..).chain(self.queue.drain(..)) {
            if let Some(reply) = command.into_reply() {
                let _ = reply.send(Err(WalFailure::Failed(text.clone())));
            }
        }
    }

    /// The disk is full. Cuts off what is not whole, puts it back into the queue, tells those who
    /// wait, and removes what flushes have made superfluous: that may be the room it takes.
    fn stall(&mut self, text: &Arc<str>) -> io::Result<()> {
        self.buffer.clear();
        self.unsynced = false;
        let path = segment_path(&self.dir, self.number);
        if self.current.take().is_some() && self.whole_len > 0 {
            let len = SEGMENT_HEAD_LEN + self.whole_len;
            self.file_system.truncate(&path, len as u64)?;
            self.old.push(self.number);
            self.number += 1;
        } else if let Err(error) = self.file_system.remove(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        (self.segment_len, self.whole_len) = (0, 0);
        if self.full.0.lock().replace(text.clone()).is_none() {
            tracing::error!(
                reason = &**text,
                "the disk is full: writes are refused until it is not"
            );
        }
        let queue: VecDeque<Command> = self.batch.drain(..).chain(self.queue.drain(..)).collect();
        let mut releases = Vec::new();
        for command in queue {
            match command {
                Command::Append(record, reply) => {
                    if let Some(reply) = reply {
                        let _ = reply.send(Err(WalFailure::Full(text.clone())));
                    }
                    self.queue.push_back(Command::Append(record, None));
                }
                Command::Probe(reply) => {
                    let _ = reply.send(Err(WalFailure::Full(text.clone())));
                }
                Command::Begin(_) => self.queue.push_back(command),
                Command::Release {
                    generation,
                    sequence,
                    reply,
                } => releases.push((generation, sequence, reply)),
            }
        }
        for (generation, sequence, reply) in releases {
            self.release_stalled(generation, sequence)?;
            let _ = reply.send(Ok(()));
        }
        Ok(())
    }

    /// As [`Command::Release`], without a checkpoint, for which there is no room. It is not
    /// needed when all records that it speaks of are gone from the log, the oldest first.
    fn release_stalled(&mut self, generation: Generation, sequence: u64) -> io::Result<()> {
        let is_flushed =
            |command: &Command| matches!(command, Command::Append(r, _) if r.sequence <= sequence);
        self.queue.retain(|command| !is_flushed(command));
        while let Some(Command::Begin(next)) = self.queue.front() {
            self.generations.push_back((*next, self.number));
            self.queue.pop_front();
        }
        self.release(generation)
    }
}

impl Command {
    fn into_reply(self) -> Option<Reply> {
        match self {
            Self::Append(_, reply) => reply,
            Self::Probe(reply) | Self::Release { reply, .. } => Some(reply),
            Self::Begin(_) => None,
        }
    }
}

/// Whether an error says that there is no room on the disk.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
