use crate::support::{Door, LIST, PAGE, Remote, WATCH, h2c, http1, service};

const FROM_PAGE: [(&str, &str); 1] = [("origin", PAGE)];

#[tokio::test(flavor = "multi_thread")]
async fn grpc_web_works_over_http1_in_both_forms_here_and_elsewhere() {
    let remote = Remote::start(service::routes()).await;
    for door in [Door::local().await, Door::to_query(remote.address).await] {
        for text_form in [false, true] {
            let one = http1::web_call(door.address, LIST, text_form, &FROM_PAGE, "hello").await;
            assert_eq!(one.status, 200, "{one:?}");
            assert_eq!(one.messages, ["you said hello"]);
            assert_eq!(one.trailers["grpc-status"], "0");
            assert_eq!(one.headers["access-control-allow-origin"], PAGE);
            let kind = if text_form {
                "application/grpc-web-text+proto"
            } else {
                "application/grpc-web+proto"
            };
            assert_eq!(one.headers["content-type"], kind);

            let many = http1::web_call(door.address, WATCH, text_form, &FROM_PAGE, "100").await;
            assert_eq!(many.messages.len(), 100);
            assert_eq!(many.trailers["grpc-status"], "0");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_web_works_over_http2() {
    let door = Door::local().await;
    let client = h2c::Client::connect(door.address).await;
    let kind = ("content-type", "application/grpc-web+proto");
    let answer = client.call(WATCH, &[kind, FROM_PAGE[0]], "3").await;
    let (messages, trailers) = http1::frames(&answer.body);
    assert_eq!((messages.len(), trailers["grpc-status"].as_str()), (3, "0"));
    assert!(answer.trailers.is_empty(), "a browser can not see HTTP/2 trailers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_can_see_the_status_of_a_refused_call() {
    let door = Door::local().await;
    for path in [LIST, "/nobody.v1.Nothing/Do"] {
        let web = http1::web_call(door.address, path, false, &FROM_PAGE, "fail").await;
        assert_eq!(web.headers["access-control-allow-origin"], PAGE);
        let exposed = web.headers["access-control-expose-headers"].to_lowercase();
        for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
            assert!(exposed.contains(name), "{exposed}");
            assert!(web.headers.contains_key(name), "{web:?}");
        }
    }
}

async fn preflight(door: &Door, origin: &str, headers: &str) -> http1::Answer {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", headers),
    ];
    http1::request(door.address, &format!("OPTIONS {LIST}"), &asked, b"").await
}

const HEADERS: &str = "content-type,x-grpc-web,x-user-agent,grpc-timeout,authorization,traceparent";

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_page_may_call_with_every_header_that_clients_send() {
    let door = Door::local().await;
    let answer = preflight(&door, PAGE, HEADERS).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
    assert_eq!(answer.headers["access-control-max-age"], "7200");
    assert_eq!(answer.headers["access-control-allow-methods"], "GET,POST,OPTIONS");
    let allowed = &answer.headers["access-control-allow-headers"];
    for name in HEADERS.split(',') {
        assert!(allowed.split(',').any(|listed| listed == name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_page_may_call() {
    let door = Door::local().await;
    for origin in ["https://inbox.example.com.evil.test", "http://inbox.example.com", "null"] {
        let answer = preflight(&door, origin, HEADERS).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_grpc_is_answered_404_with_a_reason() {
    let door = Door::local().await;
    let answer = http1::request(door.address, "GET /", &[], b"").await;
    assert_eq!((answer.status, answer.body.as_slice()), (404, &b"{\"reason\":\"NOT_FOUND\"}"[..]));
}
