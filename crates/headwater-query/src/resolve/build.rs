//! The plan of a statement whose names are bound.

use std::sync::Arc;

use headwater_influxql::ast::{Call, DataType, Expr, Fill, VarRef};
use headwater_model::{FieldType, MAX_TIME, TimeRange, Value};

use super::{
    ResolveContext,
    calls::is_selector,
    names::{Unnamed, column_names, field_name},
    typed::{Typed, TypedSource},
    types::{expr_type, top_bottom_names, type_name},
};
use crate::{
    Error,
    execute::window_start,
    fold::is_math_function,
    plan::{
        Aggregate, CallPlan, ColumnKind, ColumnPlan, ColumnRef, MathFunction, RowExpr, SelectPlan,
        Smoothing, SourcePlan, Transform, TransformInput, Warmup, Window,
    },
};

/// What a subquery inherits (`spec/influxql/subqueries.md` §2).
struct Parent<'a> {
    plan: &'a SelectPlan,
}

pub(super) fn build(
    typed: &Typed,
    partition_range: TimeRange,
    now: i64,
) -> Result<SelectPlan, Error> {
    build_statement(typed, None, partition_range, now)
}

/// Refuses a statement of more windows than are allowed.
pub(super) fn check_bucket_limit(typed: &Typed, context: &ResolveContext<'_>) -> Result<(), Error> {
    let compiled = &typed.compiled;
    let limit = context.max_select_buckets;
    let window = compiled.window;
    if limit == 0 || !compiled.has_windows() || compiled.bounds.min.is_none() {
        return Ok(());
    }
    let first = window_start(window, compiled.timezone, compiled.range.start);
    let last = window_start(
        window,
        compiled.timezone,
        compiled.range.end.saturating_sub(1),
    );
    let span = i128::from(last) - i128::from(first) + i128::from(window.every);
    let buckets = span / i128::from(window.every);
    if buckets > i128::from(limit) {
        return Err(Error::BucketLimit {
            count: buckets,
            limit,
        });
    }
    Ok(())
}

fn build_statement(
    typed: &Typed,
    parent: Option<&Parent<'_>>,
    partition_range: TimeRange,
    now: i64,
) -> Result<SelectPlan, Error> {
    let compiled = &typed.compiled;
    let own_range = compiled.bounds.range();
    let mut range = compiled.range;
    let mut window = compiled.window;
    let own_tags = sorted(typed.tags.iter().cloned());
    let mut dims = Arc::clone(&own_tags);
    let mut grouping = Arc::clone(&own_tags);
    let mut fill = compiled.fill;
    let mut has_lower_bound = compiled.bounds.min.is_some();
    let (mut slimit, mut soffset) = (compiled.slimit, compiled.soffset);
    if let Some(Parent { plan }) = parent {
        range = own_range.intersect(plan.range);
        if window.every != 0 && range.end == MAX_TIME {
            range.end = now;
        }
        if window.every == 0 {
            window = plan.window;
        }
        dims = Arc::clone(&plan.dims);
        grouping = sorted(own_tags.iter().chain(plan.grouping.iter()).cloned());
        has_lower_bound |= plan.has_lower_bound;
        slimit = slimit.saturating_add(plan.slimit);
        soffset = soffset.saturating_add(plan.soffset);
        if compiled.has_calls && fill == Fill::Null {
            fill = Fill::None;
        }
    }
    let mut list = SelectList::new(window);
    let columns = list.columns(typed)?;
    let mut plan = SelectPlan {
        sources: Vec::new(),
        time_name: compiled.time_alias.as_deref().unwrap_or("time").into(),
        columns,
        is_selector: list.is_selector(),
        calls: list.calls,
        aux: list.aux,
        condition: compiled.condition.clone(),
        range,
        own_range,
        partition_range,
        has_lower_bound,
        window,
        dims,
        grouping,
        own_tags,
        fill,
        ascending: compiled.ascending,
        limit: compiled.limit,
        offset: compiled.offset,
        slimit,
        soffset,
        timezone: compiled.timezone,
    };
    let mut sources = Vec::new();
    for source in &typed.sources {
        match source {
            TypedSource::Measurements { bucket, names, .. } => {
                sources.extend(names.iter().map(|name| SourcePlan::Measurement {
                    bucket: *bucket,
                    name: Arc::clone(name),
                }))
            }
            TypedSource::Subquery(inner) => {
                let parent = Parent { plan: &plan };
                let inner = build_statement(inner, Some(&parent), partition_range, now)?;
                sources.push(SourcePlan::Subquery(Box::new(inner)));
            }
        }
    }
    plan.sources = sources;
    Ok(plan)
}

fn sorted(names: impl Iterator<Item = Arc<str>>) -> Arc<[Arc<str>]> {
    let mut names: Vec<Arc<str>> = names.collect();
    names.sort();
    names.dedup();
    names.into()
}

/// The calls and auxiliary columns of a select list, each once.
struct SelectList {
    window: Window,
    calls: Vec<CallPlan>,
    /// The texts of `calls`, by which calls are told apart, and whether each is a selector.
    texts: Vec<(String, bool)>,
    aux: Vec<ColumnRef>,
}

impl SelectList {
    fn new(window: Window) -> Self {
        Self {
            window,
            calls: Vec::new(),
            texts: Vec::new(),
            aux: Vec::new(),
        }
    }

    fn is_selector(&self) -> bool {
        matches!(self.texts.as_slice(), [(_, true)])
    }

    fn columns(&mut self, typed: &Typed) -> Result<Vec<ColumnPlan>, Error> {
        let mut exprs: Vec<(Unnamed, Expr)> = Vec::new();
        for field in &typed.compiled.fields {
            let unnamed = Unnamed {
                alias: field.alias.clone(),
                name: field_name(field),
            };
            exprs.push((unnamed, field.expr.clone()));
            if let Expr::Call(call) = &field.expr {
                for arg in top_bottom_names(call) {
                    if let Expr::VarRef(var) = arg {
                        let unnamed = Unnamed {
                            alias: None,
                            name: var.name.clone(),
                        };
                        exprs.push((unnamed, arg.clone()));
                    }
                }
            }
        }
        for (_, expr) in &exprs {
            self.collect(expr)?;
        }
        self.aux
            .sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        let (unnamed, exprs): (Vec<Unnamed>, Vec<Expr>) = exprs.into_iter().unzip();
        let names = column_names(&unnamed);
        let mut columns = Vec::with_capacity(names.len());
        for ((name, unnamed), expr) in names.into_iter().zip(unnamed).zip(exprs) {
            columns.push(ColumnPlan {
                name,
                lookup: unnamed.name.into(),
                expr: self.row_expr(&expr),
                static_type: expr_type(&expr).unwrap_or(None).map(column_kind),
            });
        }
        Ok(columns)
    }

    /// Notes the calls and the names outside calls.
    fn collect(&mut self, expr: &Expr) -> Result<(), Error> {
        match expr {
            Expr::VarRef(var) => {
                let column = column_ref(var);
                if !self.aux.contains(&column) {
                    self.aux.push(column);
                }
            }
            Expr::Paren(inner) => self.collect(inner)?,
            Expr::Binary(b) => {
                self.collect(&b.left)?;
                self.collect(&b.right)?;
            }
            Expr::Call(call) if is_math_function(&call.name) => {
                call.args.iter().try_for_each(|arg| self.collect(arg))?;
            }
            Expr::Call(call) => {
                let text = expr.to_string();
                if !self.texts.iter().any(|(known, _)| *known == text) {
                    let plan = call_plan(call, self.window)?;
                    self.calls.push(plan);
                    self.texts.push((text, is_selector(&call.name)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn row_expr(&self, expr: &Expr) -> RowExpr {
        match expr {
            Expr::VarRef(var) => {
                let column = column_ref(var);
                let at = self.aux.iter().position(|known| *known == column);
                at.map_or(RowExpr::Null, RowExpr::Aux)
            }
            Expr::Paren(inner) => self.row_expr(inner),
            Expr::Binary(b) => RowExpr::Binary {
                op: b.op,
                left: Box::new(self.row_expr(&b.left)),
                right: Box::new(self.row_expr(&b.right)),
            },
            Expr::Call(call) => match MathFunction::from_name(&call.name) {
                Some(function) => RowExpr::Math {
                    function,
                    args: call.args.iter().map(|arg| self.row_expr(arg)).collect(),
                },
                None => {
                    let text = expr.to_string();
                    let at = self.texts.iter().position(|(known, _)| *known == text);
                    at.map_or(RowExpr::Null, RowExpr::Call)
                }
            },
            Expr::Number(value) => RowExpr::Literal(Value::Float(*value)),
            Expr::Integer(value) => RowExpr::Literal(Value::Integer(*value)),
            Expr::Unsigned(value) => RowExpr::Literal(Value::Unsigned(*value)),
            Expr::Boolean(value) => RowExpr::Literal(Value::Boolean(*value)),
            Expr::String(value) => RowExpr::Literal(Value::String(value.as_str().into())),
            _ => RowExpr::Null,
        }
    }
}

fn column_kind(data_type: DataType) -> ColumnKind {
    match data_type {
        DataType::Float => ColumnKind::Field(FieldType::Float),
        DataType::Integer => ColumnKind::Field(FieldType::Integer),
        DataType::Unsigned => ColumnKind::Field(FieldType::Unsigned),
        DataType::String => ColumnKind::Field(FieldType::String),
        DataType::Boolean => ColumnKind::Field(FieldType::Boolean),
        DataType::Tag => ColumnKind::Tag,
        DataType::AnyField => ColumnKind::Unknown,
    }
}

fn column_ref(var: &VarRef) -> ColumnRef {
    ColumnRef {
        name: var.name.as_str().into(),
        kind: var.data_type.map_or(ColumnKind::Unknown, column_kind),
    }
}

/// The column that an argument names. A wildcard that no rule expands names nothing.
fn argument(expr: Option<&Expr>) -> ColumnRef {
    match expr {
        Some(Expr::VarRef(var)) => column_ref(var),
        _ => ColumnRef {
            name: "".into(),
            kind: ColumnKind::Unknown,
        },
    }
}

fn aggregate(name: &str) -> Option<Aggregate> {
    Some(match name {
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum,
        "mean" => Aggregate::Mean,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "first" => Aggregate::First,
        "last" => Aggregate::Last,
        "median" => Aggregate::Median,
        "mode" => Aggregate::Mode,
        "stddev" => Aggregate::Stddev,
        "spread" => Aggregate::Spread,
        _ => return None,
    })
}

/// The plan of a call that has passed its checks.
fn call_plan(call: &Call, window: Window) -> Result<CallPlan, Error> {
    let input = || argument(call.args.first());
    let integer = |at: usize, default: i64| match call.args.get(at) {
        Some(Expr::Integer(value)) => *value,
        _ => default,
    };
    let duration = |at: usize, default: i64| match call.args.get(at) {
        Some(Expr::Duration(value)) => *value,
        _ => default,
    };
    if let Some(function) = aggregate(&call.name) {
        return Ok(match (function, call.args.first()) {
            (Aggregate::Count, Some(Expr::Call(inner))) => CallPlan::CountDistinct {
                input: argument(inner.args.first()),
            },
            _ => CallPlan::Aggregate {
                function,
                input: input(),
            },
        });
    }
    Ok(match call.name.as_str() {
        "distinct" => CallPlan::Distinct { input: input() },
        "integral" => CallPlan::Integral {
            input: input(),
            unit: duration(1, 1_000_000_000),
        },
        "percentile" => CallPlan::Percentile {
            input: input(),
            percentile: match call.args.get(1) {
                Some(Expr::Number(value)) => *value,
                _ => integer(1, 0) as f64,
            },
        },
        "sample" => CallPlan::Sample {
            input: input(),
            size: size(integer(1, 1)),
        },
        "top" | "bottom" => CallPlan::TopBottom {
            is_top: call.name == "top",
            input: input(),
            tags: top_bottom_names(call)
                .iter()
                .map(|arg| argument(Some(arg)))
                .collect(),
            size: size(integer(call.args.len().saturating_sub(1), 1)),
        },
        "holt_winters" | "holt_winters_with_fit" => match call.args.first() {
            Some(Expr::Call(inner)) => CallPlan::HoltWinters {
                input: Box::new(call_plan(inner, window)?),
                forecasts: size(integer(1, 1)),
                season: size(integer(2, 0)),
                with_fit: call.name == "holt_winters_with_fit",
            },
            _ => return Err(unsupported(&call.name)),
        },
        "count_hll" => match call.args.first() {
            Some(Expr::Call(inner)) if inner.name == "sum_hll" => CallPlan::CountHll {
                input: argument(inner.args.first()),
            },
            Some(Expr::VarRef(VarRef {
                data_type: Some(data_type),
                ..
            })) if *data_type != DataType::Tag => {
                return Err(Error::statement(format!(
                    "unsupported count_hll iterator type: *query.{}InterruptIterator",
                    type_name(*data_type)
                )));
            }
            Some(Expr::VarRef(_)) => CallPlan::CountHll {
                input: argument(None),
            },
            _ => return Err(unsupported(&call.name)),
        },
        _ => CallPlan::Transform {
            function: transform(call, window).ok_or_else(|| unsupported(&call.name))?,
            input: match call.args.first() {
                Some(Expr::Call(inner)) => {
                    TransformInput::Call(Box::new(call_plan(inner, window)?))
                }
                arg => TransformInput::Column(argument(arg)),
            },
        },
    })
}

/// A math function inside a transformation, which the compile rules let pass.
fn unsupported(name: &str) -> Error {
    Error::statement(format!("unsupported call: {name}"))
}

fn size(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

fn transform(call: &Call, window: Window) -> Option<Transform> {
    let unit = |default: i64| match call.args.get(1) {
        Some(Expr::Duration(unit)) => *unit,
        _ => default,
    };
    let period = || match call.args.get(1) {
        Some(Expr::Integer(period)) => size(*period),
        _ => 0,
    };
    let hold = || match call.args.get(2) {
        Some(Expr::Integer(hold)) => *hold,
        _ => -1,
    };
    let smoothing = |default: Warmup| Smoothing {
        period: period(),
        hold: hold(),
        warmup: match call.args.get(3) {
            Some(Expr::String(name)) if name == "simple" => Warmup::Simple,
            Some(Expr::String(name)) if name == "none" => Warmup::None,
            Some(Expr::String(_)) => Warmup::Exponential,
            _ => default,
        },
    };
    let per_window = if window.every > 0 {
        window.every
    } else {
        1_000_000_000
    };
    Some(match call.name.as_str() {
        "derivative" => Transform::Derivative {
            unit: unit(per_window),
            non_negative: false,
        },
        "non_negative_derivative" => Transform::Derivative {
            unit: unit(per_window),
            non_negative: true,
        },
        "difference" => Transform::Difference {
            non_negative: false,
        },
        "non_negative_difference" => Transform::Difference { non_negative: true },
        "elapsed" => Transform::Elapsed { unit: unit(1) },
        "cumulative_sum" => Transform::CumulativeSum,
        "moving_average" => Transform::MovingAverage { size: period() },
        "exponential_moving_average" => {
            Transform::ExponentialMovingAverage(smoothing(Warmup::Exponential))
        }
        "double_exponential_moving_average" => {
            Transform::DoubleExponentialMovingAverage(smoothing(Warmup::Exponential))
        }
        "triple_exponential_moving_average" => {
            Transform::TripleExponentialMovingAverage(smoothing(Warmup::Exponential))
        }
        "triple_exponential_derivative" => {
            Transform::TripleExponentialDerivative(smoothing(Warmup::Exponential))
        }
        "relative_strength_index" => {
            Transform::RelativeStrengthIndex(smoothing(Warmup::Exponential))
        }
        "kaufmans_efficiency_ratio" => Transform::KaufmansEfficiencyRatio {
            period: period(),
            hold: hold(),
        },
        "kaufmans_adaptive_moving_average" => Transform::KaufmansAdaptiveMovingAverage {
            period: period(),
            hold: hold(),
        },
        "chande_momentum_oscillator" => {
            Transform::ChandeMomentumOscillator(smoothing(Warmup::None))
        }
        _ => return None,
    })
}
