use headwater_influxql::parse_expr;

use super::*;

/// The rest of a condition and its bounds in seconds, or the error.
fn split_text(condition: &str) -> String {
    let condition = parse_expr(condition).expect(condition);
    match split_condition(Some(&condition), 1_000_000_000_000, Tz::UTC) {
        Err(error) => error.to_string(),
        Ok((rest, bounds)) => {
            let bound = |time: Option<i128>| time.map_or("-".to_owned(), |t| t.to_string());
            let rest = rest.map_or("-".to_owned(), |rest| rest.to_string());
            format!("{rest} [{}, {}]", bound(bounds.min), bound(bounds.max))
        }
    }
}

#[test]
fn bounds_intersect_even_under_or() {
    assert_eq!(split_text("time > 10 OR time < 5"), "- [11, 4]");
    assert_eq!(
        split_text("time > 5 AND time > 15 OR host = 'b'"),
        "host = 'b' [16, -]"
    );
    assert_eq!(
        split_text("(time >= 20 AND host = 'b') OR host = 'a'"),
        "(host = 'b') OR host = 'a' [20, -]"
    );
    assert_eq!(split_text("5 < TIME AND v > 1"), "v > 1 [6, -]");
}

#[test]
fn the_time_is_read_from_every_kind_of_literal() {
    assert_eq!(split_text("time = 5.9"), "- [5, 5]");
    assert_eq!(split_text("time >= 10u"), "- [10000, -]");
    assert_eq!(split_text("time < now() - 1s"), "- [-, 998999999999]");
    assert_eq!(
        split_text("time >= '1970-01-01T00:00:01Z' + 1s"),
        "- [2000000000, -]"
    );
}

#[test]
fn what_is_no_time_is_refused() {
    for (condition, error) in [
        (
            "time > b",
            "invalid operation: time and *influxql.VarRef are not compatible",
        ),
        (
            "time > 5 * 1s",
            "invalid operation: time and *influxql.BinaryExpr are not compatible",
        ),
        (
            "time > '1970-1-1'",
            "invalid operation: time and *influxql.StringLiteral are not compatible",
        ),
        ("time > '1970-13-01'", "invalid timestamp string"),
        ("time != 5", "invalid time comparison operator: !="),
        (
            "time =~ /a/",
            "invalid operation: time and *influxql.RegexLiteral are not compatible",
        ),
        (
            "time < '2500-01-01'",
            "time 2500-01-01T00:00:00Z overflows time literal",
        ),
    ] {
        assert_eq!(split_text(condition), error, "{condition}");
    }
}

#[test]
fn only_comparisons_are_conditions() {
    assert_eq!(split_text("b"), "invalid condition expression: b");
    assert_eq!(split_text("b AND v > 1"), "invalid condition expression: b");
    assert_eq!(split_text("5"), "invalid condition expression: 5");
    assert_eq!(split_text("v + 1"), "v + 1 [-, -]");
    assert_eq!(split_text("'a' = 'a'"), "- [-, -]");
    // Arithmetic on the time is no bound.
    assert_eq!(split_text("time - 10s > 5s"), "time - 10s > 5s [-, -]");
}
