//! GROUP BY (`spec/influxql/semantics_select.md` §7).

use chrono_tz::Tz;
use headwater_influxql::ast::{Call, Expr};

use crate::{
    Error,
    fold::fold,
    plan::Window,
    time_string::{looks_like_time, parse_time},
};

/// The parts of a GROUP BY.
#[derive(Debug, Default)]
pub(super) struct Dimensions {
    /// Names, wildcards and regular expressions, as written.
    pub tags: Vec<Expr>,
    pub window: Window,
    /// Why the offset cannot be used, where that surfaces only after the types are checked.
    pub offset_error: Option<String>,
}

pub(super) fn compile(dimensions: &[Expr], now: i64, timezone: Tz) -> Result<Dimensions, Error> {
    let mut compiled = Dimensions::default();
    for dimension in dimensions {
        match fold(dimension, None) {
            Expr::VarRef(var) if var.name.eq_ignore_ascii_case("time") => {
                return Err(Error::statement(
                    "time() is a function and expects at least one argument",
                ));
            }
            Expr::Call(call) => time_dimension(&call, &mut compiled, now, timezone)?,
            tag @ (Expr::VarRef(_) | Expr::Wildcard(_) | Expr::Regex(_)) => {
                compiled.tags.push(tag);
            }
            _ => return Err(Error::statement("only time and tag dimensions allowed")),
        }
    }
    Ok(compiled)
}

fn time_dimension(
    call: &Call,
    compiled: &mut Dimensions,
    now: i64,
    timezone: Tz,
) -> Result<(), Error> {
    if call.name != "time" {
        return Err(Error::statement("only time() calls allowed in dimensions"));
    }
    let (every, offset) = match call.args.as_slice() {
        [every] => (every, None),
        [every, offset] => (every, Some(offset)),
        _ => return Err(Error::statement("time dimension expected 1 or 2 arguments")),
    };
    let Expr::Duration(every) = *every else {
        return Err(Error::statement(
            "time dimension must have duration argument",
        ));
    };
    if compiled.window.every != 0 {
        return Err(Error::statement("multiple time dimensions not allowed"));
    }
    compiled.window.every = every;
    let Some(offset) = offset else { return Ok(()) };
    compiled.window.offset = match offset {
        Expr::Duration(offset) => remainder(*offset, every)?,
        Expr::Call(call) if call.name != "now" => {
            return Err(Error::statement(
                "time dimension offset function must be now()",
            ));
        }
        Expr::Call(call) if !call.args.is_empty() => {
            return Err(Error::statement(
                "time dimension offset now() function requires no arguments",
            ));
        }
        Expr::Call(_) => remainder(now, every)?,
        Expr::String(text) if looks_like_time(text) => {
            parse_time(text, timezone)
                .ok_or_else(|| Error::statement("invalid timestamp string"))?;
            compiled.offset_error = Some(format!("invalid time dimension offset: {offset}"));
            0
        }
        _ => {
            return Err(Error::statement(
                "time dimension offset must be duration or now()",
            ));
        }
    };
    Ok(())
}

/// The remainder with the dividend's sign. The reference panics on a zero interval.
fn remainder(value: i64, every: i64) -> Result<i64, Error> {
    if every == 0 {
        return Err(Error::statement("integer divide by zero"));
    }
    Ok(value.wrapping_rem(every))
}
