use std::collections::HashSet;
use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};
use tower::{Layer, ServiceExt, service_fn};

use super::{Deadline, DeadlineBody, DeadlineLayer, Limits, streaming_methods};
use crate::fault::reason_of;

const UNARY: &str = "/s.S/Unary";
const STREAM: &str = "/s.S/Stream";
const PROMPT_STREAM: &str = "/s.S/PromptStream";
const SECOND: Duration = Duration::from_secs(1);

fn layer() -> DeadlineLayer {
    DeadlineLayer::new(|path| match path {
        STREAM => Limits::stream(),
        PROMPT_STREAM => Limits::stream_that_begins_within(5 * SECOND),
        _ => Limits::unary(5 * SECOND, 10 * SECOND),
    })
}

fn request(path: &str, timeout: Option<&str>) -> Request<()> {
    let mut request = Request::post(path).header("content-type", "application/grpc+proto");
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    request.body(()).unwrap()
}

/// Calls a handler that answers after `takes`.
async fn unary(
    request: Request<()>,
    takes: Duration,
) -> (Response<DeadlineBody<Full<Bytes>>>, Duration) {
    let handler = service_fn(move |_: Request<()>| async move {
        sleep(takes).await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done"))))
    });
    let started = Instant::now();
    let response = layer().layer(handler).oneshot(request).await.unwrap();
    (response, started.elapsed())
}

fn refusal<B>(response: &Response<B>) -> Status {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    Status::from_header_map(response.headers()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_unary_call_ends_at_its_callers_deadline() {
    let (response, took) = unary(request(UNARY, Some("2S")), 3 * SECOND).await;
    assert_eq!(refusal(&response).code(), Code::DeadlineExceeded);
    assert_eq!(reason_of(&refusal(&response)).as_deref(), Some("DEADLINE_EXCEEDED"));
    assert!(response.body().is_end_stream());
    assert_eq!(took.as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_unary_call_without_a_deadline_gets_the_default() {
    let (response, took) = unary(request(UNARY, None), 60 * SECOND).await;
    assert_eq!(refusal(&response).code(), Code::DeadlineExceeded);
    assert_eq!(took.as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn no_unary_deadline_passes_the_ceiling() {
    let (response, took) = unary(request(UNARY, Some("99999999H")), 60 * SECOND).await;
    assert_eq!(refusal(&response).code(), Code::DeadlineExceeded);
    assert_eq!(took.as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_passed_on_unchanged() {
    let (response, _) = unary(request(UNARY, Some("2S")), SECOND).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "done");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_cannot_be_read_is_refused() {
    let (response, took) = unary(request(UNARY, Some("soon")), SECOND).await;
    assert_eq!(refusal(&response).code(), Code::InvalidArgument);
    assert_eq!(reason_of(&refusal(&response)).as_deref(), Some("TIMEOUT_MALFORMED"));
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_grpc_passes_untouched() {
    for kind in ["application/json", "application/grpc-web+proto", "application/grpc-web-text"] {
        let mut request = request(UNARY, Some("1S"));
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        let (response, took) = unary(request, 60 * SECOND).await;
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "done");
        assert_eq!(took.as_secs(), 60);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_begin_in_time_is_answered() {
    let (response, took) = unary(request(PROMPT_STREAM, None), 60 * SECOND).await;
    assert_eq!(refusal(&response).code(), Code::DeadlineExceeded);
    assert_eq!(took.as_secs(), 5);
    let (response, took) = unary(request(PROMPT_STREAM, Some("2S")), 60 * SECOND).await;
    assert_eq!(refusal(&response).code(), Code::DeadlineExceeded);
    assert_eq!(took.as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_outlive_the_limit_on_its_beginning() {
    let (frames, end, took, _) = streaming(PROMPT_STREAM, None, SECOND).await;
    assert_eq!(frames, 1_000);
    assert!(end.is_none());
    assert!(took > 900 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_says_nothing_ends_at_its_deadline_and_not_before() {
    let (frames, end, took, dropped) = streaming(STREAM, Some("5S"), 3_600 * SECOND).await;
    assert_eq!(frames, 0);
    assert_eq!(end.unwrap().code(), Code::DeadlineExceeded);
    assert!((5_000..5_010).contains(&took.as_millis()), "{took:?}");
    assert!(dropped);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_ended_gets_no_second_end() {
    let mut own = http::HeaderMap::new();
    own.insert("grpc-status", 0.into());
    let frames = [Ok::<_, Status>(Frame::<Bytes>::trailers(own))];
    let at = Some(Instant::now() + SECOND);
    let mut body = DeadlineBody::new(StreamBody::new(stream::iter(frames)), at);
    let end = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(end["grpc-status"], "0");
    assert!(body.is_end_stream());
    tokio::time::advance(2 * SECOND).await;
    assert!(body.frame().await.is_none(), "the deadline ended it again");
}

/// A handler that sends a frame every `every`, at most a thousand, and tells when it is dropped.
async fn streaming(
    path: &str,
    timeout: Option<&str>,
    every: Duration,
) -> (usize, Option<Status>, Duration, bool) {
    let alive = Arc::new(());
    let watched = Arc::downgrade(&alive);
    let handler = service_fn(move |_: Request<()>| {
        let frames = stream::unfold((0, Arc::clone(&alive)), move |(sent, alive)| async move {
            sleep(every).await;
            (sent < 1_000).then(|| (Ok::<_, Status>(Frame::data(Bytes::new())), (sent + 1, alive)))
        });
        ready(Ok::<_, Infallible>(Response::new(StreamBody::new(Box::pin(frames)))))
    });
    let started = Instant::now();
    let response = layer().layer(handler).oneshot(request(path, timeout)).await.unwrap();
    let mut body = response.into_body();
    let (mut frames, mut end) = (0, None);
    while let Some(frame) = body.frame().await {
        match frame.unwrap().into_trailers() {
            Ok(trailers) => end = Status::from_header_map(&trailers),
            Err(_data) => frames += 1,
        }
    }
    assert!(body.is_end_stream());
    (frames, end, started.elapsed(), watched.upgrade().is_none())
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_its_deadline_in_its_trailers_and_its_maker_is_dropped() {
    let (frames, end, took, dropped) = streaming(STREAM, Some("3500m"), SECOND).await;
    assert_eq!(frames, 3);
    assert_eq!(end.unwrap().code(), Code::DeadlineExceeded);
    assert!((3_500..3_510).contains(&took.as_millis()), "{took:?}");
    assert!(dropped);
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_deadline_outlives_the_unary_ceiling() {
    let (frames, end, took, _) = streaming(STREAM, None, SECOND).await;
    assert_eq!(frames, 1_000);
    assert!(end.is_none());
    assert!(took > 900 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_always_has_something_to_say_ends_too() {
    let body = DeadlineBody::new(
        StreamBody::new(stream::repeat_with(|| Ok::<_, Status>(Frame::data(Bytes::new())))),
        Some(Instant::now() + SECOND),
    );
    tokio::time::advance(2 * SECOND).await;
    let end = body.collect().await.unwrap().trailers().cloned().unwrap();
    assert_eq!(Status::from_header_map(&end).unwrap().code(), Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_ask_for_its_deadline() {
    let started = Instant::now();
    let handler = service_fn(move |request: Request<()>| {
        let Deadline(at) = *request.extensions().get().unwrap();
        let left = Bytes::from(format!("{:?}", at - started));
        ready(Ok::<_, Infallible>(Response::new(Full::new(left))))
    });
    let response = layer().layer(handler).oneshot(request(UNARY, Some("2S"))).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "2s");
}

#[test]
fn streaming_methods_are_read_from_descriptors() {
    let sets = [tonic_health::pb::FILE_DESCRIPTOR_SET];
    let found = streaming_methods(sets).unwrap();
    assert_eq!(found, HashSet::from(["/grpc.health.v1.Health/Watch".to_owned()]));
    assert!(streaming_methods([&b"\xff"[..]]).is_err());
}
