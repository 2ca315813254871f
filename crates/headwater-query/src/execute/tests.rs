use std::sync::{Arc, atomic::AtomicBool};

use headwater_env::SeededRandom;
use headwater_influxql::{Params, ast::Statement, parse_query};
use headwater_model::{Precision, Value};

use super::{ExecuteContext, memory::Memory, run_select};
use crate::{
    error::Error,
    resolve::{ResolveContext, resolve_select},
    series::{Column, Series},
};

mod conformance;

const SECOND: i64 = 1_000_000_000;
const WEEK: i64 = 7 * 24 * 3600 * SECOND;

/// Runs one SELECT of a query text.
fn select(
    memory: &Memory,
    database: Option<&str>,
    text: &str,
    now: i64,
) -> Result<Vec<Series>, Error> {
    let query = parse_query(text, &Params::default()).unwrap();
    let Some(Statement::Select(statement)) = query.statements.first() else {
        panic!("no SELECT")
    };
    run(memory, database, None, statement, now, 10_000)
}

fn run(
    memory: &Memory,
    database: Option<&str>,
    policy: Option<&str>,
    statement: &headwater_influxql::ast::SelectStatement,
    now: i64,
    chunk_size: usize,
) -> Result<Vec<Series>, Error> {
    let plan = resolve_select(
        statement,
        &ResolveContext {
            databases: memory,
            schema: memory,
            database,
            retention_policy: policy,
            now,
            max_select_buckets: 0,
        },
    )?;
    let mut out: Vec<Series> = Vec::new();
    let context = ExecuteContext {
        source: memory,
        random: Arc::new(SeededRandom::new(7)),
        cancelled: &AtomicBool::new(false),
        chunk_size,
    };
    run_select(&plan, &context, &mut |series| {
        out.push(series);
        Ok(())
    })?;
    Ok(out)
}

fn cell(column: &Column, row: usize) -> Option<Value> {
    fn typed<T: Clone>(
        values: &[T],
        valid: &Option<Vec<bool>>,
        row: usize,
        make: impl Fn(T) -> Value,
    ) -> Option<Value> {
        valid
            .as_ref()
            .is_none_or(|valid| valid[row])
            .then(|| make(values[row].clone()))
    }
    match column {
        Column::Time(times) => Some(Value::Integer(times[row])),
        Column::Float { values, valid } => typed(values, valid, row, Value::Float),
        Column::Integer { values, valid } => typed(values, valid, row, Value::Integer),
        Column::Unsigned { values, valid } => typed(values, valid, row, Value::Unsigned),
        Column::Boolean { values, valid } => typed(values, valid, row, Value::Boolean),
        Column::String(values) => values[row].clone().map(Value::String),
        Column::Constant { value, .. } => value.clone(),
        Column::Mixed(values) => values[row].clone(),
    }
}

fn show(value: Option<Value>) -> String {
    match value {
        None => "null".into(),
        Some(Value::Float(v)) => v.to_string(),
        Some(Value::Integer(v)) => v.to_string(),
        Some(Value::Unsigned(v)) => v.to_string(),
        Some(Value::Boolean(v)) => v.to_string(),
        Some(Value::String(v)) => format!("{v:?}"),
    }
}

/// The answer as one line a series: `name{tags} time:cell,cell …`, times in seconds.
fn check(lines: &str, text: &str, expected: &str) {
    let mut memory = Memory::default();
    let bucket = memory.create("db", "autogen", true, 1000 * WEEK);
    memory.write(bucket, lines, Precision::Second);
    let series = select(&memory, Some("db"), text, 1000 * SECOND).unwrap();
    let mut out = Vec::new();
    for series in series {
        let tags: Vec<String> = series
            .tags
            .iter()
            .flat_map(|tags| tags.iter())
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let mut line = series.name.as_deref().unwrap_or("").to_owned();
        if series.tags.is_some() {
            line.push_str(&format!("{{{}}}", tags.join(",")));
        }
        for row in 0..series.row_count() {
            let Some(Value::Integer(time)) = cell(&series.values[0], row) else {
                panic!("no time")
            };
            let cells: Vec<String> = series.values[1..]
                .iter()
                .map(|c| show(cell(c, row)))
                .collect();
            line.push_str(&format!(" {}:{}", time / SECOND, cells.join(",")));
        }
        out.push(line);
    }
    assert_eq!(out.join("\n"), expected, "{text}");
}

const CPU: &str = "\
m,host=a v=1,n=10i 0
m,host=a v=2,n=20i 10
m,host=a v=4 20
m,host=b v=3 0
m,host=b v=5,s=\"x\" 30
";

#[test]
fn raw_rows_are_ordered_by_time_over_all_series() {
    check(
        CPU,
        "SELECT v, host FROM m",
        "m 0:1,\"a\" 0:3,\"b\" 10:2,\"a\" 20:4,\"a\" 30:5,\"b\"",
    );
}

#[test]
fn groups_are_ordered_and_descending_reverses_them() {
    check(
        CPU,
        "SELECT v FROM m GROUP BY host",
        "m{host=a} 0:1 10:2 20:4\nm{host=b} 0:3 30:5",
    );
    check(
        CPU,
        "SELECT v FROM m GROUP BY host ORDER BY time DESC",
        "m{host=b} 30:5 0:3\nm{host=a} 20:4 10:2 0:1",
    );
}

#[test]
fn aggregates_without_windows_are_stamped_with_the_lower_bound_or_zero() {
    check(CPU, "SELECT sum(v) FROM m", "m 0:15");
    check(
        CPU,
        "SELECT sum(v), count(n) FROM m WHERE time >= 10s",
        "m 10:11,1",
    );
    check(CPU, "SELECT max(v) FROM m", "m 30:5");
}

#[test]
fn empty_windows_are_null_and_zero_for_count() {
    check(
        CPU,
        "SELECT count(v), mean(v) FROM m WHERE time >= 0s AND time < 50s GROUP BY time(10s)",
        "m 0:2,2 10:1,2 20:1,4 30:1,5 40:0,null",
    );
}

#[test]
fn conditions_on_fields_apply_to_rows() {
    check(CPU, "SELECT v FROM m WHERE n >= 20", "m 10:2");
    check(
        CPU,
        "SELECT count(v) FROM m WHERE v > 1 AND host = 'a'",
        "m 0:2",
    );
}
