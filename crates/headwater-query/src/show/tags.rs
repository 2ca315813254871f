//! SHOW TAG KEYS and SHOW TAG VALUES, always of the default bucket of a database.

use std::{collections::BTreeSet, sync::Arc};

use chrono_tz::Tz;
use headwater_influxql::{
    ast::{Expr, ShowStatement, WithKey},
    visit,
};
use headwater_model::{Id, SeriesKey};

use super::{is_named, matching::Matching, page, reported, strings};
use crate::{
    Error,
    condition::{Residual, residual_for_series, tag_prefilter},
    guard::Held,
    resolve::time_bounds::{TimeBounds, split_condition},
    run::{Failure, Output, StatementContext},
};

/// Key and value.
type Tag = (Arc<str>, Arc<str>);

/// The pseudo tag of SHOW TAG VALUES that stands for the value of a row.
const VALUE: &str = "value";

pub(super) fn show_keys(
    statement: &ShowStatement,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let query = TagQuery::new(statement, context)?;
    for name in query.measurements(context)? {
        let keys = query.keys(&name, context).map_err(reported)?;
        let keys = page(
            keys.into_iter().collect(),
            statement.limit,
            statement.offset,
        );
        if !keys.is_empty() {
            let rows = keys.into_iter().map(|key| vec![key]).collect();
            out.emit_whole(strings(Some(name), &["tagKey"], rows))?;
        }
    }
    Ok(())
}

pub(super) fn show_values(
    statement: &ShowStatement,
    context: &StatementContext<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let query = TagQuery::new(statement, context)?;
    for name in query.measurements(context)? {
        let with_key = statement.with_key.as_ref();
        // Of millions of values neither a set nor the keys of their series is made.
        let mut held = Held::new(&context.guard);
        let all = query.all_pairs(&name, with_key, context, &mut held);
        let pairs = match all.map_err(reported)? {
            Some(pairs) => pairs,
            None => {
                let pairs = query.pairs(&name, with_key, context).map_err(reported)?;
                pairs.into_iter().collect()
            }
        };
        let pairs = page(pairs, statement.limit, statement.offset);
        if !pairs.is_empty() {
            let rows = pairs
                .into_iter()
                .map(|(key, value)| vec![key, value])
                .collect();
            out.emit_whole(strings(Some(name), &["key", "value"], rows))?;
        }
    }
    Ok(())
}

/// Whether WITH KEY lets a tag key pass.
pub(super) fn is_wanted(with_key: Option<&WithKey>, key: &str) -> bool {
    match with_key {
        None => true,
        Some(WithKey::Eq(name)) => key == name,
        Some(WithKey::NotEq(name)) => key != name,
        Some(WithKey::EqRegex(regex)) => regex.is_match(key),
        Some(WithKey::NotEqRegex(regex)) => !regex.is_match(key),
        Some(WithKey::In(names)) => names.iter().any(|name| name == key),
    }
}

/// What both statements have in common.
struct TagQuery<'a> {
    statement: &'a ShowStatement,
    bucket: Id,
    condition: Option<Expr>,
    bounds: TimeBounds,
}

impl<'a> TagQuery<'a> {
    fn new(statement: &'a ShowStatement, context: &StatementContext<'_>) -> Result<Self, Error> {
        let database = context.database(statement.database.as_ref());
        // A database that only the sources name counts, their policies do not.
        let database = match statement.sources.first() {
            Some(source) if !source.database.is_empty() => &source.database,
            _ => database,
        };
        if database.is_empty() {
            return Err(Error::statement("database name required"));
        }
        if context.databases.of_database(database).next().is_none() {
            return Err(Error::statement(format!("database not found: {database}")));
        }
        let bucket = context.databases.bucket(database, "").ok_or_else(|| {
            Error::statement(format!("default retention policy not set for: {database}"))
        })?;
        let (condition, bounds) =
            split_condition(statement.condition.as_ref(), context.now, Tz::UTC)?;
        Ok(Self {
            statement,
            bucket,
            condition,
            bounds,
        })
    }

    fn measurements(&self, context: &StatementContext<'_>) -> Result<Vec<Arc<str>>, Failure> {
        let mut names = context
            .snapshots
            .get(self.bucket)
            .measurements()
            .map_err(|error| Failure::Reported(error.into()))?;
        // An empty name names no measurement, so that it leaves none out either.
        let mut sources = self.statement.sources.clone();
        sources.retain(|source| source.regex.is_some() || !source.name.is_empty());
        names.retain(|name| is_named(&sources, name));
        Ok(names)
    }

    fn matching(&self, name: &str, context: &StatementContext<'_>) -> Result<Matching, Error> {
        context.check()?;
        Ok(Matching::new(
            &context.snapshots.get(self.bucket),
            name,
            self.bounds,
            &context.guard,
        ))
    }

    /// The tag keys of the matching series of a measurement.
    fn keys(
        &self,
        name: &str,
        context: &StatementContext<'_>,
    ) -> Result<BTreeSet<Arc<str>>, Error> {
        let matching = self.matching(name, context)?;
        if let Some(condition) = &self.condition {
            check_condition(condition, &|name| matching.has_field(name))?;
        } else if !matching.has_time() {
            let partitions = matching.partitions().iter();
            return Ok(partitions
                .flat_map(|it| it.tag_keys().iter().cloned())
                .collect());
        }
        let mut keys = BTreeSet::new();
        let mut held = Held::new(&context.guard);
        for series in self.series(&matching, name, &mut held)? {
            context.guard.work(1)?;
            keys.extend(series.tags().iter().map(|(key, _)| Arc::clone(key)));
        }
        Ok(keys)
    }

    /// The tags of all series of a measurement, ascending; `None` when the statement is about
    /// some of them.
    fn all_pairs(
        &self,
        name: &str,
        with_key: Option<&WithKey>,
        context: &StatementContext<'_>,
        held: &mut Held,
    ) -> Result<Option<Vec<Tag>>, Error> {
        if self.condition.is_some() || self.matching(name, context)?.has_time() {
            return Ok(None);
        }
        let snapshot = context.snapshots.get(self.bucket);
        let mut pairs = Vec::new();
        for key in self.keys(name, context)? {
            if is_wanted(with_key, &key) {
                let values = snapshot.tag_values(name, &key)?;
                context.guard.work(values.len())?;
                let bytes = values
                    .iter()
                    .map(|value| value.len() + 2 * size_of::<Tag>());
                held.grow(bytes.sum())?;
                pairs.extend(values.into_iter().map(|value| (Arc::clone(&key), value)));
            }
        }
        Ok(Some(pairs))
    }

    /// The tags of the matching series of a measurement.
    fn pairs(
        &self,
        name: &str,
        with_key: Option<&WithKey>,
        context: &StatementContext<'_>,
    ) -> Result<BTreeSet<Tag>, Error> {
        let matching = self.matching(name, context)?;
        let mut held = Held::new(&context.guard);
        let Some(condition) = self.condition.as_ref().filter(|it| names_value(it)) else {
            if let Some(condition) = &self.condition {
                check_condition(condition, &|name| matching.has_field(name))?;
            }
            let mut pairs = BTreeSet::new();
            for series in self.series(&matching, name, &mut held)? {
                context.guard.work(1)?;
                let tags = series.tags().iter();
                pairs.extend(tags.filter(|(key, _)| is_wanted(with_key, key)).cloned());
            }
            return Ok(pairs);
        };
        let mut pairs = BTreeSet::new();
        for series in matching.series(None, &mut held)? {
            context.guard.work(1)?;
            for (key, value) in series
                .tags()
                .iter()
                .filter(|(key, _)| is_wanted(with_key, key))
            {
                if has_value(condition, &series, value) {
                    pairs.insert((Arc::clone(key), Arc::clone(value)));
                }
            }
        }
        Ok(pairs)
    }

    fn series(
        &self,
        matching: &Matching,
        name: &str,
        held: &mut Held,
    ) -> Result<Vec<SeriesKey>, Error> {
        let predicate = self
            .condition
            .as_ref()
            .and_then(|it| tag_prefilter(it, name, &|_| false));
        matching.series(predicate.as_ref(), held)
    }
}

fn names_value(condition: &Expr) -> bool {
    visit::var_refs(condition)
        .iter()
        .any(|var| var.name == VALUE)
}

/// The condition with the row's value in place of the pseudo tag.
fn has_value(condition: &Expr, series: &SeriesKey, value: &Arc<str>) -> bool {
    let mut tags = series.tags().to_vec();
    tags.retain(|(key, _)| **key != *VALUE);
    tags.push((Arc::from(VALUE), Arc::clone(value)));
    let row = SeriesKey::new(Arc::clone(series.measurement()), tags);
    residual_for_series(condition, &row, &|_| false) == Residual::Always
}

/// Refuses conditions that are not about tags and strings.
fn check_condition(condition: &Expr, is_field: &dyn Fn(&str) -> bool) -> Result<(), Error> {
    let mut problem = None;
    visit::walk(condition, &mut |node| {
        let Expr::Binary(binary) = node else { return };
        match (&binary.left, &binary.right) {
            (Expr::VarRef(_), Expr::VarRef(_)) => {
                problem.get_or_insert_with(|| {
                    format!(
                        "bad WHERE clause for metaquery; one term must be a string literal tag \
                         value within single quotes: {node}"
                    )
                });
            }
            (Expr::VarRef(var), _) | (_, Expr::VarRef(var)) if is_field(&var.name) => {
                problem
                    .get_or_insert_with(|| format!("expression too complex for metaquery: {node}"));
            }
            _ => {}
        }
    });
    problem.map_or(Ok(()), |text| Err(Error::Statement(text)))
}
