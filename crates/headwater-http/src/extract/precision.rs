//! The unit of written timestamps and of `epoch` (`spec/write.md` §2, `spec/decisions.md` 7).

use headwater_model::Precision;

use super::params::Params;
use crate::error::Error;

/// `precision` of `/write`: every spelling, absent and empty are nanoseconds.
pub(crate) fn of_write(params: &Params) -> Result<Precision, Error> {
    match params.get_filled("precision") {
        None => Ok(Precision::default()),
        Some(name) => Precision::from_name(name).ok_or_else(|| {
            Error::invalid(
                "invalid precision; valid precision units are n, ns, u, us, µ, ms, s, m, and h",
            )
            .v1(format!(
                "invalid precision {name:?} (use n, u, ms, s, m or h)"
            ))
        }),
    }
}

/// `precision` of `/api/v2/write`, which knows four.
pub(crate) fn of_write_v2(params: &Params) -> Result<Precision, Error> {
    match params.get_filled("precision") {
        None => Ok(Precision::default()),
        Some(name @ ("ns" | "us" | "ms" | "s")) => {
            Ok(Precision::from_name(name).expect("these four are known"))
        }
        Some(_) => Err(Error::invalid(
            "invalid precision; valid precision units are ns, us, ms, and s",
        )),
    }
}

/// `epoch` of a query: `None` when absent, nanoseconds when unknown.
pub(crate) fn of_query(params: &Params) -> Option<Precision> {
    params
        .get_filled("epoch")
        .map(|name| Precision::from_name(name).unwrap_or_default())
}
