//! What columns a data file has, and what they are called inside Parquet.

use std::sync::Arc;

use headwater_model::FieldType;

/// The measurement and the columns of one data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSchema {
    pub(crate) measurement: Arc<str>,
    /// Sorted, distinct.
    pub(crate) tag_keys: Vec<Arc<str>>,
    /// Sorted by name, distinct.
    pub(crate) fields: Vec<(Arc<str>, FieldType)>,
}
