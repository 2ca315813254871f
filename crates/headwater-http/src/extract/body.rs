//! Request bodies: how much is read, and what is unpacked (`spec/write.md` §6).

use std::io::{ErrorKind, Read};

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::{
    error::{Code, Error},
    state::Shared,
};

/// What a gzip stream cannot be shorter than.
const GZIP_HEADER_BYTES: usize = 10;

/// The body of a write, read as far as the checks before it need.
#[derive(Debug)]
pub(crate) struct WriteBody {
    body: Body,
    start: Option<Bytes>,
    gzip: bool,
}

impl WriteBody {
    /// Takes `body`; of a gzip one the header is read and checked.
    pub(crate) async fn open(body: Body, headers: &HeaderMap) -> Result<Self, Error> {
        let gzip = is_gzip(headers);
        let mut this = Self {
            body,
            start: None,
            gzip,
        };
        if gzip {
            let mut start = BytesMut::new();
            while start.len() < GZIP_HEADER_BYTES
                && let Some(frame) = next_data(&mut this.body).await?
            {
                start.extend_from_slice(&frame);
            }
            if !start.starts_with(&[0x1f, 0x8b, 8]) {
                return Err(unreadable("gzip: invalid header"));
            }
            this.start = Some(start.freeze());
        }
        Ok(this)
    }

    /// The whole body, unpacked. `received_max` limits what comes over the wire,
    /// `unpacked_max` what it becomes, both in bytes.
    pub(crate) async fn read(
        mut self,
        received_max: usize,
        unpacked_max: usize,
    ) -> Result<Bytes, Error> {
        let received = read_to_end(&mut self.body, self.start.take(), received_max)
            .await?
            .ok_or_else(too_large)?;
        if !self.gzip {
            return Ok(received);
        }
        tokio::task::spawn_blocking(move || gunzip(&received, unpacked_max))
            .await
            .map_err(Error::internal)?
            .map(Bytes::from)
    }
}

fn is_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|value| value == "gzip" || value == "x-gzip")
}

/// Reads a body of at most `bytes_max` bytes.
pub(crate) async fn read(mut body: Body, bytes_max: usize) -> Result<Bytes, Error> {
    read_to_end(&mut body, None, bytes_max)
        .await?
        .ok_or_else(|| Error::new(Code::TooLarge, "http: request body too large"))
}

/// Decodes a JSON body; `prefix` begins the message when that fails. An empty body is an error.
pub(crate) async fn read_json<T: DeserializeOwned>(
    shared: &Shared,
    body: Body,
    prefix: &str,
) -> Result<T, Error> {
    let bytes = read(body, shared.settings.body_bytes_max).await?;
    decode_json(&bytes, prefix)
}

fn decode_json<T: DeserializeOwned>(bytes: &[u8], prefix: &str) -> Result<T, Error> {
    // Only the first value counts, as with the reference's decoder.
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter();
    match values.next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(Error::invalid(format!("{prefix}{error}"))),
        None => Err(Error::invalid(format!("{prefix}EOF"))),
    }
}

/// `None` when the body is larger than `bytes_max`. One that comes in one piece is not copied.
async fn read_to_end(
    body: &mut Body,
    start: Option<Bytes>,
    bytes_max: usize,
) -> Result<Option<Bytes>, Error> {
    let first = match start {
        Some(start) => start,
        None => match next_data(body).await? {
            Some(first) => first,
            None => return Ok(Some(Bytes::new())),
        },
    };
    let mut len = first.len();
    let mut rest: Option<BytesMut> = None;
    while len <= bytes_max
        && let Some(frame) = next_data(body).await?
    {
        len += frame.len();
        rest.get_or_insert_with(|| {
            let mut all = BytesMut::with_capacity(len * 2);
            all.extend_from_slice(&first);
            all
        })
        .extend_from_slice(&frame);
    }
    if len > bytes_max {
        return Ok(None);
    }
    Ok(Some(rest.map_or(first, BytesMut::freeze)))
}

async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Error> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| unreadable("unexpected EOF"))?;
        if let Ok(data) = frame.into_data()
            && !data.is_empty()
        {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn gunzip(packed: &[u8], unpacked_max: usize) -> Result<Vec<u8>, Error> {
    let capacity = packed.len().saturating_mul(4).min(unpacked_max);
    let mut unpacked = Vec::with_capacity(capacity);
    let limit = unpacked_max as u64 + 1;
    match MultiGzDecoder::new(packed)
        .take(limit)
        .read_to_end(&mut unpacked)
    {
        Ok(_) if unpacked.len() > unpacked_max => Err(too_large()),
        Ok(_) => Ok(unpacked),
        Err(error) => Err(unreadable(match error.kind() {
            ErrorKind::UnexpectedEof => "unexpected EOF",
            _ if error.to_string().contains("checksum") => "gzip: invalid checksum",
            _ if error.to_string().contains("header") => "gzip: invalid header",
            _ => "flate: corrupt input",
        })),
    }
}

/// `cause` is 1.x's whole text.
fn unreadable(cause: &'static str) -> Error {
    Error::invalid(format!("unable to read data: {cause}")).v1(cause)
}

fn too_large() -> Error {
    Error::new(
        Code::TooLarge,
        "unable to read data: points batch is too large",
    )
    .v1("Request Entity Too Large")
}

#[cfg(test)]
mod tests;
