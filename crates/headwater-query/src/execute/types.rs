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

/// The function's name as it is written.
pub(super) fn transform_function_name(function: Transform) -> &'static str {
    match function {
        Transform::Derivative { non_negative: false, .. } => "derivative",
        Transform::Derivative { non_negative: true, .. } => "non_negative_derivative",
        Transform::Difference { non_negative: false } => "difference",
        Transform::Difference { non_negative: true } => "non_negative_difference",
        Transform::Elapsed { .. } => "elapsed",
        Transform::CumulativeSum => "cumulative_sum",
        Transform::MovingAverage { .. } => "moving_average",
        Transform::ExponentialMovingAverage(_) => "exponential_moving_average",
        Transform::DoubleExponentialMovingAverage(_) => "double_exponential_moving_average",
        Transform::TripleExponentialMovingAverage(_) => "triple_exponential_moving_average",
        Transform::TripleExponentialDerivative(_) => "triple_exponential_derivative",
        Transform::RelativeStrengthIndex(_) => "relative_strength_index",
        Transform::KaufmansEfficiencyRatio { .. } => "kaufmans_efficiency_ratio",
        Transform::KaufmansAdaptiveMovingAverage { .. } => "kaufmans_adaptive_moving_average",
        Transform::ChandeMomentumOscillator(_) => "chande_momentum_oscillator",
    }
}
