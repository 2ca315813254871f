//! Rows into columns, and columns into pieces of series of at most `chunk_size` rows.

use std::sync::Arc;

use arrow_array::Array as _;
use headwater_model::Value;
use rustc_hash::FxHashMap;

use super::{Emit, ExecuteContext, cells::Cells, cursor::Row, opened::Group};
use crate::{
    error::Error,
    guard::Held,
    plan::SelectPlan,
    series::{Column, Series},
};

/// Keys and values of tags, sorted by key.
type TagPairs = Arc<[(Arc<str>, Arc<str>)]>;

/// Collects the rows of one output series.
pub(super) struct SeriesBuilder<'a> {
    plan: &'a SelectPlan,
    name: Arc<str>,
    tags: Option<TagPairs>,
    columns: Arc<[Arc<str>]>,
    chunk_size: usize,
    times: Vec<i64>,
    values: Vec<ColumnBuilder>,
    /// For the piece that is being collected.
    held: Held,
    /// Its rows that `held` counts.
    counted: usize,
}

/// Rows that are collected before their bytes are counted.
const COUNTED_ROWS: usize = 256;

impl<'a> SeriesBuilder<'a> {
    pub(super) fn new(
        plan: &'a SelectPlan,
        group: &Group,
        columns: Arc<[Arc<str>]>,
        context: &ExecuteContext<'_>,
    ) -> Self {
        let tags = (!plan.dims.is_empty()).then(|| {
            plan.dims
                .iter()
                .cloned()
                .zip(group.dims.iter().cloned())
                .collect()
        });
        Self {
            plan,
            name: Arc::clone(&group.name),
            tags,
            columns,
            chunk_size: context.chunk_size.max(1),
            times: Vec::new(),
            values: new_columns(plan),
            held: Held::new(&context.guard),
            counted: 0,
        }
    }

    /// Counts the bytes of new rows.
    fn count(&mut self) -> Result<(), Error> {
        let rows = self.times.len() - self.counted;
        if rows >= COUNTED_ROWS {
            let text: usize = self.values.iter().map(|c| c.text_bytes(self.counted)).sum();
            let cells = rows * (1 + self.values.len()) * size_of::<i64>();
            self.held.grow(text + cells)?;
            self.counted = self.times.len();
        }
        Ok(())
    }

    pub(super) fn push(&mut self, row: Row, emit: &mut Emit<'_>) -> Result<(), Error> {
        self.make_room(emit)?;
        self.times.push(row.time);
        for (column, value) in self.values.iter_mut().zip(row.values) {
            column.push(value);
        }
        Ok(())
    }

    /// How many rows fit into the piece that is being collected or, if it is full, into the next.
    pub(super) fn room(&self) -> usize {
        match self.chunk_size.saturating_sub(self.times.len()) {
            0 => self.chunk_size,
            room => room,
        }
    }

    /// Emits a piece that is full, since more rows follow; otherwise counts what it takes.
    pub(super) fn make_room(&mut self, emit: &mut Emit<'_>) -> Result<(), Error> {
        if self.times.len() >= self.chunk_size {
            self.flush(true, emit)?;
        }
        self.count()
    }

    /// Adds times; as many cells must be added to each column.
    pub(super) fn extend_times(&mut self, times: impl Iterator<Item = i64>) {
        self.times.extend(times);
    }

    pub(super) fn columns_mut(&mut self) -> &mut [ColumnBuilder] {
        &mut self.values
    }

    /// Emits columns that are complete, cut into pieces; nothing may come after them.
    pub(super) fn push_columns(
        &mut self,
        mut times: Vec<i64>,
        mut columns: Vec<Column>,
        emit: &mut Emit<'_>,
    ) -> Result<(), Error> {
        while times.len() > self.chunk_size {
            let rest = times.split_off(self.chunk_size);
            let rests = columns
                .iter_mut()
                .map(|c| split_off(c, self.chunk_size))
                .collect();
            let series = self.series(times, columns, true);
            emit(series).map_err(|_| Error::Interrupted)?;
            (times, columns) = (rest, rests);
        }
        let series = self.series(times, columns, false);
        emit(series).map_err(|_| Error::Interrupted)
    }

    /// Emits what is left.
    pub(super) fn finish(mut self, emit: &mut Emit<'_>) -> Result<(), Error> {
        if self.times.is_empty() {
            Ok(())
        } else {
            self.flush(false, emit)
        }
    }

    fn flush(&mut self, partial: bool, emit: &mut Emit<'_>) -> Result<(), Error> {
        self.held.set(0)?;
        self.counted = 0;
        let times = std::mem::take(&mut self.times);
        let values = std::mem::replace(&mut self.values, new_columns(self.plan));
        let columns = values.into_iter().map(ColumnBuilder::finish).collect();
        let series = self.series(times, columns, partial);
        emit(series).map_err(|_| Error::Interrupted)
    }

    fn series(&self, times: Vec<i64>, columns: Vec<Column>, partial: bool) -> Series {
        let mut values = Vec::with_capacity(columns.len() + 1);
        values.push(Column::Time(times));
        values.extend(columns);
        Series {
            name: Some(Arc::clone(&self.name)),
            tags: self.tags.clone(),
            columns: Arc::clone(&self.columns),
            values,
            partial,
            timezone: self.plan.timezone,
        }
    }
}

/// Leaves the first `at` cells and gives the rest.
fn split_off(column: &mut Column, at: usize) -> Column {
    let rest = |valid: &mut Option<Vec<bool>>| valid.as_mut().map(|valid| valid.split_off(at));
    match column {
        Column::Time(v) => Column::Time(v.split_off(at)),
        Column::Float { values, valid } => Column::Float {
            values: values.split_off(at),
            valid: rest(valid),
        },
        Column::Integer { values, valid } => Column::Integer {
            values: values.split_off(at),
            valid: rest(valid),
        },
        Column::Unsigned { values, valid } => Column::Unsigned {
            values: values.split_off(at),
            valid: rest(valid),
        },
        Column::Boolean { values, valid } => Column::Boolean {
            values: values.split_off(at),
            valid: rest(valid),
        },
        Column::String(v) => Column::String(v.split_off(at)),
        Column::Repeated { texts, numbers } => Column::Repeated {
            texts: texts.clone(),
            numbers: numbers.split_off(at),
        },
        Column::Constant { value, len } => {
            let more = *len - at;
            *len = at;
            Column::Constant {
                value: value.clone(),
                len: more,
            }
        }
        Column::Mixed(v) => Column::Mixed(v.split_off(at)),
    }
}

fn new_columns(plan: &SelectPlan) -> Vec<ColumnBuilder> {
    plan.columns
        .iter()
        .map(|_| ColumnBuilder::Nulls(0))
        .collect()
}

/// The names of the columns, the time's first.
pub(super) fn column_names(plan: &SelectPlan) -> Arc<[Arc<str>]> {
    let names = plan.columns.iter().map(|column| &column.name);
    std::iter::once(&plan.time_name)
        .chain(names)
        .cloned()
        .collect()
}

/// A column that takes its type from its first value and keeps it as long as it can.
#[derive(Debug)]
pub(super) enum ColumnBuilder {
    Nulls(usize),
    Float(Vec<f64>, Validity),
    Integer(Vec<i64>, Validity),
    Unsigned(Vec<u64>, Validity),
    Boolean(Vec<bool>, Validity),
    String(Vec<Option<Arc<str>>>),
    /// Tags, which all rows of a series share.
    Repeated(Texts),
    Mixed(Vec<Option<Value>>),
}

/// Which cells are not null; absent while all are.
#[derive(Debug, Default)]
pub(super) struct Validity(Option<Vec<bool>>);

impl Validity {
    fn nulls(count: usize) -> Self {
        Self((count > 0).then(|| vec![false; count]))
    }

    fn extend_valid(&mut self, len: usize) {
        if let Some(valid) = &mut self.0 {
            valid.resize(valid.len() + len, true);
        }
    }

    /// Adds a cell after `len` others.
    fn push(&mut self, is_valid: bool, len: usize) {
        match &mut self.0 {
            Some(valid) => valid.push(is_valid),
            None if is_valid => {}
            none => {
                let mut valid = vec![true; len];
                valid.push(false);
                *none = Some(valid);
            }
        }
    }
}

/// Texts that rows share, and the number of each row's.
#[derive(Debug, Default)]
pub(super) struct Texts {
    texts: Vec<Arc<str>>,
    numbers: Vec<u32>,
    /// By the address of the text: the same text may be there twice.
    known: FxHashMap<usize, u32>,
}

impl Texts {
    fn push(&mut self, text: &Arc<str>, len: usize) {
        let number = *self.known.entry(text.as_ptr().addr()).or_insert_with(|| {
            self.texts.push(Arc::clone(text));
            self.texts.len() as u32 - 1
        });
        self.push_number(number, len);
    }

    fn push_number(&mut self, number: u32, len: usize) {
        self.numbers.extend(std::iter::repeat_n(number, len));
    }

    fn into_strings(self) -> Vec<Option<Arc<str>>> {
        let text = |number: u32| self.texts.get(number as usize).cloned();
        self.numbers.iter().map(|number| text(*number)).collect()
    }
}

impl ColumnBuilder {
    /// The bytes of texts from a row on.
    fn text_bytes(&self, from: usize) -> usize {
        match self {
            Self::String(values) => values[from..].iter().flatten().map(|v| v.len()).sum(),
            _ => 0,
        }
    }

    /// Adds a tag in `len` rows.
    fn push_tag(&mut self, text: &Arc<str>, len: usize) {
        match self {
            Self::Nulls(nulls) => {
                let mut texts = Texts::default();
                texts.push_number(Column::NO_TEXT, *nulls);
                texts.push(text, len);
                *self = Self::Repeated(texts);
            }
            Self::Repeated(texts) => texts.push(text, len),
            other => (0..len).for_each(|_| other.push(Some(Value::String(Arc::clone(text))))),
        }
    }

    /// NaN is null in an answer (`spec/decisions.md` 12).
    pub(super) fn push(&mut self, value: Option<Value>) {
        let value = value.filter(|value| !matches!(value, Value::Float(v) if v.is_nan()));
        match (&mut *self, value) {
            (Self::Nulls(count), None) => *count += 1,
            (Self::Nulls(count), Some(value)) => {
                *self = Self::typed(*count, &value);
                self.push(Some(value));
            }
            (Self::Float(values, valid), Some(Value::Float(v))) => {
                valid.push(true, values.len());
                values.push(v);
            }
            (Self::Integer(values, valid), Some(Value::Integer(v))) => {
                valid.push(true, values.len());
                values.push(v);
            }
            (Self::Unsigned(values, valid), Some(Value::Unsigned(v))) => {
                valid.push(true, values.len());
                values.push(v);
            }
            (Self::Boolean(values, valid), Some(Value::Boolean(v))) => {
                valid.push(true, values.len());
                values.push(v);
            }
            (Self::String(values), Some(Value::String(v))) => values.push(Some(v)),
            (Self::Float(values, valid), None) => {
                valid.push(false, values.len());
                values.push(0.0);
            }
            (Self::Integer(values, valid), None) => {
                valid.push(false, values.len());
                values.push(0);
            }
            (Self::Unsigned(values, valid), None) => {
                valid.push(false, values.len());
                values.push(0);
            }
            (Self::Boolean(values, valid), None) => {
                valid.push(false, values.len());
                values.push(false);
            }
            (Self::String(values), None) => values.push(None),
            (Self::Repeated(texts), None) => texts.push_number(Column::NO_TEXT, 1),
            (Self::Repeated(texts), Some(Value::String(v))) => {
                let mut strings = std::mem::take(texts).into_strings();
                strings.push(Some(v));
                *self = Self::String(strings);
            }
            (Self::Mixed(values), value) => values.push(value),
            (_, Some(value)) => {
                let mut values = std::mem::replace(self, Self::Nulls(0)).into_values();
                values.push(Some(value));
                *self = Self::Mixed(values);
            }
        }
    }

    /// Adds a cell of a column from storage.
    pub(super) fn push_cell(&mut self, cells: &Cells, row: usize) {
        match (&mut *self, cells) {
            (Self::Float(values, valid), Cells::Float(a)) if a.is_valid(row) => {
                valid.extend_valid(1);
                values.push(a.value(row));
            }
            (Self::Integer(values, valid), Cells::Integer(a)) if a.is_valid(row) => {
                valid.extend_valid(1);
                values.push(a.value(row));
            }
            (builder, Cells::Constant(text)) => builder.push_tag(text, 1),
            (builder, cells) => builder.push(cells.get(row)),
        }
    }

    /// Adds the cells `first..first + len` of a column from storage.
    pub(super) fn extend(&mut self, cells: &Cells, first: usize, len: usize) {
        if let Cells::Constant(text) = cells {
            return self.push_tag(text, len);
        }
        if let Self::Nulls(nulls) = self {
            match (0..len).find_map(|at| cells.get(first + at)) {
                Some(value) => *self = Self::typed(*nulls, &value),
                None => {
                    *nulls += len;
                    return;
                }
            }
        }
        let is_dense = cells.is_dense();
        match (&mut *self, cells) {
            (Self::Float(values, valid), Cells::Float(a)) if is_dense => {
                valid.extend_valid(len);
                values.extend_from_slice(&a.values()[first..first + len]);
            }
            (Self::Integer(values, valid), Cells::Integer(a)) if is_dense => {
                valid.extend_valid(len);
                values.extend_from_slice(&a.values()[first..first + len]);
            }
            (Self::Unsigned(values, valid), Cells::Unsigned(a)) if is_dense => {
                valid.extend_valid(len);
                values.extend_from_slice(&a.values()[first..first + len]);
            }
            (builder, cells) => (0..len).for_each(|at| builder.push(cells.get(first + at))),
        }
    }

    fn typed(nulls: usize, value: &Value) -> Self {
        let valid = Validity::nulls(nulls);
        match value {
            Value::Float(_) => Self::Float(vec![0.0; nulls], valid),
            Value::Integer(_) => Self::Integer(vec![0; nulls], valid),
            Value::Unsigned(_) => Self::Unsigned(vec![0; nulls], valid),
            Value::Boolean(_) => Self::Boolean(vec![false; nulls], valid),
            Value::String(_) => Self::String(vec![None; nulls]),
        }
    }

    fn into_values(self) -> Vec<Option<Value>> {
        fn each<T>(
            values: Vec<T>,
            valid: Validity,
            make: impl Fn(T) -> Value,
        ) -> Vec<Option<Value>> {
            let is_valid = |at: usize| valid.0.as_ref().is_none_or(|valid| valid[at]);
            values
                .into_iter()
                .enumerate()
                .map(|(at, value)| is_valid(at).then(|| make(value)))
                .collect()
        }
        match self {
            Self::Nulls(count) => vec![None; count],
            Self::Float(values, valid) => each(values, valid, Value::Float),
            Self::Integer(values, valid) => each(values, valid, Value::Integer),
            Self::Unsigned(values, valid) => each(values, valid, Value::Unsigned),
            Self::Boolean(values, valid) => each(values, valid, Value::Boolean),
            Self::String(values) => values.into_iter().map(|v| v.map(Value::String)).collect(),
            Self::Repeated(texts) => {
                let strings = texts.into_strings().into_iter();
                strings.map(|v| v.map(Value::String)).collect()
            }
            Self::Mixed(values) => values,
        }
    }

    pub(super) fn finish(self) -> Column {
        match self {
            Self::Nulls(len) => Column::Constant { value: None, len },
            Self::Float(values, valid) => Column::Float {
                values,
                valid: valid.0,
            },
            Self::Integer(values, valid) => Column::Integer {
                values,
                valid: valid.0,
            },
            Self::Unsigned(values, valid) => Column::Unsigned {
                values,
                valid: valid.0,
            },
            Self::Boolean(values, valid) => Column::Boolean {
                values,
                valid: valid.0,
            },
            Self::String(values) => Column::String(values),
            Self::Repeated(texts) => Column::Repeated {
                texts: texts.texts,
                numbers: texts.numbers,
            },
            Self::Mixed(values) => Column::Mixed(values),
        }
    }
}
