//! The cases of `tests/golden` against InfluxDB 1.6.7. They record what our server answers, so
//! each difference is either meant (and told in a comment of the file) or a mistake.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    compare, known,
    query::Request,
    side::{Answer, Side},
};
use crate::process::root;

/// A part of a golden file from `-- ` on; the format is told in `headwater/tests/it/golden.rs`.
#[derive(Default)]
struct Step {
    head: String,
    input: Vec<String>,
    answer: Vec<String>,
}

impl Step {
    fn kind(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    fn option(&self, name: &str) -> Option<&str> {
        let mut words = self.head.split(' ').skip(1);
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn parameters(&self) -> Vec<(&str, &str)> {
        ["precision", "rp"]
            .into_iter()
            .filter_map(|name| Some((name, self.option(name)?)))
            .collect()
    }

    fn request(&self) -> Request {
        let mut request = Request::text(&self.input.join("\n"));
        let names = ["epoch", "rp", "params", "chunked", "chunk_size"];
        request.more = names
            .into_iter()
            .map(|name| (name, self.option(name).unwrap_or_default().to_owned()))
            .collect();
        request
    }

    fn expected(&self) -> Answer {
        let text = self.answer.join("\n");
        let (status, body) = match text.split_once(' ') {
            Some((status, body)) if status.len() == 3 => (status.parse().unwrap_or(200), body),
            _ => (200, text.as_str()),
        };
        Answer {
            status,
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }
}

pub(super) fn run(theirs: &Side) -> Result<()> {
    let mut paths: Vec<_> = std::fs::read_dir(root().join("tests/golden"))?
        .collect::<std::io::Result<Vec<_>>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "golden")
        })
        .collect();
    paths.sort();
    let (mut passed, mut failed) = (0, 0);
    for path in paths {
        let name = path.file_stem().context("a file name")?.to_string_lossy();
        for step in replay(theirs, &name, &std::fs::read_to_string(&path)?)? {
            match step {
                None => passed += 1,
                Some(text) => {
                    failed += 1;
                    println!("{name}: {text}");
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(())
}

/// For each query whether the recorded answer differs, and how.
fn replay(theirs: &Side, name: &str, text: &str) -> Result<Vec<Option<String>>> {
    let steps = steps(text);
    let shard = steps.first().and_then(|step| step.option("shard"));
    let shard_seconds = match shard {
        Some("1h") => 3_600,
        Some("1d") => 86_400,
        _ => 604_800,
    };
    theirs.create_database(name, shard_seconds)?;
    let mut outcomes = Vec::new();
    for step in &steps {
        let input = step.input.join("\n");
        match step.kind() {
            "write" => {
                if let Err(error) = theirs.write(name, &step.parameters(), &input)
                    && step.answer.is_empty()
                {
                    outcomes.push(Some(format!("{error:#}\n  {input:.300}")));
                }
            }
            "query" => {
                // What is not offered would change the data there; other formats than JSON are
                // not compared.
                let expected = step.expected();
                if expected.body.is_null() || expected.body.to_string().contains("not implemented")
                {
                    continue;
                }
                let database = step.option("db").unwrap_or(name);
                let answer = theirs.query(database, &step.request())?;
                let pair = known::normalise(&input, &expected, &answer);
                outcomes.push(pair.and_then(|(ours, theirs)| {
                    let place = compare::difference(&ours, &theirs)?;
                    Some(format!(
                        "{input}\n  at {place}\n  theirs {}",
                        compare::short(&theirs)
                    ))
                }));
            }
            _ => {}
        }
    }
    Ok(outcomes)
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_answer = false;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("-- ") {
            in_answer = false;
            steps.push(Step {
                head: head.to_owned(),
                ..Step::default()
            });
        } else if line.starts_with('#') {
        } else if line == "==" {
            in_answer = true;
        } else if let Some(step) = steps.last_mut() {
            let part = if in_answer {
                &mut step.answer
            } else {
                &mut step.input
            };
            part.push(line.to_owned());
        }
    }
    steps
}
