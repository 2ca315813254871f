//! `headwater export`: the points of a bucket, or of a database's retention policies, as line
//! protocol. A database comes with the header lines that `import`, and 1.x's `influx -import`,
//! understand.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use headwater_influxql::quote_ident;
use serde_json::Value;

use super::{
    client::{Answer, Client, Connection, Content},
    source::Progress,
    target::Target,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater export --bucket sensors > sensors.lp
  headwater export --database demo --output demo.lp.gz
  headwater export --bucket sensors --measurement cpu --start 2026-01-01T00:00:00Z

A database without --rp is exported with all its retention policies and the header lines that
`headwater import` follows. Importing into an empty bucket of the same shard group duration gives
exactly the same points.")]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// Only this measurement
    #[arg(long, short, value_name = "NAME")]
    measurement: Option<String>,
    /// Only points from this time on, in RFC 3339 or as nanoseconds since 1970
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<String>,
    /// Only points up to this time, which is included
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    stop: Option<String>,
    /// File to write instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Pack the output; a file whose name ends in .gz is packed anyway
    #[arg(long)]
    gzip: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.target.is_none() {
        bail!("what? give --database or --bucket");
    }
    let client = args.connection.client();
    // Before the file, so that a refusal leaves no empty one.
    let policies = policies(&client, &args.target)?;
    let ends_in_gz = |path: &PathBuf| path.extension().is_some_and(|end| end == "gz");
    let is_gzip = args.gzip || args.output.as_ref().is_some_and(ends_in_gz);
    let plain: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(create(path)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::with_capacity(256 << 10, plain);
    let result = if is_gzip {
        let mut packed = GzEncoder::new(&mut out, Compression::default());
        let exported = export(args, &client, &policies, &mut packed);
        exported.and_then(|()| Ok(packed.try_finish()?))
    } else {
        export(args, &client, &policies, &mut out)
    };
    let result = result.and_then(|()| Ok(out.flush()?));
    match &args.output {
        Some(path) => result.with_context(|| format!("{} is not complete", path.display())),
        None => result,
    }
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot create {}", path.display()))
}

/// A retention policy as SHOW RETENTION POLICIES tells it.
#[derive(Debug)]
struct Policy {
    name: String,
    duration: String,
    shard_group_duration: String,
    is_default: bool,
}

/// The policies to export one after the other; none if only one is asked for.
fn policies(client: &Client, target: &Target) -> Result<Vec<Policy>> {
    let (Some(database), None) = (&target.database, &target.rp) else {
        return Ok(Vec::new());
    };
    let statement = format!("SHOW RETENTION POLICIES ON {}", quote_ident(database));
    let answer = client.call("GET", "/query", &[("q", &statement)], None)?;
    let result = &answer["results"][0];
    if let Some(error) = result["error"].as_str() {
        bail!(error.to_owned());
    }
    let series = &result["series"][0];
    let columns = series["columns"].as_array();
    let at = |name: &str| columns?.iter().position(|column| column == name);
    let policy = |row: &Value| {
        let text = |name| Some(row[at(name)?].as_str()?.to_owned());
        Some(Policy {
            name: text("name")?,
            duration: text("duration")?,
            shard_group_duration: text("shardGroupDuration")?,
            is_default: row[at("default")?].as_bool()?,
        })
    };
    let rows = series["values"].as_array();
    let policies = rows.into_iter().flatten().map(policy);
    let policies: Option<Vec<Policy>> = policies.collect();
    policies.context("an answer to SHOW RETENTION POLICIES that cannot be read")
}

fn export(args: &Args, client: &Client, policies: &[Policy], out: &mut dyn Write) -> Result<()> {
    let Some(database) = args
        .target
        .database
        .as_ref()
        .filter(|_| !policies.is_empty())
    else {
        return copy(args, client, &args.target, out);
    };
    writeln!(out, "# DDL")?;
    for statement in create_statements(database, policies) {
        writeln!(out, "{statement}")?;
    }
    writeln!(out, "# DML")?;
    for policy in policies {
        writeln!(out, "# CONTEXT-DATABASE: {database}")?;
        writeln!(out, "# CONTEXT-RETENTION-POLICY: {}", policy.name)?;
        let target = Target {
            rp: Some(policy.name.clone()),
            ..args.target.clone()
        };
        copy(args, client, &target, out)?;
    }
    Ok(())
}

/// The statements that make the database with its policies.
fn create_statements(database: &str, policies: &[Policy]) -> Vec<String> {
    let database = quote_ident(database);
    let mut statements = vec![format!("CREATE DATABASE {database}")];
    for policy in policies {
        let name = quote_ident(&policy.name);
        let default = if policy.is_default { " DEFAULT" } else { "" };
        statements.push(format!(
            "CREATE RETENTION POLICY {name} ON {database} DURATION {} REPLICATION 1 SHARD \
             DURATION {}{default}",
            policy.duration, policy.shard_group_duration
        ));
    }
    statements
}

fn copy(args: &Args, client: &Client, target: &Target, out: &mut dyn Write) -> Result<()> {
    let mut query = target.query();
    for (name, value) in [
        ("measurement", &args.measurement),
        ("start", &args.start),
        ("stop", &args.stop),
    ] {
        query.extend(value.as_deref().map(|value| (name, value)));
    }
    let response = client
        .send("GET", "/api/v2/export", &query, Content::None)
        .map_err(|error| client.unreachable(error))?;
    if !response.status().is_success() {
        bail!(Answer::read(response)?.refusal());
    }
    let (progress, mut points) = Progress::of_answer(response.into_body().into_reader());
    let copied = pump(&mut points, out);
    progress.finish();
    copied.context("the export broke off")
}

fn pump(from: &mut impl Read, out: &mut dyn Write) -> io::Result<()> {
    let mut piece = vec![0; 256 << 10];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(()),
            read => out.write_all(&piece[..read])?,
        }
    }
}
