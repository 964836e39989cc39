//! A body that ends at its deadline.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::fault::trailers_of;

pin_project! {
    /// Passes a body on until the deadline, then ends it with DEADLINE_EXCEEDED in the trailers
    /// and drops what made it.
    #[derive(Debug)]
    pub struct DeadlineBody<B> {
        #[pin]
        inner: Option<B>,
        deadline: Option<Pin<Box<Sleep>>>,
    }
}

impl<B: Body> DeadlineBody<B> {
    pub(super) fn new(inner: B, at: Option<Instant>) -> Self {
        let at = at.filter(|_| !inner.is_end_stream());
        Self { inner: Some(inner), deadline: at.map(|at| Box::pin(sleep_until(at))) }
    }
}

/// An empty body.
impl<B> Default for DeadlineBody<B> {
    fn default() -> Self {
        Self { inner: None, deadline: None }
    }
}

impl<B: Body> Body for DeadlineBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        // First, so that a stream that always has something to say ends too.
        if this.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            this.inner.set(None);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers_of(&super::exceeded())))));
        }
        let frame = ready!(inner.poll_frame(cx));
        // Nothing follows the trailers, and the deadline must not add others.
        let last = frame.as_ref().is_none_or(|frame| frame.as_ref().is_ok_and(Frame::is_trailers));
        if last {
            this.inner.set(None);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) if self.deadline.is_none() => inner.size_hint(),
            // It may end early, so no length is promised.
            Some(_) => SizeHint::default(),
            None => SizeHint::with_exact(0),
        }
    }
}
