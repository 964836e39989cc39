use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
};
use bytes::Bytes;
use channel_gateway::LocalServices;
use http::{HeaderMap, Request, StatusCode};
use tokio::{net::TcpListener, sync::mpsc};

use crate::support::{Door, http1, soon, web_config};

const MIB: usize = 1024 * 1024;

struct Seen {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

type Tell = mpsc::UnboundedSender<Seen>;

async fn note(State(tell): State<Tell>, request: Request<Body>) -> (StatusCode, &'static str) {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return (StatusCode::BAD_REQUEST, "cut short");
    };
    let path = parts.uri.path_and_query().unwrap().to_string();
    let headers = parts.headers;
    tell.send(Seen { path, headers, body }).ok();
    (StatusCode::OK, "200")
}

fn shim() -> (Router, mpsc::UnboundedReceiver<Seen>) {
    let (tell, seen) = mpsc::unbounded_channel();
    (Router::new().fallback(note).with_state(tell), seen)
}

async fn near() -> (Door, mpsc::UnboundedReceiver<Seen>) {
    let (router, seen) = shim();
    let webhook = Some(router);
    let local = LocalServices { webhook, ..LocalServices::default() };
    (Door::open(web_config(), local).await, seen)
}

async fn far() -> (Door, mpsc::UnboundedReceiver<Seen>) {
    let (router, seen) = shim();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = web_config();
    config.upstreams.webhook = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (Door::open(config, LocalServices::default()).await, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_arrives_byte_for_byte() {
    let body: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let headers = [
        ("Unipile-Auth", "s3cret =,;\"x\""),
        ("content-type", "text/odd; a=b"),
        ("x-twice", "one"),
        ("x-twice", "two"),
        ("user-agent", "UniPile"),
    ];
    for (door, mut seen) in [near().await, far().await] {
        for path in [
            "/api/v1/webhooks/unipile",
            "/api/v1/webhooks/unipile/",
            "/api/v1/webhooks/unipile/a%2Fb/c?d=%20e",
        ] {
            let answer =
                http1::request(door.address, &format!("POST {path}"), &headers, &body).await;
            assert_eq!((answer.status, answer.body.as_slice()), (200, &b"200"[..]));
            let seen = soon("the webhook", seen.recv()).await.unwrap();
            assert_eq!(seen.path, path);
            assert!(seen.body == body, "the body differs");
            assert_eq!(seen.headers["unipile-auth"], "s3cret =,;\"x\"");
            assert_eq!(seen.headers["content-type"], "text/odd; a=b");
            assert_eq!(seen.headers["user-agent"], "UniPile");
            assert_eq!(seen.headers["host"], "gateway");
            assert_eq!(seen.headers["content-length"], "70000");
            let twice: Vec<_> = seen.headers.get_all("x-twice").iter().collect();
            assert_eq!(twice, ["one", "two"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    for (door, mut seen) in [near().await, far().await] {
        let line = "POST /api/v1/webhooks/unipile/";
        let fits = http1::request(door.address, line, &[], &vec![b'x'; MIB]).await;
        assert_eq!(fits.status, 200);
        assert_eq!(seen.recv().await.unwrap().body.len(), MIB);

        // Only the head is sent: the announced length is enough to refuse.
        let head = format!(
            "{line} HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            MIB + 1
        );
        let large = http1::exchange(door.address, &head, b"").await;
        assert_eq!(
            (large.status, large.body.as_slice()),
            (413, &b"{\"reason\":\"WEBHOOK_TOO_LARGE\"}"[..])
        );
        assert!(seen.try_recv().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_say_its_length_is_limited_too() {
    for (door, mut seen) in [near().await, far().await] {
        let head = "POST /api/v1/webhooks/unipile/ HTTP/1.1\r\nhost: g\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk =
            [format!("{:x}\r\n", MIB + 1).as_bytes(), &vec![b'x'; MIB + 1], b"\r\n"].concat();
        let large = http1::exchange(door.address, head, &chunk).await;
        assert_eq!(large.status, 413);
        assert!(seen.try_recv().is_err());

        let small = http1::exchange(door.address, head, b"3\r\nabc\r\n0\r\n\r\n").await;
        assert_eq!(small.status, 200);
        assert_eq!(seen.recv().await.unwrap().body, "abc");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_one_connection_stay_on_it() {
    let (door, mut seen) = far().await;
    let head = "POST /api/v1/webhooks/unipile/ HTTP/1.1\r\nhost: g\r\nconnection: close, X-Hop\r\n\
        connection: x-other-hop\r\nx-hop: 1\r\nx-other-hop: 1\r\nx-end: 1\r\nte: trailers\r\n\
        keep-alive: timeout=5\r\nproxy-authorization: Basic eA==\r\nproxy-connection: close\r\n\
        upgrade: websocket\r\ncontent-length: 2\r\n\r\n";
    assert_eq!(http1::exchange(door.address, head, b"{}").await.status, 200);
    let seen = soon("the webhook", seen.recv()).await.unwrap();
    let mut names: Vec<_> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "host", "x-end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_two_lengths_is_never_two_webhooks() {
    for (door, mut seen) in [near().await, far().await] {
        for lengths in [
            "content-length: 3\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 3\r\n",
        ] {
            let head = format!(
                "POST /api/v1/webhooks/unipile/ HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\
                 {lengths}\r\n"
            );
            let smuggled = b"2\r\n{}\r\n0\r\n\r\nPOST /api/v1/webhooks/unipile/x HTTP/1.1\r\n\
                host: g\r\ncontent-length: 2\r\n\r\n{}";
            http1::exchange(door.address, &head, smuggled).await;
            while let Ok(seen) = seen.try_recv() {
                assert_eq!(seen.path, "/api/v1/webhooks/unipile/");
                assert_eq!(seen.body, "{}");
                let announced = seen.headers.get("content-length").map(http::HeaderValue::as_bytes);
                assert!(announced.is_none_or(|length| length == b"2"), "{announced:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_is_told_to_come_back_while_ingest_is_away() {
    let mut config = web_config();
    config.upstreams.webhook = "http://127.0.0.1:1".to_owned();
    let door = Door::open(config, LocalServices::default()).await;
    let answer = http1::request(door.address, "POST /api/v1/webhooks/unipile/", &[], b"{}").await;
    assert_eq!((answer.status, answer.headers["retry-after"].as_str()), (503, "5"));
    assert_eq!(answer.body, b"{\"reason\":\"UPSTREAM_UNREACHABLE\"}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_posts_to_the_address_are_forwarded() {
    let (door, mut seen) = near().await;
    let get = http1::request(door.address, "GET /api/v1/webhooks/unipile/", &[], b"").await;
    assert_eq!(get.status, 405);
    let other = http1::request(door.address, "POST /api/v1/webhooks/other/", &[], b"{}").await;
    assert_eq!(other.status, 404);
    assert!(seen.try_recv().is_err());
}
