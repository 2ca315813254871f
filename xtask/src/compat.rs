//! `cargo xtask compat`: random data and random queries to our server and to InfluxDB 1.6.7,
//! whose answers must agree but for what `compat/known.rs` lists. Everything follows from the
//! seed. A query that gets different answers is shortened while they still differ.

mod compare;
mod data;
mod generate;
mod golden;
mod known;
mod query;
mod scenario;
mod side;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use self::{
    data::{DataSet, OTHER_POLICY, Span},
    generate::Category,
    query::Request,
    side::{Answer, Side},
};
use crate::{
    process::{cargo, check, target_dir},
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

const QUERIES_PER_DATABASE: usize = 100;
const PARTITION_SECONDS: u64 = 3_600;
/// Requests that shortening one query may take.
const SHRINK_MAX: usize = 150;

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
        dir,
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

/// What queries of one database may speak of.
struct Place {
    span: Span,
    has_other_policy: bool,
    /// Another database with data.
    neighbour: String,
    is_neighbour_simple: bool,
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
    /// Where data sets are kept, in nanoseconds.
    dir: PathBuf,
    ours: Side,
    theirs: Side,
    counts: BTreeMap<&'static str, Count>,
}

impl Comparison {
    fn run(mut self, options: &Options) -> Result<()> {
        let mut scenarios = 0;
        let mut is_neighbour_simple = false;
        for index in 0..options.queries.div_ceil(QUERIES_PER_DATABASE) {
            let mut random = Random::new(options.seed.wrapping_mul(0x1_0000) + index as u64);
            let database = format!("d{index}");
            let data = data::data_set(&mut random);
            self.load(&database, &data)?;
            if index > 1 {
                self.theirs.forget(&format!("d{}", index - 2))?;
            }
            let place = Place {
                span: data.span,
                has_other_policy: data.other_policy.is_some(),
                neighbour: format!("d{}", index.saturating_sub(1)),
                is_neighbour_simple,
            };
            is_neighbour_simple = !place.has_other_policy;
            let left = options.queries - index * QUERIES_PER_DATABASE;
            for _ in 0..left.min(QUERIES_PER_DATABASE) {
                let category = options.only.unwrap_or_else(|| Category::any(&mut random));
                if category == Category::Delete {
                    let name = format!("{database}x{scenarios}");
                    self.delete(&name, &mut random)?;
                    self.theirs.forget(&name)?;
                    scenarios += 1;
                    continue;
                }
                let request = generate::request(category, &place, &mut random);
                if options.list {
                    let answer = self.ours.query(&database, &request)?;
                    println!("{request}\n  {:.200}", answer.body.to_string());
                }
                self.compare_one(&database, category, request)?;
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

    fn load(&self, database: &str, data: &DataSet) -> Result<()> {
        // For whoever looks into a difference.
        std::fs::write(
            self.dir.join(format!("{database}.lp")),
            data.bodies.concat(),
        )?;
        for side in [&self.ours, &self.theirs] {
            side.create_database(database, PARTITION_SECONDS)?;
            for body in &data.bodies {
                side.write(database, &[], body)?;
            }
            if let Some(bodies) = &data.other_policy {
                side.create_policy(database, OTHER_POLICY, PARTITION_SECONDS)?;
                for body in bodies {
                    side.write(database, &[("rp", OTHER_POLICY)], body)?;
                }
            }
        }
        Ok(())
    }

    /// One sequence of deletes and what is left after each.
    fn delete(&mut self, database: &str, random: &mut Random) -> Result<()> {
        let failed = scenario::run(self, database, random)?;
        let count = self.counts.entry(Category::Delete.name()).or_default();
        count.passed += usize::from(!failed);
        count.with_rows += usize::from(!failed);
        count.failed += usize::from(failed);
        Ok(())
    }

    fn compare_one(&mut self, database: &str, category: Category, request: Request) -> Result<()> {
        let outcome = self.outcome(database, &request)?;
        let count = self.counts.entry(category.name()).or_default();
        match outcome {
            Outcome::Same { has_rows } => {
                count.passed += 1;
                count.with_rows += usize::from(has_rows);
            }
            Outcome::Nothing => count.skipped += 1,
            Outcome::Different(..) => {
                count.failed += 1;
                let full = request.to_string();
                let (short, outcome) = self.shorten(database, request, outcome)?;
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

    fn outcome(&self, database: &str, request: &Request) -> Result<Outcome> {
        let theirs = match self.theirs.query(database, request) {
            Ok(answer) => answer,
            // It puts the text of an error in a header, also where that breaks the header.
            Err(error) if format!("{error:#}").contains("invalid header") => {
                return Ok(Outcome::Nothing);
            }
            Err(error) => return Err(error.context(format!("InfluxDB did not answer: {request}"))),
        };
        let ours = self.ours.query(database, request).unwrap_or_else(|error| {
            let body = json!({"error": format!("{error:#}")});
            Answer { status: 0, body }
        });
        let text = request.statement.to_string();
        let Some((ours, theirs)) = known::normalise(&text, &ours, &theirs) else {
            return Ok(Outcome::Nothing);
        };
        let text = ours.to_string();
        let has_rows = text.contains("\"values\"") || ours.is_string() && text.len() > 4;
        Ok(match compare::difference(&ours, &theirs) {
            None => Outcome::Same { has_rows },
            Some(place) => Outcome::Different(place, ours, theirs),
        })
    }

    /// Drops one part after another for as long as the answers still differ.
    fn shorten(
        &self,
        database: &str,
        request: Request,
        outcome: Outcome,
    ) -> Result<(Request, Outcome)> {
        let (mut best, mut best_outcome) = (request, outcome);
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
