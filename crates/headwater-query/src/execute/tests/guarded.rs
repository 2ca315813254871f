//! Statements end within few units of work after they are to, and hold no more than they may.

use std::fmt::Write as _;

use super::*;
use crate::guard::Limits;

const ROWS: usize = 6000;
/// Units of work between two looks.
const UNITS: usize = 50;

/// Two series with as many rows each, half of `ROWS`.
fn memory() -> Memory {
    let mut lines = String::new();
    for row in 0..ROWS / 2 {
        for host in ["a", "b"] {
            // Neither sorted nor the same twice.
            let value = (row * 7919) % 9973;
            writeln!(lines, "m,host={host} v={value},n={value}i {row}").unwrap();
        }
    }
    let mut memory = Memory::default();
    let bucket = memory.create("db", "autogen", true, 1000 * WEEK);
    memory.write(bucket, &lines, Precision::Second);
    memory
}

fn run_with(memory: &Memory, text: &str, guard: &Rc<Guard>) -> Result<Vec<Series>, Error> {
    let query = parse_query(text, &Params::default()).unwrap();
    let Some(Statement::Select(statement)) = query.statements.first() else {
        panic!("no SELECT")
    };
    let now = ROWS as i64 * SECOND;
    run_guarded(
        memory,
        Some("db"),
        None,
        statement,
        now,
        100,
        Rc::clone(guard),
    )
}

/// Statements, each with the looks that it takes at least, in passes over all rows: one to read
/// them; where points are made of them, one for that; a sort takes many.
const STATEMENTS: [(&str, usize); 18] = [
    ("SELECT v FROM m", 1),
    ("SELECT v FROM m WHERE n > 100000", 1),
    ("SELECT v FROM m OFFSET 100000", 1),
    ("SELECT count(v) FROM m", 1),
    ("SELECT mean(v) FROM m GROUP BY time(1s)", 1),
    (
        "SELECT mean(v), max(n) FROM m WHERE time < 6000s GROUP BY time(1s) fill(previous)",
        1,
    ),
    ("SELECT percentile(v, 50) FROM m", 15),
    ("SELECT percentile(v, 50), n FROM m", 15),
    ("SELECT median(v), mode(n) FROM m", 30),
    ("SELECT stddev(v) FROM m GROUP BY time(10m)", 1),
    ("SELECT distinct(v) FROM m", 2),
    ("SELECT count(distinct(v)) FROM m", 2),
    ("SELECT top(v, 5000) FROM m", 14),
    ("SELECT sample(v, 5000) FROM m", 4),
    ("SELECT derivative(v) FROM m", 2),
    ("SELECT integral(v) FROM m", 2),
    (
        "SELECT holt_winters(mean(v), 5, 4) FROM m GROUP BY time(10m)",
        300,
    ),
    (
        "SELECT sum(c) FROM (SELECT count(v) AS c FROM m WHERE time < 1000s GROUP BY time(10ms) fill(0))",
        17,
    ),
];

#[test]
fn no_work_goes_on_for_long_without_a_look() {
    let memory = memory();
    for (text, passes) in STATEMENTS {
        let guard = Rc::new(Guard::default().looking_every(UNITS));
        run_with(&memory, text, &guard).unwrap();
        let least = (passes * ROWS / UNITS) as u64;
        assert!(guard.looks() >= least, "{text}: {} looks", guard.looks());
    }
}

#[test]
fn an_interrupted_statement_fails_at_the_look_that_finds_it() {
    let memory = memory();
    for (text, _) in STATEMENTS {
        let guard = Rc::new(Guard::default().looking_every(UNITS));
        run_with(&memory, text, &guard).unwrap();
        let last = guard.looks();
        for look in [1, 2, last / 2, last - 1, last] {
            let guard = Rc::new(Guard::interrupted_at(look).looking_every(UNITS));
            let error = run_with(&memory, text, &guard).unwrap_err();
            assert!(matches!(error, Error::Interrupted), "{text}: {error}");
            // A sort looks once more to say why it ended.
            assert!(
                guard.looks() <= look + 1,
                "{text}: {} of {look}",
                guard.looks()
            );
        }
    }
}

#[test]
fn what_is_held_is_limited_and_what_flows_is_not() {
    let memory = memory();
    let run = |text: &str, memory_bytes| {
        let limits = Limits {
            memory_bytes,
            ..Limits::default()
        };
        let guard = Rc::new(Guard::new(Arc::default(), limits));
        run_with(&memory, text, &guard).map(drop)
    };
    // All rows of a field take 96 kB.
    for text in [
        "SELECT percentile(v, 50), n FROM m",
        "SELECT distinct(v) FROM m",
        "SELECT count(distinct(v)) FROM m",
        "SELECT top(v, 5000) FROM m",
        "SELECT sample(v, 5000) FROM m",
        "SELECT mode(v) FROM m",
    ] {
        let error = run(text, 130_000).expect_err(text);
        assert!(
            matches!(error, Error::MemoryLimit { limit: 130_000, .. }),
            "{text}: {error}"
        );
    }
    for text in [
        "SELECT percentile(v, 50) FROM m",
        "SELECT median(v) FROM m",
        "SELECT count_hll(sum_hll(v)) FROM m",
        "SELECT mean(v) FROM m WHERE time < 6000s GROUP BY time(1s)",
    ] {
        let error = run(text, 40_000).expect_err(text);
        assert!(
            matches!(error, Error::MemoryLimit { .. }),
            "{text}: {error}"
        );
        run(text, 600_000).unwrap();
    }
    for text in [
        "SELECT count(v), mean(v), max(n) FROM m",
        "SELECT sum(c) FROM (SELECT count(v) AS c FROM m WHERE time < 1000s GROUP BY time(10ms) fill(0))",
        "SELECT derivative(v) FROM m GROUP BY host",
    ] {
        run(text, 200_000).unwrap();
    }
}
