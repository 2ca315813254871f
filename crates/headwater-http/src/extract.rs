//! What handlers take from a request: credentials, parameters, precision, body. Each has its own
//! rejection.

pub(crate) mod body;
pub(crate) mod credentials;
pub(crate) mod id;
pub(crate) mod paging;
pub(crate) mod params;
pub(crate) mod precision;
