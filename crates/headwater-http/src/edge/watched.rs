//! A body that tells when it is over, sent or not: only then is a request done.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// `body`, after which `end` is called with the bytes that left and whether they were all.
pub(super) fn watched(body: Body, end: impl FnOnce(u64, bool) + Send + 'static) -> Body {
    let is_over = body.is_end_stream();
    Body::new(Watched {
        body,
        bytes: 0,
        is_over,
        end: Some(Box::new(end)),
    })
}

struct Watched {
    body: Body,
    bytes: u64,
    is_over: bool,
    end: Option<Box<dyn FnOnce(u64, bool) + Send>>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.is_over = self.body.is_end_stream();
            }
            Poll::Ready(None) => self.is_over = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end(self.bytes, self.is_over);
        }
    }
}
