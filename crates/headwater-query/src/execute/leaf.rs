//! A measurement in FROM, opened: its partitions, the series that the condition leaves, sorted
//! into the output groups; and the scans of one group.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    ops::Range,
    rc::Rc,
    sync::Arc,
};

use arrow_array::{Array as _, ArrayRef, cast::AsArray as _};
use headwater_influxql::ast::{DataType, Expr, VarRef};
use headwater_model::{FieldType, Id, SeriesKey, TimeRange};
use headwater_storage::{SeriesHandle, SeriesSlices, Slice};

use super::{
    ExecuteContext,
    cells::Cells,
    feed::Feed,
    filter::Filter,
    opened::Group,
    point::{Tags, tags_of},
    sort,
    source::{Scan, Shard, Source},
};
use crate::{
    condition::{self, Residual},
    error::Error,
    guard::{Guard, Held, SERIES_UNITS},
    plan::{ColumnKind, ColumnRef, SelectPlan},
    profile::Operator,
};

/// Values of series that are held at once; where there may be more, they are read side by side.
const HELD_VALUES: u64 = 1 << 20;

/// Values that are read in the time that a unit of other work takes.
const VALUES_PER_UNIT: u64 = 4;

/// One measurement source of one SELECT.
pub(super) struct Leaf {
    pub(super) name: Arc<str>,
    pub(super) shards: Vec<LeafShard>,
}

pub(super) struct LeafShard {
    pub(super) shard: Box<dyn Shard>,
    pub(super) series: Vec<LeafSeries>,
    /// Positions in `series` by the values of `dims`, ascending by key; SLIMIT and SOFFSET have
    /// been applied.
    pub(super) groups: BTreeMap<Tags, Vec<usize>>,
    /// Whether the index left any series, though the condition may never be true for them.
    has_selected: bool,
    /// The columns that conditions read, and the types they are read under.
    condition_columns: Rc<[(Arc<str>, FieldType)]>,
    /// Rows outside are never read, however far a transformation reaches back
    /// (`SelectPlan::partition_range`).
    readable: TimeRange,
    /// For the series.
    held: Held,
}

/// About what a series takes beside its key: here, in the list of the partition, and in readers.
const SERIES_BYTES: usize = size_of::<LeafSeries>() + size_of::<SeriesHandle>() + 32;
/// About what a group takes.
const GROUP_BYTES: usize = 64;

pub(super) struct LeafSeries {
    pub(super) key: SeriesKey,
    /// Position in the list of the shard's `select`.
    position: usize,
    filter: Option<Rc<Filter>>,
}

/// The rows of series, in the order of the request; series without rows may be missing.
type LeafScan<'a> = Box<dyn Iterator<Item = Result<SeriesRows, Error>> + 'a>;

/// The scans of one shard, group after group: one scan over the series of all groups that are
/// not large. A large group, or one that may not be needed at all, is read for itself.
pub(super) struct GroupReader<'a> {
    shard: &'a LeafShard,
    groups: &'a [Group],
    columns: Rc<[ColumnRef]>,
    read: ReadRequest,
    /// Of each group, where its series are; empty until the first is asked for.
    places: Vec<GroupPlace>,
    unit: ReadUnit,
    /// The series of the groups that are not large, in their order.
    series: Vec<usize>,
    scan: Option<Peekable<LeafScan<'a>>>,
}

/// Where the series of a group are.
#[derive(Debug, Clone)]
enum GroupPlace {
    /// In `GroupReader::series`.
    Together(Range<usize>),
    /// They are read for themselves.
    Large,
}

/// What must not be large for a group to be read together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadUnit {
    /// All of its series, since they are merged.
    Group,
    /// Each one of its series, since they come one after the other.
    Series,
}

impl<'a> GroupReader<'a> {
    /// `groups` in the order in which they will be read; those of other measurements are empty
    /// here because their tags are those of another shard.
    pub(super) fn new(
        shard: &'a LeafShard,
        groups: &'a [Group],
        columns: Rc<[ColumnRef]>,
        read: ReadRequest,
        unit: ReadUnit,
    ) -> Self {
        Self {
            shard,
            groups,
            columns,
            read,
            places: Vec::new(),
            unit,
            series: Vec::new(),
            scan: None,
        }
    }

    fn place(&mut self, at: usize, guard: &Guard) -> Result<GroupPlace, Error> {
        if self.places.is_empty() {
            self.places.reserve(self.groups.len());
            for group in self.groups {
                let of_group = self.shard.groups.get(&group.dims);
                let of_group = of_group.map_or(&[][..], Vec::as_slice);
                guard.work(1 + of_group.len())?;
                let columns = self.columns.len();
                let is_large = |part: &[usize]| self.shard.is_large(part, columns, &self.read);
                let is_large = match self.unit {
                    ReadUnit::Group => is_large(of_group),
                    ReadUnit::Series => of_group.chunks(1).any(is_large),
                };
                self.places.push(if is_large {
                    GroupPlace::Large
                } else {
                    let start = self.series.len();
                    self.series.extend(of_group);
                    GroupPlace::Together(start..self.series.len())
                });
            }
        }
        Ok(self.places[at].clone())
    }

    /// Visits the rows of the group at a position, series by series in the order of their keys;
    /// a large series comes in parts. Without `is_alone` groups must be asked for in ascending
    /// order.
    pub(super) fn each(
        &mut self,
        at: usize,
        is_alone: bool,
        context: &ExecuteContext<'_>,
        visit: &mut dyn FnMut(SeriesRows) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.shard.shard.range().overlaps(self.read.range) {
            return Ok(());
        }
        let place = match self.place(at, &context.guard)? {
            GroupPlace::Large => return self.each_large(at, visit),
            GroupPlace::Together(place) => place,
        };
        if place.is_empty() {
            return Ok(());
        }
        if is_alone {
            for rows in self
                .shard
                .read(&self.series[place], &self.columns, self.read)?
            {
                visit(rows?)?;
            }
            return Ok(());
        }
        let scan = match &mut self.scan {
            Some(scan) => scan,
            none => {
                let scan = self.shard.read(&self.series, &self.columns, self.read)?;
                none.insert(scan.peekable())
            }
        };
        while let Some(rows) = scan.next_if(|rows| match rows {
            Ok(rows) => rows.index < place.end,
            Err(_) => true,
        }) {
            let rows = rows?;
            if rows.index >= place.start {
                visit(rows)?;
            }
        }
        Ok(())
    }

    /// A large group: one series after the other, each in parts.
    fn each_large(
        &self,
        at: usize,
        visit: &mut dyn FnMut(SeriesRows) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let ascending = ReadRequest {
            ascending: true,
            limit: None,
            ..self.read
        };
        for &series in self.large(at) {
            let mut feed = self.shard.feed(&[series], &self.columns, ascending)?;
            let mut is_last = false;
            while !is_last {
                let rows = feed.next(0)?;
                is_last = rows.is_none();
                visit(SeriesRows {
                    index: 0,
                    series,
                    slices: rows.into_iter().collect(),
                    is_last,
                })?;
            }
        }
        Ok(())
    }

    /// The rows of the group at a position, side by side.
    pub(super) fn feed(
        &mut self,
        at: usize,
        is_alone: bool,
        context: &ExecuteContext<'_>,
    ) -> Result<Feed<'a>, Error> {
        let (shard, columns, read) = (self.shard, Rc::clone(&self.columns), self.read);
        let is_wanted = shard.shard.range().overlaps(read.range);
        if is_wanted && matches!(self.place(at, &context.guard)?, GroupPlace::Large) {
            return shard.feed(self.large(at), &columns, read);
        }
        let mut rows = Vec::new();
        self.each(at, is_alone, context, &mut |one| {
            rows.push(one);
            Ok(())
        })?;
        Ok(Feed::of(rows, read.ascending))
    }

    fn large(&self, at: usize) -> &'a [usize] {
        let series = self.shard.groups.get(&self.groups[at].dims);
        series.map_or(&[], Vec::as_slice)
    }
}

/// The rows of one series in one shard, cut down to those that the condition lets pass.
pub(super) struct SeriesRows {
    /// Position in the request.
    pub(super) index: usize,
    /// Position in `LeafShard::series`.
    pub(super) series: usize,
    pub(super) slices: Vec<Rows>,
    /// No more rows of the series follow.
    pub(super) is_last: bool,
}

/// A slice with its columns under the types they were asked for.
pub(super) struct Rows {
    pub(super) times: arrow_buffer::ScalarBuffer<i64>,
    /// As requested.
    pub(super) columns: Vec<Cells>,
    pub(super) rows: usize,
    /// The rows that pass the condition; `None`: all.
    pub(super) passing: Option<Vec<u32>>,
    /// As long as they are kept, their bytes count.
    _held: Held,
}

impl Leaf {
    /// Opens the partitions of a measurement that the request may read.
    pub(super) fn open(
        source: &dyn Source,
        plan: &SelectPlan,
        bucket: Id,
        name: &Arc<str>,
        guard: &Rc<Guard>,
    ) -> Result<Self, Error> {
        let shards = source
            .partitions(bucket, name, plan.partition_range)
            .into_iter()
            .map(|shard| LeafShard::open(shard, plan, name, guard))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: Arc::clone(name),
            shards,
        })
    }

    /// Whether any shard stores a readable column of this kind.
    pub(super) fn has_column(&self, column: &ColumnRef) -> bool {
        self.shards
            .iter()
            .any(|shard| shard.has_selected && shard.has_column(column))
    }
}

impl LeafShard {
    fn open(
        mut shard: Box<dyn Shard>,
        plan: &SelectPlan,
        measurement: &str,
        guard: &Rc<Guard>,
    ) -> Result<Self, Error> {
        guard.check()?;
        let mut held = Held::new(guard);
        // Fields of a resolved condition carry their types.
        let is_field = |_: &str| false;
        let condition = plan.condition.as_ref();
        let predicate =
            condition.and_then(|expr| condition::tag_prefilter(expr, measurement, &is_field));
        let _selecting = guard.enter(Operator::Select);
        let keys = shard.select(predicate.as_ref(), guard)?;
        let mut has_selected = !keys.is_empty();
        let mut columns: Vec<(Arc<str>, FieldType)> = Vec::new();
        let mut compiled: Vec<(Expr, Rc<Filter>)> = Vec::new();
        let mut series = Vec::with_capacity(keys.len());
        for (position, key) in keys.into_iter().enumerate() {
            guard.work(SERIES_UNITS)?;
            held.grow(SERIES_BYTES + key.as_str().len())?;
            let filter = match condition {
                None => None,
                Some(expr) => match condition::residual_for_series(expr, &key, &is_field) {
                    Residual::Never => continue,
                    Residual::Always => None,
                    Residual::Rows(expr) => Some(compile(expr, &mut columns, &mut compiled)),
                },
            };
            series.push(LeafSeries {
                key,
                position,
                filter,
            });
        }
        guard.check_series(series.len())?;
        let mut groups: BTreeMap<Tags, Vec<usize>> = BTreeMap::new();
        for (at, one) in series.iter().enumerate() {
            guard.work(SERIES_UNITS)?;
            let group = groups.entry(tags_of(&one.key, &plan.dims)).or_default();
            if group.is_empty() {
                held.grow(GROUP_BYTES + plan.dims.len() * size_of::<Arc<str>>())?;
            }
            group.push(at);
        }
        if plan.slimit > 0 || plan.soffset > 0 {
            let skipped = usize::try_from(plan.soffset).unwrap_or(usize::MAX);
            let kept = usize::try_from(plan.slimit).unwrap_or(usize::MAX);
            let mut order: Vec<(String, Tags)> = Vec::with_capacity(groups.len());
            for tags in groups.keys() {
                guard.work(1)?;
                order.push((slimit_key(&plan.dims, tags), Rc::clone(tags)));
            }
            sort::stable_sort(&mut order, |left, right| left.0.cmp(&right.0), guard)?;
            let order = order.into_iter().map(|(_, tags)| tags);
            let kept: BTreeSet<Tags> = order.skip(skipped).take(kept).collect();
            groups.retain(|tags, _| kept.contains(tags));
            has_selected &= plan.soffset == 0 || !groups.is_empty();
        }
        Ok(Self {
            shard,
            series,
            groups,
            has_selected,
            condition_columns: columns.into(),
            readable: plan.partition_range,
            held,
        })
    }

    /// Whether the shard stores a field that can be read under the column's type.
    pub(super) fn has_column(&self, column: &ColumnRef) -> bool {
        self.stored_type(column).is_some()
    }

    fn stored_type(&self, column: &ColumnRef) -> Option<(FieldType, FieldType)> {
        let ColumnKind::Field(wanted) = column.kind else {
            return None;
        };
        let stored = *self.shard.fields().get(&column.name)?;
        let fits = stored == wanted || (stored.is_numeric() && wanted.is_numeric());
        fits.then_some((stored, wanted))
    }

    /// Reads `columns` of the series at `series` (positions in `self.series`), in order. Columns
    /// that are tags cost nothing.
    pub(super) fn read<'a>(
        &'a self,
        series: &[usize],
        columns: &[ColumnRef],
        request: ReadRequest,
    ) -> Result<LeafScan<'a>, Error> {
        self.expect(series, columns.len(), &request)?;
        let shape = Shape::new(self, series, columns);
        let guard = self.held.guard();
        guard.check()?;
        let _scanning = guard.enter(Operator::Scan);
        let mut scan = self.shard.scan(&shape.request(request))?;
        let next = move || {
            let _scanning = guard.enter(Operator::Scan);
            scan.next()
        };
        let slices = std::iter::from_fn(next);
        Ok(Box::new(slices.map(move |slices| shape.rows(slices?))))
    }

    /// The same side by side.
    pub(super) fn feed<'a>(
        &'a self,
        series: &[usize],
        columns: &[ColumnRef],
        request: ReadRequest,
    ) -> Result<Feed<'a>, Error> {
        self.expect(series, columns.len(), &request)?;
        let shape = Shape::new(self, series, columns);
        let _scanning = self.held.guard().enter(Operator::Scan);
        let cursors = self
            .shard
            .cursors(&shape.request(request), request.ascending)?;
        Ok(Feed::new(shape, cursors, request.ascending))
    }

    /// Whether so many columns of a series, or of several together, are better not held at once.
    pub(super) fn is_large(&self, series: &[usize], columns: usize, request: &ReadRequest) -> bool {
        self.values_near(series, columns, request) > HELD_VALUES
    }

    /// Ends an attempt for which a request is too much, before anything is read.
    fn expect(&self, series: &[usize], columns: usize, request: &ReadRequest) -> Result<(), Error> {
        let units = self.values_near(series, columns, request) / VALUES_PER_UNIT;
        self.held
            .guard()
            .expect(usize::try_from(units).unwrap_or(usize::MAX))
    }

    /// About how many values a request reads.
    fn values_near(&self, series: &[usize], columns: usize, request: &ReadRequest) -> u64 {
        let range = request.range.intersect(self.readable);
        let rows_max = match request.limit {
            Some(limit) if series.iter().all(|at| self.series[*at].filter.is_none()) => limit,
            _ => usize::MAX,
        };
        let mut values: u64 = 0;
        for at in series {
            let rows = self.shard.rows_near(self.series[*at].position, range);
            let rows = rows.min(rows_max as u64);
            values = values.saturating_add(rows.saturating_mul(columns as u64 + 1));
        }
        values
    }
}

/// How the slices of some series become rows.
pub(super) struct Shape<'a> {
    shard: &'a LeafShard,
    /// Positions in `LeafShard::series`.
    series: Vec<usize>,
    /// The same as positions in the list of the shard's `select`.
    positions: Vec<usize>,
    columns: Vec<ColumnRef>,
    /// The fields that are read.
    names: Vec<Arc<str>>,
    wanted: Vec<Place>,
    conditions: Vec<Place>,
    has_filter: bool,
}

/// Which of the fields read a column is, its stored type and the one it is read under.
type Place = Option<(usize, FieldType, FieldType)>;

impl<'a> Shape<'a> {
    fn new(shard: &'a LeafShard, series: &[usize], columns: &[ColumnRef]) -> Self {
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut number = |name: &Arc<str>| {
            names
                .iter()
                .position(|other| other == name)
                .unwrap_or_else(|| {
                    names.push(Arc::clone(name));
                    names.len() - 1
                })
        };
        let wanted: Vec<Place> = columns
            .iter()
            .map(|column| {
                let (stored, wanted) = shard.stored_type(column)?;
                Some((number(&column.name), stored, wanted))
            })
            .collect();
        let has_filter = series.iter().any(|at| shard.series[*at].filter.is_some());
        let conditions: Vec<Place> = shard
            .condition_columns
            .iter()
            .filter(|_| has_filter)
            .map(|(name, wanted)| {
                let stored = *shard.shard.fields().get(name)?;
                Some((number(name), stored, *wanted))
            })
            .collect();
        Self {
            series: series.to_vec(),
            positions: series.iter().map(|at| shard.series[*at].position).collect(),
            columns: columns.to_vec(),
            names,
            wanted,
            conditions,
            has_filter,
            shard,
        }
    }

    /// Positions in `LeafShard::series`.
    pub(super) fn series(&self) -> &[usize] {
        &self.series
    }

    pub(super) fn guard(&self) -> &'a Rc<Guard> {
        self.shard.held.guard()
    }

    fn request(&self, request: ReadRequest) -> Scan<'_> {
        let limit = request.limit.filter(|_| !self.has_filter);
        Scan {
            series: &self.positions,
            columns: &self.names,
            range: request.range.intersect(self.shard.readable),
            with_times: request.with_times,
            ascending_limit: limit.filter(|_| request.ascending),
            descending_limit: limit.filter(|_| !request.ascending),
        }
    }

    pub(super) fn rows(&self, slices: SeriesSlices) -> Result<SeriesRows, Error> {
        let guard = self.shard.held.guard();
        guard.read_points(slices.slices.iter().map(Slice::rows).sum())?;
        let at = self.series[slices.index];
        let one = &self.shard.series[at];
        let tag = |column: &ColumnRef| match column.kind {
            ColumnKind::Tag => one.key.tag(&column.name).cloned(),
            _ => None,
        };
        let tags: Vec<Option<Arc<str>>> = self.columns.iter().map(tag).collect();
        let filter = one.filter.as_deref();
        let rows = slices
            .slices
            .into_iter()
            .map(|slice| Rows::new(slice, &self.wanted, &tags, &self.conditions, filter, guard))
            .filter(|rows| !matches!(rows, Ok(rows) if rows.passing_count() == 0));
        Ok(SeriesRows {
            index: slices.index,
            series: at,
            slices: rows.collect::<Result<_, Error>>()?,
            is_last: true,
        })
    }
}

/// How a group of a shard is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadRequest {
    pub(super) range: TimeRange,
    pub(super) with_times: bool,
    /// Only so many rows of each series are needed, in the direction of `ascending`.
    pub(super) limit: Option<usize>,
    pub(super) ascending: bool,
}

impl Rows {
    fn new(
        slice: Slice,
        wanted: &[Place],
        tags: &[Option<Arc<str>>],
        conditions: &[Place],
        filter: Option<&Filter>,
        guard: &Rc<Guard>,
    ) -> Result<Self, Error> {
        let rows = slice.rows();
        guard.work(rows)?;
        let arrays = slice
            .columns
            .iter()
            .flatten()
            .map(array_bytes)
            .sum::<usize>();
        let bytes = arrays + size_of_val(&*slice.times);
        let held = Held::of(guard, bytes)?;
        if let Some(profile) = guard.profile() {
            profile.count_rows(rows, bytes);
        }
        let field = |place: &Place| match place {
            Some((at, stored, wanted)) => {
                Cells::field(slice.columns[*at].as_ref(), *stored, *wanted)
            }
            None => Cells::Null,
        };
        let passing = filter.map(|filter| {
            let _filtering = guard.enter(Operator::Filter);
            let cells: Vec<Cells> = conditions.iter().map(field).collect();
            let mask = filter.mask(&cells, rows);
            (0u32..)
                .zip(mask)
                .filter(|(_, passes)| *passes)
                .map(|(row, _)| row)
                .collect()
        });
        let columns = wanted
            .iter()
            .zip(tags)
            .map(|(place, tag)| match tag {
                Some(tag) => Cells::Constant(Arc::clone(tag)),
                None => field(place),
            })
            .collect();
        Ok(Self {
            times: slice.times,
            columns,
            rows,
            passing,
            _held: held,
        })
    }

    /// How many rows pass the condition.
    fn passing_count(&self) -> usize {
        self.passing.as_ref().map_or(self.rows, Vec::len)
    }
}

/// The bytes of an array's values, of which all types but strings take about eight each.
fn array_bytes(array: &ArrayRef) -> usize {
    let text = array.as_string_opt::<i32>().map_or(0, |strings| {
        let offsets = strings.value_offsets();
        (offsets[strings.len()] - offsets[0]) as usize
    });
    text + array.len() * size_of::<i64>()
}

/// Compiles the residual of a series; most series share one, so that equal ones are made once.
fn compile(
    expr: Expr,
    columns: &mut Vec<(Arc<str>, FieldType)>,
    compiled: &mut Vec<(Expr, Rc<Filter>)>,
) -> Rc<Filter> {
    if let Some((_, filter)) = compiled
        .iter()
        .rev()
        .take(8)
        .find(|(known, _)| *known == expr)
    {
        return Rc::clone(filter);
    }
    let mut types: BTreeMap<&str, Option<DataType>> = BTreeMap::new();
    visit_names(&expr, &mut |var| {
        let known = types.entry(&var.name).or_insert(var.data_type);
        if rank(var.data_type) > rank(*known) {
            *known = var.data_type;
        }
    });
    let filter = Rc::new(Filter::compile(&expr, &mut |var| {
        let wanted = field_type(types.get(var.name.as_str()).copied().flatten()?)?;
        let known = columns
            .iter()
            .position(|(name, t)| **name == *var.name && *t == wanted);
        Some(known.unwrap_or_else(|| {
            columns.push((var.name.as_str().into(), wanted));
            columns.len() - 1
        }))
    }));
    compiled.push((expr, Rc::clone(&filter)));
    filter
}

fn field_type(data_type: DataType) -> Option<FieldType> {
    Some(match data_type {
        DataType::Float => FieldType::Float,
        DataType::Integer => FieldType::Integer,
        DataType::Unsigned => FieldType::Unsigned,
        DataType::String => FieldType::String,
        DataType::Boolean => FieldType::Boolean,
        DataType::Tag | DataType::AnyField => return None,
    })
}

/// A name has one value in a condition, even where it is cast to several types: the reference
/// reads them in this order and the last one stays.
fn rank(data_type: Option<DataType>) -> u8 {
    match data_type {
        None => 0,
        Some(DataType::Float) => 1,
        Some(DataType::Integer) => 2,
        Some(DataType::String) => 3,
        Some(DataType::Boolean) => 4,
        Some(DataType::Tag) => 5,
        Some(DataType::AnyField) => 6,
        Some(DataType::Unsigned) => 7,
    }
}

fn visit_names<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a VarRef)) {
    match expr {
        Expr::VarRef(var) => visit(var),
        Expr::Paren(inner) => visit_names(inner, visit),
        Expr::Binary(binary) => {
            visit_names(&binary.left, visit);
            visit_names(&binary.right, visit);
        }
        Expr::Call(call) => call.args.iter().for_each(|arg| visit_names(arg, visit)),
        _ => {}
    }
}

/// What SLIMIT and SOFFSET count in the order of: the keys that a tag set has, then their values.
fn slimit_key(dims: &[Arc<str>], tags: &Tags) -> String {
    let present = || {
        dims.iter()
            .zip(tags.iter())
            .filter(|(_, value)| !value.is_empty())
    };
    let keys = present().map(|(key, _)| &**key);
    let values = present().map(|(_, value)| &**value);
    keys.chain(values).collect::<Vec<_>>().join("|")
}
