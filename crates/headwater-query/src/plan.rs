//! A resolved SELECT: every name bound, every wildcard expanded, every type known. `resolve`
//! makes it, `execute` runs it, EXPLAIN prints it. What each part means for the answer is
//! `spec/influxql/00_execution_model.md`; section numbers here are that page's.

use std::sync::Arc;

use headwater_influxql::ast;
use headwater_model::{FieldType, Id, TimeRange, Value};

/// One SELECT, at any level of nesting.
#[derive(Debug, Clone)]
pub struct SelectPlan {
    pub sources: Vec<SourcePlan>,
    /// The name of the first column: `time` or its alias.
    pub time_name: Arc<str>,
    /// The columns after the time.
    pub columns: Vec<ColumnPlan>,
    /// The distinct calls of the select list, in order of first appearance. Empty: a raw query.
    pub calls: Vec<CallPlan>,
    /// The fields and tags read beside the calls: all columns of a raw query, the auxiliary
    /// columns of a lone selector. Distinct, sorted by name and then by type (§3.2 compares them
    /// in this order).
    pub aux: Vec<ColumnRef>,
    /// WHERE without its time bounds, folded. A name carries `Tag`, a field type, or nothing
    /// where the name is nowhere; `crate::condition` evaluates it against tags.
    pub condition: Option<ast::Expr>,
    /// Inclusive; `MIN_TIME`/`MAX_TIME` where nothing bounds it.
    pub range: TimeRange,
    /// The bounds of the statement's own WHERE, before the ranges of enclosing statements cut
    /// them: an enclosing transformation widens its range by a window (fill_and_windows.md §6),
    /// and this is what the wider range is then cut to. No `now()` default in it.
    pub own_range: TimeRange,
    /// The range that the request may read at all: the outermost statement's, extended for its
    /// transformations (fill_and_windows.md §6). Types and wildcards were resolved on exactly the
    /// partitions that overlap it, and rows outside are never read, however far back an inner
    /// transformation reaches.
    pub partition_range: TimeRange,
    /// Whether the statement, or one it stands in, gave a lower bound.
    pub has_lower_bound: bool,
    pub window: Window,
    /// `dims`: the tags of the outermost statement's GROUP BY, expanded and sorted.
    pub dims: Arc<[Arc<str>]>,
    /// `gset`: own GROUP BY tags and those of all enclosing statements, sorted.
    pub grouping: Arc<[Arc<str>]>,
    /// Own GROUP BY tags, expanded and sorted: what an enclosing statement can name (subqueries.md §3).
    pub own_tags: Arc<[Arc<str>]>,
    pub fill: ast::Fill,
    pub ascending: bool,
    /// 0 is no limit; so in the three below.
    pub limit: u64,
    pub offset: u64,
    pub slimit: u64,
    pub soffset: u64,
    pub timezone: Option<chrono_tz::Tz>,
    /// Exactly one distinct call, and it is a selector (§4 `sel`).
    pub is_selector: bool,
}

#[derive(Debug, Clone)]
pub enum SourcePlan {
    Measurement { bucket: Id, name: Arc<str> },
    Subquery(Box<SelectPlan>),
}

/// A named tag or field with the type it is read as; field values of other types are converted
/// or become null as semantics_select.md §1 says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    pub name: Arc<str>,
    pub kind: ColumnKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnKind {
    /// Nothing by that name anywhere: always null.
    Unknown,
    Field(FieldType),
    /// Also the type of a subquery's grouping tag.
    Tag,
}

#[derive(Debug, Clone)]
pub struct ColumnPlan {
    pub name: Arc<str>,
    /// What an enclosing statement calls it: the alias, or the expression's name without the
    /// suffix that keeps column names distinct (subqueries.md §3). The name arguments of `top`
    /// and `bottom` are columns of their own after the call, with their names here.
    pub lookup: Arc<str>,
    pub expr: RowExpr,
    /// The static type that an enclosing statement reads this column as (subqueries.md §5);
    /// `None` when nothing is known (always null).
    pub static_type: Option<ColumnKind>,
}

/// An expression of the select list over one row (§3.9, semantics_select.md §4).
#[derive(Debug, Clone)]
pub enum RowExpr {
    /// `calls[i]`.
    Call(usize),
    /// `aux[i]`.
    Aux(usize),
    Literal(Value),
    /// A literal that no arithmetic takes (a duration, say), or a name that is nowhere.
    Null,
    Binary {
        op: ast::BinaryOp,
        left: Box<RowExpr>,
        right: Box<RowExpr>,
    },
    Math {
        function: MathFunction,
        args: Vec<RowExpr>,
    },
}

/// `GROUP BY time(every, offset)`; `every <= 0` is one window over the whole range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Nanoseconds.
    pub every: i64,
    pub offset: i64,
}

/// A function call over a field; §4's table says how each runs.
#[derive(Debug, Clone, PartialEq)]
pub enum CallPlan {
    Aggregate {
        function: Aggregate,
        input: ColumnRef,
    },
    /// `count(distinct(x))`.
    CountDistinct {
        input: ColumnRef,
    },
    /// `distinct(x)`.
    Distinct {
        input: ColumnRef,
    },
    Integral {
        input: ColumnRef,
        unit: i64,
    },
    Percentile {
        input: ColumnRef,
        percentile: f64,
    },
    Sample {
        input: ColumnRef,
        size: usize,
    },
    /// `top` and `bottom`; `tags` are the names between the field and the number.
    TopBottom {
        is_top: bool,
        input: ColumnRef,
        tags: Vec<ColumnRef>,
        size: usize,
    },
    Transform {
        function: Transform,
        input: TransformInput,
    },
    HoltWinters {
        input: Box<CallPlan>,
        forecasts: usize,
        season: usize,
        with_fit: bool,
    },
    /// `sum_hll(x)` under `count_hll`.
    CountHll {
        input: ColumnRef,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum TransformInput {
    Column(ColumnRef),
    Call(Box<CallPlan>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    First,
    Last,
    Median,
    Mode,
    Stddev,
    Spread,
}

/// A function of a stream of points (functions.md §3 and §6). Durations are nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transform {
    Derivative { unit: i64, non_negative: bool },
    Difference { non_negative: bool },
    Elapsed { unit: i64 },
    CumulativeSum,
    MovingAverage { size: usize },
    ExponentialMovingAverage(Smoothing),
    DoubleExponentialMovingAverage(Smoothing),
    TripleExponentialMovingAverage(Smoothing),
    TripleExponentialDerivative(Smoothing),
    RelativeStrengthIndex(Smoothing),
    KaufmansEfficiencyRatio { period: usize, hold: i64 },
    KaufmansAdaptiveMovingAverage { period: usize, hold: i64 },
    ChandeMomentumOscillator(Smoothing),
}

/// Period, hold period (-1: the function's default) and warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    pub period: usize,
    pub hold: i64,
    pub warmup: Warmup,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    Exponential,
    Simple,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MathFunction {
    Abs,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Exp,
    Ln,
    Log,
    Log2,
    Log10,
    Sqrt,
    Pow,
    Floor,
    Ceil,
    Round,
}

impl MathFunction {
    /// The function of a name in lower case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Self::Abs,
            "sin" => Self::Sin,
            "cos" => Self::Cos,
            "tan" => Self::Tan,
            "asin" => Self::Asin,
            "acos" => Self::Acos,
            "atan" => Self::Atan,
            "atan2" => Self::Atan2,
            "exp" => Self::Exp,
            "ln" => Self::Ln,
            "log" => Self::Log,
            "log2" => Self::Log2,
            "log10" => Self::Log10,
            "sqrt" => Self::Sqrt,
            "pow" => Self::Pow,
            "floor" => Self::Floor,
            "ceil" => Self::Ceil,
            "round" => Self::Round,
            _ => return None,
        })
    }
}
