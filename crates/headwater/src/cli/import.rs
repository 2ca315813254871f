//! `headwater import`: line protocol as `headwater export` and 1.x's `influx_inspect export`
//! write it. Their files name the places of the points in comments, and statements that make
//! those places in a section of their own.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::{
    client::{Client, Connection, Content},
    lines::{Line, is_point},
    send::{Intake, SendArgs, Sender, send_all},
    source::{Progress, Source},
    target::Target,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater import demo.lp.gz
  headwater import --bucket sensors sensors.lp
  influx_inspect export -database mydb -out /dev/stdout … | headwater import --database mydb

Header lines are followed: `# CONTEXT-DATABASE: name` and `# CONTEXT-RETENTION-POLICY: name` say
where the points that come next go, and the statements between `# DDL` and `# DML` are run. With
--database or --bucket all points go there and the header lines are passed over. A server runs
such statements in its v1 profile only; elsewhere make the buckets first. Exit code: 0 when all
points are written, 1 otherwise.")]
pub(crate) struct Args {
    /// Files, plain or gzip; `-` or none: standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let sources = Source::all(&args.files);
    let progress = Progress::of(&sources);
    let client = args.connection.client();
    let mut import = Import {
        sender: Sender::new(client.clone(), &args.send, progress),
        client,
        context: Target::default(),
        is_fixed: !args.target.is_none(),
        is_ddl: false,
    };
    import.sender.set_target(&args.target)?;
    send_all(&sources, &mut import)
}

struct Import {
    sender: Sender,
    client: Client,
    /// Where the header lines have points go.
    context: Target,
    /// The command line says where all points go.
    is_fixed: bool,
    /// Between `# DDL` and `# DML`.
    is_ddl: bool,
}

impl Intake for Import {
    fn take(&mut self, line: Line<'_>) -> Result<()> {
        let text = line.bytes.trim_ascii();
        if let Some(comment) = text.strip_prefix(b"#") {
            return self.header(&String::from_utf8_lossy(comment));
        }
        if self.is_ddl {
            return self.statement(line.number, &String::from_utf8_lossy(text));
        }
        if !is_point(line.bytes) {
            return Ok(());
        }
        if !self.is_fixed && self.context.is_none() {
            bail!(
                "line {}: no `# CONTEXT-DATABASE: name` comes before the point; give --database or --bucket",
                line.number
            );
        }
        self.sender.push(line)
    }

    fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }
}

impl Import {
    fn header(&mut self, comment: &str) -> Result<()> {
        let comment = comment.trim();
        match comment {
            "DDL" => self.is_ddl = true,
            "DML" => self.is_ddl = false,
            _ => {}
        }
        if self.is_fixed {
            return Ok(());
        }
        if let Some(name) = comment.strip_prefix("CONTEXT-DATABASE:") {
            self.context.database = Some(name.trim().to_owned());
        } else if let Some(name) = comment.strip_prefix("CONTEXT-RETENTION-POLICY:") {
            self.context.rp = Some(name.trim().to_owned());
        } else {
            return Ok(());
        }
        self.sender.set_target(&self.context)
    }

    /// A statement that fails is no reason to stop: what it makes may be there already.
    fn statement(&mut self, number: u64, statement: &str) -> Result<()> {
        if self.is_fixed || statement.is_empty() {
            return Ok(());
        }
        let form = [("q", statement)];
        let response = self
            .client
            .send("POST", "/query", &[], Content::Form(&form))
            .map_err(|error| self.client.unreachable(error))?;
        let answer = super::client::Answer::read(response)?;
        let body: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let error = body["results"][0]["error"].as_str().map(str::to_owned);
        let error = error.or_else(|| (!answer.status.is_success()).then(|| answer.refusal()));
        if let Some(error) = error {
            self.sender.report(
                number,
                &format!("{statement}: {error}; going on without it"),
            );
        }
        Ok(())
    }
}
