//! `headwater query`: InfluxQL to a running server, one text at a time or in a shell.

mod answer;
mod complete;
mod render;
mod shell;

use std::{
    fs,
    io::{self, BufReader, IsTerminal, Read, Write},
    path::PathBuf,
};

use anyhow::{Context, Result, anyhow, bail};
use serde::de::IgnoredAny;

use self::{answer::Reader, render::Renderer};
use super::client::{Answer, Client, Connection, Content};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater query --database demo                       # the shell
  headwater query --database demo 'SELECT mean(usage) FROM cpu GROUP BY host'
  headwater query --format csv --precision s 'SHOW DATABASES'
  headwater query --database demo --params '{\"h\":\"a\"}' 'SELECT * FROM cpu WHERE host = $h'

Without a text and a terminal the text is read from standard input. Answers are printed as they
come, so that large ones need no memory. Exit code: 0 when every statement succeeded, 1 otherwise.")]
pub(crate) struct Args {
    /// InfluxQL, one statement or several; without it the shell starts
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// Read the text from a file
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Start the shell even where standard input is no terminal; it takes a line at a time
    #[arg(long, conflicts_with_all = ["text", "file"])]
    interactive: bool,
    #[command(flatten)]
    options: Options,
    /// Values for the text's `$name` parameters, as a JSON object
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// What a query is asked with; the shell changes them.
#[derive(Debug, Clone, clap::Args)]
struct Options {
    /// Database
    #[arg(long, short, value_name = "NAME")]
    database: Option<String>,
    /// Retention policy of the database [default: the database's default]
    #[arg(long, value_name = "NAME", requires = "database")]
    rp: Option<String>,
    /// How answers are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// How times are printed: as dates, or as a number of units since 1970
    #[arg(long, short, value_enum, default_value_t = Precision::Rfc3339)]
    precision: Precision,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// With borders
    Table,
    /// Columns of text, as the `influx` shell prints them
    Column,
    /// A header for each set of columns, then rows
    Csv,
    /// The server's JSON as it is
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Precision {
    Rfc3339,
    Ns,
    U,
    Ms,
    S,
    M,
    H,
}

impl Precision {
    /// The parameter `epoch`.
    fn epoch(self) -> Option<&'static str> {
        match self {
            Self::Rfc3339 => None,
            Self::Ns => Some("ns"),
            Self::U => Some("u"),
            Self::Ms => Some("ms"),
            Self::S => Some("s"),
            Self::M => Some("m"),
            Self::H => Some("h"),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let text = match (&args.text, &args.file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => {
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        }
        (None, None) if args.interactive || io::stdin().is_terminal() => {
            return shell::run(&args.connection, args.options.clone());
        }
        (None, None) => io::read_to_string(io::stdin()).context("cannot read standard input")?,
    };
    let client = args.connection.client();
    let mut out = io::stdout().lock();
    ask(
        &client,
        &args.options,
        args.params.as_deref(),
        &text,
        &mut out,
    )
}

/// Asks, and prints the answer as it comes.
///
/// # Errors
/// The request failed, or a statement did: then the error is the first one's, and what other
/// statements gave is printed.
fn ask(
    client: &Client,
    options: &Options,
    params: Option<&str>,
    text: &str,
    out: &mut dyn Write,
) -> Result<()> {
    let is_json = options.format == Format::Json;
    let mut form = vec![("q", text)];
    form.extend(options.database.as_deref().map(|name| ("db", name)));
    form.extend(options.rp.as_deref().map(|name| ("rp", name)));
    form.extend(options.precision.epoch().map(|unit| ("epoch", unit)));
    form.extend(params.map(|params| ("params", params)));
    if !is_json {
        form.push(("chunked", "true"));
    }
    let response = client
        .send("POST", "/query", &[], Content::Form(&form))
        .map_err(|error| client.unreachable(error))?;
    if !response.status().is_success() {
        bail!(Answer::read(response)?.refusal());
    }
    let body = BufReader::with_capacity(64 << 10, response.into_body().into_reader());
    if is_json {
        return copy_json(body, out);
    }
    let mut renderer = Renderer::new(options.format);
    let mut failed = None;
    let mut chunks = Reader::new(body);
    while let Some(chunk) = chunks.next()? {
        for result in &chunk.results {
            for message in &result.messages {
                super::note(&format!("{}: {}", message.level, message.text));
            }
            for series in &result.series {
                renderer.print(series, out)?;
            }
            out.flush()?;
        }
        failed = failed.or_else(|| chunk.error());
    }
    renderer.finish(out)?;
    out.flush()?;
    failed.map_or(Ok(()), |error| Err(anyhow!(error)))
}

/// Prints JSON as it comes and looks for errors in it on the way.
fn copy_json(body: impl Read, out: &mut dyn Write) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Whole {
        #[serde(default)]
        results: Vec<Part>,
        error: Option<String>,
    }
    #[derive(serde::Deserialize)]
    struct Part {
        error: Option<String>,
        #[serde(rename = "series")]
        _series: Option<IgnoredAny>,
    }
    let mut tee = Tee {
        from: body,
        into: out,
    };
    let whole: Whole = serde_json::from_reader(&mut tee).context("an answer that is not whole")?;
    io::copy(&mut tee, &mut io::sink())?;
    tee.into.flush()?;
    let failed = whole.results.into_iter().find_map(|part| part.error);
    whole
        .error
        .or(failed)
        .map_or(Ok(()), |error| Err(anyhow!(error)))
}

/// Writes what is read.
struct Tee<'a, R> {
    from: R,
    into: &'a mut dyn Write,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.into.write_all(&buffer[..read])?;
        Ok(read)
    }
}
