use std::{rc::Rc, sync::Arc};

use headwater_env::SeededRandom;
use headwater_influxql::{Params, ast::Statement, parse_query};
use headwater_model::{Precision, Value};

use super::{ExecuteContext, Stop, memory::Memory, run_select};
use crate::{
    error::Error,
    guard::Guard,
    plan::SelectPlan,
    resolve::{ResolveContext, resolve_select},
    series::{Column, Series},
};

mod conformance;
mod guarded;

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

fn plan(
    memory: &Memory,
    database: Option<&str>,
    policy: Option<&str>,
    statement: &headwater_influxql::ast::SelectStatement,
    now: i64,
) -> Result<SelectPlan, Error> {
    resolve_select(
        statement,
        &ResolveContext {
            databases: memory,
            schema: memory,
            database,
            retention_policy: policy,
            now,
            max_select_buckets: 0,
        },
    )
}

fn run(
    memory: &Memory,
    database: Option<&str>,
    policy: Option<&str>,
    statement: &headwater_influxql::ast::SelectStatement,
    now: i64,
    chunk_size: usize,
) -> Result<Vec<Series>, Error> {
    let guard = Rc::default();
    run_guarded(memory, database, policy, statement, now, chunk_size, guard)
}

fn run_guarded(
    memory: &Memory,
    database: Option<&str>,
    policy: Option<&str>,
    statement: &headwater_influxql::ast::SelectStatement,
    now: i64,
    chunk_size: usize,
    guard: Rc<Guard>,
) -> Result<Vec<Series>, Error> {
    let plan = plan(memory, database, policy, statement, now)?;
    let mut out: Vec<Series> = Vec::new();
    let context = ExecuteContext {
        source: memory,
        random: Arc::new(SeededRandom::new(7)),
        guard,
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
        Column::Repeated { texts, numbers } => {
            let text = texts.get(numbers[row] as usize);
            text.cloned().map(Value::String)
        }
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

#[test]
fn a_limit_in_descending_order_reads_the_last_windows_only_when_they_are_enough() {
    let windows = "SELECT max(v) FROM m WHERE time <= 30s GROUP BY time(10s)";
    check(
        CPU,
        &format!("{windows} ORDER BY time DESC LIMIT 2"),
        "m 30:5 20:4",
    );
    // The second window from above is empty, and the data goes on below it.
    let sparse = "m v=1 0\nm v=2 30";
    check(
        sparse,
        &format!("{windows} ORDER BY time DESC LIMIT 2"),
        "m 30:2 20:null",
    );
    check(
        sparse,
        &format!("{windows} fill(none) ORDER BY time DESC LIMIT 2"),
        "m 30:2 0:1",
    );
    // The group ends where its first point is.
    check(
        "m v=2 30",
        &format!("{windows} ORDER BY time DESC LIMIT 2"),
        "m 30:2",
    );
}

#[test]
fn fill_and_limit_apply_to_each_call_before_the_join() {
    let lines = "m a=1 0\nm a=2 10\nm b=3 20\nm b=4 30";
    let range = "WHERE time >= 0s AND time < 50s GROUP BY time(10s)";
    check(
        lines,
        &format!("SELECT mean(a), mean(b) FROM m {range} fill(none) LIMIT 2"),
        "m 0:1,null 10:2,null 20:null,3 30:null,4",
    );
    check(
        lines,
        &format!("SELECT sum(a), sum(b) FROM m {range} fill(previous)"),
        "m 0:1,null 10:2,null 20:2,3 30:2,4 40:2,4",
    );
    check(
        lines,
        &format!("SELECT sum(a) * 2 FROM m {range} fill(1)"),
        "m 0:2 10:4 20:2 30:2 40:2",
    );
}

#[test]
fn nulls_and_conditions_leave_rows_out_of_aggregates() {
    let lines = "m a=1,b=1i 0\nm b=2i 1\nm a=3,b=3i 2\nm a=4 3\nm a=5,b=9i 4";
    check(
        lines,
        "SELECT count(a), sum(b), min(a), max(b) FROM m",
        "m 0:4,15,1,9",
    );
    check(
        lines,
        "SELECT sum(a), count(b) FROM m WHERE b > 1",
        "m 0:8,3",
    );
    check(
        lines,
        "SELECT first(a) FROM m WHERE time >= 0s GROUP BY time(2s) LIMIT 2",
        "m 0:1 2:3",
    );
    check(
        lines,
        "SELECT last(b) FROM m WHERE time >= 0s GROUP BY time(3s) LIMIT 2",
        "m 0:3 3:9",
    );
}

#[test]
fn functions_of_all_values_take_windows_too() {
    let lines = "m v=3 0\nm v=1 1\nm v=2 2\nm v=10 10\nm v=20 11";
    let range = "FROM m WHERE time >= 0s AND time < 20s GROUP BY time(10s)";
    check(
        lines,
        &format!("SELECT percentile(v, 50), median(v), spread(v), stddev(v) {range}"),
        "m 0:2,2,2,1 10:10,15,10,7.0710678118654755",
    );
    // Percentile 20 has no row in the second window, which pauses the stream.
    check(
        lines,
        &format!("SELECT percentile(v, 20) {range} fill(none)"),
        "m 0:1",
    );
}

#[test]
fn an_endless_fill_streams_and_stops() {
    let mut memory = Memory::default();
    let bucket = memory.create("db", "autogen", true, 1000 * WEEK);
    memory.write(bucket, CPU, Precision::Second);
    let query = "SELECT mean(v) FROM m WHERE time >= 0s GROUP BY time(1ns)";
    let query = parse_query(query, &Params::default()).unwrap();
    let Some(Statement::Select(statement)) = query.statements.first() else {
        panic!("no SELECT")
    };
    let plan = plan(&memory, Some("db"), None, statement, 1000 * SECOND).unwrap();
    let context = ExecuteContext {
        source: &memory,
        random: Arc::new(SeededRandom::new(7)),
        guard: Rc::default(),
        chunk_size: 100,
    };
    let mut pieces = 0;
    let outcome = run_select(&plan, &context, &mut |series| {
        assert!(series.partial && series.row_count() == 100);
        pieces += 1;
        if pieces == 3 { Err(Stop) } else { Ok(()) }
    });
    assert!(matches!(outcome, Err(Error::Interrupted)));
    assert_eq!(pieces, 3);
}

#[test]
fn rows_are_cut_into_pieces_of_the_chunk_size() {
    let mut memory = Memory::default();
    let bucket = memory.create("db", "autogen", true, 1000 * WEEK);
    memory.write(bucket, CPU, Precision::Second);
    for query in [
        "SELECT v FROM m",
        "SELECT mode(v) FROM m WHERE time >= 0s AND time < 50s GROUP BY time(10s)",
        "SELECT mean(v) FROM m WHERE time >= 0s AND time < 50s GROUP BY time(10s)",
    ] {
        let query = parse_query(query, &Params::default()).unwrap();
        let Some(Statement::Select(statement)) = query.statements.first() else {
            panic!()
        };
        let pieces = run(&memory, Some("db"), None, statement, 1000 * SECOND, 2).unwrap();
        let sizes: Vec<_> = pieces.iter().map(|p| (p.row_count(), p.partial)).collect();
        assert_eq!(sizes, [(2, true), (2, true), (1, false)]);
    }
}

#[test]
fn subqueries_see_the_rows_of_the_inner_statement() {
    check(
        CPU,
        "SELECT max(s) FROM (SELECT sum(v) AS s FROM m GROUP BY host)",
        "m 0:8",
    );
    check(
        CPU,
        "SELECT v * 2 FROM (SELECT v FROM m WHERE host = 'a') WHERE v > 1",
        "m 10:4 20:8",
    );
    check(
        CPU,
        "SELECT difference(max(s)) FROM (SELECT sum(v) AS s FROM m GROUP BY time(10s)) \
         WHERE time >= 10s AND time < 40s GROUP BY time(10s)",
        "m 10:-2 20:2 30:1",
    );
}

#[test]
fn a_whole_sample_is_ordered_by_time_and_then_by_value() {
    check(
        "m,host=a v=3 0\nm,host=b v=1 0\nm,host=c v=2 0\nm,host=a v=0 10",
        "SELECT sample(v, 10) FROM m",
        "m 0:1 0:2 0:3 10:0",
    );
}

#[test]
fn a_call_without_type_has_no_default_number() {
    check(
        CPU,
        "SELECT min(v), first(nosuch), count(nosuch), mean(nosuch) FROM m fill(7)",
        "m 0:1,null,7,7",
    );
    check(
        CPU,
        "SELECT min(v), difference(nosuch), derivative(nosuch) FROM m fill(7)",
        "m 0:1,null,7",
    );
    // A tag has a type, though a call of it gives nothing.
    check(CPU, "SELECT min(v), first(host) FROM m fill(7)", "m 0:1,7");
}

/// The error of a query over [`CPU`]; empty if there is none.
fn error(text: &str) -> String {
    let mut memory = Memory::default();
    let bucket = memory.create("db", "autogen", true, 1000 * WEEK);
    memory.write(bucket, CPU, Precision::Second);
    match select(&memory, Some("db"), text, 1000 * SECOND) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_type_error_needs_a_series_that_the_index_leaves() {
    let unsupported = "unsupported sum iterator type: *query.stringInterruptIterator";
    assert_eq!(error("SELECT sum(s) FROM m"), unsupported);
    assert_eq!(error("SELECT sum(s) FROM m WHERE nosuch > 5"), unsupported);
    assert_eq!(error("SELECT sum(s) FROM m WHERE host = 'none'"), "");
}

#[test]
fn top_by_tags_fails_where_the_maximum_below_it_does() {
    assert_eq!(
        error("SELECT bottom(s, host, 1) FROM m"),
        "unsupported min iterator type: *query.stringInterruptIterator"
    );
    assert_eq!(
        error("SELECT top(s, 1) FROM m"),
        "unsupported top iterator type: *query.stringInterruptIterator"
    );
}

#[test]
fn what_gives_no_points_has_no_type_error() {
    let holt_winters = "SELECT holt_winters(first(host), 1, 0) FROM m \
        WHERE time >= 0s AND time < 30s GROUP BY time(10s)";
    assert_eq!(error(holt_winters), "");
    let unread = "SELECT other FROM (SELECT max(s) AS most FROM m)";
    assert_eq!(error(unread), "");
}

#[test]
fn a_transformation_in_windows_of_an_enclosing_statement_reads_one_window_more() {
    check(
        "m v=1 0\nm v=5 10\nm v=6 20",
        "SELECT max(d) FROM (SELECT difference(v) AS d FROM m WHERE time >= 10s) \
         WHERE time >= 0s AND time < 40s GROUP BY time(10s)",
        "m 0:null 10:4 20:1 30:null",
    );
}

#[test]
fn nan_is_distinct_from_itself() {
    check(
        "m v=1 0\nm v=2 10\nm v=3 20\nm v=5 21",
        "SELECT count(distinct(d)) FROM (SELECT stddev(v) AS d FROM m GROUP BY time(10s)) \
         WHERE time >= 0s AND time < 30s",
        "m 0:3",
    );
}

#[test]
fn a_condition_on_a_subquery_uses_names_with_their_suffixes() {
    let lines = "m v=1,x=9 0\nm v=2,x=8 10";
    // The alias keeps its name, the field is then `v_1`.
    let inner = "(SELECT v, x AS v FROM m)";
    check(
        lines,
        &format!("SELECT v FROM {inner} WHERE v > 8"),
        "m 0:1",
    );
    check(
        lines,
        &format!("SELECT v FROM {inner} WHERE v_1 > 1"),
        "m 10:2",
    );
}

#[test]
fn a_group_without_result_ends_a_statement_that_has_no_rows_yet() {
    let lines = "m,host=a v=1 0\nm,host=b v=1 0\nm,host=b v=2 10\nm,host=b v=4 20";
    let range = "WHERE time >= 0s AND time < 30s GROUP BY time(10s)";
    let forecast = "SELECT holt_winters(first(v), 1, 0) FROM m";
    // Two points make a forecast, one does not.
    check(lines, &format!("{forecast} {range}, host"), "");
    let mut memory = Memory::default();
    let bucket = memory.create("db", "autogen", true, 1000 * WEEK);
    memory.write(bucket, lines, Precision::Second);
    let text = format!(
        "{forecast} WHERE host = 'b' AND time >= 0s AND time < 30s GROUP BY time(10s), host"
    );
    assert_eq!(
        select(&memory, Some("db"), &text, 1000 * SECOND)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_limit_does_not_end_a_statement_at_windows_without_result() {
    check(
        "m,host=a v=1,w=1 0\nm,host=a v=1,w=2 10\nm,host=b v=1,w=3 0",
        "SELECT percentile(v, 0), first(w) FROM m WHERE time >= 0s AND time < 20s \
         GROUP BY time(10s), host LIMIT 1",
        "m{host=a} 0:null,1\nm{host=b} 0:null,3",
    );
}

#[test]
fn a_window_without_result_beside_other_calls_is_read_over() {
    // The first window has too few points for the percentile.
    check(
        "m v=1 0\nm v=1 10\nm v=2 11\nm v=3 12",
        "SELECT max(v), percentile(v, 20) FROM m WHERE time >= 0s AND time < 20s GROUP BY time(10s)",
        "m 0:1,null 10:3,1",
    );
}

#[test]
fn a_call_that_is_stuck_does_not_hold_up_the_next_group() {
    // Distinct values are stamped 0, which lies outside of the range that they are counted in.
    check(
        "m,host=a v=1 0\nm,host=b v=2 0",
        "SELECT sum(v), count(distinct(v)) FROM m WHERE time >= 0s AND time < 5s GROUP BY host",
        "m{host=a} 0:1,1\nm{host=b} 0:2,1",
    );
    check(
        "m,host=a v=1 -10\nm,host=b v=2 -10",
        "SELECT sum(v), count(distinct(v)) FROM m WHERE time < -5s GROUP BY host",
        "m{host=a} 0:1,null\nm{host=b} 0:2,null",
    );
}
