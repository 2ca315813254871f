//! Where our server means to differ from InfluxDB 1.6.7, and what the comparison does about it.
//!
//! Two ways: an answer is normalised here before it is compared, or the generator
//! leaves the case out. Left out there, with the reason:
//!
//! - `abs()` of anything but a float field: 1.6.7 returns a negative integer unchanged.
//! - `time(every, offset)` together with `tz()`: 1.6.7 adds the offset after the zone lookup.
//! - `top`, `bottom`, `distinct` and `sample` with `ORDER BY time DESC`: 1.6.7 sorts the points
//!   of a window ascending all the same.
//! - a LIMIT or OFFSET inside a subquery below an aggregate, and `mode`/`stddev` there: the
//!   order of the inner rows differs between the versions.
//! - `cumulative_sum(aggregate)` without a lower time bound: 1.6.7's range wraps around.
//! - `sample` of fewer points than there are: random.
//! - `integral` grouped by tags or over several measurements: the order of the groups is random
//!   in 1.6.7.
//! - a time range in SHOW statements: we honour it exactly, 1.6.7 by shard or not at all.
//! - GROUP BY with a dimension twice: 1.6.7 then skips OFFSET twice and breaks ties otherwise.
//! - SHOW FIELD KEY CARDINALITY with predicates: counts by series there, while in 2.x field keys
//!   have no tags.
//! - several calls grouped by tags below a query without calls, and `fill(previous)` below one
//!   with calls: both depend on the order of groups that 2.x changed.
//! - `top`, `bottom`, `distinct` and `sample` grouped by tags below a call, and `ORDER BY DESC`
//!   over a query grouped by tags: 1.6.7 does not sort the points of several groups by time.
//! - `mean` and `stddev` of integers near the limits: sums that cancel out depend on the order of
//!   addition.
//! - SHOW statements where there is a second retention policy: 1.6.7 lists all, 2.x the default.
//! - SHOW TAG KEYS and SHOW TAG VALUES without WHERE after a DELETE: there a deleted series' tags
//!   stay listed until its measurement has no series in the partition (`docs/compat.md`).
//! - the unit `µ` of `epoch`: nanoseconds there.
//! - columns beside `sample`: which of two equal points comes first is not defined.
//! - `mode` and `percentile` without windows: its sort is not stable above twelve points.
//! - EXPLAIN of several calls: 1.6.7 lists them in random order.
//! - SHOW TAG VALUES with predicates on fields: errors here, ignored there.
//! - SHOW SERIES EXACT CARDINALITY: 1.6.7 counts a series once a shard.
//! - users, continuous queries, SHOW STATS and the like, SELECT INTO: not offered.
//! - `FUTURE`, `PAST` and `VERBOSE` as bare names: reserved since.

use serde_json::{Value, json};

use super::side::Answer;

/// Both answers without the differences that are meant; `None` when the pair says nothing.
pub(super) fn normalise(query: &str, ours: &Answer, theirs: &Answer) -> Option<(Value, Value)> {
    // A panic or a dump of 1.6.7 is not an answer to reproduce, and estimates are not offered.
    let text = theirs.body.to_string();
    let is_odd = ["[panic:", "\"cardinality estimation\"", "\"&influxql."];
    if is_odd.iter().any(|it| text.contains(it)) {
        return None;
    }
    // Errors come as CSV or MessagePack there where that was asked for, as JSON since.
    if theirs.status != 200 && theirs.body.is_null() {
        return Some((json!(ours.status), json!(theirs.status)));
    }
    // 1.6.7 breaks off its body at an infinite number, we name the number in an error.
    if theirs.body.is_null() || theirs.body.to_string().contains("json: unsupported value") {
        let infinite = ours.body.to_string().contains("json: unsupported value");
        return (!infinite).then(|| (ours.body.clone(), json!("an infinite number")));
    }
    // Which rows are left depends on an order that 2.x changed.
    if is_unordered(query)
        && [" LIMIT", " OFFSET"]
            .iter()
            .any(|word| query.contains(word))
    {
        return None;
    }
    let mut sides = [envelope(ours), envelope(theirs)];
    for side in &mut sides {
        errors(side, query.matches('(').count() > 1);
        if query.starts_with("EXPLAIN") {
            plan(side);
        }
        let has_ties = takes_best_of_tags(query);
        if has_ties {
            keep_values(side);
        }
        if has_ties || is_unordered(query) {
            sort_rows(side);
        }
    }
    let [mut ours, mut theirs] = sides;
    not_executed(&mut ours, &mut theirs);
    Some((ours, theirs))
}

/// Our error bodies carry 2.x's `code` and `message` beside 1.x's `error`.
fn envelope(answer: &Answer) -> Value {
    if answer.status == 200 {
        return answer.body.clone();
    }
    json!({"status": answer.status, "error": answer.body["error"]})
}

/// 1.6.7 prints numbers in error texts with three decimals, we print the shortest form. Which of
/// several calls it complains of is random.
fn errors(answer: &mut Value, has_calls: bool) {
    match answer {
        Value::Array(items) => items.iter_mut().for_each(|item| errors(item, has_calls)),
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == "error" => {
                        let any_call = text
                            .strip_prefix("unsupported ")
                            .and_then(|rest| rest.split_once(" iterator type: "));
                        *text = match any_call {
                            Some(_) if has_calls => "unsupported iterator type".to_owned(),
                            // Shards have their own numbers on each server.
                            _ if text.starts_with("shard ") => {
                                text.trim_start_matches(|c: char| c != ':').to_owned()
                            }
                            _ => short_numbers(text),
                        };
                    }
                    other => errors(other, has_calls),
                }
            }
        }
        _ => {}
    }
}

fn short_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number = &rest[..end];
        match number.parse::<f64>() {
            Ok(value) if number.contains('.') => {
                let rounded = format!("{value:.3}");
                out.push_str(rounded.trim_end_matches('0'));
            }
            _ => out.push_str(number),
        }
        rest = &rest[end..];
    }
    out + rest
}

/// Files, blocks and caches are the storage engine's own business.
fn plan(answer: &mut Value) {
    let own = [
        "CACHED VALUES",
        "NUMBER OF FILES",
        "NUMBER OF BLOCKS",
        "SIZE OF BLOCKS",
    ];
    for rows in all_rows(answer) {
        rows.retain(|row| {
            let line = row[0].as_str().unwrap_or_default();
            !own.iter().any(|start| line.starts_with(start))
        });
    }
}

/// A raw query over a selector that has more groups: 2.x emits the groups of a window in tag
/// order and then sorts them by time, 1.6.7 does not.
fn is_unordered(query: &str) -> bool {
    query.contains("FROM (") && query.contains("GROUP BY")
}

/// `top` and `bottom` of the best of tags: these come in the order of tags there and sorted by
/// time since, which decides which of two equal ones is kept.
fn takes_best_of_tags(query: &str) -> bool {
    ["top(", "bottom("].iter().any(|call| {
        query.split(call).skip(1).any(|rest| {
            let arguments = rest.split(')').next().unwrap_or_default();
            arguments.matches(',').count() > 1
        })
    })
}

/// Leaves of each row its time and its first value.
fn keep_values(answer: &mut Value) {
    for rows in all_rows(answer) {
        for row in rows {
            if let Some(cells) = row.as_array_mut() {
                cells.truncate(2);
            }
        }
    }
}

fn all_rows(answer: &mut Value) -> impl Iterator<Item = &mut Vec<Value>> {
    let documents = match answer {
        Value::Array(documents) => documents.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    documents
        .iter_mut()
        .flat_map(|document| document["results"].as_array_mut().into_iter().flatten())
        .flat_map(|result| result["series"].as_array_mut().into_iter().flatten())
        .filter_map(|series| series["values"].as_array_mut())
}

fn sort_rows(answer: &mut Value) {
    for rows in all_rows(answer) {
        rows.sort_by_cached_key(|row| (row[0].as_i64(), row.to_string()));
    }
}

/// After a failing statement we answer `not executed` for each later one under its own id; 1.6.7
/// loses the reason of the failure and the later ids. What came before must agree.
fn not_executed(ours: &mut Value, theirs: &mut Value) {
    if let (Value::Array(ours), Value::Array(theirs)) = (&mut *ours, &mut *theirs) {
        let is_failure = |document: &Value| document["results"][0]["error"].is_string();
        if let Some(failing) = theirs.iter().position(is_failure) {
            ours.truncate(failing + 1);
            theirs.truncate(failing + 1);
        }
        for (ours, theirs) in ours.iter_mut().zip(theirs) {
            not_executed(ours, theirs);
        }
        return;
    }
    let failing = theirs["results"].as_array().and_then(|results| {
        let is_lost = |result: &Value| result["error"] == "not executed";
        results.iter().position(is_lost)
    });
    let Some(failing) = failing else { return };
    for side in [ours, theirs] {
        if let Some(results) = side["results"].as_array_mut() {
            results.truncate(failing + 1);
            if let Some(last) = results.get_mut(failing) {
                *last = json!({"failed": last["error"].is_string()});
            }
        }
    }
}
