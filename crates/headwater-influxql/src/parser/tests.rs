//! Tests of the parser: canonical texts, exact errors and the bounds on nesting.

use super::{parse_expr, parse_query, parse_statement};
use crate::ast::{AdminDetail, Expr, Fill, FillNumber, Order, Source, Statement, WithKey};
use crate::params::Params;

/// The canonical text of a request, or its error.
fn outcome(text: &str, params: &str) -> String {
    let params = Params::from_json(params).unwrap();
    match parse_query(text, &params) {
        Ok(query) => query.to_string(),
        Err(error) => error.to_string(),
    }
}

fn check(text: &str, expected: &str) {
    assert_eq!(outcome(text, "{}"), expected, "{text:?}");
}

fn check_bound(text: &str, params: &str, expected: &str) {
    assert_eq!(outcome(text, params), expected, "{text:?} with {params}");
}

/// Texts that print as they are.
fn check_same(texts: &[&str]) {
    texts.iter().for_each(|text| check(text, text));
}

fn statement(text: &str) -> Statement {
    parse_statement(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn requests_skip_empty_statements() {
    check(" ; -- c\n ;", "");
    check("SHOW DATABASES;;SHOW USERS;", "SHOW DATABASES;\nSHOW USERS");
    check(
        "SHOW DATABASES SHOW USERS",
        "found SHOW, expected ; at line 1, char 16",
    );
    check(
        "; oops",
        "found oops, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL at line 1, char 3",
    );
}

#[test]
fn all_clauses_of_select_print_in_order() {
    check_same(&[
        "SELECT a, b::float AS c FROM m WHERE x = 'y' GROUP BY time(1m, 5s), h, /r/ fill(previous) ORDER BY time DESC LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4 TZ('Europe/Berlin')",
        "SELECT *::field, *::tag, * FROM d.rp.m, rp./x\\/y/, d..m, /z/, d../q/",
        "SELECT a INTO d..t FROM m",
        "SELECT a INTO d.rp.:MEASUREMENT FROM /m/",
        "SELECT max(a) FROM (SELECT a FROM m WHERE a > 1), n fill(none)",
        "SELECT a FROM m fill(-2.5)",
    ]);
}

#[test]
fn fill_and_timezone_are_calls() {
    check("SELECT a FROM m FILL ( 0 )", "fill must be a function call");
    check(
        "SELECT a FROM m fill()",
        "fill requires an argument, e.g.: 0, null, none, previous, linear",
    );
    check(
        "SELECT a FROM m fill(none) + 1",
        "fill must be a function call",
    );
    check(
        "SELECT a FROM m fill(None)",
        "expected number argument in fill()",
    );
    check("SELECT a FROM m fill(null)", "SELECT a FROM m");
    check(
        "SELECT a FROM m tz('x', 'y')",
        "tz requires exactly one argument",
    );
    check("SELECT a FROM m tz(x)", "expected string argument in tz()");
    check("SELECT a FROM m tz('')", "SELECT a FROM m TZ('UTC')");
    check(
        "SELECT a FROM m tz('europe/berlin')",
        "unable to find time zone europe/berlin",
    );
    let Statement::Select(select) = statement("SELECT a FROM m fill(7)") else {
        panic!("not a Statement::Select")
    };
    assert_eq!(select.fill, Fill::Number(FillNumber::Integer(7)));
}

#[test]
fn only_time_can_be_ordered_by() {
    check(
        "SELECT a FROM m ORDER BY \"time\"",
        "SELECT a FROM m ORDER BY time ASC",
    );
    check(
        "SELECT a FROM m ORDER BY DESC",
        "SELECT a FROM m ORDER BY DESC",
    );
    check(
        "SELECT a FROM m ORDER BY time, time",
        "only ORDER BY time supported at this time",
    );
    check(
        "SELECT a FROM m ORDER BY Time",
        "only ORDER BY time supported at this time",
    );
    check(
        "SELECT a FROM m ORDER BY ASC,",
        "found EOF, expected identifier at line 1, char 30",
    );
    check(
        "SELECT a FROM m ORDER BY 'time'",
        "found time, expected identifier, ASC, DESC at line 1, char 25",
    );
    let Statement::ShowSeries(show) = statement("SHOW SERIES ORDER BY time") else {
        panic!("not a Statement::ShowSeries")
    };
    assert_eq!(
        show.order,
        Some(Order {
            names_time: true,
            ascending: true
        })
    );
}

#[test]
fn counts_saturate_and_zero_is_no_limit() {
    check(
        "SELECT a FROM m LIMIT 0 OFFSET 99999999999999999999",
        "SELECT a FROM m OFFSET 9223372036854775807",
    );
    check(
        "SELECT a FROM m LIMIT -1",
        "found -, expected integer at line 1, char 23",
    );
    check(
        "SELECT a FROM m LIMIT 1s",
        "found 1s, expected integer at line 1, char 23",
    );
    check_bound(
        "SELECT a FROM m LIMIT $n",
        r#"{"n": -1}"#,
        "LIMIT must be >= 0 at line 1, char 23",
    );
}

#[test]
fn signs_bind_to_literals_and_multiply_the_rest() {
    check(
        "SELECT -a, +a, - 5, +5, -1.5, -f(x) FROM m",
        "SELECT -1 * a, 1 * a, -5, 5, -1.5, -1 * f(x) FROM m",
    );
    check(
        "SELECT -9223372036854775808 FROM m",
        "SELECT -9223372036854775808 FROM m",
    );
    check(
        "SELECT -18446744073709551615 FROM m",
        "constant -18446744073709551615 underflows int64",
    );
    check(
        "SELECT 18446744073709551615 FROM m",
        "SELECT 18446744073709551615 FROM m",
    );
    check(
        "SELECT 18446744073709551616 FROM m",
        "unable to parse integer at line 1, char 8",
    );
    check(
        "SELECT - 'a' FROM m",
        "found a, expected identifier, number, duration, ( at line 1, char 9",
    );
    assert_eq!(
        parse_expr("-1h").unwrap(),
        Expr::Duration(-3_600_000_000_000)
    );
}

#[test]
fn operators_associate_to_the_left_by_precedence() {
    let cases = [
        ("a OR b AND c OR d", "((a OR (b AND c)) OR d)"),
        ("a = b + c * d", "(a = (b + (c * d)))"),
        ("a - b - c", "((a - b) - c)"),
        ("a | b & c ^ d", "((a | (b & c)) ^ d)"),
        ("2 ^ -b * c", "(2 ^ ((-1 * b) * c))"),
        ("a < b = c", "((a < b) = c)"),
    ];
    for (text, expected) in cases {
        assert_eq!(grouped(&parse_expr(text).unwrap()), expected, "{text}");
    }
}

/// The expression with parentheses around every operation.
fn grouped(expr: &Expr) -> String {
    match expr {
        Expr::Binary(binary) => {
            format!(
                "({} {} {})",
                grouped(&binary.left),
                binary.op.as_str(),
                grouped(&binary.right)
            )
        }
        other => other.to_string(),
    }
}

#[test]
fn casts_touch_their_name() {
    check(
        "SELECT a::FLOAT, b::Tag FROM m",
        "SELECT a::float, b::tag FROM m",
    );
    check(
        "SELECT a::text FROM m",
        "found text, expected float, integer, unsigned, string, boolean, field, tag at line 1, char 11",
    );
    check(
        "SELECT a::5 FROM m",
        "found 5, expected float, integer, string, boolean, field, tag at line 1, char 11",
    );
    check(
        "SELECT a :: float FROM m",
        "found ::, expected FROM at line 1, char 10",
    );
    check(
        "SELECT *::float FROM m",
        "found float, expected field, tag at line 1, char 11",
    );
}

#[test]
fn distinct_needs_a_space_or_a_parenthesis() {
    check(
        "SELECT DISTINCT a, count(distinct b), distinct(c) FROM m",
        "SELECT DISTINCT a, count(DISTINCT b), distinct(c) FROM m",
    );
    check(r#"SELECT DISTINCT"a" FROM m"#, "SELECT a FROM m");
    check(
        "SELECT DISTINCT, a FROM m",
        "found ,, expected (, identifier at line 1, char 16",
    );
    check(
        "SELECT DISTINCT * FROM m",
        "found *, expected identifier at line 1, char 17",
    );
}

#[test]
fn the_last_of_the_outermost_condition_operators_is_named() {
    let message = |op, column| {
        format!(
            "invalid operator {op} in SELECT clause at line 1, char {column}; operator is intended for WHERE clause"
        )
    };
    check(
        "SELECT a, (b = 1) + (c > (d < 2)) FROM m",
        &message(">", 11),
    );
    check("SELECT f(a AND b) FROM m", &message("AND", 8));
}

#[test]
fn regular_expressions_are_looked_for_in_the_text() {
    check(
        "SELECT /a/, f(/b/, /c/) FROM /d/",
        "SELECT /a/, f(/b/, /c/) FROM /d/",
    );
    check(
        "SELECT a FROM m /x/",
        "found  , expected regex at line 1, char 16",
    );
    check(
        "SELECT a FROM m,/x/",
        "found ,, expected regex at line 1, char 16",
    );
    check("SELECT a FROM m, /x/", "SELECT a FROM m, /x/");
    check(
        "SELECT a FROM m WHERE h =~ 'x'",
        "found x, expected regex at line 1, char 27",
    );
    check(
        "SELECT a FROM m WHERE h =~\t/x",
        "bad regex:  at line 1, char 27",
    );
    check(
        "SELECT a FROM m WHERE h =~ /(/",
        "error parsing regexp: missing closing ): `(` at line 1, char 27",
    );
    check(
        "SELECT a FROM m GROUP BY /a/ , b",
        "found ,, expected ; at line 1, char 30",
    );
}

#[test]
fn a_source_has_at_most_three_segments() {
    check(
        "SELECT a FROM a.b.c.d",
        r#"too many segments in "a"."b"."c".d at line 1, char 1"#,
    );
    check("SELECT a.b.c FROM m", r#"SELECT "a.b.c" FROM m"#);
    check("SELECT a FROM d. r. m", "SELECT a FROM d.r.m");
    check(
        "SELECT a FROM d .r",
        "found ., expected ; at line 1, char 17",
    );
    check(
        "SELECT a FROM d...m",
        r#"too many segments in "d"...m at line 1, char 1"#,
    );
    let Statement::Select(select) = statement("SELECT a FROM rp./x/") else {
        panic!("not a Statement::Select")
    };
    let Source::Measurement(measurement) = &select.sources[0] else {
        panic!("not a Source::Measurement")
    };
    assert_eq!(measurement.retention_policy, "rp");
    assert!(measurement.name.is_empty() && measurement.regex.is_some());
}

#[test]
fn show_statements_print_their_clauses() {
    check_same(&[
        "SHOW RETENTION POLICIES ON d",
        "SHOW MEASUREMENTS ON \"a b\".* WITH MEASUREMENT =~ /m/ WHERE h = 'x' ORDER BY ASC LIMIT 1 OFFSET 2",
        "SHOW SERIES ON d FROM m, /n/ WHERE h = 'x' ORDER BY time DESC LIMIT 1 OFFSET 2",
        "SHOW TAG KEYS ON d FROM m WHERE h = 'x' LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4",
        "SHOW TAG VALUES FROM m WITH KEY !~ /k/ WHERE h = 'x' LIMIT 1",
        "SHOW TAG VALUES WITH KEY != k",
        "SHOW TAG VALUES WITH KEY IN (a, \"b c\")",
        "SHOW FIELD KEYS ON d FROM rp.m ORDER BY time ASC OFFSET 1",
        "SHOW SERIES EXACT CARDINALITY ON d FROM m WHERE h = 'x' GROUP BY h LIMIT 1 OFFSET 2",
        "SHOW TAG VALUES EXACT CARDINALITY WITH KEY = k GROUP BY h",
        "SHOW STATS FOR 'x'",
        "SHOW GRANTS FOR \"user\"",
        "KILL QUERY 4 ON host",
    ]);
    check("SHOW SERIES EXACT", "SHOW SERIES");
    check(
        "SHOW MEASUREMENTS WITH MEASUREMENT = /m/",
        "SHOW MEASUREMENTS WITH MEASUREMENT =~ /m/",
    );
    check(
        "SHOW TAG KEYS WITH KEY = a LIMIT 1",
        "SHOW TAG KEYS LIMIT 1",
    );
}

#[test]
fn show_statements_refuse_what_they_do_not_have() {
    check(
        "SHOW FIELD KEYS WHERE a = 1",
        "found WHERE, expected ; at line 1, char 17",
    );
    check(
        "SHOW SERIES FROM (SELECT a FROM m)",
        "found (, expected identifier at line 1, char 18",
    );
    check(
        "SHOW TAG VALUES WITH KEY < a",
        "found <, expected IN, =, =~ at line 1, char 26",
    );
    check(
        "SHOW TAG VALUES WITH KEY =~ a",
        "found a, expected regex at line 1, char 29",
    );
    check(
        "SHOW TAG VALUES EXACT",
        "found EOF, expected CARDINALITY at line 1, char 23",
    );
    check(
        "SHOW MEASUREMENTS ON 'd'",
        "found d, expected identifier or * at line 1, char 21",
    );
    check(
        "SHOW TAG",
        "found EOF, expected KEY, KEYS, VALUES at line 1, char 10",
    );
    let text = "SHOW TAG VALUES WITH KEY = host";
    let Statement::ShowTagValues(show) = statement(text) else {
        panic!("not a Statement::ShowTagValues")
    };
    assert_eq!(show.with_key, Some(WithKey::Eq("host".to_owned())));
}

#[test]
fn deletes_need_a_source_or_a_condition_and_no_database() {
    check_same(&[
        "DELETE FROM rp.m, /n/ WHERE h = 'x'",
        "DROP SERIES WHERE h = 'x'",
        "DROP MEASUREMENT \"a b\"",
    ]);
    check(
        "DELETE m",
        "found m, expected FROM, WHERE at line 1, char 8",
    );
    check(
        "DELETE FROM d.rp.m",
        "database not supported at line 1, char 1",
    );
    check(
        "DROP SERIES FROM rp.m",
        "retention policy not supported at line 1, char 1",
    );
    check(
        "DROP MEASUREMENT /m/",
        "found /, expected identifier at line 1, char 18",
    );
}

#[test]
fn administration_keeps_its_name_and_parts() {
    let cases = [
        ("GRANT ALL TO u", "GRANT ALL"),
        ("GRANT READ ON d TO u", "GRANT"),
        ("REVOKE ALL PRIVILEGES FROM u", "REVOKE ALL"),
        ("REVOKE ALL ON d FROM u", "REVOKE"),
        ("SET PASSWORD FOR u = 'p'", "SET PASSWORD"),
        ("SHOW DIAGNOSTICS FOR 'x'", "SHOW DIAGNOSTICS"),
        ("SHOW QUERIES", "SHOW QUERIES"),
        ("DROP SHARD 3", "DROP SHARD"),
        (
            "CREATE SUBSCRIPTION s ON d.r DESTINATIONS ALL 'u'",
            "CREATE SUBSCRIPTION",
        ),
    ];
    for (text, name) in cases {
        let Statement::Admin(admin) = statement(text) else {
            panic!("{text}")
        };
        assert_eq!(admin.name, name, "{text}");
    }
    let Statement::Admin(admin) = statement("CREATE DATABASE d WITH DURATION INF NAME r") else {
        panic!("not a Statement::Admin")
    };
    let AdminDetail::CreateDatabase { name, policy } = admin.detail else {
        panic!("not a AdminDetail::CreateDatabase")
    };
    let policy = policy.unwrap();
    assert_eq!(
        (name.as_str(), policy.name.as_deref(), policy.duration),
        ("d", Some("r"), Some(0))
    );
}

#[test]
fn passwords_are_not_kept() {
    check(
        "CREATE USER u WITH PASSWORD 's' WITH ALL PRIVILEGES",
        "CREATE USER u WITH PASSWORD [REDACTED] WITH ALL PRIVILEGES",
    );
    check(
        "SET PASSWORD FOR u = 's'",
        "SET PASSWORD FOR u = [REDACTED]",
    );
}

#[test]
fn retention_policies_take_each_option_once() {
    check_same(&[
        "CREATE RETENTION POLICY p ON d DURATION 1h REPLICATION 1 SHARD DURATION 30m DEFAULT FUTURE LIMIT 1h PAST LIMIT 2h",
        "ALTER RETENTION POLICY p ON d DURATION 0s REPLICATION 2 SHARD DURATION 0s DEFAULT PAST LIMIT 2h",
        "CREATE DATABASE d WITH REPLICATION 1 FUTURE LIMIT 1h PAST LIMIT 2h NAME n",
    ]);
    check(
        "ALTER RETENTION POLICY p ON d DEFAULT DEFAULT",
        "found duplicate DEFAULT option at line 1, char 39",
    );
    check(
        "ALTER RETENTION POLICY DEFAULT ON d DEFAULT",
        r#"ALTER RETENTION POLICY "default" ON d DEFAULT"#,
    );
    check(
        "CREATE DATABASE d WITH REPLICATION 2147483648",
        "invalid value 2147483648: must be 1 <= n <= 2147483647 at line 1, char 36",
    );
    check(
        "CREATE RETENTION POLICY p ON d DURATION 106752d",
        "overflowed duration 106752d: choose a smaller duration or INF at line 1, char 41",
    );
    check(
        "CREATE DATABASE d WITH SHARD DURATION INF",
        "invalid duration INF for shard duration at line 1, char 39",
    );
}

#[test]
fn continuous_queries_with_calls_need_an_interval() {
    check_same(&[
        "CREATE CONTINUOUS QUERY c ON d RESAMPLE EVERY 1m FOR 1h BEGIN SELECT mean(a) INTO t FROM m GROUP BY time(5m), h END",
    ]);
    check(
        "CREATE CONTINUOUS QUERY c ON d BEGIN SELECT a FROM m END",
        "found FROM, expected INTO at line 1, char 47",
    );
    check(
        "CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(a) INTO t FROM m END",
        "found m, expected GROUP BY time(...) at line 1, char 65",
    );
    check(
        "CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(a) INTO t FROM m GROUP BY time(x) END",
        "found ), expected GROUP BY time(...), time dimension must have duration argument at line 1, char 82",
    );
    check(
        "CREATE CONTINUOUS QUERY c ON d RESAMPLE BEGIN",
        "found BEGIN, expected EVERY, FOR at line 1, char 41",
    );
}

#[test]
fn parameters_stand_for_one_token() {
    check_bound(
        "SELECT $f($\"a b\") FROM $m LIMIT $n",
        r#"{"f": {"ident": "MAX"}, "a b": {"ident": "v"}, "m": {"regex": "^a/b"}, "n": 3}"#,
        "SELECT max(v) FROM /^a\\/b/ LIMIT 3",
    );
    check_bound(
        "SELECT a FROM $m",
        r#"{"m": "cpu"}"#,
        "found cpu, expected identifier at line 1, char 15",
    );
    check_bound(
        "SELECT a FROM m WHERE h =~ $r",
        r#"{"r": "/a/"}"#,
        "found /a/, expected regex at line 1, char 28",
    );
    check_bound(
        "SELECT a FROM m WHERE t > $d",
        r#"{"d": {"duration": "1x"}}"#,
        "invalid duration",
    );
    check_bound(
        "SELECT a FROM m WHERE t = $select",
        r#"{"select": true}"#,
        "SELECT a FROM m WHERE t = true",
    );
    check_bound(
        "SELECT a FROM m WHERE t = $x",
        r#"{"x": [1]}"#,
        "missing parameter: unable to bind parameter with type []interface {}",
    );
    check_bound(
        "SELECT a FROM m LIMIT $x",
        r#"{"y": null}"#,
        "found $x, expected integer at line 1, char 23",
    );
    check("SELECT a FROM m WHERE t = $'x'", "empty bound parameter");
}

#[test]
fn places_count_lines_and_characters() {
    check(
        "SELECT é",
        "found é, expected identifier, string, number, bool at line 1, char 8",
    );
    check(
        "SELECT a\r\nFROM\n  'm'",
        "found m, expected identifier at line 3, char 2",
    );
    check(
        "SELECT a FROM m WHERE\n'x",
        "found x, expected identifier, string, number, bool at line 1, char 22",
    );
    check(
        "SELECT a FROM m LIMIT\n",
        "found EOF, expected integer at line 2, char 2",
    );
}

#[test]
fn what_follows_a_single_statement_or_expression_is_refused() {
    let error = |text| parse_statement(text).unwrap_err().to_string();
    assert!(parse_statement("SHOW USERS ; -- c").is_ok());
    assert_eq!(
        error("SHOW USERS; SHOW USERS"),
        "found SHOW, expected ; at line 1, char 13"
    );
    assert_eq!(
        parse_expr("a b").unwrap_err().to_string(),
        "found b, expected EOF at line 1, char 3"
    );
}

#[test]
fn deep_nesting_is_an_error() {
    const TOO_DEEP: &str = "expression is nested too deeply";
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!(
            "SELECT a FROM m WHERE {}{inner}{}",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    for (open, close) in [("(", ")"), ("f(", ")"), ("-(", ")"), ("1 + f(2, ", ")")] {
        let text = nested(open, "a", close, 150);
        assert!(parse_query(&text, &Params::default()).is_ok(), "{open}");
        check(&nested(open, "a", close, 100_000), TOO_DEEP);
    }
    let subqueries = |depth: usize| {
        format!(
            "{}SELECT a FROM m{}",
            "SELECT a FROM (".repeat(depth),
            ")".repeat(depth)
        )
    };
    assert!(parse_query(&subqueries(100), &Params::default()).is_ok());
    check(&subqueries(50_000), TOO_DEEP);
    check(
        &format!("SELECT a{} FROM m", " + a".repeat(100_000)),
        TOO_DEEP,
    );
}

#[test]
fn long_chains_of_conditions_are_fine() {
    for op in ["OR", "AND"] {
        let terms: Vec<_> = (0..50_000).map(|id| format!("id = '{id}'")).collect();
        let text = terms.join(&format!(" {op} "));
        assert_eq!(parse_expr(&text).unwrap().to_string(), text);
    }
}
