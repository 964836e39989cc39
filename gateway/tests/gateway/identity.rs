use std::net::SocketAddr;

use channel_gateway::LocalServices;
use http::HeaderMap;
use tokio::net::TcpListener;
use tonic::{Code, Status};

use crate::{
    native::reason,
    support::{
        Door, LIST, NearAndFar, PAGE, WATCH, h2c, http1, local_services, service, soon,
        token::{self, NOBODY},
        web_config,
    },
};

/// What a caller may bring, and the reason that the services would give for it.
fn strangers() -> [((&'static str, String), &'static str); 4] {
    let with = |token: String| (NOBODY.0, token);
    [
        (with(String::new()), "TOKEN_MISSING"),
        (with("Basic dXNlcjpwYXNz".to_owned()), "TOKEN_MISSING"),
        (with(token::expired()), "TOKEN_EXPIRED"),
        (with(token::forged()), "TOKEN_INVALID"),
    ]
}

fn refusal(headers: &HeaderMap) -> (Code, String) {
    let status = Status::from_header_map(headers).unwrap();
    (status.code(), reason(&status))
}

const PATHS: [&str; 4] = [
    LIST,
    WATCH,
    "/channel.ingest.v1.IngestService/Replay",
    "/channel.messaging.v1.MessagingService/UploadAttachment",
];

/// A listener in the place of every upstream, which nobody may connect to.
async fn door_to(upstreams: &TcpListener) -> Door {
    let mut config = web_config();
    let url = format!("http://{}", upstreams.local_addr().unwrap());
    config.upstreams.query.clone_from(&url);
    config.upstreams.messaging.clone_from(&url);
    config.upstreams.ingest = url;
    Door::open(config, LocalServices::default()).await
}

async fn connected(upstreams: &TcpListener) -> bool {
    tokio::select! {
        biased;
        _ = upstreams.accept() => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_unauthenticated_and_no_upstream_hears_of_it() {
    let upstreams = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = door_to(&upstreams).await;
    let client = h2c::Client::connect(door.address).await;
    for ((name, token), wanted) in strangers() {
        for path in PATHS {
            let headers = [(name, token.as_str())];
            let answer = soon("a refusal", client.call(path, &headers, "x")).await;
            assert_eq!(answer.headers["content-type"], "application/grpc");
            assert_eq!(refusal(&answer.headers), (Code::Unauthenticated, wanted.to_owned()));
        }
    }
    assert!(!connected(&upstreams).await, "a stranger's call was passed on");

    let call = tokio::spawn(async move { client.call(LIST, &[], "x").await });
    soon("the call of one with a token", upstreams.accept()).await.unwrap();
    call.abort();
}

fn names(web: &http1::Web) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
    };
    web.headers.iter().map(pair).collect()
}

async fn refused_page(door: SocketAddr, text_form: bool, token: &str) -> (Code, String) {
    let headers = [(NOBODY.0, token), ("origin", PAGE)];
    let web = http1::web_call(door, LIST, text_form, &headers, "x").await;
    assert_eq!(web.status, 200);
    assert_eq!(web.headers["access-control-allow-origin"], PAGE);
    let kind = if text_form { "grpc-web-text" } else { "grpc-web" };
    assert_eq!(web.headers["content-type"], format!("application/{kind}+proto"));
    refusal(&names(&web))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_a_good_token_can_read_why_it_is_refused() {
    let both = NearAndFar::open().await;
    for door in &both.doors {
        for text_form in [false, true] {
            for ((_, token), wanted) in strangers() {
                let refused = refused_page(door.address, text_form, &token).await;
                assert_eq!(refused, (Code::Unauthenticated, wanted.to_owned()));
            }
            let web = http1::web_call(door.address, LIST, text_form, &[], "hello").await;
            assert_eq!(web.messages, ["you said hello"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_needs_no_token() {
    let door = Door::local().await;
    let asked = [
        ("origin", PAGE),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-grpc-web"),
    ];
    let answer = http1::request(door.address, &format!("OPTIONS {LIST}"), &asked, b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_need_no_token_here_as_with_the_services() {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let local = LocalServices { grpc: service::routes().add_service(health), ..local_services() };
    let door = Door::open(web_config(), local).await;
    let client = h2c::Client::connect(door.address).await;
    let open = client.call("/grpc.health.v1.Health/Check", &[NOBODY], "").await;
    assert_eq!(open.trailers["grpc-status"], "0");
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let open = client.call(path, &[NOBODY], "").await;
    // Not served in this test, and all the same not refused for want of a token.
    assert_eq!(open.headers["grpc-status"], "12");
}
