//! The types of call results (`spec/influxql/functions.md` §0).

use headwater_model::FieldType;

use crate::{
    error::Error,
    function::{self, holt_winters, transform},
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, TransformInput},
};

/// The type that a column is read as; a subquery's tags are strings.
pub(super) fn column_type(column: &ColumnRef) -> Option<FieldType> {
    match column.kind {
        ColumnKind::Field(field_type) => Some(field_type),
        ColumnKind::Tag => Some(FieldType::String),
        ColumnKind::Unknown => None,
    }
}

/// The column at the bottom of a call.
pub(crate) fn input_column(call: &CallPlan) -> &ColumnRef {
    match call {
        CallPlan::Aggregate { input, .. }
        | CallPlan::CountDistinct { input }
        | CallPlan::Distinct { input }
        | CallPlan::Integral { input, .. }
        | CallPlan::Percentile { input, .. }
        | CallPlan::Sample { input, .. }
        | CallPlan::TopBottom { input, .. }
        | CallPlan::CountHll { input } => input,
        CallPlan::Transform {
            input: TransformInput::Column(input),
            ..
        } => input,
        CallPlan::Transform {
            input: TransformInput::Call(call),
            ..
        } => input_column(call),
        CallPlan::HoltWinters { input, .. } => input_column(input),
    }
}

/// The type of a call's points; `None` where it would be that of a column that is nowhere.
pub(crate) fn call_type(call: &CallPlan) -> Option<FieldType> {
    match call {
        CallPlan::Aggregate { function, input } => match function {
            Aggregate::Count => Some(FieldType::Integer),
            Aggregate::Mean | Aggregate::Median | Aggregate::Stddev => Some(FieldType::Float),
            _ => column_type(input),
        },
        CallPlan::CountDistinct { .. } => Some(FieldType::Integer),
        CallPlan::CountHll { .. } => Some(FieldType::Unsigned),
        CallPlan::Integral { .. } | CallPlan::HoltWinters { .. } => Some(FieldType::Float),
        CallPlan::Distinct { input }
        | CallPlan::Percentile { input, .. }
        | CallPlan::Sample { input, .. }
        | CallPlan::TopBottom { input, .. } => column_type(input),
        CallPlan::Transform { function, input } => {
            let of = |input| transform::transform_output_type(*function, input);
            match transform_type(input) {
                Some(input_type) => Some(of(input_type)),
                // Most have a type of their own, whatever they read.
                None => {
                    (of(FieldType::Float) == of(FieldType::Integer)).then(|| of(FieldType::Float))
                }
            }
        }
    }
}

/// The type of a transformation's input points.
pub(super) fn transform_type(input: &TransformInput) -> Option<FieldType> {
    match input {
        TransformInput::Column(column) => column_type(column),
        TransformInput::Call(call) => call_type(call),
    }
}

/// Fails like the reference does when it finds no iterator for a function and a type.
pub(super) fn check_call(call: &CallPlan) -> Result<(), Error> {
    let (input, name, takes_boolean) = match call {
        CallPlan::Aggregate { function, input } => {
            let Some((name, takes_boolean)) = aggregate_name(*function) else {
                return Ok(());
            };
            (column_type(input), name, takes_boolean)
        }
        CallPlan::Percentile { input, .. } => (column_type(input), "percentile", false),
        CallPlan::Integral { input, .. } => (column_type(input), "integral", false),
        CallPlan::TopBottom {
            is_top,
            input,
            tags,
            ..
        } => {
            let input = column_type(input);
            let name = if *is_top { "top" } else { "bottom" };
            if tags.is_empty() {
                (input, name, false)
            } else if input == Some(FieldType::Boolean) {
                // `max` or `min` below it takes booleans, and has an iterator of its own.
                return Err(Error::Statement(format!(
                    "unsupported {name} iterator type: *query.booleanReduceBooleanIterator"
                )));
            } else {
                (input, if *is_top { "max" } else { "min" }, true)
            }
        }
        CallPlan::Transform { function, input } => {
            if let TransformInput::Call(inner) = input {
                check_call(inner)?;
            }
            let Some(input_type) = transform_type(input) else {
                return Ok(());
            };
            return transform::stream_function(*function, input_type, true)
                .map(drop)
                .map_err(Error::Statement);
        }
        CallPlan::HoltWinters { input, .. } => {
            check_call(input)?;
            let Some(input_type) = call_type(input) else {
                return Ok(());
            };
            return holt_winters::check_input(input_type).map_err(Error::Statement);
        }
        CallPlan::CountDistinct { .. }
        | CallPlan::Distinct { .. }
        | CallPlan::Sample { .. }
        | CallPlan::CountHll { .. } => return Ok(()),
    };
    match input {
        Some(FieldType::Boolean) if takes_boolean => Ok(()),
        Some(input @ (FieldType::String | FieldType::Boolean)) => {
            Err(Error::Statement(function::unsupported(name, input)))
        }
        _ => Ok(()),
    }
}

/// The name in the error, and whether booleans are taken; `None` for functions of all types.
fn aggregate_name(function: Aggregate) -> Option<(&'static str, bool)> {
    Some(match function {
        Aggregate::Sum => ("sum", false),
        Aggregate::Mean => ("mean", false),
        Aggregate::Min => ("min", true),
        Aggregate::Max => ("max", true),
        Aggregate::Median => ("median", false),
        Aggregate::Stddev => ("stddev", false),
        Aggregate::Spread => ("spread", false),
        Aggregate::Count | Aggregate::First | Aggregate::Last | Aggregate::Mode => return None,
    })
}
