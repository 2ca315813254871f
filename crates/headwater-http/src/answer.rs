//! The answer to a query on its way out: pieces come from the query engine, are encoded, packed
//! if the client takes gzip, and leave as body frames. Memory stays flat, and a client that goes
//! away drops the receiver, which stops the query.

use std::{
    io::Write,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_core::Stream;
use headwater_query::series::ResultPiece;
use tokio::sync::mpsc::Receiver;

use crate::encode::{Encoder, Next, Options};

/// The size from which bytes leave as a frame, once the first have left.
const FRAME_BYTES: usize = 64 << 10;

/// Whether the client takes gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts
                .filter_map(|parameter| parameter.strip_prefix("q="))
                .any(|weight| {
                    weight
                        .trim()
                        .parse::<f32>()
                        .is_ok_and(|weight| weight <= 0.0)
                });
            (name.eq_ignore_ascii_case("gzip") || name == "*") && !refused
        })
}

/// Encodes `pieces`. Up to `hold_bytes` are gathered before the first leave, so that an error can
/// still replace them; a chunked answer leaves piece by piece.
pub(crate) async fn respond(
    mut pieces: Receiver<ResultPiece>,
    options: Options,
    gzip: bool,
    hold_bytes: usize,
) -> Response {
    let mut encoder = Encoder::new(options);
    let mut out = Vec::new();
    let body = loop {
        let next = match pieces.recv().await {
            Some(piece) => encoder.write(piece, &mut out),
            None => Next::Nothing,
        };
        if next == Next::Nothing {
            encoder.finish(&mut out);
            break whole(out, gzip);
        }
        let held = out.len() + encoder.held_bytes();
        if held > 0 && (options.chunked || held >= hold_bytes) {
            let gzip = gzip.then(gzip_encoder);
            let chunked = options.chunked;
            let encoder = Some(encoder);
            break Body::from_stream(Frames {
                pieces,
                encoder,
                out,
                gzip,
                chunked,
            });
        }
    };
    let packed = gzip && !is_empty(&body);
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(options.format.content_type()),
    );
    if packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn gzip_encoder() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::fast())
}

fn whole(out: Vec<u8>, gzip: bool) -> Body {
    if !gzip || out.is_empty() {
        return Body::from(out);
    }
    let mut encoder = gzip_encoder();
    encoder.write_all(&out).expect("a vector takes every byte");
    Body::from(encoder.finish().expect("a vector takes every byte"))
}

fn is_empty(body: &Body) -> bool {
    axum::body::HttpBody::size_hint(body).exact() == Some(0)
}

/// The rest of an answer whose first bytes are in `out`.
struct Frames {
    pieces: Receiver<ResultPiece>,
    /// `None` once the end is written.
    encoder: Option<Encoder>,
    out: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
    chunked: bool,
}

impl Frames {
    /// What is ready to leave, packed; may be empty although something was written.
    fn take(&mut self) -> Bytes {
        if let Some(encoder) = &mut self.encoder {
            encoder.flush(&mut self.out);
        }
        let out = std::mem::take(&mut self.out);
        let Some(gzip) = &mut self.gzip else {
            return out.into();
        };
        gzip.write_all(&out).expect("a vector takes every byte");
        if self.encoder.is_none() {
            gzip.try_finish().expect("a vector takes every byte");
        } else if self.chunked {
            gzip.flush().expect("a vector takes every byte");
        }
        std::mem::take(gzip.get_mut()).into()
    }

    /// Encodes the next piece, or the end.
    fn encode(&mut self, piece: Option<ResultPiece>) {
        let Some(mut encoder) = self.encoder.take() else {
            return;
        };
        if let Some(piece) = piece
            && encoder.write(piece, &mut self.out) == Next::Piece
        {
            self.encoder = Some(encoder);
        } else {
            encoder.finish(&mut self.out);
            self.pieces.close();
        }
    }

    fn is_frame_ready(&self) -> bool {
        let held = self.out.len() + self.encoder.as_ref().map_or(0, Encoder::held_bytes);
        held >= FRAME_BYTES || (self.chunked && held > 0)
    }
}

impl Stream for Frames {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.encoder.is_none() {
                if self.out.is_empty() && self.gzip.is_none() {
                    return Poll::Ready(None);
                }
                let last = self.take();
                self.gzip = None;
                return Poll::Ready((!last.is_empty()).then_some(Ok(last)));
            }
            if self.is_frame_ready() {
                let frame = self.take();
                if !frame.is_empty() {
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
            match self.pieces.poll_recv(context) {
                Poll::Ready(piece) => self.encode(piece),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests;
