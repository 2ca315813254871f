//! Sends batches of line protocol, and does not stop where the server refuses some of their lines
//! or is busy for a while.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, Result, bail};
use headwater_model::{Precision, line_protocol};
use serde_json::Value;

use super::{
    client::{Answer, Client, Content},
    lines::{Batch, Line, is_point},
    source::{Event, Progress, Source, thousands},
    target::Target,
};

/// The first wait before a batch is sent again; each further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(30);

/// How points are sent.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SendArgs {
    /// Unit of the timestamps
    #[arg(long, short, default_value = "ns", value_parser = ["ns", "us", "ms", "s", "m", "h"])]
    pub(crate) precision: String,
    /// Points to send at once, at most; a request has at most about 4 MiB
    #[arg(long, value_name = "LINES", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_size: u32,
    /// How often a batch is sent again while the server is busy or away (429, 503, time-outs)
    #[arg(long, value_name = "TIMES", default_value_t = 10)]
    pub(crate) retries: u32,
}

/// Gathers lines, sends them and keeps count.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client,
    args: SendArgs,
    progress: Progress,
    target: Target,
    /// Where the lines come from, as messages call it.
    source: String,
    batch: Batch,
    written: u64,
    refused: u64,
}

/// What to do after an answer.
enum Verdict {
    Written,
    /// Written but for some lines.
    Partly(Answer),
    /// Nothing was written because lines cannot be read.
    Unreadable(Answer),
    TooLarge,
    Busy(String, Option<Duration>),
    Refused(String),
}

/// What becomes of the lines of sources.
pub(crate) trait Intake {
    fn take(&mut self, line: Line<'_>) -> Result<()>;

    fn sender(&mut self) -> &mut Sender;
}

/// Points are sent as they are, all else is passed over.
impl Intake for Sender {
    fn take(&mut self, line: Line<'_>) -> Result<()> {
        if is_point(line.bytes) {
            self.push(line)?;
        }
        Ok(())
    }

    fn sender(&mut self) -> &mut Sender {
        self
    }
}

/// Hands over the lines of sources, one after the other, and sends what comes of them.
///
/// # Errors
/// A source cannot be read, as [`Sender::flush`], or as [`Sender::finish`].
pub(crate) fn send_all(sources: &[Source], intake: &mut impl Intake) -> Result<()> {
    let progress = intake.sender().progress.clone();
    for source in sources {
        intake.sender().source = source.name();
        let take = |event: Event<'_>| match event {
            Event::Line(line) => intake.take(line),
            Event::Pause => intake.sender().flush(),
        };
        source
            .for_each(&progress, take)
            .and_then(|()| intake.sender().flush())
            .with_context(|| source.name())
            .inspect_err(|_| progress.finish())?;
    }
    intake.sender().finish()
}

impl Sender {
    pub(crate) fn new(client: Client, args: &SendArgs, progress: Progress) -> Self {
        Self {
            client,
            args: args.clone(),
            progress,
            target: Target::default(),
            source: String::new(),
            batch: Batch::default(),
            written: 0,
            refused: 0,
        }
    }

    /// Lines that are pushed from now on go there.
    pub(crate) fn set_target(&mut self, target: &Target) -> Result<()> {
        self.flush()?;
        self.target = target.clone();
        Ok(())
    }

    /// Takes a line, which is sent with others.
    ///
    /// # Errors
    /// As [`Sender::flush`].
    pub(crate) fn push(&mut self, line: Line<'_>) -> Result<()> {
        self.batch.push(line);
        if self.batch.is_full(self.args.batch_size as usize) {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what is gathered. Refused lines are reported and counted.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses for a reason that is not in the lines.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let mut batch = std::mem::take(&mut self.batch);
        self.send(&batch)?;
        batch.clear();
        self.batch = batch;
        Ok(())
    }

    fn send(&mut self, batch: &Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        match self.try_until_answered(batch)? {
            Verdict::Written => self.written += batch.len() as u64,
            Verdict::Partly(answer) => {
                let refused = self.report_partial(batch, &answer);
                self.refused += refused;
                self.written += batch.len() as u64 - refused;
            }
            Verdict::Unreadable(answer) => {
                let readable = self.without_unreadable(batch);
                if readable.len() == batch.len() {
                    bail!(answer.message());
                }
                self.send(&readable)?;
            }
            Verdict::TooLarge if batch.len() > 1 => {
                for half in batch.halves() {
                    self.send(&half)?;
                }
            }
            Verdict::TooLarge => {
                let number = batch.lines().next().map_or(0, |line| line.number);
                self.report(number, "too large for the server");
                self.refused += 1;
            }
            Verdict::Refused(reason) | Verdict::Busy(reason, _) => bail!(reason),
        }
        self.progress.set_lines(self.written);
        Ok(())
    }

    /// Ends the progress display.
    ///
    /// # Errors
    /// Lines were refused.
    fn finish(&self) -> Result<()> {
        self.progress.finish();
        if self.refused > 0 {
            bail!(
                "{} of {} lines were refused, the others are written",
                thousands(self.refused),
                thousands(self.written + self.refused)
            );
        }
        Ok(())
    }

    /// Tells about a line, or several, of the source.
    pub(crate) fn report(&self, place: impl Display, text: &str) {
        self.progress
            .note(&format!("{}:{place}: {text}", self.source));
    }

    fn try_until_answered(&self, batch: &Batch) -> Result<Verdict> {
        let mut wait = WAIT_FIRST;
        for _ in 0..self.args.retries {
            match self.try_once(batch)? {
                Verdict::Busy(reason, asked) => {
                    let wait_now = asked.unwrap_or(wait).min(WAIT_MAX);
                    wait *= 2;
                    self.progress
                        .note(&format!("{reason}; again in {wait_now:?}"));
                    std::thread::sleep(wait_now);
                }
                verdict => return Ok(verdict),
            }
        }
        self.try_once(batch)
    }

    fn try_once(&self, batch: &Batch) -> Result<Verdict> {
        let mut query = self.target.query();
        query.push(("precision", &self.args.precision));
        query.push(("refused_lines", "true"));
        let content = Content::Lines(batch.bytes());
        let answer = match self
            .client
            .send("POST", self.target.write_path(), &query, content)
        {
            Ok(response) => Answer::read(response)?,
            // A server that was there comes back; one that never was is a wrong address.
            Err(error) if self.written > 0 => {
                let error = self.client.unreachable(error);
                return Ok(Verdict::Busy(format!("{error:#}"), None));
            }
            Err(error) => return Err(self.client.unreachable(error)),
        };
        Ok(verdict(answer))
    }

    /// The batch without the lines that no server can read, which are reported.
    fn without_unreadable(&mut self, batch: &Batch) -> Batch {
        let precision = Precision::from_name(&self.args.precision).unwrap_or_default();
        let mut readable = Batch::default();
        for line in batch.lines() {
            match line_protocol::parse(line.bytes, precision, 0) {
                Ok(_) => readable.push(line),
                Err(errors) => {
                    self.refused += 1;
                    self.report(line.number, &errors.to_string());
                }
            }
        }
        readable
    }

    /// Reports a partial write and tells how many lines were refused.
    fn report_partial(&self, batch: &Batch, answer: &Answer) -> u64 {
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let named = body["lines"].as_array().into_iter().flatten();
        let numbers: Vec<u64> = named
            .filter_map(|number| batch.file_line(number.as_u64()?))
            .collect();
        let message = answer.message();
        let dropped = message
            .rsplit_once("dropped=")
            .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok())
            .unwrap_or(0);
        let mut place = if numbers.is_empty() {
            let mut lines = batch.lines().map(|line| line.number);
            let first = lines.next().unwrap_or_default();
            format!("among lines {first}-{}", lines.last().unwrap_or(first))
        } else {
            ranges(&numbers)
        };
        if !numbers.is_empty() && dropped > numbers.len() as u64 {
            place.push_str(",…");
        }
        self.report(place, &message);
        dropped.max(numbers.len() as u64).min(batch.len() as u64)
    }
}

fn verdict(answer: Answer) -> Verdict {
    let status = answer.status.as_u16();
    let message = answer.message();
    let asked = answer.retry_after_seconds.map(Duration::from_secs);
    match status {
        200..=299 => Verdict::Written,
        400 if message.contains("partial write") => Verdict::Partly(answer),
        400 if message.contains("unable to parse") => Verdict::Unreadable(answer),
        413 => Verdict::TooLarge,
        422 => Verdict::Partly(answer),
        429 | 503 => Verdict::Busy(message, asked),
        500 if message.contains("timeout") || message.contains("exceeded") => {
            Verdict::Busy(message, asked)
        }
        _ => Verdict::Refused(answer.refusal()),
    }
}

/// `3,5-7` for ascending numbers.
fn ranges(numbers: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |&(first, last): &(u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
