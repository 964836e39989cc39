//! What goes wrong with the bytes of an answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Response, StatusCode, header};
use hyper::body::Frame;
use tokio::time::Sleep;

/// What was written has to leave first: a server that is told at once that there is no more sends nothing.
const BEFORE_IT_BREAKS: Duration = Duration::from_millis(100);

/// What goes wrong with the bytes of one answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BodyPlan {
    /// Other bytes come.
    pub(crate) instead: Option<Bytes>,
    /// Another length is announced.
    pub(crate) length: Option<u64>,
    /// After so many bytes nothing more comes.
    pub(crate) stops: Option<Stop>,
}

/// After how many bytes the rest does not come, and whether the connection breaks then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) after: u64,
    pub(crate) breaks: bool,
}

impl BodyPlan {
    /// The answer, as wrong as it is to be.
    pub(crate) fn answer(self, status: StatusCode, kind: &str, body: Bytes) -> Response<Body> {
        let mut bytes = self.instead.unwrap_or(body);
        let length = self.length.unwrap_or(bytes.len() as u64);
        let mut end = End::Here;
        let broken = || End::Broken(Box::pin(tokio::time::sleep(BEFORE_IT_BREAKS)));
        if let Some(Stop { after, breaks }) = self.stops {
            bytes.truncate(usize::try_from(after).unwrap_or(usize::MAX));
            end = if breaks { broken() } else { End::Never };
        } else if length > bytes.len() as u64 {
            end = broken();
        }
        bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        let mut response = Response::new(Body::new(Cut { bytes: Some(bytes), end }));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.extend(kind.parse().ok().map(|kind| (header::CONTENT_TYPE, kind)));
        headers.insert(header::CONTENT_LENGTH, length.into());
        response
    }
}

enum End {
    Here,
    Broken(Pin<Box<Sleep>>),
    Never,
}

/// A body that does not end as it should.
struct Cut {
    bytes: Option<Bytes>,
    end: End,
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.end {
            End::Here => Poll::Ready(None),
            End::Broken(when) => {
                ready!(when.as_mut().poll(context));
                self.end = End::Here;
                Poll::Ready(Some(Err(io::Error::other("cut by a fault"))))
            }
            // Whoever waits for the rest gives up at some time, and with the connection this goes too.
            End::Never => Poll::Pending,
        }
    }
}
