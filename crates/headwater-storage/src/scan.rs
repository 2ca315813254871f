//! Reading: immutable views of a bucket, series selection, and the scan that yields sorted series
//! slices as Arrow arrays.
//!
//! `view` says what there is at a moment; `select` which series; `limit` and `read` which rows
//! of which source; [`crate::run`] which of two rows wins.

mod footprint;
mod handle;
mod limit;
mod liveness;
mod read;
mod select;
mod snapshot;
mod view;

pub use handle::{ScanRequest, SeriesHandle, SeriesSlices, Slice};
pub use read::Scan;
pub use snapshot::{Partition, Snapshot};
pub(crate) use view::{BucketView, FileSource, PartitionView, Source};
