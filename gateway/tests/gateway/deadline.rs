use std::time::{Duration, Instant};

use crate::support::{
    Door, LIST, NearAndFar, PAGE, WATCH, h2c, http1, local_services, soon, web_config,
};

const SHORT: (&str, &str) = ("grpc-timeout", "150m");

#[tokio::test(flavor = "multi_thread")]
async fn a_native_unary_call_ends_at_its_deadline_with_status_4() {
    let both = NearAndFar::open().await;
    for door in &both.doors {
        let client = h2c::Client::connect(door.address).await;
        let start = Instant::now();
        let answer = soon("the deadline", client.call(LIST, &[SHORT], "hang")).await;
        assert!(start.elapsed() >= Duration::from_millis(150));
        assert_eq!(answer.headers["grpc-status"], "4");
        assert_eq!(answer.headers["content-type"], "application/grpc");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_stream_ends_at_its_deadline_after_what_it_sent() {
    let both = NearAndFar::open().await;
    for door in &both.doors {
        let client = h2c::Client::connect(door.address).await;
        let answer = soon("the deadline", client.call(WATCH, &[SHORT], "forever")).await;
        assert_eq!(answer.body, h2c::framed("first"));
        assert_eq!(answer.trailers["grpc-status"], "4");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_understands_an_expired_call() {
    let both = NearAndFar::open().await;
    for door in &both.doors {
        for text_form in [false, true] {
            let headers = [SHORT, ("origin", PAGE)];
            let one = http1::web_call(door.address, LIST, text_form, &headers, "hang").await;
            assert_eq!((one.status, one.headers["grpc-status"].as_str()), (200, "4"));
            assert_eq!(one.headers["access-control-allow-origin"], PAGE);

            let many = http1::web_call(door.address, WATCH, text_form, &headers, "forever").await;
            assert_eq!(many.messages, ["first"]);
            assert_eq!(many.trailers["grpc-status"], "4");
            assert_eq!(many.headers["access-control-allow-origin"], PAGE);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_deadline_gets_the_gateways_and_a_stream_must_begin_within_it() {
    let mut config = web_config();
    config.response_timeout_seconds = 1;
    let door = Door::open(config, local_services()).await;
    let client = h2c::Client::connect(door.address).await;
    for path in [LIST, WATCH] {
        let answer = soon("the deadline", client.call(path, &[], "hang")).await;
        assert_eq!(answer.headers["grpc-status"], "4", "{path}");
    }
    let mut stream = client.begin(WATCH, &[], "forever").await.into_body();
    soon("a message", stream.data()).await.unwrap().unwrap();
    let more = tokio::time::timeout(Duration::from_millis(1500), stream.data()).await;
    assert!(more.is_err(), "a stream that had begun was cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_deadline_is_refused_and_not_ignored() {
    let door = Door::local().await;
    let client = h2c::Client::connect(door.address).await;
    let answer = client.call(LIST, &[("grpc-timeout", "soon")], "x").await;
    assert_eq!(answer.headers["grpc-status"], "3");
    let status = tonic::Status::from_header_map(&answer.headers).unwrap();
    assert_eq!(crate::native::reason(&status), "TIMEOUT_MALFORMED");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_type_passes_by_the_deadlines() {
    let mut config = web_config();
    config.response_timeout_seconds = 1;
    let door = Door::open(config, local_services()).await;
    let client = h2c::Client::connect(door.address).await;
    for kind in ["application/grpc+json", "application/grpc;charset=utf-8"] {
        let headers = [("content-type", kind)];
        let call = client.call(LIST, &headers, "hang");
        assert_eq!(soon("the deadline", call).await.headers["grpc-status"], "4", "{kind}");
    }
    for kind in ["application/grpcx", "application/grpc-web+json", "application/grpc-webs"] {
        let headers = [("content-type", kind)];
        let call = client.call(LIST, &headers, "hang");
        let answer = soon("a refusal", call).await;
        assert_eq!(answer.status, 415, "{kind}");
        assert_eq!(answer.body, b"{\"reason\":\"CONTENT_TYPE_UNKNOWN\"}");
    }
}
