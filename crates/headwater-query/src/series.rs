//! The answer: pieces of named series with their rows, kept in columns until an encoder walks
//! them.

use std::sync::Arc;

use headwater_model::Value;

/// A piece of one statement's result. A statement yields at least one piece; pieces arrive in
/// order and the last one of a statement has `partial` false.
#[derive(Debug, Clone, Default)]
pub struct ResultPiece {
    pub statement_id: i64,
    pub series: Vec<Series>,
    pub messages: Vec<Message>,
    /// Further pieces of the same statement follow.
    pub partial: bool,
    /// The statement failed; what it gave before is void.
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub level: &'static str,
    pub text: String,
}

/// Keys and values of tags.
pub type Tags = Arc<[(Arc<str>, Arc<str>)]>;

/// Rows of one output series.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// `None` prints no `name`.
    pub name: Option<Arc<str>>,
    /// Sorted by key; `None` prints no `tags`.
    pub tags: Option<Tags>,
    pub columns: Arc<[Arc<str>]>,
    /// One a column, all of equal length.
    pub values: Vec<Column>,
    /// More rows of this series follow in the next piece.
    pub partial: bool,
    /// How the times of a `Column::Time` print.
    pub timezone: Option<chrono_tz::Tz>,
}

impl Series {
    pub fn row_count(&self) -> usize {
        self.values.first().map_or(0, Column::len)
    }
}

/// The cells of a column. In the typed ones `valid` is `None` when no cell is null.
#[derive(Debug, Clone)]
pub enum Column {
    /// Nanoseconds since 1970.
    Time(Vec<i64>),
    Float {
        values: Vec<f64>,
        valid: Option<Vec<bool>>,
    },
    Integer {
        values: Vec<i64>,
        valid: Option<Vec<bool>>,
    },
    Unsigned {
        values: Vec<u64>,
        valid: Option<Vec<bool>>,
    },
    Boolean {
        values: Vec<bool>,
        valid: Option<Vec<bool>>,
    },
    String(Vec<Option<Arc<str>>>),
    /// Strings of which few are distinct: of each row the number of its text, or
    /// [`Column::NO_TEXT`].
    Repeated {
        texts: Vec<Arc<str>>,
        numbers: Vec<u32>,
    },
    /// The same cell in every row.
    Constant {
        value: Option<Value>,
        len: usize,
    },
    /// Cells of different types.
    Mixed(Vec<Option<Value>>),
}

impl Column {
    /// Stands for a null among the numbers of [`Column::Repeated`].
    pub const NO_TEXT: u32 = u32::MAX;

    pub fn len(&self) -> usize {
        match self {
            Self::Time(v) => v.len(),
            Self::Float { values, .. } => values.len(),
            Self::Integer { values, .. } => values.len(),
            Self::Unsigned { values, .. } => values.len(),
            Self::Boolean { values, .. } => values.len(),
            Self::String(v) => v.len(),
            Self::Repeated { numbers, .. } => numbers.len(),
            Self::Constant { len, .. } => *len,
            Self::Mixed(v) => v.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
