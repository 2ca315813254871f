//! `cargo xtask compat`: random data and random queries to our server and to InfluxDB 1.6.7,
//! whose answers must agree but for what `compat/known.rs` lists. Everything follows from the
//! seed. A query that gets different answers is shortened while they still differ.

mod compare;
mod data;
mod generate;
mod golden;
mod known;
mod query;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use self::{generate::Category, known::Answer, query::Statement};
use crate::{
    process::{cargo, check, target_dir},
    server::Server,
    tools,
    workload::Random,
};

const HELP: &str = "\
cargo xtask compat [OPTIONS]

  --queries N      how many queries (2000)
  --seed N         of data and queries (1)
  --only CATEGORY  only queries of this category
  --list           print every query with the start of our answer
  --golden         instead: replay tests/golden against InfluxDB 1.6.7 and list what differs
  --debug          our debug build, not the release build
  --binary PATH    this build of ours as it is
";

const TOKEN: &str = "compat-token-0123456789abcdef";
const QUERIES_PER_DATABASE: usize = 100;
/// Requests that shortening one query may take.
const SHRINK_MAX: usize = 150;
const QUERY_TIMEOUT: Duration = Duration::from_secs(20);

struct Options {
    queries: usize,
    seed: u64,
    only: Option<Category>,
    list: bool,
    golden: bool,
    debug: bool,
    binary: Option<PathBuf>,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let Some(options) = parse(args)? else {
        print!("{HELP}");
        return Ok(());
    };
    tools::debian(&["influxdb"])?;
    let dir = target_dir().join("xtask/compat");
    let _ = std::fs::remove_dir_all(&dir);
    let theirs = Side::influxdb(&dir.join("influxdb"))?;
    if options.golden {
        return golden::run(&theirs);
    }
    let binary = match &options.binary {
        Some(path) => path.clone(),
        None => build(options.debug)?,
    };
    let ours = Side::headwater(&binary, &dir.join("headwater"))?;
    Comparison {
        ours,
        theirs,
        counts: BTreeMap::new(),
    }
    .run(&options)
}

fn build(debug: bool) -> Result<PathBuf> {
    let profile = if debug { "dev" } else { "release" };
    check(cargo().args(["build", "--package", "headwater", "--profile", profile]))?;
    let folder = if debug { "debug" } else { "release" };
    Ok(target_dir().join(folder).join("headwater"))
}

fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options {
        queries: 2_000,
        seed: 1,
        only: None,
        list: false,
        golden: false,
        debug: false,
        binary: None,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--queries" => options.queries = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--only" => {
                let name = value()?;
                let names: Vec<_> = Category::ALL.iter().map(|c| c.name()).collect();
                let found = Category::ALL.iter().find(|c| c.name() == name);
                options.only = Some(*found.with_context(|| {
                    format!("no category `{name}`, there are: {}", names.join(", "))
                })?);
            }
            "--list" => options.list = true,
            "--golden" => options.golden = true,
            "--debug" => options.debug = true,
            "--binary" => options.binary = Some(value()?.into()),
            other => bail!("unknown option {other}\n\n{HELP}"),
        }
    }
    Ok(Some(options))
}

/// What the queries of one category came to.
#[derive(Default)]
struct Count {
    passed: usize,
    /// Those of the passed whose answers have rows.
    with_rows: usize,
    failed: usize,
    /// Answers that [`known::normalise`] found nothing to compare in.
    skipped: usize,
}

enum Outcome {
    Same { has_rows: bool },
    Nothing,
    Different(String, Value, Value),
}

struct Comparison {
    ours: Side,
    theirs: Side,
    counts: BTreeMap<&'static str, Count>,
}

impl Comparison {
    fn run(mut self, options: &Options) -> Result<()> {
        for index in 0..options.queries.div_ceil(QUERIES_PER_DATABASE) {
            let mut random = Random::new(options.seed.wrapping_mul(0x1_0000) + index as u64);
            let database = format!("d{index}");
            let data = data::data_set(&mut random);
            self.load(&database, &data.bodies)?;
            let left = options.queries - index * QUERIES_PER_DATABASE;
            for _ in 0..left.min(QUERIES_PER_DATABASE) {
                let category = options.only.unwrap_or_else(|| Category::any(&mut random));
                let statement = generate::statement(category, data.span, &mut random);
                if options.list {
                    let answer =
                        self.ours
                            .query(&database, &[("epoch", "ns")], &statement.to_string())?;
                    println!("{statement}\n  {:.200}", answer.body.to_string());
                }
                self.compare_one(&database, category, statement)?;
            }
        }
        let (mut passed, mut failed) = (0, 0);
        for (name, count) in &self.counts {
            println!(
                "{name:12} {:5} passed ({:5} with rows) {:5} failed {:5} not comparable",
                count.passed, count.with_rows, count.failed, count.skipped
            );
            passed += count.passed;
            failed += count.failed;
        }
        println!("{passed} passed, {failed} failed");
        if failed > 0 {
            bail!(
                "{failed} queries got different answers (seed {})",
                options.seed
            );
        }
        Ok(())
    }

    fn load(&self, database: &str, bodies: &[String]) -> Result<()> {
        for side in [&self.ours, &self.theirs] {
            side.create_database(database, 3_600)?;
            for body in bodies {
                side.write(database, &[], body)?;
            }
        }
        Ok(())
    }

    fn compare_one(
        &mut self,
        database: &str,
        category: Category,
        statement: Statement,
    ) -> Result<()> {
        let outcome = self.outcome(database, &statement)?;
        let count = self.counts.entry(category.name()).or_default();
        match outcome {
            Outcome::Same { has_rows } => {
                count.passed += 1;
                count.with_rows += usize::from(has_rows);
            }
            Outcome::Nothing => count.skipped += 1,
            Outcome::Different(..) => {
                count.failed += 1;
                let full = statement.to_string();
                let (short, outcome) = self.shorten(database, statement, outcome)?;
                println!("DIFFERENT [{}] in {database}: {short}", category.name());
                if short.to_string() != full {
                    println!("  from   {full}");
                }
                if let Outcome::Different(place, ours, theirs) = outcome {
                    println!("  at     {place}");
                    println!("  ours   {}", compare::short(&ours));
                    println!("  theirs {}", compare::short(&theirs));
                }
            }
        }
        Ok(())
    }

    /// Times are numbers, but for queries with a time zone, where they tell more as text.
    fn parameters(query: &str) -> &'static [(&'static str, &'static str)] {
        if query.contains("tz(") {
            &[]
        } else {
            &[("epoch", "ns")]
        }
    }

    fn outcome(&self, database: &str, statement: &Statement) -> Result<Outcome> {
        let text = statement.to_string();
        let theirs = self
            .theirs
            .query(database, Self::parameters(&text), &text)
            .with_context(|| format!("InfluxDB did not answer: {text}"))?;
        let ours = match self.ours.query(database, Self::parameters(&text), &text) {
            Ok(answer) => answer,
            Err(error) => Answer {
                status: 0,
                body: json!({"error": format!("{error:#}")}),
            },
        };
        let Some((ours, theirs)) = known::normalise(&text, &ours, &theirs) else {
            return Ok(Outcome::Nothing);
        };
        Ok(match compare::difference(&ours, &theirs) {
            None => Outcome::Same {
                has_rows: !ours["results"][0]["series"].is_null(),
            },
            Some(place) => Outcome::Different(place, ours, theirs),
        })
    }

    /// Drops one part after another for as long as the answers still differ.
    fn shorten(
        &self,
        database: &str,
        statement: Statement,
        outcome: Outcome,
    ) -> Result<(Statement, Outcome)> {
        let (mut best, mut best_outcome) = (statement, outcome);
        let mut requests = 0;
        'again: loop {
            for candidate in best.shorter() {
                requests += 1;
                if requests > SHRINK_MAX {
                    return Ok((best, best_outcome));
                }
                let outcome = self.outcome(database, &candidate)?;
                if matches!(outcome, Outcome::Different(..)) {
                    (best, best_outcome) = (candidate, outcome);
                    continue 'again;
                }
            }
            return Ok((best, best_outcome));
        }
    }
}

/// One of the two servers.
struct Side {
    server: Server,
    agent: ureq::Agent,
    /// The organization's id; the reference has none.
    organization: Option<String>,
}

impl Side {
    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(QUERY_TIMEOUT))
            .build()
            .into()
    }

    fn influxdb(dir: &Path) -> Result<Self> {
        Ok(Self {
            // It merges series in as many groups as it has processors, and which of two equal
            // points wins depends on the groups.
            server: Server::influxdb(dir, &[("GOMAXPROCS", "1")])?,
            agent: Self::agent(),
            organization: None,
        })
    }

    fn headwater(binary: &Path, dir: &Path) -> Result<Self> {
        let mut side = Self {
            server: Server::headwater(binary, dir, &[])?,
            agent: Self::agent(),
            organization: None,
        };
        let body = json!({"username": "admin", "password": "compat-password", "org": "compat",
            "bucket": "first", "token": TOKEN});
        let answer = side.post("/api/v2/setup", &body)?;
        let id = answer["org"]["id"]
            .as_str()
            .context("setup names no organization")?;
        side.organization = Some(id.to_owned());
        Ok(side)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .header("Content-Type", "application/json")
            .send(body.to_string())?;
        let text = response.body_mut().read_to_string()?;
        if response.status() != 201 {
            bail!("{path} was answered {}: {text}", response.status());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// A database whose data is partitioned by `shard_seconds`.
    fn create_database(&self, name: &str, shard_seconds: u64) -> Result<()> {
        let Some(organization) = &self.organization else {
            let text = format!(
                "CREATE DATABASE \"{name}\" WITH SHARD DURATION {shard_seconds}s NAME \"autogen\""
            );
            let answer = self.query("", &[], &text)?;
            if answer.body != json!({"results": [{"statement_id": 0}]}) {
                bail!("{text}: {}", answer.body);
            }
            return Ok(());
        };
        let rule = json!({"type": "expire", "everySeconds": 0,
            "shardGroupDurationSeconds": shard_seconds});
        let body = json!({"orgID": organization, "name": name, "retentionRules": [rule]});
        let bucket = self.post("/api/v2/buckets", &body)?;
        let body = json!({"orgID": organization, "bucketID": bucket["id"], "database": name,
            "retention_policy": "autogen", "default": true});
        self.post("/api/v2/dbrps", &body)?;
        Ok(())
    }

    fn write(&self, database: &str, parameters: &[(&str, &str)], body: &str) -> Result<()> {
        let mut response = self
            .agent
            .post(format!("{}/write", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .query("db", database)
            .query_pairs(parameters.iter().copied())
            .send(body)?;
        if response.status() != 204 {
            let text = response.body_mut().read_to_string()?;
            bail!("a write was answered {}: {text:.500}", response.status());
        }
        Ok(())
    }

    /// The answer; a body that is not JSON reads as null.
    fn query(&self, database: &str, parameters: &[(&str, &str)], text: &str) -> Result<Answer> {
        let mut response = self
            .agent
            .post(format!("{}/query", self.server.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .query("db", database)
            .query_pairs(parameters.iter().copied())
            .query("q", text)
            .send_empty()?;
        let body = response
            .body_mut()
            .with_config()
            .limit(1 << 28)
            .read_to_vec()?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        })
    }
}
