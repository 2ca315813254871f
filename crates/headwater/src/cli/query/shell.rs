//! The interactive shell: a line editor with history and completion around [`super::ask`].

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use rustyline::{
    CompletionType, Config, Editor, Helper,
    error::ReadlineError,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::{
    Format, Options, Precision, ask,
    complete::{Completer, Names},
};
use crate::cli::{
    client::{Answer, Client, Connection, Content},
    note,
};

/// How many entries the history keeps.
const HISTORY_ENTRIES: usize = 10_000;

const HELP: &str = "\
use DATABASE[.POLICY]      ask this database
format table|column|csv|json
precision rfc3339|ns|u|ms|s|m|h
insert LINE                write a point, e.g. insert cpu,host=a usage=0.64
settings                   what is set
help                       this text
exit                       leave, as Ctrl-D does

Anything else is InfluxQL and goes to the server, e.g. SHOW DATABASES. A statement that is not
complete goes on in the next line; an empty line or a semicolon ends it. Tab completes keywords,
functions and names; Ctrl-C stops a query that runs; Up and Ctrl-R find earlier lines.";

/// A line that is not InfluxQL.
#[derive(Debug, PartialEq, Eq)]
enum Command<'a> {
    Use(&'a str),
    Format(&'a str),
    Precision(&'a str),
    Insert(&'a str),
    Settings,
    Help,
    Exit,
}

impl<'a> Command<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let (word, rest) = line
            .split_once(char::is_whitespace)
            .map_or((line, ""), |(word, rest)| (word, rest.trim()));
        Some(match (word.to_ascii_lowercase().as_str(), rest) {
            ("use", rest) => Self::Use(rest),
            ("format", rest) => Self::Format(rest),
            ("precision", rest) => Self::Precision(rest),
            ("insert", rest) if !rest.is_empty() => Self::Insert(rest),
            ("settings", "") => Self::Settings,
            ("help" | "?" | "\\h", "") => Self::Help,
            ("exit" | "quit" | "\\q", "") => Self::Exit,
            _ => return None,
        })
    }
}

pub(super) fn run(connection: &Connection, options: Options) -> Result<()> {
    let is_terminal = io::stdin().is_terminal();
    let mut shell = Shell {
        connection: connection.clone(),
        options,
        interrupt: Interrupt::listen()?,
    };
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY_ENTRIES)?
        .history_ignore_space(true)
        .build();
    let mut editor = Editor::<Assistant, FileHistory>::with_config(config)?;
    editor.set_helper(Some(Assistant {
        completer: Completer::new(Names::new(connection.client(), &shell.options)),
        is_terminal,
    }));
    let history = if is_terminal { history_file() } else { None };
    if let Some(path) = &history {
        // There is none before the first session.
        let _ = editor.load_history(path);
        note("InfluxQL shell; `help` tells more, Ctrl-D leaves");
    }
    let mut has_failed = false;
    loop {
        match editor.readline(&shell.prompt()) {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                // Passwords stay out of files.
                if headwater_influxql::redact_passwords(&line) == line {
                    editor.add_history_entry(&line)?;
                }
                match shell.run_line(&line) {
                    Ok(Next::Line) => {}
                    Ok(Next::NamesChanged) => {
                        let names = Names::new(connection.client(), &shell.options);
                        if let Some(assistant) = editor.helper_mut() {
                            assistant.completer = Completer::new(names);
                        }
                    }
                    Ok(Next::Exit) => break,
                    Err(error) => {
                        has_failed = true;
                        print_error(&error);
                    }
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error).context("cannot read the terminal"),
        }
    }
    if let Some(path) = &history
        && let Err(error) = editor.save_history(path)
    {
        note(&format!("cannot keep the history: {error}"));
    }
    // A person has seen the errors; a script wants to know.
    if has_failed && !is_terminal {
        bail!("a line failed");
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "in the words of the influx shell")]
fn print_error(error: &anyhow::Error) {
    eprintln!("ERR: {error:#}");
}

/// What comes after a line.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Line,
    /// A line, with other names to complete.
    NamesChanged,
    Exit,
}

struct Shell {
    connection: Connection,
    options: Options,
    interrupt: Interrupt,
}

impl Shell {
    fn prompt(&self) -> String {
        match (&self.options.database, &self.options.rp) {
            (Some(database), Some(policy)) => format!("{database}.{policy}> "),
            (Some(database), None) => format!("{database}> "),
            (None, _) => "> ".to_owned(),
        }
    }

    fn run_line(&mut self, line: &str) -> Result<Next> {
        let mut out = io::stdout().lock();
        match Command::parse(line) {
            Some(Command::Use(target)) => {
                self.use_database(target)?;
                return Ok(Next::NamesChanged);
            }
            Some(Command::Format(name)) => self.options.format = value_of::<Format>(name)?,
            Some(Command::Precision(name)) => self.options.precision = value_of::<Precision>(name)?,
            Some(Command::Insert(line)) => {
                self.insert(line)?;
                return Ok(Next::NamesChanged);
            }
            Some(Command::Settings) => writeln!(out, "{}", self.settings())?,
            Some(Command::Help) => writeln!(out, "{HELP}")?,
            Some(Command::Exit) => return Ok(Next::Exit),
            None => {
                // A connection of its own, which an interrupt may break.
                let client = self.connection.client();
                let guard = self.interrupt.guard(&client);
                let asked = ask(&client, &self.options, None, line, &mut out);
                if guard.was_interrupted() {
                    writeln!(out)?;
                    bail!("interrupted");
                }
                asked?;
            }
        }
        Ok(Next::Line)
    }

    /// `database` or `database.policy`, either in double quotes if need be.
    fn use_database(&mut self, target: &str) -> Result<()> {
        let names = split_names(target)
            .ok_or_else(|| anyhow!("give a database: use DATABASE or use DATABASE.POLICY"))?;
        let client = self.connection.client();
        let answer = client.call("GET", "/query", &[("q", "SHOW DATABASES")], None)?;
        let rows = answer["results"][0]["series"][0]["values"].as_array();
        let is_known = rows.into_iter().flatten().any(|row| row[0] == names.0);
        if !is_known {
            note(&format!(
                "there is no database {:?}, or no right to read it; SHOW DATABASES lists them",
                names.0
            ));
        }
        (self.options.database, self.options.rp) = (Some(names.0), names.1);
        Ok(())
    }

    fn insert(&self, line: &str) -> Result<()> {
        let database = self.options.database.as_deref();
        let database = database.context("no database is chosen: use DATABASE")?;
        let mut query = vec![("db", database)];
        query.extend(self.options.rp.as_deref().map(|name| ("rp", name)));
        let client = self.connection.client();
        let response = client
            .send("POST", "/write", &query, Content::Lines(line.as_bytes()))
            .map_err(|error| client.unreachable(error))?;
        let answer = Answer::read(response)?;
        if !answer.status.is_success() {
            bail!(answer.refusal());
        }
        Ok(())
    }

    fn settings(&self) -> String {
        let Options {
            database,
            rp,
            format,
            precision,
        } = &self.options;
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "not set".to_owned());
        format!(
            "database:         {}\nretention policy: {}\nformat:           {}\nprecision:        {}",
            name(database),
            name(rp),
            value_name(*format),
            value_name(*precision)
        )
    }
}

fn value_name<T: ValueEnum>(value: T) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn value_of<T: ValueEnum>(name: &str) -> Result<T> {
    T::from_str(name, true).map_err(|_| {
        let names: Vec<String> = T::value_variants()
            .iter()
            .cloned()
            .map(value_name)
            .collect();
        anyhow!("{name:?} is none of {}", names.join(", "))
    })
}

/// One or two names with a dot between them.
fn split_names(text: &str) -> Option<(String, Option<String>)> {
    let (first, rest) = take_name(text)?;
    if rest.is_empty() {
        return Some((first, None));
    }
    let (second, rest) = take_name(rest.strip_prefix('.')?)?;
    rest.is_empty().then_some((first, Some(second)))
}

/// The name at the start of `text`, and what follows it.
fn take_name(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', ' ', '"']).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((name, &quoted[at + 1..])),
            '\\' => name.push(chars.next()?.1),
            c => name.push(c),
        }
    }
    None
}

/// Where the history is kept: the user's state folder.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty());
    let state = state.map(PathBuf::from).or_else(|| {
        let home = PathBuf::from(std::env::var_os("HOME").filter(|dir| !dir.is_empty())?);
        Some(home.join(".local/state"))
    })?;
    let dir = state.join("headwater");
    std::fs::create_dir_all(&dir).ok()?;
    Some(dir.join("query_history"))
}

/// Ctrl-C while a query runs.
struct Interrupt(Arc<Running>);

#[derive(Default)]
struct Running {
    client: Mutex<Option<Client>>,
    was_interrupted: AtomicBool,
}

/// A query that runs; Ctrl-C breaks its connection, at which the server stops working on it.
struct Guard<'a>(&'a Running);

impl Interrupt {
    fn listen() -> Result<Self> {
        let running = Arc::<Running>::default();
        let heard = running.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                while tokio::signal::ctrl_c().await.is_ok() {
                    let client = heard.client.lock();
                    if let Some(client) = client.unwrap_or_else(PoisonError::into_inner).take() {
                        heard.was_interrupted.store(true, Ordering::SeqCst);
                        client.interrupt();
                    }
                }
            });
        });
        Ok(Self(running))
    }

    fn guard(&self, client: &Client) -> Guard<'_> {
        self.0.was_interrupted.store(false, Ordering::SeqCst);
        self.0.set(Some(client.clone()));
        Guard(&self.0)
    }
}

impl Running {
    fn set(&self, client: Option<Client>) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }
}

impl Guard<'_> {
    fn was_interrupted(&self) -> bool {
        self.0.was_interrupted.load(Ordering::SeqCst)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// What helps at editing a line.
struct Assistant {
    completer: Completer,
    is_terminal: bool,
}

impl Helper for Assistant {}
impl rustyline::hint::Hinter for Assistant {
    type Hint = String;
}
impl rustyline::highlight::Highlighter for Assistant {}

impl rustyline::completion::Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.completer.complete(&line[..pos]))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        // A script has a statement a line.
        if !self.is_terminal || is_complete(context.input()) {
            Ok(ValidationResult::Valid(None))
        } else {
            Ok(ValidationResult::Incomplete)
        }
    }
}

/// Whether a text is sent on Enter: it is all of a statement, or wrong whatever comes next, or its
/// writer says so.
fn is_complete(text: &str) -> bool {
    if text.trim().is_empty() || text.ends_with('\n') || text.trim_end().ends_with(';') {
        return true;
    }
    if Command::parse(text).is_some() {
        return true;
    }
    let parsed = headwater_influxql::parse_query(text, &headwater_influxql::Params::default());
    !matches!(parsed, Err(headwater_influxql::ParseError::Unexpected { found, .. }) if found == "EOF")
}

#[cfg(test)]
mod tests;
