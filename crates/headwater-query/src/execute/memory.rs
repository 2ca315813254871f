//! A database in memory, filled from line protocol: the twin of storage for tests.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};
use headwater_model::{
    FieldType, Id, Precision, SeriesKey, TimeRange, Value,
    line_protocol::{self, FieldValue},
};
use headwater_storage::{SeriesSlices, Slice, TagPredicate};

use super::source::{Scan, SeriesCursors, SeriesScan, Shard, Source};
use crate::{
    error::Error,
    guard::Guard,
    schema::{Columns, Databases, Policy, SchemaSource},
};

/// Seconds from the first day of year 1, which shards are aligned to, to 1970.
const YEAR_ONE_SECONDS: i128 = 62_135_596_800;

#[derive(Default)]
pub(super) struct Memory {
    policies: BTreeMap<String, Vec<Policy>>,
    buckets: RefCell<BTreeMap<Id, Bucket>>,
}

#[derive(Default)]
struct Bucket {
    shard_duration: i64,
    measurements: BTreeMap<String, BTreeMap<i64, Arc<ShardData>>>,
}

type SeriesRows = BTreeMap<i64, BTreeMap<Arc<str>, Value>>;

#[derive(Default, Clone)]
struct ShardData {
    range: Option<TimeRange>,
    fields: BTreeMap<Arc<str>, FieldType>,
    series: BTreeMap<SeriesKey, SeriesRows>,
}

impl Memory {
    pub(super) fn create(
        &mut self,
        database: &str,
        policy: &str,
        is_default: bool,
        shard_duration: i64,
    ) -> Id {
        let count = self.buckets.borrow().len() as u64;
        let bucket = Id::new(count + 1).unwrap();
        let data = Bucket {
            shard_duration,
            ..Bucket::default()
        };
        self.buckets.borrow_mut().insert(bucket, data);
        self.policies
            .entry(database.to_owned())
            .or_default()
            .push(Policy {
                name: policy.to_owned(),
                bucket,
                is_default,
            });
        bucket
    }

    pub(super) fn write(&self, bucket: Id, lines: &str, precision: Precision) {
        let batch = line_protocol::parse(lines.as_bytes(), precision, 0).unwrap();
        let mut buckets = self.buckets.borrow_mut();
        let bucket = buckets.get_mut(&bucket).unwrap();
        for point in &batch.points {
            let key = line_protocol::series_key(point.series);
            let d = i128::from(bucket.shard_duration);
            let shift = YEAR_ONE_SECONDS * 1_000_000_000;
            let start = (i128::from(point.time) + shift).div_euclid(d) * d - shift;
            let start = i64::try_from(start.max(i128::from(i64::MIN))).unwrap();
            let shards = bucket
                .measurements
                .entry(key.measurement().to_string())
                .or_default();
            let shard = Arc::make_mut(shards.entry(start).or_default());
            let end = i64::try_from(i128::from(start) + d - 1).unwrap_or(i64::MAX);
            shard.range = Some(TimeRange::new(start, end));
            let row = shard
                .series
                .entry(key)
                .or_default()
                .entry(point.time)
                .or_default();
            for field in batch.fields_of(point) {
                let name: Arc<str> = line_protocol::unescape_field_key(field.key).as_ref().into();
                let field_type = field.value.field_type();
                let known = *shard.fields.entry(Arc::clone(&name)).or_insert(field_type);
                if known == field_type {
                    row.insert(name, value(field.value));
                }
            }
        }
    }

    fn shards(&self, bucket: Id, measurement: &str, range: TimeRange) -> Vec<Arc<ShardData>> {
        let buckets = self.buckets.borrow();
        let Some(shards) = buckets
            .get(&bucket)
            .and_then(|b| b.measurements.get(measurement))
        else {
            return Vec::new();
        };
        shards
            .values()
            .filter(|shard| shard.range.is_some_and(|r| r.overlaps(range)))
            .cloned()
            .collect()
    }
}

fn value(value: FieldValue<'_>) -> Value {
    match value {
        FieldValue::Float(v) => Value::Float(v),
        FieldValue::Integer(v) => Value::Integer(v),
        FieldValue::Unsigned(v) => Value::Unsigned(v),
        FieldValue::Boolean(v) => Value::Boolean(v),
        FieldValue::String(v, _) => {
            Value::String(line_protocol::unescape_string(v).as_ref().into())
        }
    }
}

impl Source for Memory {
    fn partitions(&self, bucket: Id, measurement: &str, range: TimeRange) -> Vec<Box<dyn Shard>> {
        self.shards(bucket, measurement, range)
            .into_iter()
            .map(|data| {
                Box::new(MemoryShard {
                    data,
                    selected: Vec::new(),
                }) as Box<dyn Shard>
            })
            .collect()
    }
}

impl Databases for Memory {
    fn policies(&self, database: &str) -> Vec<Policy> {
        self.policies.get(database).cloned().unwrap_or_default()
    }
}

impl SchemaSource for Memory {
    fn measurements(&self, bucket: Id, range: TimeRange) -> Result<Vec<Arc<str>>, Error> {
        let names: Vec<String> = match self.buckets.borrow().get(&bucket) {
            Some(bucket) => bucket.measurements.keys().cloned().collect(),
            None => Vec::new(),
        };
        Ok(names
            .into_iter()
            .filter(|name| !self.shards(bucket, name, range).is_empty())
            .map(Arc::from)
            .collect())
    }

    fn columns(&self, bucket: Id, measurement: &str, range: TimeRange) -> Result<Columns, Error> {
        let mut columns = Columns::default();
        for shard in self.shards(bucket, measurement, range) {
            shard
                .fields
                .iter()
                .for_each(|(name, t)| columns.add_field(name, *t));
            let tags: BTreeSet<Arc<str>> = shard
                .series
                .keys()
                .flat_map(|key| key.tags().iter().map(|(name, _)| Arc::clone(name)))
                .collect();
            columns.tags.extend(tags);
        }
        Ok(columns)
    }
}

fn matches(predicate: Option<&TagPredicate>, key: &SeriesKey) -> bool {
    predicate.is_none_or(|p| p.matches(&|tag: &str| key.tag(tag).map_or("", |v| v)))
}

struct MemoryShard {
    data: Arc<ShardData>,
    selected: Vec<SeriesKey>,
}

impl Shard for MemoryShard {
    fn range(&self) -> TimeRange {
        self.data.range.unwrap()
    }

    fn fields(&self) -> &BTreeMap<Arc<str>, FieldType> {
        &self.data.fields
    }

    fn select(
        &mut self,
        predicate: Option<&TagPredicate>,
        _: &Guard,
    ) -> Result<Vec<SeriesKey>, Error> {
        self.selected = self
            .data
            .series
            .keys()
            .filter(|key| matches(predicate, key))
            .cloned()
            .collect();
        Ok(self.selected.clone())
    }

    /// Series of some rows count as huge, so that tests see both ways of reading.
    fn rows_near(&self, position: usize, range: TimeRange) -> u64 {
        let rows = &self.data.series[&self.selected[position]];
        let count = rows.keys().filter(|time| range.contains(**time)).count();
        if (4..1000).contains(&count) {
            u64::MAX
        } else {
            count as u64
        }
    }

    /// Every series in slices of two rows, so that tests see what slicing may break.
    fn scan(&self, request: &Scan<'_>) -> Result<SeriesScan, Error> {
        let mut answer = Vec::new();
        for index in 0..request.series.len() {
            let slices = self.slices(request, index);
            answer.push(Ok(SeriesSlices { index, slices }));
        }
        Ok(Box::new(answer.into_iter()))
    }

    /// One slice at a time.
    fn cursors(
        &self,
        request: &Scan<'_>,
        ascending: bool,
    ) -> Result<Box<dyn SeriesCursors>, Error> {
        let series = (0..request.series.len()).map(|index| {
            let mut slices = self.slices(request, index);
            if ascending {
                slices.reverse();
            }
            slices
        });
        Ok(Box::new(MemoryCursors(series.collect())))
    }
}

/// What is left of each series, the next slice last.
struct MemoryCursors(Vec<Vec<Slice>>);

impl SeriesCursors for MemoryCursors {
    fn read(&mut self, series: &[usize]) -> Result<Vec<SeriesSlices>, Error> {
        let next = |index: &usize| {
            let slices = vec![self.0[*index].pop()?];
            Some(SeriesSlices {
                index: *index,
                slices,
            })
        };
        Ok(series.iter().filter_map(next).collect())
    }
}

impl MemoryShard {
    fn slices(&self, request: &Scan<'_>, index: usize) -> Vec<Slice> {
        let rows = &self.data.series[&self.selected[request.series[index]]];
        let rows: Vec<_> = rows
            .iter()
            .filter(|(time, _)| request.range.contains(**time))
            .filter(|(_, row)| request.columns.iter().any(|name| row.contains_key(name)))
            .collect();
        let mut rows = &rows[..];
        if let Some(limit) = request.ascending_limit {
            rows = &rows[..limit.min(rows.len())];
        }
        if let Some(limit) = request.descending_limit {
            rows = &rows[rows.len().saturating_sub(limit)..];
        }
        rows.chunks(2)
            .map(|rows| Slice {
                times: rows
                    .iter()
                    .map(|(time, _)| **time)
                    .collect::<Vec<_>>()
                    .into(),
                columns: request
                    .columns
                    .iter()
                    .map(|name| {
                        let field_type = self.data.fields.get(name)?;
                        let cells: Vec<_> = rows.iter().map(|(_, row)| row.get(name)).collect();
                        array(*field_type, &cells)
                    })
                    .collect(),
            })
            .collect()
    }
}

fn array(field_type: FieldType, cells: &[Option<&Value>]) -> Option<ArrayRef> {
    if cells.iter().all(Option::is_none) {
        return None;
    }
    macro_rules! column {
        ($array:ty, $variant:ident) => {{
            let values = cells.iter().map(|cell| match cell {
                Some(Value::$variant(v)) => Some(v.clone()),
                _ => None,
            });
            Arc::new(values.collect::<$array>()) as ArrayRef
        }};
    }
    Some(match field_type {
        FieldType::Float => column!(Float64Array, Float),
        FieldType::Integer => column!(Int64Array, Integer),
        FieldType::Unsigned => column!(UInt64Array, Unsigned),
        FieldType::String => column!(StringArray, String),
        FieldType::Boolean => column!(BooleanArray, Boolean),
    })
}
