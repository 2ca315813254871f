//! Conditions on the rows of one series (`spec/influxql/semantics_select.md` §3.4). Tags are
//! constants by now; comparisons of a numeric column with a number run over whole columns,
//! everything else row by row.

use headwater_influxql::ast::{BinaryOp, Expr, Regex, VarRef};
use headwater_model::Value;

use super::{cells::Cells, expression};
use crate::plan::MathFunction;

/// A compiled condition; its columns are numbered by the caller.
#[derive(Debug)]
pub(super) enum Filter {
    Constant(bool),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// A column against a number.
    Number {
        column: usize,
        op: BinaryOp,
        number: Number,
    },
    /// Anything else; matches where it is true.
    Row(RowCondition),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Float(f64),
    Integer(i64),
}

/// An expression evaluated on single rows.
#[derive(Debug)]
pub(super) enum RowCondition {
    Column(usize),
    /// A name that is not loaded, or a literal without meaning here.
    Nil,
    Value(Value),
    Regex(Regex),
    Binary {
        op: BinaryOp,
        left: Box<Self>,
        right: Box<Self>,
    },
    Math {
        function: MathFunction,
        args: Vec<Self>,
    },
}

/// What a part of a condition evaluates to. An absent field is a null that knows its type; it
/// compares with nothing, whereas `Nil` counts as false beside a boolean.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Nil,
    Absent,
    Value(Value),
    Regex(Regex),
}

impl Filter {
    /// Compiles `condition`; `column` numbers the names in it and answers `None` for names that
    /// are nowhere.
    pub(super) fn compile(
        condition: &Expr,
        column: &mut dyn FnMut(&VarRef) -> Option<usize>,
    ) -> Self {
        match condition {
            Expr::Paren(inner) => Self::compile(inner, column),
            Expr::Boolean(value) => Self::Constant(*value),
            Expr::Binary(binary) if binary.op == BinaryOp::And && are_conditions(binary) => {
                Self::And(
                    Box::new(Self::compile(&binary.left, column)),
                    Box::new(Self::compile(&binary.right, column)),
                )
            }
            Expr::Binary(binary) if binary.op == BinaryOp::Or && are_conditions(binary) => {
                Self::Or(
                    Box::new(Self::compile(&binary.left, column)),
                    Box::new(Self::compile(&binary.right, column)),
                )
            }
            other => match RowCondition::compile(other, column) {
                RowCondition::Binary { op, left, right } => Self::comparison(op, left, right),
                row => Self::Row(row),
            },
        }
    }

    fn comparison(op: BinaryOp, left: Box<RowCondition>, right: Box<RowCondition>) -> Self {
        let is_order = matches!(
            op,
            BinaryOp::Eq
                | BinaryOp::NotEq
                | BinaryOp::Lt
                | BinaryOp::LtEq
                | BinaryOp::Gt
                | BinaryOp::GtEq
        );
        match (&*left, &*right) {
            (RowCondition::Column(column), RowCondition::Value(value)) if is_order => {
                if let Some(number) = as_number(value) {
                    return Self::Number {
                        column: *column,
                        op,
                        number,
                    };
                }
            }
            (RowCondition::Value(value), RowCondition::Column(column)) if is_order => {
                if let Some(number) = as_number(value) {
                    return Self::Number {
                        column: *column,
                        op: mirrored(op),
                        number,
                    };
                }
            }
            _ => {}
        }
        Self::Row(RowCondition::Binary { op, left, right })
    }

    /// Which of the `rows` rows of the columns match.
    pub(super) fn mask(&self, columns: &[Cells], rows: usize) -> Vec<bool> {
        match self {
            Self::Constant(value) => vec![*value; rows],
            Self::And(left, right) => {
                let mut mask = left.mask(columns, rows);
                if mask.contains(&true) {
                    let right = right.mask(columns, rows);
                    mask.iter_mut().zip(right).for_each(|(l, r)| *l &= r);
                }
                mask
            }
            Self::Or(left, right) => {
                let mut mask = left.mask(columns, rows);
                let right = right.mask(columns, rows);
                mask.iter_mut().zip(right).for_each(|(l, r)| *l |= r);
                mask
            }
            Self::Number { column, op, number } => {
                compare_column(&columns[*column], *op, *number, rows)
            }
            Self::Row(condition) => (0..rows)
                .map(|row| {
                    let operand = condition.evaluate(&|column| {
                        columns[column]
                            .get(row)
                            .map_or(Operand::Absent, Operand::Value)
                    });
                    matches!(operand, Operand::Value(Value::Boolean(true)))
                })
                .collect(),
        }
    }
}

/// Whether both sides of AND or OR are conditions themselves, so that they can be judged apart.
fn are_conditions(binary: &headwater_influxql::ast::BinaryExpr) -> bool {
    fn is_condition(expr: &Expr) -> bool {
        match expr {
            Expr::Paren(inner) => is_condition(inner),
            Expr::Boolean(_) => true,
            Expr::Binary(binary) => match binary.op {
                BinaryOp::And | BinaryOp::Or => {
                    is_condition(&binary.left) && is_condition(&binary.right)
                }
                op => is_comparison(op),
            },
            _ => false,
        }
    }
    is_condition(&binary.left) && is_condition(&binary.right)
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, EqRegex, Gt, GtEq, Lt, LtEq, NotEq, NotEqRegex};
    matches!(
        op,
        Eq | NotEq | EqRegex | NotEqRegex | Lt | LtEq | Gt | GtEq
    )
}

fn as_number(value: &Value) -> Option<Number> {
    match value {
        Value::Float(v) => Some(Number::Float(*v)),
        Value::Integer(v) => Some(Number::Integer(*v)),
        _ => None,
    }
}

fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::LtEq => BinaryOp::GtEq,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::GtEq => BinaryOp::LtEq,
        other => other,
    }
}

fn compare_column(cells: &Cells, op: BinaryOp, number: Number, rows: usize) -> Vec<bool> {
    let mut mask = match (cells, number) {
        (Cells::Float(a), Number::Float(n)) => compare_all(a.values().iter().copied(), op, n),
        (Cells::Float(a), Number::Integer(n)) => {
            compare_all(a.values().iter().copied(), op, n as f64)
        }
        (Cells::Integer(a), Number::Integer(n)) => compare_all(a.values().iter().copied(), op, n),
        (Cells::Integer(a), Number::Float(n)) => {
            compare_all(a.values().iter().map(|v| *v as f64), op, n)
        }
        (Cells::Unsigned(a), Number::Integer(n)) => {
            compare_all(a.values().iter().map(|v| i128::from(*v)), op, i128::from(n))
        }
        (Cells::Unsigned(a), Number::Float(n)) => {
            compare_all(a.values().iter().map(|v| *v as f64), op, n)
        }
        _ => return vec![false; rows],
    };
    if !cells.is_dense() {
        mask.iter_mut()
            .enumerate()
            .for_each(|(row, m)| *m &= cells.is_valid(row));
    }
    mask
}

fn compare_all<T: PartialOrd + Copy>(
    values: impl Iterator<Item = T>,
    op: BinaryOp,
    number: T,
) -> Vec<bool> {
    match op {
        BinaryOp::Eq => values.map(|v| v == number).collect(),
        BinaryOp::NotEq => values.map(|v| v != number).collect(),
        BinaryOp::Lt => values.map(|v| v < number).collect(),
        BinaryOp::LtEq => values.map(|v| v <= number).collect(),
        BinaryOp::Gt => values.map(|v| v > number).collect(),
        _ => values.map(|v| v >= number).collect(),
    }
}

impl RowCondition {
    pub(super) fn compile(expr: &Expr, column: &mut dyn FnMut(&VarRef) -> Option<usize>) -> Self {
        match expr {
            Expr::Paren(inner) => Self::compile(inner, column),
            Expr::VarRef(var) => column(var).map_or(Self::Nil, Self::Column),
            Expr::String(v) => Self::Value(Value::String(v.as_str().into())),
            Expr::Number(v) => Self::Value(Value::Float(*v)),
            Expr::Integer(v) => Self::Value(Value::Integer(*v)),
            Expr::Unsigned(v) => Self::Value(Value::Unsigned(*v)),
            Expr::Boolean(v) => Self::Value(Value::Boolean(*v)),
            Expr::Regex(regex) => Self::Regex(regex.clone()),
            Expr::Binary(binary) => Self::Binary {
                op: binary.op,
                left: Box::new(Self::compile(&binary.left, column)),
                right: Box::new(Self::compile(&binary.right, column)),
            },
            Expr::Call(call) => match MathFunction::from_name(&call.name) {
                Some(function) => Self::Math {
                    function,
                    args: call
                        .args
                        .iter()
                        .map(|arg| Self::compile(arg, column))
                        .collect(),
                },
                None => Self::Nil,
            },
            _ => Self::Nil,
        }
    }

    /// As `compile`, for rows of a subquery, where math functions are not evaluated
    /// (`spec/influxql/subqueries.md` §4).
    pub(super) fn compile_without_math(
        expr: &Expr,
        column: &mut dyn FnMut(&VarRef) -> Option<usize>,
    ) -> Self {
        match expr {
            Expr::Paren(inner) => Self::compile_without_math(inner, column),
            Expr::Binary(binary) => Self::Binary {
                op: binary.op,
                left: Box::new(Self::compile_without_math(&binary.left, column)),
                right: Box::new(Self::compile_without_math(&binary.right, column)),
            },
            Expr::Call(_) => Self::Nil,
            other => Self::compile(other, column),
        }
    }

    /// The value on a row whose columns `cell` gives.
    pub(super) fn evaluate(&self, cell: &dyn Fn(usize) -> Operand) -> Operand {
        match self {
            Self::Column(column) => cell(*column),
            Self::Nil => Operand::Nil,
            Self::Value(value) => Operand::Value(value.clone()),
            Self::Regex(regex) => Operand::Regex(regex.clone()),
            Self::Binary { op, left, right } => {
                evaluate_binary(*op, left.evaluate(cell), right.evaluate(cell))
            }
            Self::Math { function, args } => {
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    match arg.evaluate(cell) {
                        Operand::Value(value) => values.push(value),
                        _ => return Operand::Nil,
                    }
                }
                expression::math_call(*function, &values).map_or(Operand::Nil, Operand::Value)
            }
        }
    }
}

/// One operator of a condition. Comparisons always give a boolean, false where the sides do not
/// compare.
fn evaluate_binary(op: BinaryOp, left: Operand, right: Operand) -> Operand {
    let (left, right) = match (left, right) {
        (Operand::Nil, Operand::Value(Value::Boolean(r))) => (
            Operand::Value(Value::Boolean(false)),
            Operand::Value(Value::Boolean(r)),
        ),
        (Operand::Value(Value::Boolean(l)), Operand::Nil) => (
            Operand::Value(Value::Boolean(l)),
            Operand::Value(Value::Boolean(false)),
        ),
        other => other,
    };
    let result = match (&left, &right) {
        (Operand::Value(Value::String(text)), Operand::Regex(regex)) => match op {
            BinaryOp::EqRegex => Some(Value::Boolean(regex.is_match(text))),
            BinaryOp::NotEqRegex => Some(Value::Boolean(!regex.is_match(text))),
            _ => None,
        },
        (Operand::Value(left), Operand::Value(right)) => evaluate_values(op, left, right),
        _ => None,
    };
    match result {
        Some(value) => Operand::Value(value),
        None if is_comparison(op) => Operand::Value(Value::Boolean(false)),
        None => Operand::Nil,
    }
}

fn evaluate_values(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    Some(match (left, right) {
        (Value::Boolean(l), Value::Boolean(r)) => Value::Boolean(match op {
            BinaryOp::And | BinaryOp::BitAnd => *l && *r,
            BinaryOp::Or | BinaryOp::BitOr => *l || *r,
            BinaryOp::BitXor | BinaryOp::NotEq => l != r,
            BinaryOp::Eq => l == r,
            _ => return None,
        }),
        (Value::String(l), Value::String(r)) => Value::Boolean(match op {
            BinaryOp::Eq => l == r,
            BinaryOp::NotEq => l != r,
            _ => return None,
        }),
        (Value::Boolean(_) | Value::String(_), _) | (_, Value::Boolean(_) | Value::String(_)) => {
            return None;
        }
        _ if is_comparison(op) => Value::Boolean(compare_numbers(op, left, right)?),
        _ => return expression::arithmetic(op, left, right, true),
    })
}

fn compare_numbers(op: BinaryOp, left: &Value, right: &Value) -> Option<bool> {
    let order = match (left, right) {
        (Value::Integer(l), Value::Integer(r)) => Some(l.cmp(r)),
        (Value::Unsigned(l), Value::Unsigned(r)) => Some(l.cmp(r)),
        (Value::Integer(l), Value::Unsigned(r)) => Some(i128::from(*l).cmp(&i128::from(*r))),
        (Value::Unsigned(l), Value::Integer(r)) => Some(i128::from(*l).cmp(&i128::from(*r))),
        _ => expression::as_float(left)?.partial_cmp(&expression::as_float(right)?),
    };
    Some(match op {
        BinaryOp::Eq => order.is_some_and(|o| o.is_eq()),
        BinaryOp::NotEq => !order.is_some_and(|o| o.is_eq()),
        BinaryOp::Lt => order.is_some_and(|o| o.is_lt()),
        BinaryOp::LtEq => order.is_some_and(|o| o.is_le()),
        BinaryOp::Gt => order.is_some_and(|o| o.is_gt()),
        BinaryOp::GtEq => order.is_some_and(|o| o.is_ge()),
        _ => return None,
    })
}
