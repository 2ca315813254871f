//! What resolution asks about databases and stored data. Two answerers: the catalog and storage,
//! and a fixed schema in tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use headwater_model::{FieldType, Id, TimeRange};

use crate::Error;

/// A retention policy of a database, as a mapping the caller may use says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub name: String,
    pub bucket: Id,
    pub is_default: bool,
}

/// The databases that the caller may read.
pub(crate) trait Databases {
    /// The mappings of a database, in mapping order; empty when there is none to be seen.
    fn policies(&self, database: &str) -> Vec<Policy>;
}

/// The names of one or several measurements within a time range.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Columns {
    /// Where partitions disagree about a field, the type that wins
    /// (`spec/influxql/semantics_select.md` §1).
    pub fields: BTreeMap<Arc<str>, FieldType>,
    pub tags: BTreeSet<Arc<str>>,
}

impl Columns {
    pub(crate) fn add_field(&mut self, name: &Arc<str>, field_type: FieldType) {
        self.fields
            .entry(Arc::clone(name))
            .and_modify(|known| *known = field_type.min(*known))
            .or_insert(field_type);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, field_type) in &other.fields {
            self.add_field(name, *field_type);
        }
        self.tags.extend(other.tags.iter().cloned());
    }
}

/// The schema of the stored data, by the partitions that overlap a time range.
pub(crate) trait SchemaSource {
    /// The measurements with live series, ascending.
    fn measurements(&self, bucket: Id, range: TimeRange) -> Result<Vec<Arc<str>>, Error>;

    /// The fields and tag keys of a measurement; empty when there is no such measurement.
    fn columns(&self, bucket: Id, measurement: &str, range: TimeRange) -> Result<Columns, Error>;
}
