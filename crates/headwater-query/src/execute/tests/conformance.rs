//! Recorded answers of real servers, read where the folder is present.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use headwater_influxql::{Params, ast::Statement, parse_query};
use headwater_model::{Id, Precision, Value};
use serde_json::Value as Json;

use super::{SECOND, WEEK, cell, run};
use crate::{execute::memory::Memory, series::Series};

fn folder() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    path.exists().then_some(path)
}

fn duration(text: &str) -> i64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "h" => 3600,
        "d" => 24 * 3600,
        _ => 7 * 24 * 3600,
    };
    number.parse::<i64>().unwrap() * unit * SECOND
}

/// The databases of the recorded cases.
fn load(folder: &Path) -> Memory {
    let mut memory = Memory::default();
    let sets = fs::read_to_string(folder.join("datasets/datasets.json")).unwrap();
    let sets: Json = serde_json::from_str(&sets).unwrap();
    for set in sets.as_array().unwrap() {
        let text = |key: &str| set[key].as_str().unwrap();
        let shard = set["shard_group_duration"].as_str().map_or(WEEK, duration);
        let is_default = set["default_rp"].as_bool().unwrap();
        let bucket: Id = memory.create(text("db"), text("rp"), is_default, shard);
        let Some(file) = set["file"].as_str() else {
            continue;
        };
        let lines = fs::read_to_string(folder.join("datasets").join(file)).unwrap();
        let precision = Precision::from_name(text("precision")).unwrap();
        for part in lines.split("# ---") {
            memory.write(bucket, part, precision);
        }
    }
    memory
}

/// Rows by series name and tags, as the answers have them.
fn rows_of(series: Vec<Series>) -> Vec<(String, Vec<Vec<Option<Value>>>)> {
    let mut out: Vec<(String, Vec<Vec<Option<Value>>>)> = Vec::new();
    let mut continues = false;
    for series in series {
        let tags: BTreeMap<&str, &str> = series
            .tags
            .iter()
            .flat_map(|t| t.iter())
            .map(|(k, v)| (&**k, &**v))
            .collect();
        let key = format!("{:?} {:?} {:?}", series.name, tags, series.columns);
        let rows: Vec<_> = (0..series.row_count())
            .map(|row| {
                series
                    .values
                    .iter()
                    .map(|column| cell(column, row))
                    .collect()
            })
            .collect();
        match out.last_mut() {
            Some((last, known)) if continues && *last == key => known.extend(rows),
            _ => out.push((key, rows)),
        }
        continues = series.partial;
    }
    out
}

fn expected_rows(result: &Json) -> Vec<(String, Vec<Vec<Json>>)> {
    let mut out: Vec<(String, Vec<Vec<Json>>)> = Vec::new();
    for series in result["series"].as_array().into_iter().flatten() {
        let tags: BTreeMap<&str, &str> = series["tags"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap()))
            .collect();
        let columns: Vec<&str> = series["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c.as_str().unwrap())
            .collect();
        let name: Option<&str> = series["name"].as_str();
        let key = format!("{name:?} {tags:?} {columns:?}");
        let rows = series["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_array().unwrap().clone());
        out.push((key, rows.collect()));
    }
    out
}

fn close(left: f64, right: f64) -> bool {
    left == right || (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
}

fn same_cell(got: &Option<Value>, want: &Json) -> bool {
    match (got, want) {
        (None, Json::Null) => true,
        (Some(Value::Boolean(g)), Json::Bool(w)) => g == w,
        (Some(Value::String(g)), Json::String(w)) => **g == **w,
        (Some(Value::Integer(g)), Json::Number(w)) => w
            .as_i64()
            .map_or_else(|| close(*g as f64, w.as_f64().unwrap()), |w| *g == w),
        (Some(Value::Unsigned(g)), Json::Number(w)) => w
            .as_u64()
            .map_or_else(|| close(*g as f64, w.as_f64().unwrap()), |w| *g == w),
        (Some(Value::Float(g)), Json::Number(w)) => close(*g, w.as_f64().unwrap()),
        _ => false,
    }
}

fn same_time(got: &Option<Value>, want: &Json, unit: i64) -> bool {
    let Some(Value::Integer(got)) = got else {
        return false;
    };
    match want {
        Json::String(text) => chrono::DateTime::parse_from_rfc3339(text)
            .is_ok_and(|time| time.timestamp_nanos_opt() == Some(*got)),
        other => other.as_i64() == Some(got / unit),
    }
}

/// What differs, if anything.
fn difference(got: Result<Vec<Series>, String>, want: &Json, unit: i64) -> Option<String> {
    let got = match (got, want["error"].as_str()) {
        (Err(got), Some(want)) if got == want => return None,
        (Err(got), want) => return Some(format!("error {got:?}, expected {want:?}")),
        (Ok(series), None) => rows_of(series),
        (Ok(_), Some(want)) => {
            return (!want.starts_with("json: unsupported")).then(|| format!("no error {want:?}"));
        }
    };
    let want = expected_rows(want);
    let is_same = got.len() == want.len()
        && got.iter().zip(&want).all(|(got, want)| {
            got.0 == want.0
                && got.1.len() == want.1.len()
                && got.1.iter().zip(&want.1).all(|(got, want)| {
                    same_time(&got[0], &want[0], unit)
                        && got[1..]
                            .iter()
                            .zip(&want[1..])
                            .all(|(g, w)| same_cell(g, w))
                })
        });
    if is_same {
        return None;
    }
    let mut text = String::new();
    for (key, rows) in got.iter().take(6) {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .take(12)
            .map(|row| row.iter().map(|c| super::show(c.clone())).collect())
            .collect();
        writeln!(text, "   got  {key} {cells:?}").unwrap();
    }
    for (key, rows) in want.iter().take(6) {
        let rows: Vec<String> = rows
            .iter()
            .take(12)
            .map(|row| Json::Array(row.clone()).to_string())
            .collect();
        writeln!(text, "   want {key} {rows:?}").unwrap();
    }
    Some(text)
}

fn unit(case: &Json) -> i64 {
    match case["params"]["epoch"].as_str() {
        Some("h") => 3600 * SECOND,
        Some("m") => 60 * SECOND,
        Some("s") => SECOND,
        Some("ms") => 1_000_000,
        Some("u") => 1000,
        _ => 1,
    }
}

/// `None`: not a case for execution alone.
fn run_case(memory: &Memory, case: &Json) -> Option<Result<(), String>> {
    let params = match &case["params"]["params"] {
        Json::String(text) => Params::from_json(text).ok()?,
        _ => Params::default(),
    };
    let text = case["q"].as_str()?;
    let query = parse_query(text, &params).ok()?;
    let results = case["body"]["results"].as_array()?;
    for (at, statement) in query.statements.iter().enumerate() {
        let Statement::Select(statement) = statement else {
            return None;
        };
        let want = results
            .iter()
            .find(|r| r["statement_id"].as_i64() == Some(at as i64))?;
        if want["error"].as_str() == Some("not executed") {
            return None;
        }
        // Later than all of the data and before the two points of `fut`.
        let now = 1_790_000_000 * SECOND;
        let policy = case["params"]["rp"].as_str();
        let database = case["db"].as_str();
        let chunk_size = if at % 2 == 0 { 10_000 } else { 3 };
        let got = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(memory, database, policy, statement, now, chunk_size).map_err(|e| e.to_string())
        }));
        let got = got.unwrap_or_else(|_| Err("panic".into()));
        if let Some(text) = difference(got, want, unit(case)) {
            return Some(Err(text));
        }
        if want["error"].is_string() {
            break;
        }
    }
    Some(Ok(()))
}

/// Replays a file; prints what fails, and how many of each category.
fn replay(file: &str, passed_min: usize) {
    let Some(folder) = folder() else { return };
    let memory = load(&folder);
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut report = String::new();
    for line in text.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let Some(outcome) = run_case(&memory, &case) else {
            continue;
        };
        let category = case["category"].as_str().unwrap().to_owned();
        let count = counts.entry(category.clone()).or_default();
        match outcome {
            Ok(()) => count.0 += 1,
            Err(text) => {
                count.1 += 1;
                let (id, db) = (
                    case["id"].as_str().unwrap(),
                    case["db"].as_str().unwrap_or("-"),
                );
                let query = case["q"].as_str().unwrap();
                writeln!(report, "{id} {category} {db}> {query}\n{text}").unwrap();
            }
        }
    }
    if let Some(path) = std::env::var_os("HEADWATER_CONFORMANCE_REPORT") {
        fs::write(Path::new(&path).join(file).with_extension("txt"), &report).unwrap();
    }
    let passed: usize = counts.values().map(|(passed, _)| passed).sum();
    println!("{file}: {counts:#?}");
    assert!(
        passed >= passed_min,
        "{passed} passed, {passed_min} did before: {counts:?}"
    );
}

#[test]
fn hand_written_queries_answer_as_recorded() {
    replay("golden.jsonl", 1034);
}

#[test]
fn random_queries_answer_as_recorded() {
    replay("differential.jsonl", 2973);
}
