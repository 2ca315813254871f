//! Partial aggregates by window, and the kernels that make them from column slices.

use std::{cmp::Ordering, ops::Range};

use headwater_model::FieldType;

use crate::{
    Error,
    execute::{
        cells::Cells,
        reduce::{percentile_index, stddev},
        window::Windows,
    },
    guard::{Guard, WORK_UNITS},
    plan::Aggregate,
};

/// The rows of a slice by window.
#[derive(Debug)]
pub(super) struct Runs<'a> {
    /// Window number, and rows; with `passing`, positions in that list.
    runs: Vec<(i64, Range<usize>)>,
    passing: Option<&'a [u32]>,
}

impl<'a> Runs<'a> {
    /// All rows in window 0.
    pub(super) fn single(rows: usize, passing: Option<&'a [u32]>) -> Self {
        let rows = passing.map_or(rows, <[u32]>::len);
        let runs = if rows == 0 {
            Vec::new()
        } else {
            vec![(0, 0..rows)]
        };
        Self { runs, passing }
    }

    /// `times` are ascending.
    pub(super) fn new(times: &[i64], passing: Option<&'a [u32]>, base: i64, every: i64) -> Self {
        let mut runs = Vec::new();
        let mut start = 0;
        while let Some(time) = times.get(start) {
            let window = time.wrapping_sub(base).div_euclid(every);
            let last = base.wrapping_add(window * every).saturating_add(every - 1);
            let end = start + count_until(&times[start..], last);
            runs.push((window, start..end));
            start = end;
        }
        Self { runs, passing }
    }

    /// Windows of any kind, by their starts instead of numbers.
    pub(super) fn by_start(times: &[i64], passing: Option<&'a [u32]>, windows: &Windows) -> Self {
        let mut runs = Vec::new();
        let mut at = 0;
        while let Some(time) = times.get(at) {
            let (start, end) = windows.of(*time);
            let to = at + count_until(&times[at..], end.saturating_sub(1)).max(1);
            runs.push((start, at..to));
            at = to;
        }
        Self { runs, passing }
    }

    fn row_count(&self) -> usize {
        self.runs.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// The number of the first window.
    pub(super) fn first(&self) -> Option<i64> {
        self.runs.first().map(|(window, _)| *window)
    }

    pub(super) fn last(&self) -> Option<i64> {
        self.runs.last().map(|(window, _)| *window)
    }
}

/// How many times are at or before `last`; the first one is. Gallops, since windows are short
/// beside slices.
fn count_until(times: &[i64], last: i64) -> usize {
    let mut step = 1;
    while step < times.len() && times[step] <= last {
        step *= 2;
    }
    let from = step / 2;
    let to = step.min(times.len());
    from + times[from..to].partition_point(|time| *time <= last)
}

/// A number type with the arithmetic of the reference.
pub(super) trait Number: Copy + PartialOrd + Default {
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    fn to_float(self) -> f64;
}

impl Number for f64 {
    fn add(self, other: Self) -> Self {
        self + other
    }

    fn subtract(self, other: Self) -> Self {
        self - other
    }

    fn to_float(self) -> f64 {
        self
    }
}

impl Number for i64 {
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn subtract(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn to_float(self) -> f64 {
        self as f64
    }
}

impl Number for u64 {
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn subtract(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn to_float(self) -> f64 {
        self as f64
    }
}

/// What is known of a window; without a count nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Partial<T> {
    pub(super) count: u64,
    /// Sum, or the selected value.
    pub(super) value: T,
    /// Of the selected value.
    pub(super) time: i64,
}

impl<T: Number> Partial<T> {
    pub(super) fn combine(&mut self, function: Aggregate, other: Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        let is_better = match function {
            Aggregate::Count | Aggregate::Sum | Aggregate::Mean => {
                self.value = self.value.add(other.value);
                false
            }
            Aggregate::Min => {
                other.value < self.value || (other.value == self.value && other.time < self.time)
            }
            Aggregate::Max => {
                other.value > self.value || (other.value == self.value && other.time < self.time)
            }
            Aggregate::First => {
                other.time < self.time || (other.time == self.time && other.value > self.value)
            }
            _ => other.time > self.time || (other.time == self.time && other.value > self.value),
        };
        if is_better {
            (self.value, self.time) = (other.value, other.time);
        }
        self.count += other.count;
    }
}

/// Where the kernels put what they find.
pub(super) trait Sink<T> {
    /// The partial of a window; windows come in ascending order within a slice.
    fn partial(&mut self, window: i64) -> &mut Partial<T>;
}

/// What is known of neighbouring windows.
#[derive(Debug, Default)]
pub(super) struct Windowed<C> {
    /// Number of the first window.
    first: i64,
    cells: Vec<C>,
}

/// Partials of neighbouring windows.
pub(super) type Track<T> = Windowed<Partial<T>>;

impl<C: Default + Clone> Windowed<C> {
    fn bytes(&self) -> usize {
        self.cells.len() * size_of::<C>()
    }

    fn cell(&mut self, window: i64) -> &mut C {
        if self.cells.is_empty() {
            self.first = window;
        }
        if window < self.first {
            let more = usize::try_from(self.first - window).expect("spans are checked before");
            self.cells
                .splice(0..0, std::iter::repeat_n(C::default(), more));
            self.first = window;
        }
        let at = usize::try_from(window - self.first).expect("it is not before the first");
        if at >= self.cells.len() {
            self.cells.resize(at + 1, C::default());
        }
        &mut self.cells[at]
    }
}

impl<T: Number> Sink<T> for Track<T> {
    fn partial(&mut self, window: i64) -> &mut Partial<T> {
        self.cell(window)
    }
}

impl<T: Number> Track<T> {
    /// The windows that have points, ascending.
    pub(super) fn filled(&self) -> impl DoubleEndedIterator<Item = (i64, Partial<T>)> {
        (0..self.cells.len())
            .map(|at| (self.first + at as i64, self.cells[at]))
            .filter(|(_, cell)| cell.count > 0)
    }

    /// Moves everything into another track.
    fn drain_into<U: Number>(
        &mut self,
        into: &mut Track<U>,
        function: Aggregate,
        convert: impl Fn(Partial<T>) -> Partial<U>,
    ) {
        for at in 0..self.cells.len() {
            if self.cells[at].count > 0 {
                let window = self.first + at as i64;
                into.cell(window).combine(function, convert(self.cells[at]));
            }
        }
        self.cells.clear();
    }
}

/// Tracks of one type.
#[derive(Debug)]
pub(super) enum Tracks {
    Float(Track<f64>),
    Integer(Track<i64>),
    Unsigned(Track<u64>),
}

impl Tracks {
    fn bytes(&self) -> usize {
        match self {
            Self::Float(track) => track.bytes(),
            Self::Integer(track) => track.bytes(),
            Self::Unsigned(track) => track.bytes(),
        }
    }
}

/// What a call does with the rows of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Function {
    /// `count`, `sum`, `mean`, `min`, `max`, `first`, `last`.
    Fold(Aggregate),
    /// Those that need all values at once.
    Percentile(f64),
    Median,
    Spread,
    Stddev,
}

/// All values of each window.
#[derive(Debug)]
enum Lists {
    Float(Windowed<Vec<f64>>),
    Integer(Windowed<Vec<i64>>),
    Unsigned(Windowed<Vec<u64>>),
}

/// The layers of one call. Only where additions are of floats do series and shards count apart;
/// elsewhere everything goes into `total`.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) function: Function,
    input: FieldType,
    series: Tracks,
    shard: Track<f64>,
    /// Until `finish`, for functions of all values.
    lists: Lists,
    /// Values in the lists.
    listed: usize,
    /// Of the result's type.
    pub(super) total: Tracks,
}

impl Layers {
    pub(super) fn new(function: Function, input: FieldType) -> Self {
        let tracks = |field_type| match field_type {
            FieldType::Float => Tracks::Float(Track::default()),
            FieldType::Unsigned => Tracks::Unsigned(Track::default()),
            _ => Tracks::Integer(Track::default()),
        };
        let result = match function {
            Function::Fold(Aggregate::Count) => FieldType::Integer,
            Function::Fold(Aggregate::Mean) | Function::Median | Function::Stddev => {
                FieldType::Float
            }
            _ => input,
        };
        let lists = match input {
            FieldType::Float => Lists::Float(Windowed::default()),
            FieldType::Unsigned => Lists::Unsigned(Windowed::default()),
            _ => Lists::Integer(Windowed::default()),
        };
        let (series, total) = (tracks(input), tracks(result));
        Self {
            function,
            input,
            series,
            shard: Track::default(),
            lists,
            listed: 0,
            total,
        }
    }

    /// What it takes to keep them.
    pub(super) fn bytes(&self) -> usize {
        let lists = match &self.lists {
            Lists::Float(lists) => lists.bytes(),
            Lists::Integer(lists) => lists.bytes(),
            Lists::Unsigned(lists) => lists.bytes(),
        };
        let tracks = self.series.bytes() + self.shard.bytes() + self.total.bytes();
        tracks + lists + self.listed * size_of::<u64>()
    }

    /// The function, if it adds floats up.
    fn layered(&self) -> Option<Aggregate> {
        match self.function {
            Function::Fold(function @ Aggregate::Mean) => Some(function),
            Function::Fold(function @ Aggregate::Sum) if self.input == FieldType::Float => {
                Some(function)
            }
            _ => None,
        }
    }

    /// Adds rows of a column of a slice.
    pub(super) fn add(&mut self, cells: &Cells, times: &[i64], runs: &Runs<'_>) {
        let is_layered = self.layered().is_some();
        let Function::Fold(function) = self.function else {
            match (cells, &mut self.lists) {
                (Cells::Float(a), Lists::Float(lists)) => collect(cells, a.values(), runs, lists),
                (Cells::Integer(a), Lists::Integer(lists)) => {
                    collect(cells, a.values(), runs, lists);
                }
                (Cells::Unsigned(a), Lists::Unsigned(lists)) => {
                    collect(cells, a.values(), runs, lists);
                }
                _ => return,
            }
            self.listed += runs.row_count();
            return;
        };
        let into = if is_layered {
            &mut self.series
        } else {
            &mut self.total
        };
        if function == Aggregate::Count {
            if let Tracks::Integer(track) = into {
                count_rows(cells, runs, track);
            }
            return;
        }
        match (cells, into) {
            (Cells::Float(a), Tracks::Float(track)) => {
                add_rows(function, cells, a.values(), times, runs, track);
            }
            (Cells::Integer(a), Tracks::Integer(track)) => {
                add_rows(function, cells, a.values(), times, runs, track);
            }
            (Cells::Unsigned(a), Tracks::Unsigned(track)) => {
                add_rows(function, cells, a.values(), times, runs, track);
            }
            _ => {}
        }
    }

    /// A series is complete.
    pub(super) fn end_series(&mut self, guard: &Guard) -> Result<(), Error> {
        let Some(function) = self.layered() else {
            return Ok(());
        };
        guard.work(self.series.bytes() / size_of::<Partial<f64>>())?;
        match &mut self.series {
            Tracks::Float(t) => t.drain_into(&mut self.shard, function, |p| upper(function, p)),
            Tracks::Integer(t) => t.drain_into(&mut self.shard, function, |p| upper(function, p)),
            Tracks::Unsigned(t) => t.drain_into(&mut self.shard, function, |p| upper(function, p)),
        }
        Ok(())
    }

    /// A shard is complete.
    pub(super) fn end_shard(&mut self) {
        let Some(function) = self.layered() else {
            return;
        };
        if let Tracks::Float(total) = &mut self.total {
            self.shard
                .drain_into(total, function, |p| upper(function, p));
        }
    }

    /// The earliest window with a point, and how many windows have any.
    pub(super) fn extent(&self) -> Option<(i64, usize)> {
        fn of<T: Number>(track: &Track<T>) -> Option<(i64, usize)> {
            let (first, _) = track.filled().next()?;
            Some((first, track.filled().count()))
        }
        match &self.total {
            Tracks::Float(track) => of(track),
            Tracks::Integer(track) => of(track),
            Tracks::Unsigned(track) => of(track),
        }
    }

    /// All shards are complete. False when a window has points and yet no result, which pauses
    /// the stream and is the general pipeline's to handle.
    pub(super) fn finish(&mut self, guard: &Guard) -> Result<bool, Error> {
        let function = self.function;
        if matches!(function, Function::Fold(_)) {
            return Ok(true);
        }
        self.listed = 0;
        match (&mut self.lists, &mut self.total) {
            (Lists::Float(lists), Tracks::Float(total)) => {
                reduce_lists(lists, total, |values| match function {
                    Function::Median => median(values, guard),
                    Function::Stddev => stddev(values, guard).map(Some),
                    function => pick(function, values, guard),
                })
            }
            (Lists::Integer(lists), Tracks::Integer(total)) => {
                reduce_lists(lists, total, |values| pick(function, values, guard))
            }
            (Lists::Unsigned(lists), Tracks::Unsigned(total)) => {
                reduce_lists(lists, total, |values| pick(function, values, guard))
            }
            (Lists::Integer(lists), Tracks::Float(total)) => {
                reduce_lists(lists, total, |values| to_float(function, values, guard))
            }
            (Lists::Unsigned(lists), Tracks::Float(total)) => {
                reduce_lists(lists, total, |values| to_float(function, values, guard))
            }
            _ => Ok(false),
        }
    }
}

fn reduce_lists<T: Number, U: Number>(
    lists: &mut Windowed<Vec<T>>,
    total: &mut Track<U>,
    reduce: impl Fn(&mut [T]) -> Result<Option<U>, Error>,
) -> Result<bool, Error> {
    for (at, mut values) in std::mem::take(&mut lists.cells).into_iter().enumerate() {
        if values.is_empty() {
            continue;
        }
        let Some(value) = reduce(&mut values)? else {
            return Ok(false);
        };
        let count = values.len() as u64;
        *total.cell(lists.first + at as i64) = Partial {
            count,
            value,
            time: 0,
        };
    }
    Ok(true)
}

/// The functions whose result is of the input's type.
fn pick<T: Number>(
    function: Function,
    values: &mut [T],
    guard: &Guard,
) -> Result<Option<T>, Error> {
    Ok(match function {
        Function::Percentile(percentile) => match percentile_index(values.len(), percentile) {
            Some(at) => Some(nth(values, at, guard)?),
            None => None,
        },
        Function::Spread => {
            let least = reduce(values, guard, |l, r| if r < l { r } else { l })?;
            let greatest = reduce(values, guard, |l, r| if r > l { r } else { l })?;
            greatest
                .zip(least)
                .map(|(greatest, least)| greatest.subtract(least))
        }
        _ => None,
    })
}

/// One value of all.
fn reduce<T: Number>(
    values: &[T],
    guard: &Guard,
    choose: impl Fn(T, T) -> T,
) -> Result<Option<T>, Error> {
    let mut chosen = None;
    for values in values.chunks(WORK_UNITS) {
        guard.work(values.len())?;
        chosen = chosen
            .into_iter()
            .chain(values.iter().copied())
            .reduce(&choose);
    }
    Ok(chosen)
}

/// Values among which the standard library finds one at once.
const NTH_AT_ONCE: usize = 1 << 19;

/// The value of rank `at`; afterwards no lesser one is behind it, and no greater one before.
fn nth<T: Number>(values: &mut [T], at: usize, guard: &Guard) -> Result<T, Error> {
    let (mut start, mut end) = (0, values.len());
    // The range in which it is becomes smaller; the pivot is the median of some of the values.
    while end - start > NTH_AT_ONCE {
        let step = (end - start) / 32;
        let mut sample: Vec<T> = values[start..end].iter().step_by(step).copied().collect();
        sample.sort_by(order);
        let pivot = sample[sample.len() / 2];
        let (mut lesser, mut next, mut greater) = (start, start, end);
        while next < greater {
            guard.work(1)?;
            match order(&values[next], &pivot) {
                Ordering::Less => {
                    values.swap(lesser, next);
                    lesser += 1;
                    next += 1;
                }
                Ordering::Equal => next += 1,
                Ordering::Greater => {
                    greater -= 1;
                    values.swap(next, greater);
                }
            }
        }
        if at < lesser {
            end = lesser;
        } else if at < greater {
            return Ok(values[at]);
        } else {
            start = greater;
        }
    }
    guard.work(end - start)?;
    Ok(*values[start..end]
        .select_nth_unstable_by(at - start, order)
        .1)
}

/// The functions of integers whose result is a float.
fn to_float<T: Number>(
    function: Function,
    values: &mut [T],
    guard: &Guard,
) -> Result<Option<f64>, Error> {
    match function {
        Function::Median => median(values, guard),
        Function::Stddev => {
            let values: Vec<f64> = values.iter().map(|value| value.to_float()).collect();
            stddev(&values, guard).map(Some)
        }
        _ => Ok(None),
    }
}

/// `values` are not empty.
fn median<T: Number>(values: &mut [T], guard: &Guard) -> Result<Option<f64>, Error> {
    let middle = values.len() / 2;
    let high = nth(values, middle, guard)?;
    if !values.len().is_multiple_of(2) {
        return Ok(Some(high.to_float()));
    }
    let low = reduce(&values[..middle], guard, |l, r| if r > l { r } else { l })?;
    Ok(low.map(|low| low.to_float() + high.subtract(low).to_float() / 2.0))
}

fn order<T: Number>(left: &T, right: &T) -> Ordering {
    left.partial_cmp(right).unwrap_or(Ordering::Equal)
}

fn collect<T: Number>(cells: &Cells, values: &[T], runs: &Runs<'_>, lists: &mut Windowed<Vec<T>>) {
    let is_dense = cells.is_dense();
    for (window, rows) in &runs.runs {
        let list = lists.cell(*window);
        match runs.passing {
            None if is_dense => list.extend_from_slice(&values[rows.clone()]),
            None => list.extend(
                rows.clone()
                    .filter(|r| cells.is_valid(*r))
                    .map(|r| values[r]),
            ),
            Some(passing) => {
                let rows = passing[rows.clone()].iter().map(|row| *row as usize);
                list.extend(
                    rows.filter(|row| cells.is_valid(*row))
                        .map(|row| values[row]),
                );
            }
        }
    }
}

/// A layer's result as the layer above takes it: means times their weights, from 2 on.
fn upper<T: Number>(function: Aggregate, partial: Partial<T>) -> Partial<f64> {
    let mut value = partial.value.to_float();
    if function == Aggregate::Mean {
        value = mean(value, partial.count);
        if partial.count >= 2 {
            value *= partial.count as f64;
        }
    }
    Partial {
        count: partial.count,
        value,
        time: partial.time,
    }
}

pub(super) fn mean(sum: f64, count: u64) -> f64 {
    sum / count as f64
}

/// Counts the values of each window.
pub(super) fn count_rows(cells: &Cells, runs: &Runs<'_>, into: &mut impl Sink<i64>) {
    let is_dense = cells.is_dense();
    for (window, rows) in &runs.runs {
        let count = match runs.passing {
            _ if is_dense => rows.len(),
            None => rows.clone().filter(|row| cells.is_valid(*row)).count(),
            Some(passing) => passing[rows.clone()]
                .iter()
                .filter(|row| cells.is_valid(**row as usize))
                .count(),
        };
        if count > 0 {
            into.partial(*window).count += count as u64;
        }
    }
}

/// Folds the values of each window. Sums go on from what is there, so that they do not depend on
/// where slices end.
pub(super) fn add_rows<T: Number>(
    function: Aggregate,
    cells: &Cells,
    values: &[T],
    times: &[i64],
    runs: &Runs<'_>,
    into: &mut impl Sink<T>,
) {
    let is_dense = cells.is_dense();
    let is_sum = matches!(function, Aggregate::Sum | Aggregate::Mean);
    let time = |row: usize| times.get(row).copied().unwrap_or_default();
    for (window, rows) in &runs.runs {
        let partial = into.partial(*window);
        match runs.passing {
            None if is_dense && is_sum => {
                let values = &values[rows.clone()];
                partial.value = values
                    .iter()
                    .fold(partial.value, |sum, value| sum.add(*value));
                partial.count += values.len() as u64;
            }
            None if is_dense => {
                let selected = select_dense(function, &values[rows.clone()]);
                let (value, count) = (values[rows.start + selected], rows.len() as u64);
                let time = time(rows.start + selected);
                partial.combine(function, Partial { count, value, time });
            }
            None => add_each(function, values, rows.clone(), cells, &time, partial),
            Some(passing) => {
                let rows = passing[rows.clone()].iter().map(|row| *row as usize);
                add_each(function, values, rows, cells, &time, partial);
            }
        }
    }
}

/// The position of what a selector takes from values without nulls.
fn select_dense<T: Number>(function: Aggregate, values: &[T]) -> usize {
    match function {
        Aggregate::Min => position(values, |value, best| value < best),
        Aggregate::Max => position(values, |value, best| value > best),
        Aggregate::Last => values.len() - 1,
        _ => 0,
    }
}

/// The position of the first best value.
fn position<T: Number>(values: &[T], is_better: impl Fn(T, T) -> bool) -> usize {
    let mut at = 0;
    let mut best = values[0];
    for (row, value) in values.iter().enumerate().skip(1) {
        if is_better(*value, best) {
            (at, best) = (row, *value);
        }
    }
    at
}

/// Rows with nulls, or some of the rows.
fn add_each<T: Number>(
    function: Aggregate,
    values: &[T],
    rows: impl Iterator<Item = usize>,
    cells: &Cells,
    time: &impl Fn(usize) -> i64,
    partial: &mut Partial<T>,
) {
    for row in rows.filter(|row| cells.is_valid(*row)) {
        if matches!(function, Aggregate::Sum | Aggregate::Mean) {
            partial.value = partial.value.add(values[row]);
            partial.count += 1;
        } else {
            let (value, time) = (values[row], time(row));
            partial.combine(
                function,
                Partial {
                    count: 1,
                    value,
                    time,
                },
            );
        }
    }
}
