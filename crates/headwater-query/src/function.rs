//! Pure kernels of functions: numbers and points in, numbers and points out. What plans call them
//! on, and in which window, is `execute`'s business. The rules are `spec/influxql/functions.md`
//! §3–§8; results are to equal the reference's to the last bit, so expressions keep its order of
//! evaluation even where another would read better.

pub(crate) mod holt_winters;
pub(crate) mod integral;
pub(crate) mod math;
mod technical;
pub(crate) mod transform;

#[cfg(test)]
mod tests;

use headwater_model::FieldType;

/// The error of a function that cannot take values of type `input`, in the reference's words.
pub(crate) fn unsupported(function: &str, input: FieldType) -> String {
    format!("unsupported {function} iterator type: *query.{input}InterruptIterator")
}
