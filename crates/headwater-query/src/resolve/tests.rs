use std::{collections::BTreeMap, sync::Arc};

use headwater_influxql::{Params, ast::Statement, parse_query};
use headwater_model::{FieldType, Id, TimeRange};

use super::*;
use crate::schema::{Columns, Policy};

mod conformance;

/// A fixed schema: one database `db`, the same in all ranges.
pub(super) struct Fixed {
    measurements: BTreeMap<Arc<str>, Columns>,
}

impl Fixed {
    /// `cpu` with `host`, `region`, `value1` float, `value2` integer; `strings`, `bools`.
    pub(super) fn new() -> Self {
        let measurement = |tags: &[&str], fields: &[(&str, FieldType)]| Columns {
            tags: tags.iter().map(|tag| Arc::from(*tag)).collect(),
            fields: fields
                .iter()
                .map(|(name, t)| (Arc::from(*name), *t))
                .collect(),
        };
        let value = ("value", FieldType::Float);
        Self {
            measurements: BTreeMap::from([
                (
                    Arc::from("cpu"),
                    measurement(
                        &["host", "region"],
                        &[("value1", FieldType::Float), ("value2", FieldType::Integer)],
                    ),
                ),
                (
                    Arc::from("strings"),
                    measurement(&[], &[("string", FieldType::String), value]),
                ),
                (
                    Arc::from("bools"),
                    measurement(&[], &[("bool", FieldType::Boolean), value]),
                ),
            ]),
        }
    }
}

impl Databases for Fixed {
    fn policies(&self, database: &str) -> Vec<Policy> {
        let bucket = Id::new(1).expect("not zero");
        let policy = Policy {
            name: "autogen".to_owned(),
            bucket,
            is_default: true,
        };
        if database == "db" {
            vec![policy]
        } else {
            Vec::new()
        }
    }
}

impl SchemaSource for Fixed {
    fn measurements(&self, _: Id, _: TimeRange) -> Result<Vec<Arc<str>>, Error> {
        Ok(self.measurements.keys().cloned().collect())
    }

    fn columns(&self, _: Id, measurement: &str, _: TimeRange) -> Result<Columns, Error> {
        Ok(self
            .measurements
            .get(measurement)
            .cloned()
            .unwrap_or_default())
    }
}

pub(super) fn parse_select(text: &str) -> SelectStatement {
    let query = parse_query(text, &Params::default()).expect(text);
    match query.statements.into_iter().next() {
        Some(Statement::Select(select)) => *select,
        other => panic!("{text} is {other:?}"),
    }
}

pub(super) fn resolve(text: &str) -> Result<SelectPlan, String> {
    let fixed = Fixed::new();
    let context = ResolveContext {
        databases: &fixed,
        schema: &fixed,
        database: Some("db"),
        retention_policy: None,
        now: 1_600_000_000_000_000_000,
        max_select_buckets: 0,
    };
    resolve_select(&parse_select(text), &context).map_err(|error| error.to_string())
}

fn names(text: &str) -> Vec<String> {
    let plan = resolve(text).expect(text);
    plan.columns
        .iter()
        .map(|column| column.name.to_string())
        .collect()
}

#[test]
fn aliases_are_reserved_and_other_names_suffixed() {
    assert_eq!(
        names("SELECT value1, value1, value1 FROM cpu"),
        ["value1", "value1_1", "value1_2"]
    );
    assert_eq!(
        names("SELECT mean(value1), mean(value1), max(value1) AS mean FROM cpu"),
        ["mean_1", "mean_2", "mean"]
    );
    assert_eq!(
        names("SELECT value1 AS a, value1 AS a, value2 * 2 FROM cpu"),
        ["a", "a", "value2"]
    );
    assert_eq!(
        names("SELECT value1, value1 AS value1_1, value1 FROM cpu"),
        ["value1", "value1_1", "value1_2"]
    );
    assert_eq!(
        names("SELECT top(value1, host, 2) FROM cpu"),
        ["top", "host"]
    );
}

#[test]
fn wildcards_expand_in_the_order_of_names() {
    assert_eq!(
        names("SELECT * FROM cpu"),
        ["host", "region", "value1", "value2"]
    );
    assert_eq!(
        names("SELECT * FROM cpu GROUP BY host"),
        ["region", "value1", "value2"]
    );
    assert_eq!(
        names("SELECT * FROM cpu GROUP BY /^h/"),
        ["value1", "value2"]
    );
    assert_eq!(
        names("SELECT mean(*) FROM /./"),
        ["mean_value", "mean_value1", "mean_value2"]
    );
    assert_eq!(names("SELECT *::tag FROM cpu"), ["host", "region"]);
}

#[test]
fn databases_and_policies_must_exist() {
    let error = |text| resolve(text).expect_err(text);
    assert_eq!(error("SELECT v FROM nope..cpu"), "database not found: nope");
    assert_eq!(
        error("SELECT v FROM db.nope.cpu"),
        "retention policy not found: nope"
    );
    assert_eq!(
        error("SELECT v INTO nope..m FROM cpu"),
        "database not found: nope"
    );
    assert_eq!(
        error("SELECT v INTO m FROM cpu"),
        "not implemented: SELECT INTO"
    );
    assert_eq!(
        error("SELECT v FROM _series"),
        "unable to use system source '_series': use SHOW SERIES instead"
    );
}

#[test]
fn a_subquery_inherits_range_window_and_grouping() {
    let plan = resolve(
        "SELECT sum(m) FROM (SELECT max(value1) AS m FROM cpu WHERE time < 90s) \
         WHERE time >= 10s AND time < 100s GROUP BY time(20s), host",
    )
    .expect("resolves");
    let [crate::plan::SourcePlan::Subquery(inner)] = plan.sources.as_slice() else {
        panic!("has one subquery");
    };
    assert_eq!(inner.range, TimeRange::new(10_000_000_000, 89_999_999_999));
    assert_eq!(inner.window.every, 20_000_000_000);
    assert_eq!(inner.grouping.as_ref(), &[Arc::from("host")]);
    assert!(inner.own_tags.is_empty());
    assert!(inner.has_lower_bound);
    assert_eq!(inner.fill, headwater_influxql::ast::Fill::None);
}

#[test]
fn type_errors_name_the_innermost_operator() {
    assert_eq!(
        resolve("SELECT value1 + host FROM cpu").expect_err("incompatible"),
        "type error: value1::float + host::tag: incompatible types: float and tag"
    );
    assert_eq!(
        resolve("SELECT value2 + 9223372036854775808 FROM cpu").expect_err("incompatible"),
        "type error: value2::integer + 9223372036854775808: \
         cannot use + with an integer and unsigned literal"
    );
    // Math functions of what has no type make floats, but for those that keep a type.
    assert_eq!(
        resolve("SELECT sin(nosuch) | 1 FROM cpu").expect_err("incompatible"),
        "type error: sin(nosuch) | 1: incompatible types: float and integer"
    );
    assert!(resolve("SELECT floor(nosuch) | 1 FROM cpu").is_ok());
    assert!(resolve("SELECT value1 * 1s FROM cpu").is_ok());
    assert!(resolve("SELECT bool & 1 FROM bools").is_ok());
}

#[test]
fn equal_calls_are_one_and_a_lone_selector_is_told() {
    let plan = resolve("SELECT max(value1), max(value1) FROM cpu").expect("resolves");
    assert_eq!(plan.calls.len(), 1);
    assert!(plan.is_selector);
    let plan = resolve("SELECT max(value1), host, region FROM cpu").expect("resolves");
    assert_eq!(plan.aux.len(), 2);
    assert!(
        !resolve("SELECT max(value1), min(value1) FROM cpu")
            .expect("resolves")
            .is_selector
    );
}
