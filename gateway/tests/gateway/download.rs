use channel_gateway::GatewayConfig;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{
    Door, NearAndFar,
    http1::{Answer, request},
    local_services, soon, token,
};

async fn get(door: &Door, message: &str) -> Answer {
    let line = format!("GET /v1/attachments?message_id={message}");
    request(door.address, &line, &[("authorization", &token::good())], b"").await
}

#[tokio::test]
async fn a_file_that_breaks_off_breaks_the_connection() {
    for door in NearAndFar::open().await.doors {
        assert!(looks_whole(&bytes(&door, "whole").await));
        for message in ["breaks", "ends", "answers%20nonsense"] {
            assert!(!looks_whole(&bytes(&door, message).await), "{message}");
        }
    }
}

/// All bytes of the answer, which may be none at all.
async fn bytes(door: &Door, message: &str) -> Vec<u8> {
    let mut wire = TcpStream::connect(door.address).await.unwrap();
    let line = format!("GET /v1/attachments?message_id={message} HTTP/1.1");
    let token = token::good();
    let head =
        format!("{line}\r\nhost: gateway\r\nconnection: close\r\nauthorization: {token}\r\n\r\n");
    wire.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset is broken as well.
    let _ = soon("an answer", wire.read_to_end(&mut answer)).await;
    answer
}

/// Whether as many bytes follow the head as it says.
fn looks_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|it| it == b"\r\n\r\n") else { return false };
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.unwrap().parse() == Ok(answer.len() - end - 4)
}

#[tokio::test]
async fn what_does_not_begin_is_refused_with_a_status() {
    for door in NearAndFar::open().await.doors {
        let refused = get(&door, "has%20no%20header").await;
        assert_eq!(refused.status, 500);
        assert_eq!(refused.headers["cache-control"], "no-store");
        assert_eq!(get(&door, "none").await.status, 404);
        let stranger = request(door.address, "GET /v1/attachments?message_id=none", &[], b"").await;
        assert_eq!(stranger.status, 401);
        assert_eq!(stranger.headers["www-authenticate"], "Bearer");
        let body = String::from_utf8(stranger.body).unwrap();
        assert!(body.contains(r#""reason":"TOKEN_MISSING""#), "{body}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_show_files_only_where_some_may_call() {
    let own = Door::open(GatewayConfig::default(), local_services()).await;
    let policy = "cross-origin-resource-policy";
    assert_eq!(get(&own, "whole").await.headers[policy], "same-origin");
    assert_eq!(get(&Door::local().await, "whole").await.headers[policy], "cross-origin");
}
