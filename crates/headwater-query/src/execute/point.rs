//! The points that travel through the stages (`spec/influxql/00_execution_model.md` §2).

use std::{cmp::Ordering, rc::Rc, sync::Arc};

use headwater_model::{FieldType, SeriesKey, Value};

use crate::{
    Error,
    guard::{Guard, Held},
};

/// Values of a set of tag names, in the order of the names; a missing tag is `""`. Compares as
/// the tag identity of the model does, since both sides of a comparison have the same names.
pub(super) type Tags = Rc<[Arc<str>]>;

/// Auxiliary values, one a column; shared, because a selector hands them on.
pub(super) type Aux = Option<Rc<[Option<Value>]>>;

/// One point of a stream. The measurement and the outermost grouping are the same for all points
/// of a stream, because groups run one after the other.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) time: i64,
    pub(super) tags: Tags,
    /// `None` is a nil point, and what a point without a main column has.
    pub(super) value: Option<Value>,
    pub(super) aux: Aux,
    /// Raw points merged into this one; below 2 it counts as one.
    pub(super) weight: u64,
}

impl Point {
    /// About what it takes to keep it.
    pub(super) fn bytes(&self) -> usize {
        let text = |value: &Option<Value>| match value {
            Some(Value::String(text)) => text.len(),
            _ => 0,
        };
        let aux = self.aux.iter().flat_map(|aux| aux.iter());
        let aux: usize = aux.map(|value| size_of_val(value) + text(value)).sum();
        size_of::<Self>() + text(&self.value) + aux
    }
}

/// A pull stream of points. Those that make points, and do not pass them on, tell the guard. `None` may be followed by further points: see [`super::reduce::Gap`].
pub(super) trait PointStream {
    fn next(&mut self) -> Result<Option<Point>, Error>;
}

pub(super) type Points<'a> = Box<dyn PointStream + 'a>;

impl<S: PointStream + ?Sized> PointStream for Box<S> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        (**self).next()
    }
}

/// A stream with one point of look-ahead.
pub(super) struct Peekable<'a> {
    input: Points<'a>,
    buffer: Option<Point>,
}

impl<'a> Peekable<'a> {
    pub(super) fn new(input: Points<'a>) -> Self {
        Self {
            input,
            buffer: None,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Point>, Error> {
        match self.buffer.take() {
            Some(point) => Ok(Some(point)),
            None => self.input.next(),
        }
    }

    pub(super) fn unread(&mut self, point: Point) {
        self.buffer = Some(point);
    }

    pub(super) fn peek(&mut self) -> Result<Option<&Point>, Error> {
        if self.buffer.is_none() {
            self.buffer = self.input.next()?;
        }
        Ok(self.buffer.as_ref())
    }
}

/// The points of a list.
pub(super) struct ListStream {
    points: std::vec::IntoIter<Point>,
    held: Held,
}

impl ListStream {
    pub(super) fn new(points: Vec<Point>, guard: &Rc<Guard>) -> Result<Self, Error> {
        Ok(Self {
            held: Held::of(guard, points.len() * size_of::<Point>())?,
            points: points.into_iter(),
        })
    }
}

impl PointStream for ListStream {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        self.held.guard().work(1)?;
        Ok(self.points.next())
    }
}

/// No points.
pub(super) struct Nothing;

impl PointStream for Nothing {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        Ok(None)
    }
}

/// The values that a series has for `names`.
pub(super) fn tags_of(key: &SeriesKey, names: &[Arc<str>]) -> Tags {
    names
        .iter()
        .map(|name| key.tag(name).cloned().unwrap_or_else(|| Arc::from("")))
        .collect()
}

/// Orders the string columns of two points of equal time, column by column until the first that
/// does not hold strings (§3.2). An absent value sorts as Go's nil does: the comparison ends.
pub(super) fn compare_aux(left: &Aux, right: &Aux) -> Ordering {
    let (Some(left), Some(right)) = (left, right) else {
        return Ordering::Equal;
    };
    for (l, r) in left.iter().zip(right.iter()) {
        match (l, r) {
            (Some(Value::String(l)), Some(Value::String(r))) => match l.cmp(r) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
            _ => return Ordering::Equal,
        }
    }
    Ordering::Equal
}

/// Converts between types as a read of a column under another type does: numbers convert, all
/// else is absent (`spec/influxql/semantics_select.md` §1).
pub(super) fn cast(value: &Value, to: FieldType) -> Option<Value> {
    Some(match (to, value) {
        (FieldType::Float, Value::Float(v)) => Value::Float(*v),
        (FieldType::Float, Value::Integer(v)) => Value::Float(*v as f64),
        (FieldType::Float, Value::Unsigned(v)) => Value::Float(*v as f64),
        // NaN comes from expressions only, and means null.
        (FieldType::Integer | FieldType::Unsigned, Value::Float(v)) if v.is_nan() => return None,
        (FieldType::Integer, Value::Float(v)) => Value::Integer(float_to_integer(*v)),
        (FieldType::Integer, Value::Integer(v)) => Value::Integer(*v),
        (FieldType::Integer, Value::Unsigned(v)) => Value::Integer(*v as i64),
        (FieldType::Unsigned, Value::Float(v)) => Value::Unsigned(float_to_unsigned(*v)),
        (FieldType::Unsigned, Value::Integer(v)) => Value::Unsigned(*v as u64),
        (FieldType::Unsigned, Value::Unsigned(v)) => Value::Unsigned(*v),
        (FieldType::String, Value::String(v)) => Value::String(Arc::clone(v)),
        (FieldType::Boolean, Value::Boolean(v)) => Value::Boolean(*v),
        _ => return None,
    })
}

/// 2^63, the first float that no `i64` reaches.
const INTEGER_END: f64 = 9_223_372_036_854_775_808.0;

/// Truncates; what does not fit is the smallest integer, as amd64 converts.
pub(super) fn float_to_integer(value: f64) -> i64 {
    if (-INTEGER_END..INTEGER_END).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// Truncates; negative numbers wrap through `i64`.
pub(super) fn float_to_unsigned(value: f64) -> u64 {
    if value >= INTEGER_END {
        value as u64
    } else {
        float_to_integer(value) as u64
    }
}
