//! Names, time, values, points, series keys and line protocol. Pure: no I/O, no clock, no async.

mod id;
pub mod line_protocol;
mod series;
mod time;
mod value;

pub use id::{Id, IdError};
pub use series::{SeriesKey, escape_measurement, escape_tag};
pub use time::{MAX_TIME, MIN_TIME, Precision, TimeRange};
pub use value::{FieldType, Value};
