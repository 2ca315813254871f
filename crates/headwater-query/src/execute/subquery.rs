//! A subquery as a source: its rows, filtered and mapped to points
//! (`spec/influxql/subqueries.md`).

use std::{rc::Rc, sync::Arc};

use headwater_model::{FieldType, Value};

use super::{
    call::Builder,
    cursor::{Cursor, Row},
    filter::{Operand, RowCondition},
    opened::{Level, Opened},
    point::{Aux, Point, PointStream, Points, cast},
    stage::TagSubset,
    types,
};
use crate::{
    error::Error,
    plan::{ColumnKind, ColumnRef},
};

/// Where a name of the enclosing statement is found in a row.
#[derive(Debug, Clone, Copy)]
enum Place {
    Column(usize),
    /// Position among the tags of the row.
    Tag(usize),
    Nowhere,
}

/// The points that `inner` gives to `level`; `None` when the main column is nowhere in it.
pub(super) fn points<'a>(
    builder: &Builder<'a>,
    level: &Level<'a>,
    inner: &'a Opened<'a>,
    main: Option<&'a ColumnRef>,
    aux: &'a [ColumnRef],
) -> Result<Option<Points<'a>>, Error> {
    let below = level.nested(inner);
    let driver = main.map(|column| (find(&below, &column.name), types::column_type(column)));
    if let Some((Place::Nowhere, _) | (_, None)) = driver {
        return Ok(None);
    }
    let aux = aux
        .iter()
        .map(|column| (find(&below, &column.name), aux_type(column)))
        .collect();
    let condition = level.plan.condition.as_ref().map(|expr| {
        let mut places = Vec::new();
        let condition = RowCondition::compile_without_math(expr, &mut |var| {
            places.push(condition_place(&below, &var.name));
            Some(places.len() - 1)
        });
        (condition, places)
    });
    let keep = Arc::clone(&below.keep);
    let cursor = Cursor::open(builder, &below)?;
    let points = SubqueryPoints {
        cursor,
        driver,
        aux,
        condition,
    };
    Ok(Some(TagSubset::around(
        Box::new(points),
        &keep,
        &level.keep,
    )))
}

/// The type that an auxiliary column is cast to; a tag's name may mean a column, which then
/// stays as it is.
fn aux_type(column: &ColumnRef) -> Option<FieldType> {
    match column.kind {
        ColumnKind::Field(field_type) => Some(field_type),
        ColumnKind::Tag | ColumnKind::Unknown => None,
    }
}

/// Columns first, by their names without suffix; then the tags of the statement's own GROUP BY.
fn find(below: &Level<'_>, name: &Arc<str>) -> Place {
    let plan = below.plan;
    if let Some(at) = plan
        .columns
        .iter()
        .position(|column| column.lookup == *name)
    {
        return Place::Column(at);
    }
    if plan.own_tags.contains(name)
        && let Some(at) = below.keep.iter().position(|tag| tag == name)
    {
        return Place::Tag(at);
    }
    Place::Nowhere
}

/// A condition sees the columns by the names they come out with, and all tags that a row carries.
fn condition_place(below: &Level<'_>, name: &str) -> Place {
    if let Some(at) = below
        .plan
        .columns
        .iter()
        .position(|column| &*column.name == name)
    {
        return Place::Column(at);
    }
    below
        .keep
        .iter()
        .position(|tag| &**tag == name)
        .map_or(Place::Nowhere, Place::Tag)
}

struct SubqueryPoints<'a> {
    cursor: Cursor<'a>,
    driver: Option<(Place, Option<FieldType>)>,
    aux: Vec<(Place, Option<FieldType>)>,
    condition: Option<(RowCondition, Vec<Place>)>,
}

impl SubqueryPoints<'_> {
    fn passes(&self, row: &Row) -> bool {
        let Some((condition, places)) = &self.condition else {
            return true;
        };
        let cell = |at: usize| match places[at] {
            Place::Column(column) => row.values[column]
                .clone()
                .map_or(Operand::Nil, Operand::Value),
            Place::Tag(tag) => Operand::Value(Value::String(Arc::clone(&row.tags[tag]))),
            Place::Nowhere => Operand::Value(Value::String("".into())),
        };
        matches!(
            condition.evaluate(&cell),
            Operand::Value(Value::Boolean(true))
        )
    }
}

fn read(row: &Row, (place, field_type): (Place, Option<FieldType>)) -> Option<Value> {
    match place {
        Place::Column(at) => match (&row.values[at], field_type) {
            (Some(value), Some(field_type)) => cast(value, field_type),
            (value, _) => value.clone(),
        },
        Place::Tag(at) => Some(Value::String(Arc::clone(&row.tags[at]))),
        Place::Nowhere => None,
    }
}

impl PointStream for SubqueryPoints<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        loop {
            let Some(row) = self.cursor.next()? else {
                return Ok(None);
            };
            if !self.passes(&row) {
                continue;
            }
            let value = self.driver.and_then(|driver| read(&row, driver));
            let aux: Aux = (!self.aux.is_empty())
                .then(|| self.aux.iter().map(|place| read(&row, *place)).collect());
            return Ok(Some(Point {
                time: row.time,
                tags: Rc::clone(&row.tags),
                value,
                aux,
                weight: 0,
            }));
        }
    }
}
