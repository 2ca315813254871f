//! The buckets as one statement sees them: each is looked at once, so that the schema a statement
//! is resolved on is that of the data it reads.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use headwater_model::{Id, TimeRange};
use headwater_storage::{Engine, Partition, SeriesHandle, Snapshot, TagPredicate};

use crate::{
    Error,
    guard::{Guard, SERIES_UNITS},
    schema::{Columns, SchemaSource},
};

pub(crate) struct Snapshots {
    engine: Engine,
    guard: Rc<Guard>,
    taken: RefCell<BTreeMap<Id, Snapshot>>,
}

impl Snapshots {
    pub(crate) fn new(engine: Engine, guard: &Rc<Guard>) -> Self {
        Self {
            engine,
            guard: Rc::clone(guard),
            taken: RefCell::default(),
        }
    }

    pub(crate) fn get(&self, bucket: Id) -> Snapshot {
        self.taken
            .borrow_mut()
            .entry(bucket)
            .or_insert_with(|| self.engine.snapshot(bucket))
            .clone()
    }

    /// The snapshots taken so far.
    pub(crate) fn into_taken(self) -> BTreeMap<Id, Snapshot> {
        self.taken.into_inner()
    }
}

/// The series of a partition that satisfy a predicate, as long as the guard lets it look.
pub(crate) fn select_series(
    partition: &Partition,
    predicate: Option<&TagPredicate>,
    guard: &Guard,
) -> Result<Vec<SeriesHandle>, Error> {
    match partition.select_while(predicate, &|count| guard.work(SERIES_UNITS * count).is_ok()) {
        Err(headwater_storage::Error::Interrupted) => Err(Error::Interrupted),
        selected => Ok(selected?),
    }
}

impl SchemaSource for Snapshots {
    fn measurements(&self, bucket: Id, range: TimeRange) -> Result<Vec<Arc<str>>, Error> {
        let snapshot = self.get(bucket);
        let mut names = snapshot.measurements()?;
        if range != TimeRange::ALL {
            names.retain(|name| !snapshot.partitions(name, range).is_empty());
        }
        self.guard.work(names.len())?;
        Ok(names)
    }

    fn columns(&self, bucket: Id, measurement: &str, range: TimeRange) -> Result<Columns, Error> {
        self.guard.check()?;
        let mut columns = Columns::default();
        for partition in self.get(bucket).partitions(measurement, range) {
            for (name, field_type) in partition.fields() {
                columns.add_field(name, *field_type);
            }
            columns.tags.extend(partition.tag_keys().iter().cloned());
        }
        Ok(columns)
    }
}
