//! Reading: immutable views of a bucket, series selection, and the scan that yields sorted series
//! slices as Arrow arrays.
//!
//! `view` says what there is at a moment; `select` and `stream` which series; `read` and `limit` (series after
//! series) or `cursor` (side by side) which rows of which source; `reader` reads them;
//! [`crate::run`] which of two rows wins.

mod cursor;
mod footprint;
mod handle;
mod limit;
mod liveness;
mod read;
mod reader;
mod select;
mod snapshot;
mod stream;
mod view;

pub use cursor::Cursors;
pub use handle::{CursorRequest, ScanRequest, SeriesHandle, SeriesSlices, Slice};
pub use read::Scan;
pub use snapshot::{Partition, Snapshot};
pub(crate) use stream::{SeriesSet, SeriesStream, collect_series, identity};
pub(crate) use view::{BucketView, FileSource, PartitionView, Source};
