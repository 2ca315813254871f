//! The compile rules of a SELECT, outer statement first, then its subqueries
//! (`spec/influxql/semantics_select.md` §2.3, `subqueries.md` §2).

use chrono_tz::Tz;
use headwater_influxql::{
    ast::{BinaryOp, Call, Expr, Fill, Measurement, SelectField, SelectStatement, Source, VarRef},
    visit,
};
use headwater_model::{Id, MAX_TIME, MIN_TIME, TimeRange};

use super::{
    calls::cannot_be_combined,
    dimensions,
    time_bounds::{TimeBounds, check_condition, split_condition},
};
use crate::{
    Error,
    execute::window_start,
    fold::{Constants, argument_count, fold, is_literal},
    plan::Window,
};

/// A statement that has passed the compile rules.
#[derive(Debug)]
pub(super) struct Compiled {
    /// Without the time, folded, `DISTINCT x` as a call.
    pub fields: Vec<SelectField>,
    pub time_alias: Option<String>,
    pub condition: Option<Expr>,
    /// Of the own WHERE.
    pub bounds: TimeBounds,
    /// Bounds with their defaults; of a subquery cut by the enclosing statement's.
    pub range: TimeRange,
    /// Names, wildcards and regular expressions of GROUP BY.
    pub tags: Vec<Expr>,
    /// Of the own GROUP BY.
    pub window: Window,
    /// The own or inherited interval.
    pub every: i64,
    pub offset_error: Option<String>,
    pub extra_intervals: i64,
    /// Whether the select list has a call, math functions included.
    pub has_calls: bool,
    pub ascending: bool,
    pub fill: Fill,
    pub limit: u64,
    pub offset: u64,
    pub slimit: u64,
    pub soffset: u64,
    pub timezone: Option<Tz>,
    pub sources: Vec<CompiledSource>,
}

#[derive(Debug)]
pub(super) enum CompiledSource {
    /// `bucket` is set when the measurement is mapped.
    Measurement {
        measurement: Measurement,
        bucket: Option<Id>,
    },
    Subquery(Box<Compiled>),
}

impl Compiled {
    /// The range whose partitions are read: extended for transformations under GROUP BY time
    /// (`spec/influxql/fill_and_windows.md` §6), held to the ends of time. Where nothing bounds
    /// the windows from below, only so many of the last ones as are allowed are read (§7).
    pub(super) fn partition_range(&self, max_select_buckets: u64) -> TimeRange {
        let mut range = self.range;
        if max_select_buckets > 0 && self.has_windows() && self.bounds.min.is_none() {
            let last = window_start(self.window, self.timezone, range.end.saturating_sub(1));
            let span = i128::from(self.window.every) * i128::from(max_select_buckets - 1);
            let start = i128::from(last) - span;
            range.start = start.max(i128::from(range.start)) as i64;
        }
        if self.every != 0 && self.extra_intervals > 0 {
            let extra = i128::from(self.every) * i128::from(self.extra_intervals);
            if self.ascending {
                let start = (i128::from(range.start) - extra).max(i128::from(MIN_TIME));
                range.start = start as i64;
            } else {
                let end = (i128::from(range.end) + extra).min(i128::from(MAX_TIME));
                range.end = end as i64;
            }
        }
        range
    }

    /// Whether the statement, apart from its subqueries, has calls over windows.
    pub(super) fn has_windows(&self) -> bool {
        self.has_calls && self.window.every > 0
    }
}

/// What the fields of a statement have in common, gathered while they are checked.
#[derive(Debug)]
pub(super) struct StatementRules {
    pub limit: u64,
    pub every: i64,
    pub inherits_window: bool,
    pub call_count: usize,
    pub only_selectors: bool,
    pub has_auxiliary: bool,
    pub has_distinct: bool,
    /// The name of the first `top` or `bottom`.
    pub top_bottom: Option<String>,
    pub extra_intervals: i64,
}

/// Checks one field.
pub(super) struct FieldRules<'a> {
    pub statement: &'a mut StatementRules,
    /// Cleared inside operators.
    pub allow_wildcard: bool,
}

pub(super) fn compile(select: &SelectStatement, now: i64) -> Result<Compiled, Error> {
    let mut compiled = compile_statement(select, None, now)?;
    check_regex_operands(compiled.condition.as_ref())?;
    replace_distinct(&mut compiled, false);
    Ok(compiled)
}

struct Parent {
    ascending: bool,
    range: TimeRange,
    every: i64,
}

fn compile_statement(
    select: &SelectStatement,
    parent: Option<&Parent>,
    now: i64,
) -> Result<Compiled, Error> {
    let timezone = select.timezone.unwrap_or(Tz::UTC);
    let (condition, bounds) = split_condition(select.condition.as_ref(), now, timezone)?;
    if let Some(condition) = &condition {
        check_condition(condition)?;
    }
    let dimensions = dimensions::compile(&select.dimensions, now, timezone)?;
    let mut range = bounds.range();
    if bounds.max.is_none() && dimensions.window.every != 0 {
        range.end = now;
    }
    let mut ascending = select.order.is_none_or(|order| order.ascending);
    let mut every = dimensions.window.every;
    let mut fill = select.fill;
    let mut inherits_window = false;
    if let Some(parent) = parent {
        if select.order.is_some() && ascending != parent.ascending {
            return Err(Error::statement(
                "subqueries must be ordered in the same direction as the query itself",
            ));
        }
        ascending = parent.ascending;
        range = range.intersect(parent.range);
        if every != 0 && fill == Fill::Null {
            fill = Fill::None;
        }
        if every == 0 && parent.every != 0 {
            every = parent.every;
            inherits_window = true;
        }
    }
    let mut rules = StatementRules {
        limit: select.limit,
        every,
        inherits_window,
        call_count: 0,
        only_selectors: true,
        has_auxiliary: false,
        has_distinct: false,
        top_bottom: None,
        extra_intervals: 0,
    };
    let (fields, time_alias) = compile_fields(select, parent.is_some(), &mut rules)?;
    check_fields(&fields, fill, &rules)?;
    let parent = Parent {
        ascending,
        range,
        every,
    };
    let sources = compile_sources(select, &parent, now)?;
    Ok(Compiled {
        has_calls: fields.iter().any(|field| has_call(&field.expr)),
        fields,
        time_alias,
        condition,
        bounds,
        range,
        tags: dimensions.tags,
        window: dimensions.window,
        every,
        offset_error: dimensions.offset_error,
        extra_intervals: rules.extra_intervals,
        ascending,
        fill: select.fill,
        limit: select.limit,
        offset: select.offset,
        slimit: select.slimit,
        soffset: select.soffset,
        timezone: select.timezone,
        sources,
    })
}

fn compile_sources(
    select: &SelectStatement,
    parent: &Parent,
    now: i64,
) -> Result<Vec<CompiledSource>, Error> {
    let mut sources = Vec::with_capacity(select.sources.len());
    for source in &select.sources {
        sources.push(match source {
            Source::Measurement(measurement) => CompiledSource::Measurement {
                measurement: measurement.clone(),
                bucket: None,
            },
            Source::Subquery(inner) => {
                CompiledSource::Subquery(Box::new(compile_statement(inner, Some(parent), now)?))
            }
        });
    }
    Ok(sources)
}

/// The fields without the time, and the time's alias. As in the reference, the last time decides
/// the alias, and a time right after another one stays, as a column of nulls; in a subquery, each.
fn compile_fields(
    select: &SelectStatement,
    is_subquery: bool,
    rules: &mut StatementRules,
) -> Result<(Vec<SelectField>, Option<String>), Error> {
    let mut fields = Vec::with_capacity(select.fields.len());
    let mut time_alias = None;
    let mut follows_time = false;
    for field in &select.fields {
        let is_time = is_time(field);
        if is_time && !follows_time && !is_subquery {
            time_alias.clone_from(&field.alias);
            follows_time = true;
            continue;
        }
        follows_time = false;
        let expr = fold(&field.expr, Some(&Constants::Math));
        if !is_time {
            FieldRules {
                statement: rules,
                allow_wildcard: true,
            }
            .check_expr(&expr)?;
        }
        fields.push(SelectField {
            expr,
            alias: field.alias.clone(),
        });
    }
    if select.fields.iter().all(is_time) {
        fields.clear();
    }
    Ok((fields, time_alias))
}

fn is_time(field: &SelectField) -> bool {
    matches!(&field.expr, Expr::VarRef(var) if var.name == "time")
}

impl FieldRules<'_> {
    pub(super) fn check_expr(&mut self, expr: &Expr) -> Result<(), Error> {
        match expr {
            Expr::VarRef(_) => {
                self.statement.has_auxiliary = true;
                Ok(())
            }
            Expr::Wildcard(_) | Expr::Regex(_) => {
                self.statement.has_auxiliary = true;
                if self.allow_wildcard {
                    return Ok(());
                }
                let kind = if matches!(expr, Expr::Regex(_)) {
                    "regex"
                } else {
                    "wildcard"
                };
                Err(Error::statement(format!(
                    "unable to use {kind} in a binary expression"
                )))
            }
            Expr::Call(call) => match argument_count(&call.name) {
                Some(expected) => self.check_math(call, expected),
                None => self.check_call(call),
            },
            Expr::Distinct(name) => {
                self.statement.call_count += 1;
                let var = VarRef {
                    name: name.clone(),
                    data_type: None,
                };
                self.check_distinct(&[Expr::VarRef(var)], false)
            }
            Expr::Binary(binary) => {
                self.allow_wildcard = false;
                match (is_literal(&binary.left), is_literal(&binary.right)) {
                    (true, true) => Err(Error::statement(
                        "cannot perform a binary expression on two literals",
                    )),
                    (true, false) => self.check_expr(&binary.right),
                    (false, true) => self.check_expr(&binary.left),
                    (false, false) => {
                        self.check_expr(&binary.left)?;
                        self.check_expr(&binary.right)
                    }
                }
            }
            Expr::Paren(inner) => self.check_expr(inner),
            _ => Err(Error::statement("field must contain at least one variable")),
        }
    }
}

fn check_fields(fields: &[SelectField], fill: Fill, rules: &StatementRules) -> Result<(), Error> {
    let error = |text: &str| Err(Error::statement(text));
    if fields.is_empty() {
        return error("at least 1 non-time field must be queried");
    }
    if let Some(function) = &rules.top_bottom
        && rules.call_count > 1
    {
        return Err(Error::Statement(cannot_be_combined(function)));
    }
    if rules.call_count == 0 {
        match fill {
            Fill::None => return error("fill(none) must be used with a function"),
            Fill::Linear => return error("fill(linear) must be used with a function"),
            _ => {}
        }
        if rules.every != 0 && !rules.inherits_window {
            return error("GROUP BY requires at least one aggregate function");
        }
    }
    if rules.has_distinct && (rules.call_count != 1 || rules.has_auxiliary) {
        return error(
            "aggregate function distinct() cannot be combined with other functions or fields",
        );
    }
    if rules.has_auxiliary {
        if !rules.only_selectors {
            return error("mixing aggregate and non-aggregate queries is not supported");
        }
        if rules.call_count > 1 {
            return error(
                "mixing multiple selector functions with tags or fields is not supported",
            );
        }
    }
    Ok(())
}

fn has_call(expr: &Expr) -> bool {
    let mut found = false;
    visit::walk(expr, &mut |node| {
        found |= matches!(node, Expr::Call(_) | Expr::Distinct(_))
    });
    found
}

/// The reference rewrites regular expressions of the outermost WHERE and stumbles over one that
/// is an operand of another operator.
fn check_regex_operands(condition: Option<&Expr>) -> Result<(), Error> {
    match condition {
        Some(Expr::Paren(inner)) => check_regex_operands(Some(inner)),
        Some(Expr::Binary(b)) => {
            check_regex_operands(Some(&b.left))?;
            check_regex_operands(Some(&b.right))?;
            let wants_regex = matches!(b.op, BinaryOp::EqRegex | BinaryOp::NotEqRegex);
            if wants_regex && !matches!(b.right, Expr::Regex(_)) {
                return Err(Error::statement(format!(
                    "likely malformed statement, unable to rewrite: interface conversion: \
                     influxql.Expr is {}, not *influxql.RegexLiteral",
                    super::calls::go_type(&b.right)
                )));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `DISTINCT x` becomes `distinct(x)`. The reference forgets to do so for arguments of calls in
/// subqueries: `count(DISTINCT x)` counts nothing there.
fn replace_distinct(compiled: &mut Compiled, is_subquery: bool) {
    for field in &mut compiled.fields {
        if is_subquery && let Expr::Call(call) = &mut field.expr {
            for arg in call
                .args
                .iter_mut()
                .filter(|arg| matches!(arg, Expr::Distinct(_)))
            {
                *arg = distinct_call(String::new());
            }
        }
        visit::walk_mut(&mut field.expr, &mut |node| {
            if let Expr::Distinct(name) = node {
                *node = distinct_call(std::mem::take(name));
            }
        });
    }
    for source in &mut compiled.sources {
        if let CompiledSource::Subquery(inner) = source {
            replace_distinct(inner, true);
        }
    }
}

fn distinct_call(name: String) -> Expr {
    let args = vec![Expr::VarRef(VarRef {
        name,
        data_type: None,
    })];
    Expr::Call(Call {
        name: "distinct".to_owned(),
        args,
    })
}
