//! `GET /api/v2/export`: the points of a bucket as line protocol. A call of our own; InfluxDB has
//! none like it, and InfluxQL cannot tell all that a bucket holds.
//!
//! Parameters: `bucket` with `org` or `orgID` as `/api/v2/write` takes them, or `db` and `rp` as
//! `/query` does; `measurement`; `start` and `stop`, both inside, in RFC 3339 or as nanoseconds.

use std::{ops::ControlFlow, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use chrono::DateTime;
use flate2::{Compression, write::GzEncoder};
use headwater_catalog::{Access, Action, Authorization, Bucket, Permission};
use headwater_model::TimeRange;
use headwater_storage::Snapshot;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use super::target;
use crate::{
    answer::accepts_gzip,
    error::Error,
    extract::{
        credentials::{Caller, V1Caller},
        params::Params,
    },
    state::Shared,
};

/// How many pieces wait for a slow client.
const PIECES_AHEAD: usize = 4;

pub(crate) async fn export(
    State(shared): State<Shared>,
    V1Caller(authorization): V1Caller,
    url: Params,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let bucket = bucket(&shared, authorization, &url)?;
    let range = TimeRange {
        start: time(&url, "start", TimeRange::ALL.start)?,
        end: time(&url, "stop", TimeRange::ALL.end)?,
    };
    let measurement = url.get_filled("measurement").map(str::to_owned);
    let snapshot = shared.engine.snapshot(bucket.id);
    let gzip = accepts_gzip(&headers);
    let (sender, pieces) = channel(PIECES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let pieces = Pieces { sender, gzip };
        pieces.send_all(&snapshot, measurement.as_deref(), range);
    });
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(pieces)));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The bucket that is asked for, which the caller may read.
fn bucket(
    shared: &Shared,
    authorization: Arc<Authorization>,
    url: &Params,
) -> Result<Arc<Bucket>, Error> {
    let state = shared.catalog.state();
    let bucket = if let Some(bucket) = url.get_filled("bucket") {
        let caller = Caller { authorization };
        let organization = target::organization(&state, url, &caller)?;
        let bucket = target::bucket(&state, organization, bucket)?;
        caller.require(Permission::bucket(Action::Read, bucket.org_id, bucket.id))?;
        bucket
    } else {
        let database = url
            .get_filled("db")
            .ok_or_else(|| Error::invalid("Please provide either bucket or db"))?;
        let policy = url.get_filled("rp");
        let mapping = state.resolve(&authorization, Access::Read, database, policy);
        let mapping = mapping.ok_or(headwater_catalog::Error::NoMapping)?;
        Arc::clone(state.require_bucket(mapping.bucket_id)?)
    };
    Ok(bucket)
}

/// Nanoseconds since 1970; dates beyond what a point may have are cut to that.
fn time(url: &Params, name: &str, default: i64) -> Result<i64, Error> {
    let Some(text) = url.get_filled(name) else {
        return Ok(default);
    };
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let date = DateTime::parse_from_rfc3339(text).map_err(|_| {
        Error::invalid(format!(
            "invalid {name} {text:?}: neither RFC 3339 nor nanoseconds"
        ))
    })?;
    let cut = match date.timestamp() < 0 {
        true => TimeRange::ALL.start,
        false => TimeRange::ALL.end,
    };
    Ok(date.timestamp_nanos_opt().unwrap_or(cut))
}

/// The text on its way to the client. One that goes away stops the reading.
struct Pieces {
    sender: Sender<Result<Bytes, String>>,
    gzip: bool,
}

impl Pieces {
    fn send_all(self, snapshot: &Snapshot, measurement: Option<&str>, range: TimeRange) {
        let mut encoder = self
            .gzip
            .then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        let mut sink = |piece: Vec<u8>| {
            let piece = match &mut encoder {
                Some(encoder) => {
                    use std::io::Write;
                    encoder
                        .write_all(&piece)
                        .expect("a vector takes every byte");
                    std::mem::take(encoder.get_mut())
                }
                None => piece,
            };
            let sent = piece.is_empty() || self.sender.blocking_send(Ok(piece.into())).is_ok();
            match sent {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        };
        let last = match snapshot.export(measurement, range, &mut sink) {
            Ok(()) => encoder.map(|encoder| {
                let rest = encoder.finish().expect("a vector takes every byte");
                Ok(Bytes::from(rest))
            }),
            Err(error) => {
                tracing::error!(%error, "an export stopped");
                // Breaks the connection, so that the client cannot take it for the end.
                Some(Err(error.to_string()))
            }
        };
        if let Some(last) = last {
            // Nobody may be left to take it.
            let _ = self.sender.blocking_send(last);
        }
    }
}
