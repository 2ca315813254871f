//! What `write` and `import` read: files and standard input, plain or gzip, and how far they are.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::Duration,
};

use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};

use super::lines::{Line, Lines, Rest};

/// How much is read at once, in bytes.
const PIECE_BYTES: usize = 256 << 10;
/// How many pieces are read ahead.
const PIECES_AHEAD: usize = 16;
/// A source that has given nothing for so long is a slow stream.
const PAUSE: Duration = Duration::from_secs(1);
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What a source gives.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    Line(Line<'a>),
    /// Nothing more for a while.
    Pause,
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    StandardInput,
    File(PathBuf),
}

impl Source {
    /// `paths`, of which `-` is standard input; without any, standard input.
    pub(crate) fn all(paths: &[PathBuf]) -> Vec<Self> {
        if paths.is_empty() {
            return vec![Self::StandardInput];
        }
        let source = |path: &PathBuf| match path.as_os_str() == "-" {
            true => Self::StandardInput,
            false => Self::File(path.clone()),
        };
        paths.iter().map(source).collect()
    }

    /// As messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::StandardInput => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Bytes, if that is known beforehand.
    fn size(&self) -> Option<u64> {
        match self {
            Self::StandardInput => None,
            Self::File(path) => path
                .metadata()
                .ok()
                .filter(|m| m.is_file())
                .map(|m| m.len()),
        }
    }

    /// Hands all lines to `take`, blank ones and comments included.
    pub(crate) fn for_each(
        &self,
        progress: &Progress,
        mut take: impl FnMut(Event<'_>) -> Result<()>,
    ) -> Result<()> {
        let pieces = self.read(progress)?;
        let mut lines = Lines::default();
        loop {
            let rest = match pieces.recv_timeout(PAUSE) {
                Ok(piece) => {
                    lines.push(&piece?);
                    Rest::Follows
                }
                Err(RecvTimeoutError::Timeout) => Rest::Pauses,
                Err(RecvTimeoutError::Disconnected) => Rest::Nothing,
            };
            while let Some(line) = lines.next(rest)? {
                take(Event::Line(line))?;
            }
            match rest {
                Rest::Follows => {}
                Rest::Pauses => take(Event::Pause)?,
                Rest::Nothing => return Ok(()),
            }
        }
    }

    /// Reads on a thread of its own, so that reading and sending overlap. Gzip is recognised by
    /// its first bytes and unpacked.
    fn read(&self, progress: &Progress) -> Result<Receiver<io::Result<Vec<u8>>>> {
        let raw: Box<dyn Read + Send> = match self {
            Self::StandardInput => {
                if io::stdin().is_terminal() {
                    super::note("reading from standard input; Ctrl-D ends it");
                }
                Box::new(io::stdin())
            }
            Self::File(path) => Box::new(open(path)?),
        };
        let mut raw = BufReader::with_capacity(PIECE_BYTES, progress.0.wrap_read(raw));
        let (sender, pieces) = sync_channel(PIECES_AHEAD);
        std::thread::spawn(move || {
            let is_gzip = match raw.fill_buf() {
                Ok(start) => start.starts_with(&GZIP_MAGIC),
                Err(error) => return drop(sender.send(Err(error))),
            };
            if is_gzip {
                pump(MultiGzDecoder::new(raw), &sender);
            } else {
                pump(raw, &sender);
            }
        });
        Ok(pieces)
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

fn pump(mut from: impl Read, into: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let sent = match from.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                into.send(Ok(piece))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return drop(into.send(Err(error))),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Tells on a terminal how far it is, how fast and how long it will take; silent elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn of(sources: &[Source]) -> Self {
        let size = sources.iter().map(Source::size).sum::<Option<u64>>();
        let bar = match size {
            Some(size) => ProgressBar::new(size),
            None => ProgressBar::no_length(),
        };
        let template = match size {
            Some(_) => "{wide_bar} {percent}% of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}",
            None => "{bytes} read, {bytes_per_sec}, {elapsed}, {msg}",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
        Self(bar)
    }

    /// Of something that comes from a server.
    pub(crate) fn of_answer(answer: impl Read) -> (Self, impl Read) {
        let progress = Self::of(&[Source::StandardInput]);
        let answer = progress.0.wrap_read(answer);
        (progress, answer)
    }

    pub(crate) fn set_lines(&self, lines: u64) {
        self.0
            .set_message(format!("{} lines written", thousands(lines)));
    }

    /// Prints a line above the bar, on standard error.
    pub(crate) fn note(&self, text: &str) {
        self.0.suspend(|| super::note(text));
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
