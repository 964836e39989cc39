//! Deadlines, kept by the gateway itself.
//!
//! A gRPC server library stops watching `grpc-timeout` once the response headers are out, and
//! answers from outside the layers that speak to browsers. This layer sits inside CORS and
//! gRPC-Web and counts until the last byte: an expired call ends with status 4, as headers when
//! none were sent, as trailers otherwise.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::{Body as _, Frame};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Status, body::Body};
use tower::{BoxError, Layer, Service};

use crate::status;

/// What is waited for when the caller names no deadline; `None` means for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Until the response headers.
    pub headers: Option<Duration>,
    /// Until the end of the response.
    pub whole: Option<Duration>,
}

type Rule = Arc<dyn Fn(&Uri) -> Limits + Send + Sync>;

/// Adds [`Deadline`] to a service.
#[derive(Clone)]
pub struct DeadlineLayer {
    rule: Rule,
}

impl DeadlineLayer {
    /// The rule gives the limits of the method that a URI names; a caller's own deadline can only
    /// shorten them.
    pub fn new(rule: impl Fn(&Uri) -> Limits + Send + Sync + 'static) -> Self {
        Self { rule: Arc::new(rule) }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner, rule: Arc::clone(&self.rule) }
    }
}

/// Ends every call that outlives its deadline.
#[derive(Clone)]
pub struct Deadline<S> {
    inner: S,
    rule: Rule,
}

type Pending<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S, Req, Res> Service<Request<Req>> for Deadline<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    Res: http_body::Body<Data = Bytes> + Send + 'static,
    Res::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pending<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let Ok(asked) = timeout_of(request.headers()) else {
            let refused = status::response(status::malformed_timeout());
            return Box::pin(std::future::ready(Ok(refused)));
        };
        let rule = (self.rule)(request.uri());
        let now = Instant::now();
        let whole = earliest(asked, rule.whole).and_then(|limit| now.checked_add(limit));
        let headers = rule.headers.and_then(|limit| now.checked_add(limit));
        Box::pin(limit(self.inner.call(request), headers, whole))
    }
}

fn earliest<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

async fn limit<F, B, E>(
    call: F,
    headers: Option<Instant>,
    whole: Option<Instant>,
) -> Result<Response<Body>, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let response = match earliest(headers, whole) {
        None => call.await?,
        // The clock first: whatever the upstream says about the same deadline comes too late.
        Some(at) => tokio::select! {
            biased;
            () = sleep_until(at) => return Ok(status::response(status::deadline_exceeded())),
            response = call => response?,
        },
    };
    let response = response.map(Body::new);
    match whole {
        Some(at) if !response.body().is_end_stream() => {
            Ok(response.map(|body| Body::new(DeadlineBody::new(body, at))))
        }
        _ => Ok(response),
    }
}

/// A body that ends with status 4 when its time is up.
struct DeadlineBody {
    inner: Body,
    expiry: Pin<Box<Sleep>>,
    ended: bool,
}

impl DeadlineBody {
    fn new(inner: Body, at: Instant) -> Self {
        Self { inner, expiry: Box::pin(sleep_until(at)), ended: false }
    }

    /// Lets go of the call at once, so that whoever produces it stops.
    fn expire(&mut self) -> Frame<Bytes> {
        self.inner = Body::empty();
        self.ended = true;
        Frame::trailers(status::trailers(&status::deadline_exceeded()))
    }
}

impl http_body::Body for DeadlineBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.expiry.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Ok(self.expire())));
        }
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(None) => self.ended = true,
            Poll::Ready(Some(Ok(frame))) => self.ended = frame.is_trailers(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }
}

/// A `grpc-timeout` header that does not follow the gRPC specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedTimeout;

/// Reads `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
///
/// # Errors
///
/// When the header is there and is something else: a caller who wanted a deadline must not
/// silently get none.
pub fn timeout_of(headers: &HeaderMap) -> Result<Option<Duration>, MalformedTimeout> {
    let Some(value) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| MalformedTimeout)?;
    let (digits, unit) =
        text.split_at_checked(text.len().saturating_sub(1)).ok_or(MalformedTimeout)?;
    let shaped = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let amount: u64 = match digits.parse() {
        Ok(amount) if shaped => amount,
        _ => return Err(MalformedTimeout),
    };
    let timeout = match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return Err(MalformedTimeout),
    };
    Ok(Some(timeout))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Option<Duration>, MalformedTimeout> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", text.parse().unwrap());
        timeout_of(&headers)
    }

    #[test]
    fn every_unit_is_understood() {
        assert_eq!(timeout_of(&HeaderMap::new()), Ok(None));
        let units = [
            ("2H", Duration::from_hours(2)),
            ("3M", Duration::from_mins(3)),
            ("4S", Duration::from_secs(4)),
            ("99999999m", Duration::from_millis(99_999_999)),
            ("6u", Duration::from_micros(6)),
            ("7n", Duration::from_nanos(7)),
        ];
        for (text, wanted) in units {
            assert_eq!(parse(text), Ok(Some(wanted)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "1", "S", "+1S", "-1S", "1s", "100000000S", "1.5S", "1 S"] {
            assert_eq!(parse(text), Err(MalformedTimeout), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_amount_in_any_unit_is_read_without_overflow(
            amount in 0_u32..=99_999_999, unit in "[HMSmun]",
        ) {
            let text = format!("{amount}{unit}");
            prop_assert!(parse(&text).unwrap().is_some());
        }
    }

    fn never() -> Response<Body> {
        let silent = http_body_util::StreamBody::new(tokio_stream::pending::<
            Result<Frame<Bytes>, Status>,
        >());
        Response::new(Body::new(silent))
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_says_nothing_ends_at_its_deadline_and_not_before() {
        use http_body_util::BodyExt;

        let start = Instant::now();
        let at = Some(start + Duration::from_secs(5));
        let call = async { Ok::<_, std::convert::Infallible>(never()) };
        let response = limit(call, None, at).await.unwrap();
        let end = response.into_body().collect().await.unwrap();

        assert_eq!(end.trailers().unwrap()["grpc-status"], "4");
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(5) && took < Duration::from_millis(5010));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_outlive_the_limit_on_its_headers() {
        use http_body_util::BodyExt;

        let soon = Some(Instant::now() + Duration::from_secs(1));
        let call = async { Ok::<_, std::convert::Infallible>(never()) };
        let mut body = limit(call, soon, None).await.unwrap().into_body();
        let frame = tokio::time::timeout(Duration::from_hours(1), body.frame()).await;
        assert!(frame.is_err(), "the stream was cut");
    }
}
