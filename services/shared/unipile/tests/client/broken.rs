//! Connections that do not come about, break, or bring nonsense.

use crate::support::{ACCOUNT, Canned, Server, client, options, raw, text};
use channel_domain::AccountId;
use channel_unipile::upstream::{
    Accounts, Class, Failure, Kind, Messages, Paging, Unreadable, UpstreamError,
};
use channel_unipile::v1::client::ClientOptions;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn account() -> AccountId {
    ACCOUNT.into()
}

fn impatient() -> ClientOptions {
    let limit = Duration::from_millis(400);
    ClientOptions { json_timeout: limit, transfer_timeout: limit, ..options() }
}

async fn send(url: &str) -> UpstreamError {
    client(url, options()).send(&account(), &text("hello")).await.unwrap_err()
}

/// Reads until the whole small form has come.
async fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"--\r\n") {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.unwrap();
        assert!(length > 0, "the request broke off");
        seen.extend_from_slice(&chunk[..length]);
    }
}

fn step(error: &UpstreamError) -> &'static str {
    assert_eq!(error.class(), Class::Certain(Kind::Temporary), "{error}");
    error.reason()
}

#[tokio::test]
async fn what_cannot_be_reached_certainly_got_nothing() {
    assert_eq!(step(&send("http://127.0.0.1:1").await), "unreachable_connect");
    assert_eq!(step(&send("http://nowhere.invalid").await), "unreachable_dns");
}

#[tokio::test]
async fn a_host_that_speaks_no_tls_certainly_got_nothing() {
    let (url, _) = raw(|mut stream| async move {
        let mut hello = [0; 4096];
        assert!(stream.read(&mut hello).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let client = client(&url.replace("http:", "https:"), options());
    let error = client.send(&account(), &text("hello")).await.unwrap_err();
    assert_eq!(step(&error), "unreachable_tls");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_certainly_brought_nothing() {
    let (url, _) = raw(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let limit = Duration::from_millis(50);
    let options = ClientOptions { connect_timeout: limit, ..options() };
    let client = client(&url.replace("http:", "https:"), options);
    let error = client.send(&account(), &text("hello")).await.unwrap_err();
    assert_eq!(step(&error), "unreachable_timeout");
}

#[tokio::test]
async fn silence_before_and_after_the_body_was_read_leaves_it_open() {
    let (never_read, first) = raw(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let (all_read, second) = raw(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    for url in [never_read, all_read] {
        let client = client(&url, impatient());
        let error = client.send(&account(), &text("hello")).await.unwrap_err();
        assert_eq!((error.failure.clone(), error.class()), (Failure::Timeout, Class::Uncertain));
    }
    assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_it_open_and_nothing_is_sent_again() {
    for answer in [
        "",
        "HTTP/1.1 201 Cre",
        "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n",
        "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"object\":\"MessageSent\"",
        "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"obj\r\n",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        let (url, count) = raw(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let error = send(&url).await;
        assert_eq!(error.class(), Class::Uncertain, "{answer}: {error}");
        assert_eq!(error.reason(), "broken", "{answer}: {error}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "{answer}");
    }
}

/// Dropping a stream with unread bytes resets the connection.
#[tokio::test]
async fn a_reset_while_sending_leaves_it_open() {
    let (url, count) = raw(|mut stream| async move {
        let mut one = [0];
        stream.read_exact(&mut one).await.unwrap();
    })
    .await;
    let error = send(&url).await;
    assert_eq!((error.class(), error.reason()), (Class::Uncertain, "broken"), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

/// A kept connection may be closed by the other side in the moment of its use, and then nobody knows.
#[tokio::test]
async fn each_send_opens_a_connection_of_its_own_and_reads_share_one() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"items\":[]}";
    let (url, count) = raw(move |mut stream| async move {
        let mut chunk = [0; 4096];
        while stream.read(&mut chunk).await.is_ok_and(|length| length > 0) {
            if chunk.windows(4).any(|end| end == b"\r\n\r\n") {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let client = client(&url, options());
    for _ in 0..3 {
        client.accounts(&Paging::default()).await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    for _ in 0..3 {
        client.delete(&account(), &"m".into()).await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_success_that_cannot_be_read_leaves_it_open() {
    let cases = [
        ("", Unreadable::NotJson),
        ("{\"object\":\"MessageSent\",\"mess", Unreadable::NotJson),
        ("<html>Sign in to the hotel's network</html>", Unreadable::NotJson),
        ("[]", Unreadable::Shape("the object")),
        ("null", Unreadable::Shape("the object")),
    ];
    for (body, expected) in cases {
        let server = Server::answering([Canned::new(201, body)]).await;
        let error = server.client().send(&account(), &text("hello")).await.unwrap_err();
        assert_eq!(error.class(), Class::Uncertain, "{body}");
        assert_eq!(error.failure, Failure::Unreadable { status: 201, problem: expected }, "{body}");
        assert_eq!(server.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_success_without_ids_is_a_success() {
    let bodies = [
        json!({"object": "MessageSent", "message_id": null}),
        json!({"object": "MessageSent"}),
        json!({"object": "MessageSent", "message_id": ""}),
        json!({"object": "Renamed", "message_id": 5}),
    ];
    for body in bodies {
        let server = Server::answering([Canned::json(&body)]).await;
        let sent = server.client().send(&account(), &text("hello")).await.unwrap();
        assert_eq!(sent.message, None, "{body}");
    }
}

#[tokio::test]
async fn any_success_of_a_change_will_do() {
    for body in ["", "OK", "{\"object\":\"MessageEdi", "[]"] {
        let server = Server::answering([Canned::new(202, body)]).await;
        let client = server.client();
        client.edit(&account(), &"m".into(), "new").await.unwrap();
        assert!(client.react(&account(), &"m".into(), "👍").await.unwrap());
    }
}
