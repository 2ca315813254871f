//! The syntax tree of InfluxQL, as `spec/influxql/grammar.md` describes the language. It holds
//! what was written, not what it means: names are unresolved, types are unknown.

use std::sync::Arc;

/// A request: the statements of one `q`, in order, empty ones left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    pub statements: Vec<Statement>,
}

/// One statement of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    Select(Box<SelectStatement>),
    Explain(ExplainStatement),
    Delete(DeleteStatement),
    DropMeasurement {
        name: String,
    },
    ShowDatabases,
    ShowRetentionPolicies {
        database: Option<String>,
    },
    ShowMeasurements(ShowMeasurementsStatement),
    ShowSeries(ShowStatement),
    ShowTagKeys(ShowStatement),
    ShowTagValues(ShowStatement),
    ShowFieldKeys(ShowStatement),
    ShowCardinality(ShowCardinalityStatement),
    KillQuery {
        id: u64,
        host: Option<String>,
    },
    /// A statement that is parsed and printed but that no executor looks into.
    Admin(AdminStatement),
}

/// `SELECT …`, with its clauses in the order in which they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectStatement {
    pub fields: Vec<SelectField>,
    pub into: Option<Measurement>,
    pub sources: Vec<Source>,
    pub condition: Option<Expr>,
    pub dimensions: Vec<Expr>,
    pub fill: Fill,
    pub order: Option<Order>,
    /// 0 means no limit, here and in the three below.
    pub limit: u64,
    pub offset: u64,
    pub slimit: u64,
    pub soffset: u64,
    /// The zone of `tz('…')`; `''` and `'Local'` are UTC.
    pub timezone: Option<chrono_tz::Tz>,
}

/// One column of a SELECT, or what expands to several.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectField {
    pub expr: Expr,
    pub alias: Option<String>,
}

/// What GROUP BY time puts where a window has no points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Fill {
    /// Nothing was written (prints nothing) or `fill(null)`.
    #[default]
    Null,
    None,
    Previous,
    Linear,
    Number(FillNumber),
}

/// The constant of `fill(…)`, as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FillNumber {
    Integer(i64),
    Float(f64),
}

/// `ORDER BY`: a direction and whether `time` was named. Printing always writes the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub names_time: bool,
    pub ascending: bool,
}

/// What a SELECT reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Measurement(Measurement),
    Subquery(Box<SelectStatement>),
}

/// `[database.][retention_policy.]name`, or a regular expression in place of the name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measurement {
    pub database: String,
    pub retention_policy: String,
    /// Empty when `regex` is set.
    pub name: String,
    pub regex: Option<Regex>,
    /// Set on the target of `INTO … :MEASUREMENT`.
    pub is_target: bool,
}

/// An expression. [`crate::visit`] walks it.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A name, with its `::type` where one was written or resolved.
    VarRef(VarRef),
    /// A function call; the name is in lower case.
    Call(Call),
    Binary(Box<BinaryExpr>),
    Paren(Box<Expr>),
    /// `DISTINCT name`.
    Distinct(String),
    Wildcard(Option<WildcardKind>),
    Regex(Regex),
    String(String),
    Number(f64),
    Integer(i64),
    /// An integer literal above `i64::MAX`.
    Unsigned(u64),
    Boolean(bool),
    /// Nanoseconds.
    Duration(i64),
    /// A point in time in nanoseconds since 1970; only folding makes these.
    Time(i64),
    /// Only folding makes these.
    Nil,
    /// The list of `WITH KEY IN (…)`.
    List(Vec<String>),
}

/// A reference to a field, a tag, `time`, or a column of a subquery.
#[derive(Debug, Clone, PartialEq)]
pub struct VarRef {
    pub name: String,
    pub data_type: Option<DataType>,
}

/// A function call; names the parser does not know are calls, too.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub name: String,
    pub args: Vec<Expr>,
}

/// An operation on two operands.
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryExpr {
    pub op: BinaryOp,
    pub left: Expr,
    pub right: Expr,
}

/// The operators between two operands. `<>` is read as `!=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    NotEq,
    EqRegex,
    NotEqRegex,
    Lt,
    LtEq,
    Gt,
    GtEq,
    Add,
    Sub,
    BitOr,
    BitXor,
    Mul,
    Div,
    Mod,
    BitAnd,
}

impl BinaryOp {
    /// The operator as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "OR",
            Self::And => "AND",
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::EqRegex => "=~",
            Self::NotEqRegex => "!~",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::BitAnd => "&",
        }
    }

    /// From 1 (OR) to 5 (multiplication): the higher binds tighter. All are left-associative.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Add | Self::Sub | Self::BitOr | Self::BitXor => 4,
            Self::Mul | Self::Div | Self::Mod | Self::BitAnd => 5,
            _ => 3,
        }
    }

    /// Whether the operator compares two values.
    pub fn is_comparison(self) -> bool {
        self.precedence() == 3
    }

    /// Whether the result is a truth value: comparisons, AND and OR.
    pub fn is_boolean(self) -> bool {
        self.precedence() <= 3
    }

    /// Whether the right side is a regular expression.
    pub fn is_regex(self) -> bool {
        matches!(self, Self::EqRegex | Self::NotEqRegex)
    }
}

/// What `*::field` and `*::tag` narrow a wildcard to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WildcardKind {
    Field,
    Tag,
}

/// What `::` may name. `AnyField` is `::field`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    Float,
    Integer,
    Unsigned,
    String,
    Boolean,
    Tag,
    AnyField,
}

/// A compiled regular expression that compares and prints by its pattern (without slashes).
#[derive(Debug, Clone)]
pub struct Regex {
    pub pattern: Arc<str>,
    pub compiled: Arc<regex::Regex>,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Regex {
    /// Whether the pattern is found anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

/// `EXPLAIN [ANALYZE] [VERBOSE] SELECT …`.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainStatement {
    pub analyze: bool,
    pub verbose: bool,
    pub select: Box<SelectStatement>,
}

/// The tail of DELETE and DROP SERIES. No source names a database; one of the two parts is there.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteStatement {
    pub sources: Vec<Measurement>,
    pub condition: Option<Expr>,
}

/// `SHOW MEASUREMENTS [ON (name | *)[.(name | *)]] …`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShowMeasurementsStatement {
    pub database: Option<OnName>,
    pub retention_policy: Option<OnName>,
    /// `WITH MEASUREMENT (=|=~) source`; printing takes the operator from whether it is a regex.
    pub with_measurement: Option<Measurement>,
    pub condition: Option<Expr>,
    pub order: Option<Order>,
    pub limit: u64,
    pub offset: u64,
}

/// A database or retention policy in SHOW MEASUREMENTS, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnName {
    Name(String),
    Wildcard,
}

/// The tail that SHOW SERIES, TAG KEYS, TAG VALUES and FIELD KEYS share; what a statement does
/// not allow stays empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShowStatement {
    pub database: Option<String>,
    pub sources: Vec<Measurement>,
    pub with_key: Option<WithKey>,
    pub condition: Option<Expr>,
    pub order: Option<Order>,
    pub limit: u64,
    pub offset: u64,
    pub slimit: u64,
    pub soffset: u64,
}

/// `WITH KEY …`. SHOW TAG KEYS reads it, too, and forgets it.
#[derive(Debug, Clone, PartialEq)]
pub enum WithKey {
    Eq(String),
    NotEq(String),
    EqRegex(Regex),
    NotEqRegex(Regex),
    In(Vec<String>),
}

/// What a cardinality statement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardinalityOf {
    Series,
    Measurement,
    TagKey,
    TagValues,
    FieldKey,
}

/// `SHOW … [EXACT] CARDINALITY`; only that of tag values has a `with_key`.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowCardinalityStatement {
    pub of: CardinalityOf,
    pub exact: bool,
    pub database: Option<String>,
    pub sources: Vec<Measurement>,
    pub with_key: Option<WithKey>,
    pub condition: Option<Expr>,
    pub dimensions: Vec<Expr>,
    pub limit: u64,
    pub offset: u64,
}

/// A statement of 1.x's administration: what it is, its canonical text, and, for the database
/// management statements that the `v1` profile executes, its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct AdminStatement {
    /// As in `not implemented: <name>`, for example `CREATE DATABASE` (`spec/query.md` §9).
    pub name: &'static str,
    /// The canonical text.
    pub text: String,
    pub detail: AdminDetail,
}

/// The parts of an administration statement that some profile looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum AdminDetail {
    CreateDatabase {
        name: String,
        policy: Option<RetentionPolicySpec>,
    },
    DropDatabase {
        name: String,
    },
    CreateRetentionPolicy {
        database: String,
        policy: RetentionPolicySpec,
    },
    AlterRetentionPolicy {
        database: String,
        policy: RetentionPolicySpec,
    },
    DropRetentionPolicy {
        database: String,
        name: String,
    },
    DropSeries(DeleteStatement),
    /// CREATE CONTINUOUS QUERY carries its SELECT: its sources are checked before the refusal.
    CreateContinuousQuery {
        database: String,
        select: Box<SelectStatement>,
    },
    Other,
}

/// The options of a retention policy, `None` where one was not written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetentionPolicySpec {
    pub name: Option<String>,
    /// Nanoseconds; 0 is INF.
    pub duration: Option<i64>,
    pub replication: Option<i64>,
    pub shard_duration: Option<i64>,
    pub future_limit: Option<i64>,
    pub past_limit: Option<i64>,
    pub is_default: bool,
}
