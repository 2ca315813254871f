//! The first layer of §3.4 by the same kernels: the windows of one series in one shard as points,
//! for the general pipeline to go on with.

use std::rc::Rc;

use headwater_model::{FieldType, Value};

use super::track::{Number, Partial, Runs, Sink, add_rows, count_rows, mean};
use crate::{
    execute::{
        cells::Cells,
        leaf::{Rows, SeriesRows},
        point::{Point, Tags},
        window::Windows,
    },
    plan::Aggregate,
};

/// What is made of the first column of a series.
pub(in crate::execute) struct SeriesFold<'a> {
    pub(in crate::execute) function: Aggregate,
    /// The type the column is read under.
    pub(in crate::execute) input: FieldType,
    pub(in crate::execute) windows: &'a Windows,
    pub(in crate::execute) ascending: bool,
    pub(in crate::execute) tags: Tags,
}

impl SeriesFold<'_> {
    /// Whether the kernels do a function of values of a type.
    pub(in crate::execute) fn is_taken(function: Aggregate, input: FieldType) -> bool {
        match function {
            Aggregate::Count => true,
            Aggregate::Median | Aggregate::Mode | Aggregate::Stddev | Aggregate::Spread => false,
            _ => input.is_numeric(),
        }
    }

    /// A point a window, in the direction of the statement.
    pub(in crate::execute) fn points(&self, series: &SeriesRows) -> Vec<Point> {
        let mut points = match self.input {
            _ if self.function == Aggregate::Count => self.count(series),
            FieldType::Float => self.fold(series, Value::Float, &|cells| match cells {
                Cells::Float(a) => a.values(),
                _ => &[],
            }),
            FieldType::Unsigned => self.fold(series, Value::Unsigned, &|cells| match cells {
                Cells::Unsigned(a) => a.values(),
                _ => &[],
            }),
            _ => self.fold(series, Value::Integer, &|cells| match cells {
                Cells::Integer(a) => a.values(),
                _ => &[],
            }),
        };
        if !self.ascending {
            points.reverse();
        }
        points
    }

    fn count(&self, series: &SeriesRows) -> Vec<Point> {
        let mut walk = Walk::default();
        for rows in &series.slices {
            count_rows(&rows.columns[0], &self.runs(rows), &mut walk);
        }
        let point = |(start, partial): (i64, Partial<i64>)| {
            self.point(start, Value::Integer(partial.count as i64), 0)
        };
        walk.finish().into_iter().map(point).collect()
    }

    fn fold<T: Number>(
        &self,
        series: &SeriesRows,
        value: impl Fn(T) -> Value,
        values: &dyn Fn(&Cells) -> &[T],
    ) -> Vec<Point> {
        let mut walk = Walk::default();
        for rows in &series.slices {
            let cells = &rows.columns[0];
            let values = values(cells);
            if !values.is_empty() {
                let runs = self.runs(rows);
                add_rows(self.function, cells, values, &rows.times, &runs, &mut walk);
            }
        }
        let point = |(start, partial): (i64, Partial<T>)| match self.function {
            Aggregate::Mean => {
                let mean = mean(partial.value.to_float(), partial.count);
                self.point(start, Value::Float(mean), partial.count)
            }
            Aggregate::Sum => self.point(start, value(partial.value), 0),
            _ => self.point(partial.time, value(partial.value), 0),
        };
        walk.finish().into_iter().map(point).collect()
    }

    fn point(&self, time: i64, value: Value, weight: u64) -> Point {
        Point {
            time,
            tags: Rc::clone(&self.tags),
            value: Some(value),
            aux: None,
            weight,
        }
    }

    fn runs<'r>(&self, rows: &'r Rows) -> Runs<'r> {
        match &rows.passing {
            None => Runs::by_start(&rows.times, None, self.windows),
            Some(passing) => {
                let times: Vec<i64> = passing
                    .iter()
                    .map(|row| rows.times[*row as usize])
                    .collect();
                Runs::by_start(&times, Some(passing), self.windows)
            }
        }
    }
}

/// The windows so far, by their starts; the last one may go on in the next slice.
struct Walk<T>(Vec<(i64, Partial<T>)>);

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Number> Walk<T> {
    fn finish(mut self) -> Vec<(i64, Partial<T>)> {
        self.0.retain(|(_, partial)| partial.count > 0);
        self.0
    }
}

impl<T: Number> Sink<T> for Walk<T> {
    fn partial(&mut self, window: i64) -> &mut Partial<T> {
        if self.0.last().is_none_or(|(last, _)| *last != window) {
            self.0.push((window, Partial::default()));
        }
        &mut self
            .0
            .last_mut()
            .expect("one was pushed if there was none")
            .1
    }
}
