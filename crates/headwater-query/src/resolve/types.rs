//! The type of a name or an expression (`spec/influxql/semantics_select.md` §1 and §4,
//! `subqueries.md` §5).

use headwater_influxql::ast::{BinaryExpr, BinaryOp, Call, DataType, Expr, SelectField};

use headwater_model::FieldType;

use super::{
    names::field_name,
    typed::{Typed, TypedSource},
};
use crate::{
    Error,
    fold::{is_literal, is_math_function},
};

/// The type, or `None` when nothing is known about it.
pub(super) type Inferred = Option<DataType>;

/// Checks the types of the outermost select list.
pub(super) fn check_types(typed: &Typed) -> Result<(), Error> {
    typed
        .compiled
        .fields
        .iter()
        .try_for_each(|field| expr_type(&field.expr).map(drop))
}

/// The type of a stored field as a cast names it.
pub(super) fn data_type(field_type: FieldType) -> DataType {
    match field_type {
        FieldType::Float => DataType::Float,
        FieldType::Integer => DataType::Integer,
        FieldType::Unsigned => DataType::Unsigned,
        FieldType::String => DataType::String,
        FieldType::Boolean => DataType::Boolean,
    }
}

/// Where several sources define a name: float, integer, unsigned, string, boolean, tag.
fn rank(data_type: DataType) -> u8 {
    match data_type {
        DataType::Float => 0,
        DataType::Integer => 1,
        DataType::Unsigned => 2,
        DataType::String => 3,
        DataType::Boolean => 4,
        DataType::Tag => 5,
        DataType::AnyField => 6,
    }
}

/// The type that wins of two sources'.
pub(super) fn preferred(a: Inferred, b: Inferred) -> Inferred {
    match (a, b) {
        (Some(a), Some(b)) => Some(if rank(b) < rank(a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// The type of a name over all sources.
pub(super) fn name_type(name: &str, sources: &[TypedSource]) -> Result<Inferred, Error> {
    let mut found = None;
    for source in sources {
        let data_type = match source {
            TypedSource::Measurements { columns, .. } => match columns.fields.get(name) {
                Some(field_type) => Some(data_type(*field_type)),
                None => columns.tags.contains(name).then_some(DataType::Tag),
            },
            TypedSource::Subquery(inner) => subquery_type(name, inner)?,
        };
        found = preferred(found, data_type);
    }
    Ok(found)
}

fn subquery_type(name: &str, inner: &Typed) -> Result<Inferred, Error> {
    let column = inner
        .compiled
        .fields
        .iter()
        .find_map(|field| column_of(field, name));
    if let Some(data_type) = column.map(expr_type).transpose()?.flatten() {
        return Ok(Some(data_type));
    }
    let is_tag = inner.tags.iter().any(|tag| **tag == *name);
    Ok(is_tag.then_some(DataType::Tag))
}

/// The expression of a field if it is known by `name`: its own, or the argument of `top` or
/// `bottom`.
fn column_of<'a>(field: &'a SelectField, name: &str) -> Option<&'a Expr> {
    if field_name(field) == name {
        return Some(&field.expr);
    }
    match &field.expr {
        Expr::Call(call) => top_bottom_names(call)
            .iter()
            .find(|arg| matches!(arg, Expr::VarRef(var) if var.name == name)),
        _ => None,
    }
}

/// The names between the field and the number of `top` and `bottom`.
pub(super) fn top_bottom_names(call: &Call) -> &[Expr] {
    match call.args.as_slice() {
        [_, names @ .., _] if matches!(call.name.as_str(), "top" | "bottom") => names,
        _ => &[],
    }
}

/// The static type of an expression whose names are bound.
pub(super) fn expr_type(expr: &Expr) -> Result<Inferred, Error> {
    Ok(match expr {
        Expr::VarRef(var) => var.data_type.filter(|t| *t != DataType::AnyField),
        Expr::Number(_) => Some(DataType::Float),
        Expr::Integer(_) => Some(DataType::Integer),
        Expr::Unsigned(_) => Some(DataType::Unsigned),
        Expr::String(_) => Some(DataType::String),
        Expr::Boolean(_) => Some(DataType::Boolean),
        Expr::Paren(inner) => expr_type(inner)?,
        Expr::Call(call) => call_type(call)?,
        Expr::Binary(binary) => binary_type(binary)?,
        _ => None,
    })
}

/// Every argument is checked; math functions have the type of their first, and where that is
/// unknown they make floats, but for those that keep a type.
fn call_type(call: &Call) -> Result<Inferred, Error> {
    let mut types = Vec::with_capacity(call.args.len());
    for arg in &call.args {
        types.push(expr_type(arg)?);
    }
    let first = types.first().copied().flatten();
    if is_math_function(&call.name) {
        let keeps_type = matches!(call.name.as_str(), "abs" | "floor" | "ceil" | "round");
        return Ok(first.or((!keeps_type).then_some(DataType::Float)));
    }
    Ok(match call.name.as_str() {
        "count" | "elapsed" => Some(DataType::Integer),
        "count_hll" => Some(DataType::Unsigned),
        "sum_hll" => Some(DataType::String),
        "mean"
        | "median"
        | "integral"
        | "stddev"
        | "derivative"
        | "non_negative_derivative"
        | "moving_average"
        | "exponential_moving_average"
        | "double_exponential_moving_average"
        | "triple_exponential_moving_average"
        | "relative_strength_index"
        | "triple_exponential_derivative"
        | "kaufmans_efficiency_ratio"
        | "kaufmans_adaptive_moving_average"
        | "chande_momentum_oscillator"
        | "holt_winters"
        | "holt_winters_with_fit" => Some(DataType::Float),
        _ => first,
    })
}

fn binary_type(binary: &BinaryExpr) -> Result<Inferred, Error> {
    let left = expr_type(&binary.left)?;
    let right = expr_type(&binary.right)?;
    let (integer_side, other_side) = match (left, right) {
        (Some(DataType::Unsigned), Some(DataType::Integer)) => (&binary.right, &binary.left),
        (Some(DataType::Integer), Some(DataType::Unsigned)) => (&binary.left, &binary.right),
        (None, known) | (known, None) => return Ok(known),
        (Some(left), Some(right)) => {
            return match operator_type(binary.op, left, right) {
                Some(data_type) => Ok(Some(data_type)),
                None => type_error(
                    binary,
                    &format!(
                        "incompatible types: {} and {}",
                        type_name(left),
                        type_name(right)
                    ),
                ),
            };
        }
    };
    if is_literal(integer_side) {
        return Ok(Some(DataType::Unsigned));
    }
    if is_literal(other_side) {
        let message = format!(
            "cannot use {} with an integer and unsigned literal",
            binary.op.as_str()
        );
        return type_error(binary, &message);
    }
    let message = format!(
        "cannot use {} between an integer and unsigned, an explicit cast is required",
        binary.op.as_str()
    );
    type_error(binary, &message)
}

fn type_error(binary: &BinaryExpr, message: &str) -> Result<Inferred, Error> {
    let expr = Expr::Binary(Box::new(binary.clone()));
    Err(Error::statement(format!("type error: {expr}: {message}")))
}

/// What an operator makes of two known types, by what it makes of their zero values; `None` when
/// it cannot take them.
fn operator_type(op: BinaryOp, left: DataType, right: DataType) -> Option<DataType> {
    use DataType::{Boolean, Float, Integer, Unsigned};
    let is_bitwise = matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor);
    let is_arithmetic = matches!(
        op,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod
    );
    match (left, right) {
        // A boolean on the left takes anything; what is no boolean makes the result false.
        (Boolean, _) if is_bitwise => Some(Boolean),
        (Integer, Integer) if is_bitwise || is_arithmetic => Some(Integer),
        (Unsigned, Unsigned) if is_bitwise || is_arithmetic => Some(Unsigned),
        (Float | Integer | Unsigned, Float | Integer | Unsigned) if is_arithmetic => Some(Float),
        _ => None,
    }
}

/// The name of a type in error texts.
pub(super) fn type_name(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Float => "float",
        DataType::Integer => "integer",
        DataType::Unsigned => "unsigned",
        DataType::String => "string",
        DataType::Boolean => "boolean",
        DataType::Tag => "tag",
        DataType::AnyField => "field",
    }
}
