//! The types of call results (`spec/influxql/functions.md` §0).

use headwater_model::FieldType;

use crate::{
    plan::{Aggregate, CallPlan, ColumnKind, ColumnRef, Transform, TransformInput},
};

/// The type that a column is read as; a subquery's tags are strings.
pub(super) fn column_type(column: &ColumnRef) -> Option<FieldType> {
    match column.kind {
        ColumnKind::Field(field_type) => Some(field_type),
        ColumnKind::Tag => Some(FieldType::String),
        ColumnKind::Unknown => None,
    }
}

/// The type of a call's points.
pub(super) fn call_type(call: &CallPlan) -> Option<FieldType> {
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
        CallPlan::Transform { function, input } => match function {
            Transform::Elapsed { .. } => Some(FieldType::Integer),
            Transform::Difference { .. } | Transform::CumulativeSum => transform_type(input),
            _ => Some(FieldType::Float),
        },
    }
}

/// The type of a transformation's input points.
pub(super) fn transform_type(input: &TransformInput) -> Option<FieldType> {
    match input {
        TransformInput::Column(column) => column_type(column),
        TransformInput::Call(call) => call_type(call),
    }
}
