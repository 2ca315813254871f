//! The golden cases of `tests/golden/*.golden`: line protocol in, InfluxQL in, exact answer out.
//!
//! A file is a sequence of steps. `-- bucket [shard=1h]` makes a bucket and a mapping (a file
//! that does not begin with it gets the default); `-- write [precision=s] [rp=…]` and
//! `-- query [epoch=s] [params=…]` send the lines up to `==` or the next step. What follows `==`
//! is the answer: the body, after the status where it is not 200 or 204. Lines that begin with
//! `#` outside of these parts are comments. `cargo xtask golden --update` writes the answers.

use std::path::Path;

use serde_json::json;

use crate::server::{NAME, Server};

#[derive(Debug, Default)]
struct Step {
    comments: Vec<String>,
    /// The words after `--`.
    head: String,
    input: Vec<String>,
    answer: Option<Vec<String>>,
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut comments = Vec::new();
    for line in text.lines() {
        let in_step = steps.last().is_some_and(|s| !s.head.is_empty());
        if let Some(head) = line.strip_prefix("-- ") {
            let comments = std::mem::take(&mut comments);
            steps.push(Step {
                comments,
                head: head.to_owned(),
                ..Step::default()
            });
        } else if line.starts_with('#') || (line.is_empty() && !in_step) {
            comments.push(line.to_owned());
        } else if let Some(step) = steps.last_mut() {
            if line == "==" {
                step.answer = Some(Vec::new());
            } else if let Some(answer) = &mut step.answer {
                answer.push(line.to_owned());
            } else {
                step.input.push(line.to_owned());
            }
        }
    }
    steps
}

fn print(steps: &[Step]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for step in steps {
        lines.extend(step.comments.iter().cloned());
        lines.push(format!("-- {}", step.head));
        lines.extend(step.input.iter().cloned());
        if let Some(answer) = &step.answer {
            lines.push("==".to_owned());
            lines.extend(answer.iter().cloned());
        }
    }
    lines.join("\n") + "\n"
}

impl Step {
    fn option(&self, name: &str) -> Option<&str> {
        self.head
            .split(' ')
            .skip(1)
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn kind(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    fn run(&self, server: &Server, database: &str) -> String {
        let mut query = vec![("db", self.option("db").unwrap_or(database))];
        for name in [
            "precision",
            "epoch",
            "rp",
            "params",
            "chunked",
            "chunk_size",
        ] {
            query.extend(self.option(name).map(|value| (name, value)));
        }
        let input = self.input.join("\n");
        let answer = match self.kind() {
            "write" => server.request("POST", "/write", &query, &input),
            "query" => {
                query.push(("q", &input));
                server.request("POST", "/query", &query, "")
            }
            other => panic!("unknown step `{other}`"),
        };
        let body = answer.body.trim_end_matches('\n');
        match answer.status {
            200 => body.to_owned(),
            status => format!("{status} {body}").trim_end().to_owned(),
        }
    }
}

/// A bucket and its mapping, both named after the file.
fn make_bucket(server: &Server, name: &str, shard: Option<&str>) {
    let org = server
        .request("GET", "/api/v2/orgs", &[("org", NAME)], "")
        .json();
    let org = org["orgs"][0]["id"]
        .as_str()
        .expect("an organization")
        .to_owned();
    let shard_seconds = match shard {
        None => 604_800,
        Some("1h") => 3_600,
        Some("1d") => 86_400,
        Some(other) => panic!("unknown shard group duration `{other}`"),
    };
    let rule = json!({"type": "expire", "everySeconds": 0,
        "shardGroupDurationSeconds": shard_seconds});
    let body = json!({"orgID": org, "name": name, "retentionRules": [rule]}).to_string();
    let bucket = server.request("POST", "/api/v2/buckets", &[], &body);
    assert_eq!(bucket.status, 201, "{}", bucket.body);
    let body = json!({"orgID": org, "bucketID": bucket.json()["id"], "database": name,
        "retention_policy": "autogen", "default": true});
    let mapping = server.request("POST", "/api/v2/dbrps", &[], &body.to_string());
    assert_eq!(mapping.status, 201, "{}", mapping.body);
}

fn run_file(server: &Server, path: &Path, update: bool, wrong: &mut Vec<String>) -> usize {
    let name = path
        .file_stem()
        .and_then(|s| s.to_str())
        .expect("a UTF-8 file name");
    let mut steps = parse(&std::fs::read_to_string(path).expect("a readable file"));
    let first = steps.first().filter(|step| step.kind() == "bucket");
    make_bucket(server, name, first.and_then(|step| step.option("shard")));
    let mut cases = 0;
    for step in steps.iter_mut().filter(|step| step.kind() != "bucket") {
        cases += 1;
        let got = step.run(server, name);
        let expected = match &step.answer {
            Some(answer) => answer.join("\n"),
            None if step.kind() == "write" => "204".to_owned(),
            None => String::new(),
        };
        if got != expected {
            let input = step.input.join("\n");
            wrong.push(format!(
                "{name}: {input}\n  expected {expected}\n  got      {got}"
            ));
            step.answer = Some(got.split('\n').map(str::to_owned).collect());
        }
    }
    if update {
        std::fs::write(path, print(&steps)).expect("a writable file");
    }
    cases
}

#[test]
fn golden_cases_get_their_exact_answers() {
    let update = std::env::var_os("HEADWATER_GOLDEN_UPDATE").is_some();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of golden cases")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "golden"))
        .collect();
    files.sort();
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for file in &files {
        cases += run_file(&server, file, update, &mut wrong);
    }
    assert!(cases > 0, "no golden cases were found");
    if !update {
        assert!(
            wrong.is_empty(),
            "{} of {cases} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}
