//! The layer: finds a call's deadline, and answers when it passes.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderMap, Request, Response, header};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tower::{Layer, Service};

use super::body::DeadlineBody;
use super::header::{Malformed, timeout};
use super::limits::{Limits, earliest};
use super::{Deadline, exceeded};
use crate::fault::{Kind, refusal};

type Rule = dyn Fn(&str) -> Limits + Send + Sync;

/// Enforces deadlines on gRPC calls; other requests pass untouched.
#[derive(Clone)]
pub struct DeadlineLayer(Arc<Rule>);

impl DeadlineLayer {
    /// The rule gives the limits of the method that a path (`/package.Service/Method`) names.
    pub fn new(rule: impl Fn(&str) -> Limits + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    fn ends<B>(&self, request: &Request<B>) -> Result<Ends, Malformed> {
        if !is_grpc(request.headers()) {
            return Ok(Ends::default());
        }
        let asked = timeout(request.headers())?;
        let limits = (self.0)(request.uri().path());
        let now = Instant::now();
        // More than a timer can hold is as good as none.
        let at = |limit: Option<Duration>| limit.and_then(|limit| now.checked_add(limit));
        Ok(Ends { begin: at(limits.begin), whole: at(limits.whole(asked)) })
    }
}

impl fmt::Debug for DeadlineLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineLayer").finish_non_exhaustive()
    }
}

/// When a call must have begun to answer, and when it ends.
#[derive(Default)]
struct Ends {
    begin: Option<Instant>,
    whole: Option<Instant>,
}

impl Ends {
    fn first(&self) -> Option<Instant> {
        earliest(self.begin, self.whole)
    }
}

/// Whether headers say `application/grpc` or one of its subtypes; not `application/grpc-web`, whose
/// answers look different and are made further out.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
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
    R: Body,
{
    type Response = Response<DeadlineBody<R>>;
    type Error = S::Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Ok(ends) = self.layer.ends(&request) else {
            return DeadlineFuture::refused(malformed());
        };
        if let Some(at) = ends.whole {
            request.extensions_mut().insert(Deadline(at));
        }
        let expiry = ends.first().map(|at| Box::pin(sleep_until(at)));
        let inner = Some(self.inner.call(request));
        DeadlineFuture { inner, expiry, whole: ends.whole, refused: None }
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
        expiry: Option<Pin<Box<Sleep>>>,
        whole: Option<Instant>,
        refused: Option<Status>,
    }
}

impl<F> DeadlineFuture<F> {
    fn refused(status: Status) -> Self {
        Self { inner: None, expiry: None, whole: None, refused: Some(status) }
    }
}

impl<F, R, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<DeadlineBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(status) = this.refused.take() {
            return Poll::Ready(Ok(status.into_http()));
        }
        // First: a client inside has the same deadline, and would answer it with CANCELLED.
        if this.expiry.as_mut().is_some_and(|expiry| expiry.as_mut().poll(cx).is_ready()) {
            this.inner.set(None);
            return Poll::Ready(Ok(exceeded().into_http()));
        }
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Pending;
        };
        let response = ready!(inner.poll(cx))?;
        let whole = this.whole.take();
        Poll::Ready(Ok(response.map(|body| DeadlineBody::new(body, whole))))
    }
}
