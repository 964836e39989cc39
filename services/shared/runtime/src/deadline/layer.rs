//! The layer: finds a call's deadline, and answers when it passes.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response, header};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tower::{Layer, Service};

use super::body::DeadlineBody;
use super::header::{Malformed, timeout};
use super::{Deadline, exceeded};
use crate::fault::{Kind, refusal};

/// Enforces deadlines on gRPC calls; other requests pass untouched.
///
/// A unary call without a deadline gets the default, and none gets more than the ceiling. A
/// streaming call has the deadline that its caller names, or none.
#[derive(Debug, Clone)]
pub struct DeadlineLayer(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    default: Duration,
    ceiling: Duration,
    streaming: HashSet<String>,
}

impl DeadlineLayer {
    /// Takes the unary default and ceiling, and the paths of the methods that stream, as
    /// [`streaming_methods`](super::streaming_methods) finds them.
    #[must_use]
    pub fn new(default: Duration, ceiling: Duration, streaming: HashSet<String>) -> Self {
        Self(Arc::new(Rules { default: default.min(ceiling), ceiling, streaming }))
    }

    fn allowance<B>(&self, request: &Request<B>) -> Result<Option<Duration>, Malformed> {
        if !is_grpc(request) {
            return Ok(None);
        }
        let asked = timeout(request.headers())?;
        if self.0.streaming.contains(request.uri().path()) {
            return Ok(asked);
        }
        Ok(Some(asked.unwrap_or(self.0.default).min(self.0.ceiling)))
    }
}

/// `application/grpc` and its subtypes, but not `application/grpc-web`, whose answers look
/// different and are made further out.
fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, layer: self.clone() }
    }
}

/// The service that [`DeadlineLayer`] makes.
#[derive(Debug, Clone)]
pub struct DeadlineService<S> {
    inner: S,
    layer: DeadlineLayer,
}

impl<S, B, R> Service<Request<B>> for DeadlineService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<DeadlineBody<R>>;
    type Error = S::Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Ok(allowance) = self.layer.allowance(&request) else {
            return DeadlineFuture::refused(malformed());
        };
        // More than a timer can hold is as good as none.
        let at = allowance.and_then(|allowance| Instant::now().checked_add(allowance));
        if let Some(at) = at {
            request.extensions_mut().insert(Deadline(at));
        }
        let deadline = at.map(|at| Box::pin(sleep_until(at)));
        DeadlineFuture { inner: Some(self.inner.call(request)), deadline, refused: None }
    }
}

fn malformed() -> Status {
    let message = "`grpc-timeout` must be up to eight digits and one of H, M, S, m, u, n";
    refusal(Kind::Invalid, "TIMEOUT_MALFORMED", message)
}

pin_project! {
    /// The future of a [`DeadlineService`].
    #[derive(Debug)]
    pub struct DeadlineFuture<F> {
        #[pin]
        inner: Option<F>,
        deadline: Option<Pin<Box<Sleep>>>,
        refused: Option<Status>,
    }
}

impl<F> DeadlineFuture<F> {
    fn refused(status: Status) -> Self {
        Self { inner: None, deadline: None, refused: Some(status) }
    }
}

impl<F, R, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<DeadlineBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(status) = this.refused.take() {
            return Poll::Ready(Ok(status.into_http()));
        }
        // First: a client inside has the same deadline, and would answer it with CANCELLED.
        if this.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            this.inner.set(None);
            return Poll::Ready(Ok(exceeded().into_http()));
        }
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Pending;
        };
        let response = ready!(inner.poll(cx))?;
        let deadline = this.deadline.take();
        Poll::Ready(Ok(response.map(|body| DeadlineBody::new(body, deadline))))
    }
}
