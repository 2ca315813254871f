use std::sync::Arc;

use headwater_influxql::parse_expr;

use super::*;

fn series(tags: &[(&str, &str)]) -> SeriesKey {
    SeriesKey::new(
        Arc::from("cpu"),
        tags.iter()
            .map(|(k, v)| (Arc::from(*k), Arc::from(*v)))
            .collect(),
    )
}

fn is_field(name: &str) -> bool {
    matches!(name, "v" | "n" | "s" | "b")
}

fn check(condition: &str, tags: &[(&str, &str)], expected: &str) {
    let condition = parse_expr(condition).expect(condition);
    let series = series(tags);
    let residual = match residual_for_series(&condition, &series, &is_field) {
        Residual::Never => "never".to_owned(),
        Residual::Always => "always".to_owned(),
        Residual::Rows(expr) => expr.to_string(),
    };
    assert_eq!(residual, expected, "{condition} on {tags:?}");
    // The index never leaves out a series that has rows.
    if residual != "never" {
        let tag = |key: &str| series.tag(key).map_or("", |value| value);
        let predicate = tag_prefilter(&condition, "cpu", &is_field);
        assert!(
            predicate.is_none_or(|p| p.matches(&tag)),
            "{condition} on {tags:?}"
        );
    }
}

#[test]
fn a_missing_tag_is_the_empty_string() {
    let a = &[("host", "a")][..];
    check("host = 'a'", a, "always");
    check("host = 'b'", a, "never");
    check("region = ''", a, "always");
    check("region != 'us'", a, "always");
    check("region != ''", a, "never");
    check("region =~ /.*/", a, "always");
    check("host !~ /a/", a, "never");
}

#[test]
fn ordering_operators_on_tags_act_as_not_equal() {
    check("host >= 'b'", &[("host", "a")], "always");
    check("host >= 'b'", &[("host", "b")], "never");
}

#[test]
fn two_tags_compare_by_existence() {
    let both = &[("host", "a"), ("region", "us")][..];
    check("host = region", both, "always");
    check("host = region", &[("host", "a")], "never");
    check("host != region", &[("host", "a")], "always");
    check("host = a", both, "never");
}

#[test]
fn a_tag_against_a_number_selects_nothing() {
    check("host = 1", &[("host", "1")], "never");
    check("nosuch != 1", &[], "never");
}

#[test]
fn fields_remain_for_the_rows() {
    let a = &[("host", "a")][..];
    check("v > 1 AND host = 'a'", a, "v > 1");
    check("v > 1 AND host = 'b'", a, "never");
    check("v > 1 OR host = 'a'", a, "always");
    check("host = s", a, "'a' = s");
    check("region != s", a, "never");
    check("(host = 'a') = true", a, "always");
    // Rows do not join strings.
    check("host + 'x' = 'ax'", a, "never");
    check("(host = 'a' OR v > 2) AND n = 1", a, "n = 1");
}

#[test]
fn a_variable_deep_in_a_call_is_not_loaded() {
    check("abs(v) > 1", &[], "abs(v) > 1");
    let Residual::Rows(expr) = residual_for_series(
        &parse_expr("floor(v / 2) = 2").expect("parses"),
        &series(&[]),
        &is_field,
    ) else {
        panic!("has a field");
    };
    assert!(!has_name(&expr));
    check(
        "floor(v / 2) = 2 AND v > 0",
        &[],
        "floor(v / 2) = 2 AND v > 0",
    );
}

#[test]
fn the_measurement_name_is_a_pseudo_tag() {
    check("_name = 'cpu'", &[], "always");
    check("_name != 'cpu'", &[], "never");
    check("_name =~ /^c/", &[], "always");
}

#[test]
fn comparisons_of_nulls_are_left_to_the_rows() {
    // Both are false, and so equal.
    check("(nosuch > 1) = (other > 2)", &[], "(nil > 1) = (nil > 2)");
}
