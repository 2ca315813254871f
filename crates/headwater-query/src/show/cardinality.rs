//! SHOW … CARDINALITY: what the reference answers by `SELECT count(distinct(…))` over the index,
//! grouped by measurement and the tags of GROUP BY.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono_tz::Tz;
use headwater_influxql::{
    ast::{BinaryOp, CardinalityOf, Expr, ShowCardinalityStatement},
    visit,
};
use headwater_model::{Id, SeriesKey, TimeRange};

use super::{matching::Matching, names_of, select_sources, tags::is_wanted};
use crate::{
    Error,
    condition::{Residual, residual_for_series, tag_prefilter},
    guard::Held,
    resolve::{
        compile_dimensions,
        time_bounds::{TimeBounds, mentions_time, split_condition},
    },
    run::{Failure, Output, StatementContext},
    schema::{Columns, SchemaSource},
    series::{Column, Series},
};

/// An output series: measurement (none for SHOW MEASUREMENT CARDINALITY) and the values of the
/// GROUP BY tags.
type Group = (Option<Arc<str>>, Vec<Arc<str>>);

/// The things counted, by output series.
type Counted = BTreeMap<Group, BTreeSet<Arc<str>>>;

pub(super) fn show(
    statement: &ShowCardinalityStatement,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    refuse(statement)?;
    let sources = select_sources(&statement.sources, statement.database.as_ref(), context)?;
    let (condition, bounds) = split_condition(statement.condition.as_ref(), context.now, Tz::UTC)?;
    let dimensions = compile_dimensions(&statement.dimensions, context.now)?;
    let mut measurements: Vec<(Id, Arc<str>)> = Vec::new();
    let mut columns = Columns::default();
    for (bucket, source) in sources {
        for name in names_of(bucket, &source, context)? {
            columns.merge(&context.snapshots.columns(bucket, &name, TimeRange::ALL)?);
            measurements.push((bucket, name));
        }
    }
    let dims = expand(&dimensions, &columns);
    let is_field = |name: &str| columns.fields.contains_key(name);
    let mut counted = Counted::new();
    let mut counts = BTreeMap::new();
    // All series of measurements that are each in one bucket: storage can count them by itself.
    let is_plain = statement.of == CardinalityOf::Series
        && condition.is_none()
        && dims.is_empty()
        && bounds == TimeBounds::default()
        && measurements
            .iter()
            .map(|(_, name)| name)
            .collect::<BTreeSet<_>>()
            .len()
            == measurements.len();
    let mut held = Held::new(&context.guard);
    for (bucket, name) in measurements {
        context.check()?;
        let snapshot = context.snapshots.get(bucket);
        if is_plain {
            let count = snapshot.count_series(&name).map_err(Error::from)?;
            context.guard.work(count)?;
            counts.insert((Some(name), Vec::new()), count);
            continue;
        }
        let matching = Matching::new(&snapshot, &name, bounds, &context.guard);
        if statement.of == CardinalityOf::FieldKey {
            count_fields(&matching, &name, condition.as_ref(), &dims, &mut counted);
            continue;
        }
        let predicate = condition
            .as_ref()
            .and_then(|it| tag_prefilter(it, &name, &is_field));
        let mut found = Held::new(&context.guard);
        for series in matching.series(predicate.as_ref(), &mut found)? {
            context.guard.work(1)?;
            let is_counted = condition
                .as_ref()
                .is_none_or(|condition| match statement.of {
                    CardinalityOf::TagValues => matches_row(condition, &series, &is_field),
                    _ => residual_for_series(condition, &series, &is_field) == Residual::Always,
                });
            if is_counted {
                count_series(statement, &series, &dims, &mut counted);
                // At most so much is kept of it.
                if statement.of == CardinalityOf::Series {
                    held.grow(series.as_str().len() + size_of::<Arc<str>>())?;
                }
            }
        }
    }
    if statement.offset == 0 {
        let sets = counted.into_iter();
        counts.extend(sets.map(|(group, things)| (group, things.len())));
        emit(counts, &dims, out)?;
    }
    Ok(())
}

fn refuse(statement: &ShowCardinalityStatement) -> Result<(), Error> {
    let name = match statement.of {
        CardinalityOf::Series => "SHOW SERIES",
        CardinalityOf::Measurement => "SHOW MEASUREMENT",
        CardinalityOf::TagKey => "SHOW TAG KEY",
        CardinalityOf::FieldKey => "SHOW FIELD KEY",
        CardinalityOf::TagValues => return Ok(()),
    };
    // An estimate over a whole database is what the compatibility API does not have.
    let is_estimate = !statement.exact
        && statement.sources.is_empty()
        && statement.condition.is_none()
        && statement.dimensions.is_empty()
        && statement.limit == 0
        && statement.offset == 0;
    match statement.of {
        CardinalityOf::Series if is_estimate => {
            return Err(Error::NotImplemented("SHOW SERIES CARDINALITY"));
        }
        CardinalityOf::Measurement if is_estimate => {
            return Err(Error::NotImplemented("SHOW MEASUREMENT CARDINALITY"));
        }
        _ => {}
    }
    if mentions_time(statement.condition.as_ref()) {
        let exact = if statement.of == CardinalityOf::FieldKey {
            ""
        } else {
            " EXACT"
        };
        return Err(Error::statement(format!(
            "{name}{exact} CARDINALITY doesn't support time in WHERE clause"
        )));
    }
    Ok(())
}

/// The tags of GROUP BY, ascending.
fn expand(dimensions: &[Expr], columns: &Columns) -> Vec<Arc<str>> {
    let mut dims = BTreeSet::new();
    for dimension in dimensions {
        match dimension {
            Expr::VarRef(var) => {
                dims.insert(Arc::from(var.name.as_str()));
            }
            Expr::Regex(regex) => {
                dims.extend(
                    columns
                        .tags
                        .iter()
                        .filter(|tag| regex.is_match(tag))
                        .cloned(),
                );
            }
            _ => dims.extend(columns.tags.iter().cloned()),
        }
    }
    dims.into_iter().collect()
}

/// Field keys have no tags.
fn count_fields(
    matching: &Matching,
    name: &Arc<str>,
    condition: Option<&Expr>,
    dims: &[Arc<str>],
    counted: &mut Counted,
) {
    let row = SeriesKey::new(Arc::clone(name), Vec::new());
    let is_counted = condition.is_none_or(|condition| {
        residual_for_series(condition, &row, &|_| false) == Residual::Always
    });
    if is_counted {
        let group = (
            Some(Arc::clone(name)),
            dims.iter().map(|_| Arc::from("")).collect(),
        );
        let fields = counted.entry(group).or_default();
        for partition in matching.partitions() {
            fields.extend(partition.fields().keys().cloned());
        }
    }
}

/// SHOW TAG VALUES CARDINALITY holds the condition against rows, one a tag: there a tag that
/// the series lacks is null, which compares with nothing, not the empty string.
fn matches_row(condition: &Expr, series: &SeriesKey, is_field: &dyn Fn(&str) -> bool) -> bool {
    match condition {
        Expr::Paren(inner) => matches_row(inner, series, is_field),
        Expr::Binary(binary) if binary.op == BinaryOp::And => {
            matches_row(&binary.left, series, is_field)
                && matches_row(&binary.right, series, is_field)
        }
        Expr::Binary(binary) if binary.op == BinaryOp::Or => {
            matches_row(&binary.left, series, is_field)
                || matches_row(&binary.right, series, is_field)
        }
        comparison => {
            let has = |name: &str| name == "_name" || series.tag(name).is_some();
            visit::var_refs(comparison).iter().all(|var| has(&var.name))
                && residual_for_series(comparison, series, is_field) == Residual::Always
        }
    }
}

fn count_series(
    statement: &ShowCardinalityStatement,
    series: &SeriesKey,
    dims: &[Arc<str>],
    counted: &mut Counted,
) {
    let empty: Arc<str> = Arc::from("");
    let values = dims
        .iter()
        .map(|dim| series.tag(dim).unwrap_or(&empty).clone())
        .collect();
    let name = Arc::clone(series.measurement());
    let things: Vec<Arc<str>> = match statement.of {
        CardinalityOf::Series => vec![Arc::from(series.as_str())],
        CardinalityOf::Measurement => {
            counted.entry((None, values)).or_default().insert(name);
            return;
        }
        CardinalityOf::TagKey => series
            .tags()
            .iter()
            .map(|(key, _)| Arc::clone(key))
            .collect(),
        CardinalityOf::TagValues => series
            .tags()
            .iter()
            .filter(|(key, _)| is_wanted(statement.with_key.as_ref(), key))
            .map(|(_, value)| Arc::clone(value))
            .collect(),
        CardinalityOf::FieldKey => Vec::new(),
    };
    if !things.is_empty() {
        counted
            .entry((Some(name), values))
            .or_default()
            .extend(things);
    }
}

/// LIMIT and OFFSET count the rows of a series, and each has one.
fn emit(
    counts: BTreeMap<Group, usize>,
    dims: &[Arc<str>],
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    for ((name, values), count) in counts {
        let tags = dims.iter().cloned().zip(values).collect();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        out.emit(Series {
            name,
            tags: (!dims.is_empty()).then_some(tags),
            columns: Arc::from([Arc::from("count")]),
            values: vec![Column::Integer {
                values: vec![count],
                valid: None,
            }],
            ..Series::default()
        })?;
    }
    Ok(())
}
