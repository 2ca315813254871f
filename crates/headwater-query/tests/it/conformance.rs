//! Answers recorded on the reference, where they are at hand.

use std::{collections::HashMap, fs, path::PathBuf};

use headwater_influxql::{Params, parse_query};
use headwater_model::{Id, Precision, Value};
use headwater_query::series::{Column, ResultPiece, Series};
use serde_json::{Value as Json, json};

use crate::fixture::{Fixture, to_json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance")
}

fn cases(file: &str) -> Vec<Json> {
    let Ok(text) = fs::read_to_string(folder().join(file)) else {
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Seconds of a duration like `7d` or `1000w`.
fn seconds(duration: &str) -> i64 {
    headwater_influxql::parse_duration(duration).unwrap() / 1_000_000_000
}

/// Loads the datasets. Half of each is in files, half in memory.
async fn loaded() -> Option<Fixture> {
    let text = fs::read_to_string(folder().join("datasets/datasets.json")).ok()?;
    let sets: Vec<Json> = serde_json::from_str(&text).unwrap();
    let fixture = Fixture::new().await;
    for set in sets {
        let text = |key: &str| set[key].as_str().unwrap_or_default().to_owned();
        let group = set["shard_group_duration"]
            .as_str()
            .map_or(604_800, seconds);
        let bucket = fixture
            .database(&text("db"), &text("rp"), set["default_rp"] == true, group)
            .await;
        let precision = Precision::from_name(&text("precision")).unwrap();
        let Some(file) = set["file"].as_str() else {
            continue;
        };
        let lines = fs::read_to_string(folder().join("datasets").join(file)).unwrap();
        write_in_parts(&fixture, bucket, precision, &lines).await;
    }
    Some(fixture)
}

/// A line `# ---` separates two writes.
async fn write_in_parts(fixture: &Fixture, bucket: Id, precision: Precision, lines: &str) {
    for (at, part) in lines.split("# ---").enumerate() {
        let part: Vec<&str> = part.lines().filter(|line| !line.starts_with('#')).collect();
        fixture.write(bucket, precision, &part.join("\n")).await;
        if at == 0 {
            fixture.flush().await;
        }
    }
}

fn divisor(epoch: Option<&str>) -> Option<i64> {
    // The reference takes names it does not know, `us` among them, for nanoseconds.
    let epoch = epoch.filter(|epoch| !epoch.is_empty())?;
    let known = ["u", "ms", "s", "m", "h"].contains(&epoch);
    let precision = if known {
        Precision::from_name(epoch)
    } else {
        None
    };
    Some(precision.unwrap_or(Precision::Nanosecond).nanoseconds())
}

/// Equal but for the last digits of floats and for the numbers of shards.
fn is_same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => {
            let (Some(x), Some(y)) = (x.as_f64(), y.as_f64()) else {
                return x == y;
            };
            x == y || (x - y).abs() <= 1e-9 * x.abs().max(y.abs())
        }
        (Json::Array(x), Json::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| is_same(x, y))
        }
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(key, x)| y.get(key).is_some_and(|y| is_same(x, y)))
        }
        (Json::String(x), Json::String(y)) => without_shard(x) == without_shard(y),
        _ => a == b,
    }
}

/// The number of a shard is each server's own.
fn without_shard(text: &str) -> &str {
    match text
        .strip_prefix("shard ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((_, rest)) => rest,
        None => text,
    }
}

/// The answer to a case, or `None` where the request is not about queries alone.
async fn answer(fixture: &Fixture, case: &Json) -> Option<Json> {
    let text = case["q"].as_str()?;
    let params = &case["params"];
    if params.get("chunked").is_some() || params.get("accept").is_some() {
        return None;
    }
    let bound = match params["params"].as_str() {
        Some(bound) => Params::from_json(bound).ok()?,
        None => Params::default(),
    };
    let mut request = fixture.request(case["db"].as_str().unwrap_or_default(), "SHOW DATABASES");
    request.query = parse_query(text.trim(), &bound).ok()?;
    request.retention_policy = params["rp"].as_str().map(str::to_owned);
    let pieces = fixture.pieces(request).await;
    if let Some(value) = unsupported_value(&pieces) {
        let error = format!("json: unsupported value: {value}");
        return Some(json!({ "results": [{ "statement_id": 0, "error": error }] }));
    }
    let results = to_json(pieces, divisor(params["epoch"].as_str()));
    Some(if results == json!([]) {
        json!({})
    } else {
        json!({ "results": results })
    })
}

/// The first number that JSON does not have, for which an encoder refuses the whole answer.
fn unsupported_value(pieces: &[ResultPiece]) -> Option<&'static str> {
    let series = pieces.iter().flat_map(|piece| &piece.series);
    series
        .flat_map(|series| (0..series.row_count()).flat_map(move |row| cells(series, row)))
        .find(|value| value.is_infinite())
        .map(|value| if value > 0.0 { "+Inf" } else { "-Inf" })
}

fn cells(series: &Series, row: usize) -> impl Iterator<Item = f64> {
    series.values.iter().filter_map(move |column| match column {
        Column::Float { values, .. } => Some(values[row]),
        Column::Mixed(values) => match &values[row] {
            Some(Value::Float(value)) => Some(*value),
            _ => None,
        },
        _ => None,
    })
}

/// Runs the cases of a file; at most this many may differ, each for a known reason.
async fn check(file: &str, differing_max: usize) {
    let Some(fixture) = loaded().await else {
        return;
    };
    let mut differences = Vec::new();
    let mut count = 0;
    for case in cases(file) {
        if case["status"] != 200 || case["undecided"] == true {
            continue;
        }
        let Some(got) = answer(&fixture, &case).await else {
            continue;
        };
        count += 1;
        let expected = case.get("exp_decided").unwrap_or(&case["body"]);
        if !is_same(&got, expected) {
            let cut = |json: &Json| json.to_string().chars().take(400).collect::<String>();
            differences.push(format!(
                "{} {} {}\n  got      {}\n  expected {}",
                case["id"],
                case["db"],
                case["q"],
                cut(&got),
                cut(expected)
            ));
        }
    }
    assert!(
        differences.len() <= differing_max,
        "{} of {count} differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn random_queries_answer_as_recorded() {
    // SHOW TAG KEYS of an unknown database says `database not found`, as all statements do.
    check("differential.jsonl", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_written_queries_answer_as_recorded() {
    // An order that is unspecified, EXPLAIN's figures of the reference's own files and cache, a
    // sketch as text, and a system field beside a real one.
    check("golden.jsonl", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_leave_what_is_recorded() {
    let mut differences = Vec::new();
    for case in cases("delete.jsonl") {
        let fixture = Fixture::new().await;
        let mut buckets: HashMap<String, Id> = HashMap::new();
        let database = case["db"].as_str().unwrap();
        for rp in case["rps"].as_array().unwrap() {
            let name = rp[0].as_str().unwrap();
            let group = rp[2].as_str().map_or(604_800, seconds);
            let bucket = fixture.database(database, name, rp[1] == true, group).await;
            buckets.insert(name.to_owned(), bucket);
        }
        for step in case["steps"].as_array().unwrap() {
            if step["op"] == "write" {
                let bucket = buckets[step["rp"].as_str().unwrap_or("autogen")];
                let precision = step["precision"].as_str().unwrap_or("ns");
                let data = step["lp"].as_str().unwrap();
                fixture
                    .write_some(bucket, Precision::from_name(precision).unwrap(), data)
                    .await;
                continue;
            }
            if step["status"] != 200 {
                continue;
            }
            let mut query = step.clone();
            query["db"] = json!(database);
            let got = answer(&fixture, &query).await.expect("is a query");
            if !is_same(&without_bare(&got), &without_bare(&step["body"])) {
                differences.push(format!(
                    "{} {}\n  {got}\n  {}",
                    case["id"], step["q"], step["body"]
                ));
                break;
            }
        }
    }
    // The reference's index goes on listing tag values of deleted series as long as their
    // measurement has others in a partition, and series whose only points were refused.
    let text = differences.join("\n");
    assert!(differences.len() <= 12, "{}\n{text}", differences.len());
}

/// Without the results of successful deletes, which the reference leaves out.
fn without_bare(answer: &Json) -> Json {
    let results = answer["results"].as_array().cloned().unwrap_or_default();
    Json::Array(
        results
            .into_iter()
            .filter(|result| result.as_object().unwrap().len() > 1)
            .collect(),
    )
}
