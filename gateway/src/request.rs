//! What is sent on to a remote service, made safe for the connection it shares.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::Frame;
use tokio::time::{Sleep, sleep};
use tonic::{Status, body::Body};

/// The body of a request.
///
/// It has no size: one that is decoded on the way (gRPC-Web text) is not as long as its
/// `content-length` says, and HTTP/2 refuses a request that breaks its word. And it breaks off
/// late: an error becomes a reset of the call, which must not overtake the call itself.
pub(crate) struct RequestBody {
    inner: Body,
    settling: Duration,
    failed: Option<(Status, Pin<Box<Sleep>>)>,
}

impl RequestBody {
    pub(crate) fn new(inner: Body, settling: Duration) -> Self {
        Self { inner, settling, failed: None }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.failed.is_none() {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Err(error)) => self.failed = Some((error, Box::pin(sleep(self.settling)))),
                other => return Poll::Ready(other),
            }
        }
        let Some((error, settled)) = &mut self.failed else {
            return Poll::Ready(None);
        };
        ready!(settled.as_mut().poll(cx));
        let error = error.clone();
        self.inner = Body::empty();
        self.failed = None;
        Poll::Ready(Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.failed.is_none() && self.inner.is_end_stream()
    }
}
