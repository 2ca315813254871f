//! Cases recorded from the reference, where they are at hand.

use std::{fs, path::Path};

use chrono::DateTime;
use headwater_influxql::{Params, ast::Expr, parse_expr, parse_query};
use headwater_model::TimeRange;
use serde_json::Value;

use super::{Fixed, parse_select, resolve};
use crate::{
    fold::{Constants, fold},
    resolve::{
        ResolveContext, compile, sources,
        time_bounds::{TimeBounds, split_condition},
        typed,
    },
};

fn cases(file: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let Ok(text) = fs::read_to_string(folder.join(file)) else {
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a case is JSON"))
        .collect()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

fn nanoseconds(time: &str) -> i64 {
    let time = DateTime::parse_from_rfc3339(time).expect("a case's time");
    time.timestamp_nanos_opt().expect("a case's time fits")
}

/// Fails with all differences at once.
fn report(differences: Vec<String>) {
    assert!(
        differences.is_empty(),
        "{}\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn recorded_compile_errors() {
    let mut differences = Vec::new();
    for case in cases("compile_errors.jsonl") {
        let query = text(&case, "query");
        let got = resolve(query).err().unwrap_or_default();
        if got != text(&case, "error") {
            differences.push(format!("{query}\n  {got}\n  {}", text(&case, "error")));
        }
    }
    report(differences);
}

#[test]
fn recorded_statements_that_compile() {
    let mut differences = Vec::new();
    for case in cases("compile_accepts.jsonl") {
        // The reference's server refuses some that its compiler accepts.
        let query = text(&case, "query");
        let got = resolve(query).err();
        if let Some(error) = got
            && case["oracle_2x"] == true
        {
            differences.push(format!("{query}\n  {error}"));
        }
    }
    report(differences);
}

#[test]
fn recorded_time_ranges_of_partitions() {
    let mut differences = Vec::new();
    for case in cases("compile_timerange.jsonl") {
        let query = text(&case, "query");
        let got = resolve(query).expect(query).partition_range;
        let expected = TimeRange::new(
            nanoseconds(text(&case, "start")),
            nanoseconds(text(&case, "end")),
        );
        if got != expected {
            differences.push(format!("{query}\n  {got:?}\n  {expected:?}"));
        }
    }
    report(differences);
}

#[test]
fn recorded_wildcard_expansions() {
    let fixed = Fixed::new();
    let context = ResolveContext {
        databases: &fixed,
        schema: &fixed,
        database: Some("db"),
        retention_policy: None,
        now: 0,
        max_select_buckets: 0,
    };
    let mut differences = Vec::new();
    for case in cases("influxql_semantics.jsonl") {
        if case["kind"] != "rewrite_fields" || case.get("canonical").is_none() {
            continue;
        }
        let mut select = parse_select(text(&case, "input"));
        sources::normalize(&mut select, &context).expect("known database");
        // The reference's expander takes `distinct(*)`, which its compiler refuses.
        let Ok(mut compiled) = compile::compile(&select, 0) else {
            continue;
        };
        sources::map_buckets(&mut compiled, &context).expect("known policy");
        let typed = typed::assign_types(compiled, TimeRange::ALL, &context).expect("expands");
        let mut expected = parse_query(text(&case, "canonical"), &Params::default())
            .map(|query| query.to_string())
            .unwrap_or_default();
        expected.truncate(expected.find(" FROM").unwrap_or(expected.len()));
        let fields: Vec<String> = typed
            .compiled
            .fields
            .iter()
            .map(|field| match &field.alias {
                Some(alias) => format!("{} AS {alias}", field.expr),
                None => field.expr.to_string(),
            })
            .collect();
        // The cases leave names outside wildcards without types.
        let plain = |text: &str| text.replace("::float", "").replace("::integer", "");
        let got = format!("SELECT {}", fields.join(", "));
        if plain(&got) != plain(&expected) {
            differences.push(format!("{}\n  {got}\n  {expected}", text(&case, "input")));
        }
    }
    report(differences);
}

#[test]
fn recorded_splits_of_conditions() {
    let mut differences = Vec::new();
    for case in cases("influxql_semantics.jsonl") {
        if case["kind"] != "condition" {
            continue;
        }
        let input = text(&case, "input");
        let condition = parse_expr(input).expect(input);
        let now = nanoseconds(text(&case, "now"));
        let got = split_condition(Some(&condition), now, chrono_tz::Tz::UTC);
        let got = match got {
            Err(error) => error.to_string(),
            Ok((rest, bounds)) => {
                format!(
                    "{} {bounds:?}",
                    rest.map(|rest| rest.to_string()).unwrap_or_default()
                )
            }
        };
        let bound = |key: &str| case[key].as_str().map(|time| i128::from(nanoseconds(time)));
        let bounds = TimeBounds {
            min: bound("min"),
            max: bound("max"),
        };
        let expected = match case["error"].as_str() {
            Some(error) => error.to_owned(),
            None => format!("{} {bounds:?}", text(&case, "condition")),
        };
        if got != expected {
            differences.push(format!("{input}\n  {got}\n  {expected}"));
        }
    }
    report(differences);
}

#[test]
fn recorded_folds() {
    let mut differences = Vec::new();
    for case in cases("influxql_semantics.jsonl") {
        // Cases with variables are about evaluation.
        if case["kind"] != "reduce" || case.get("data").is_some() {
            continue;
        }
        let input = text(&case, "input");
        let expr: Expr = parse_expr(input).expect(input);
        let constants = Constants::Now {
            now: nanoseconds(text(&case, "now")),
            timezone: chrono_tz::Tz::UTC,
        };
        let got = fold(&expr, Some(&constants)).to_string();
        if got != text(&case, "canonical") {
            differences.push(format!("{input}\n  {got}\n  {}", text(&case, "canonical")));
        }
    }
    report(differences);
}
