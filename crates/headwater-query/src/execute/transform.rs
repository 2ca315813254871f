//! Functions of a stream of points: transformations, `integral`, `holt_winters`, `count_hll`
//! (`spec/influxql/functions.md` §3, §5 to §7).

use headwater_model::FieldType;

use super::{point::Points, types, window::Windows};
use crate::{error::Error, plan::Transform};

/// Whether a transformation over windows reads one more window than its range.
pub(super) fn reads_more(function: Transform) -> bool {
    !matches!(function, Transform::CumulativeSum)
}

pub(super) fn stream<'a>(
    function: Transform,
    _field_type: Option<FieldType>,
    _ascending: bool,
    _points: Points<'a>,
) -> Result<Points<'a>, Error> {
    let name = types::transform_function_name(function);
    Err(Error::statement(format!("not supported yet: {name}()")))
}

pub(super) fn integral<'a>(
    _points: Points<'a>,
    _windows: Windows,
    _unit: i64,
    _field_type: Option<FieldType>,
    _ascending: bool,
) -> Result<Points<'a>, Error> {
    Err(Error::statement("not supported yet: integral()"))
}

pub(super) fn holt_winters<'a>(
    _points: Points<'a>,
    _every: i64,
    _forecasts: usize,
    _season: usize,
    _with_fit: bool,
) -> Result<Points<'a>, Error> {
    Err(Error::statement("not supported yet: holt_winters()"))
}

pub(super) fn count_hll<'a>(_points: Points<'a>, _windows: Windows) -> Result<Points<'a>, Error> {
    Err(Error::statement("not supported yet: count_hll()"))
}
