//! Texts whose canonical form or error a real server told, read from the folder of recorded
//! cases beside the repository. Where the folder is absent the tests have nothing to do.

use std::fs;
use std::path::PathBuf;

use headwater_influxql::{
    Params, format_duration, parse_duration, parse_expr, parse_query, parse_statement,
    redact_passwords,
};
use serde_json::Value;

/// The cases of a file, one JSON object a line.
fn cases(file: &str) -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let Ok(text) = fs::read_to_string(folder.join(file)) else {
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text {key} in {case}"))
}

/// Fails with every difference, so that one run shows them all.
fn report(differences: Vec<String>) {
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

fn compare(differences: &mut Vec<String>, case: &Value, got: &str, expected: &str) {
    if got != expected {
        differences.push(format!(
            "{} {}\n  expected: {expected}\n  got:      {got}",
            case["id"],
            case.get("input").or(case.get("q")).unwrap_or(&Value::Null)
        ));
    }
}

/// The canonical text of a case, or its error.
fn outcome(case: &Value) -> String {
    let input = text(case, "input");
    let params = match case.get("params") {
        Some(params) => Params::from_json(&params.to_string()).expect("parameters"),
        None => Params::default(),
    };
    let result = match case["kind"].as_str() {
        Some("expr") => parse_expr(input).map(|expr| expr.to_string()),
        Some("statement") if params.is_empty() => {
            parse_statement(input).map(|statement| statement.to_string())
        }
        _ => parse_query(input, &params).map(|query| query.to_string()),
    };
    result.unwrap_or_else(|error| error.to_string())
}

#[test]
fn accepted_texts_print_canonically() {
    let mut differences = Vec::new();
    for case in cases("parser_accepts.jsonl") {
        compare(
            &mut differences,
            &case,
            &outcome(&case),
            text(&case, "canonical"),
        );
    }
    report(differences);
}

#[test]
fn refused_texts_give_the_exact_error() {
    let mut differences = Vec::new();
    for case in cases("parser_errors.jsonl") {
        compare(
            &mut differences,
            &case,
            &outcome(&case),
            text(&case, "error"),
        );
    }
    report(differences);
}

#[test]
fn mutated_texts_are_refused_or_accepted_alike() {
    let mut differences = Vec::new();
    for case in cases("parser_mutations.jsonl") {
        let got = match parse_query(text(&case, "input"), &Params::default()) {
            Ok(query) => {
                let texts: Vec<_> = query.statements.iter().map(ToString::to_string).collect();
                Value::from(texts).to_string()
            }
            Err(error) => error.to_string(),
        };
        let expected = match case.get("error") {
            Some(error) => error.as_str().unwrap().to_owned(),
            None => case["canonical"].to_string(),
        };
        compare(&mut differences, &case, &got, &expected);
    }
    report(differences);
}

#[test]
fn durations_are_read_and_printed_alike() {
    let mut differences = Vec::new();
    for case in cases("influxql_semantics.jsonl") {
        match case["kind"].as_str() {
            Some("duration") => {
                let got = match parse_duration(text(&case, "input")) {
                    Ok(nanoseconds) => nanoseconds.to_string(),
                    Err(error) => error.to_string(),
                };
                let expected = case.get("error").map_or_else(
                    || case["ns"].to_string(),
                    |error| error.as_str().unwrap().to_owned(),
                );
                compare(&mut differences, &case, &got, &expected);
            }
            Some("format_duration") => {
                let got = format_duration(case["ns"].as_i64().unwrap());
                compare(&mut differences, &case, &got, text(&case, "canonical"));
            }
            Some("sanitize") => {
                let got = redact_passwords(text(&case, "input"));
                compare(&mut differences, &case, &got, text(&case, "canonical"));
            }
            _ => {}
        }
    }
    report(differences);
}

/// The message of a 400 answer that this crate is to give, `None` where the query parses.
fn parse_outcome(query: &str, params: Option<&str>) -> Option<String> {
    let params = match params.filter(|params| !params.is_empty()) {
        Some(params) => match Params::from_json(params) {
            Ok(params) => params,
            Err(error) => return Some(error.to_string()),
        },
        None => Params::default(),
    };
    let error = parse_query(query.trim(), &params).err()?;
    Some(format!("failed to parse query: {error}"))
}

#[test]
fn recorded_answers_refuse_the_same_queries() {
    let mut differences = Vec::new();
    for file in ["differential.jsonl", "golden.jsonl"] {
        for case in cases(file) {
            let Some(query) = case["q"].as_str().filter(|query| !query.trim().is_empty()) else {
                continue;
            };
            let got = parse_outcome(query, case["params"]["params"].as_str());
            let message = case["body"]["message"].as_str();
            // Other refusals are the HTTP layer's.
            let expected = message.filter(|message| {
                case["status"] == 400
                    && (message.starts_with("failed to parse query: ")
                        || message.starts_with("error parsing "))
            });
            let shown = |outcome: Option<&str>| outcome.unwrap_or("parses").to_owned();
            compare(
                &mut differences,
                &case,
                &shown(got.as_deref()),
                &shown(expected),
            );
        }
    }
    report(differences);
}

#[test]
fn recorded_suites_refuse_the_same_queries() {
    let mut differences = Vec::new();
    for file in ["engine_2x.jsonl", "v1_tests.jsonl", "v2_v1tests.jsonl"] {
        for case in cases(file) {
            for query in case["queries"].as_array().into_iter().flatten() {
                check_suite_query(&mut differences, &case, query);
            }
        }
    }
    report(differences);
}

fn check_suite_query(differences: &mut Vec<String>, case: &Value, query: &Value) {
    let command = text(query, "command");
    // Times that the runner fills in read as strings do.
    let command = command.replace("{{", "").replace("}}", "");
    let expected = ["exp_decided", "exp_v2", "exp"]
        .iter()
        .find_map(|key| query[key].as_str());
    let Some(expected) = expected.filter(|_| query["pattern"] != true) else {
        return;
    };
    let expected = serde_json::from_str::<Value>(expected).unwrap_or_default();
    let message = ["message", "error"]
        .iter()
        .find_map(|key| expected[key].as_str());
    let message = message
        .map(|message| message.replace("error parsing query: ", "failed to parse query: "))
        .filter(|message| message.contains("pars"));
    let got = parse_outcome(&command, query["params"]["params"].as_str());
    if got != message {
        differences.push(format!(
            "{} {command:?}\n  expected: {message:?}\n  got:      {got:?}",
            case["name"]
        ));
    }
}

#[test]
fn recorded_exchanges_refuse_the_same_queries() {
    let mut differences = Vec::new();
    for scenario in cases("http.jsonl") {
        for step in scenario["steps"].as_array().into_iter().flatten() {
            let parameter = |name: &str| {
                let pairs = step["query"].as_array()?;
                pairs.iter().find(|pair| pair[0] == name)?[1].as_str()
            };
            let message = step["expect"]["json"]["message"].as_str();
            let expected = message.filter(|message| {
                ["failed to parse query: ", "error parsing "]
                    .iter()
                    .any(|prefix| message.starts_with(prefix))
            });
            let Some(query) = parameter("q").filter(|_| step["path"] == "/query") else {
                continue;
            };
            // Answers that are refused before the text is looked at tell nothing about it.
            if expected.is_none() && step["expect"]["status"] != 200 {
                continue;
            }
            let got = parse_outcome(query, parameter("params"));
            if got.as_deref() != expected {
                differences.push(format!(
                    "{step}\n  expected: {expected:?}\n  got:      {got:?}"
                ));
            }
        }
    }
    report(differences);
}
