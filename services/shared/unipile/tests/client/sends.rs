//! Multipart bodies, and what must not be sent.

use crate::support::{
    ACCOUNT, Canned, KEY, Seen, Server, client, fixture, options, parts, serve, text,
};
use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use channel_domain::AccountId;
use channel_unipile::upstream::{
    Chats, Class, Failure, FileStream, Kind, Messages, OpenFile, Outgoing, OutgoingFile,
    SendMessage, StartChat,
};
use channel_unipile::v1::client::ClientOptions;
use futures::stream;
use http::StatusCode;
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

fn account() -> AccountId {
    ACCOUNT.into()
}

fn file(name: &str, mime: &str, bytes: &'static str) -> OutgoingFile {
    let bytes = Bytes::from_static(bytes.as_bytes());
    let length = bytes.len() as u64;
    OutgoingFile { name: name.into(), mime: mime.into(), length, source: Arc::new(bytes) }
}

type Part = (&'static str, Option<&'static str>, Option<&'static str>, &'static str);

async fn assert_parts(seen: &Seen, expected: &[Part]) {
    assert_eq!(seen.headers["x-api-key"], KEY);
    assert_eq!(seen.headers["accept"], "application/json");
    let kind = seen.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    // The length is known, so nothing has to be collected on the way.
    let length = seen.headers["content-length"].to_str().unwrap();
    assert_eq!(length, seen.body.len().to_string());
    let parts = parts(seen).await;
    let shown = parts.iter().map(|(name, file, mime, bytes)| {
        let text = str::from_utf8(bytes).unwrap();
        (name.as_str(), file.as_deref(), mime.as_deref(), text)
    });
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_text_alone_is_a_form_too() {
    let server = Server::answering([Canned::fixture(201, "message_sent")]).await;
    let sent = server.client().send(&account(), &text("héllo 👍\r\n--x")).await.unwrap();
    assert_eq!(sent.message.unwrap().as_str(), "LYVno-qnbenK8JXxZqgScg");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /api/v1/chats/c1/messages");
    let expected = [("account_id", None, None, ACCOUNT), ("text", None, None, "héllo 👍\r\n--x")];
    assert_parts(seen, &expected).await;
}

#[tokio::test]
async fn files_quote_and_typing_each_have_their_part() {
    let server = Server::answering([Canned::fixture(201, "message_sent")]).await;
    let message = SendMessage {
        chat: "c/1".into(),
        content: Outgoing {
            text: Some("caption".into()),
            files: vec![
                file("a.jpg", "image/jpeg", "JPEG"),
                file("ü \"x\"/\r\ny.pdf", "no mime", ""),
            ],
            voice: Some(file("", "audio/ogg; codecs=opus", "OGG")),
        },
        quote: Some("m0".into()),
        typing: Some(Duration::from_millis(1500)),
    };
    server.client().send(&account(), &message).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /api/v1/chats/c%2F1/messages");
    let expected = [
        ("account_id", None, None, ACCOUNT),
        ("quote_id", None, None, "m0"),
        ("typing_duration", None, None, "1500"),
        ("text", None, None, "caption"),
        ("attachments", Some("a.jpg"), Some("image/jpeg"), "JPEG"),
        ("attachments", Some("ü _x____y.pdf"), Some("application/octet-stream"), ""),
        ("voice_message", Some("file"), Some("audio/ogg; codecs=opus"), "OGG"),
    ];
    assert_parts(seen, &expected).await;
}

#[tokio::test]
async fn a_chat_is_started_with_a_field_for_each_person() {
    let null = json!({"object": "ChatStarted", "chat_id": null, "message_id": null});
    let answers = [Canned::fixture(201, "chat_started"), Canned::json(&null)];
    let server = Server::answering(answers).await;
    let start = StartChat {
        people: vec!["1@s.whatsapp.net".into(), "2@s.whatsapp.net".into()],
        subject: Some("Group".into()),
        content: text("hi").content,
    };
    let started = server.client().start_chat(&account(), &start).await.unwrap();
    assert!(started.chat.is_some() && started.message.is_some());
    assert!(fixture("chat_started").contains(started.chat.unwrap().as_str()));
    let expected = [
        ("account_id", None, None, ACCOUNT),
        ("attendees_ids", None, None, "1@s.whatsapp.net"),
        ("attendees_ids", None, None, "2@s.whatsapp.net"),
        ("subject", None, None, "Group"),
        ("text", None, None, "hi"),
    ];
    assert_eq!(server.seen()[0].line, "POST /api/v1/chats");
    assert_parts(&server.seen()[0], &expected).await;
    let started = server.client().start_chat(&account(), &start).await.unwrap();
    assert_eq!((started.chat, started.message), (None, None));
}

#[tokio::test]
async fn nothing_is_not_sent() {
    let server = Server::answering([Canned::fixture(201, "message_sent")]).await;
    for content in [Outgoing::default(), text("").content] {
        let message = SendMessage { content: content.clone(), ..text("") };
        let error = server.client().send(&account(), &message).await.unwrap_err();
        assert_eq!(error.class(), Class::Certain(Kind::Permanent));
        let start = StartChat { people: vec!["1".into()], subject: None, content };
        server.client().start_chat(&account(), &start).await.unwrap_err();
    }
    let nobody = StartChat { people: Vec::new(), subject: None, content: text("hi").content };
    server.client().start_chat(&account(), &nobody).await.unwrap_err();
    assert_eq!(server.lines(), Vec::<String>::new());
}

/// Gives its chunks, then ends or fails.
struct Odd {
    chunks: Vec<&'static str>,
    fails: bool,
    opens: bool,
}

#[async_trait]
impl OpenFile for Odd {
    async fn open(&self) -> io::Result<FileStream> {
        if !self.opens {
            return Err(io::ErrorKind::NotFound.into());
        }
        let chunks = self.chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
        let failure = self.fails.then(|| Err(io::Error::other("SECRET path")));
        let all: Vec<_> = chunks.chain(failure).collect();
        Ok(Box::pin(stream::iter(all)))
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_or_has_another_length_certainly_sent_nothing() {
    let cases = [
        (Odd { chunks: vec!["12345", "678"], fails: false, opens: true }, "shorter than announced"),
        (
            Odd { chunks: vec!["12345", "678901"], fails: false, opens: true },
            "longer than announced",
        ),
        (Odd { chunks: vec!["12345"], fails: true, opens: true }, "other error"),
        (Odd { chunks: vec![], fails: false, opens: false }, "entity not found"),
    ];
    for (source, expected) in cases {
        let server = Server::answering([Canned::fixture(201, "message_sent")]).await;
        let mut message = text("hello");
        let odd = OutgoingFile { length: 10, source: Arc::new(source), ..file("x", "a/b", "") };
        message.content.files = vec![odd];
        let error = server.client().send(&account(), &message).await.unwrap_err();
        assert_eq!(error.class(), Class::Certain(Kind::Permanent), "{error}");
        assert_eq!(error.failure, Failure::File { cause: expected.into() });
        // What came, if anything came, is not a whole form.
        let complete = server.seen().iter().any(|seen| seen.body.ends_with(b"--\r\n"));
        assert!(!complete, "{expected}");
    }
}

/// An endless source that counts what is taken from it.
struct Counted(Arc<AtomicU64>);

const CHUNK: u64 = 64 * 1024;

#[async_trait]
impl OpenFile for Counted {
    async fn open(&self) -> io::Result<FileStream> {
        let taken = self.0.clone();
        let chunk = Bytes::from(vec![0; usize::try_from(CHUNK).unwrap()]);
        Ok(Box::pin(stream::repeat_with(move || {
            taken.fetch_add(CHUNK, Ordering::SeqCst);
            Ok(chunk.clone())
        })))
    }
}

#[tokio::test]
async fn a_file_is_read_only_as_fast_as_it_is_taken() {
    const LENGTH: u64 = 1024 * 1024 * 1024;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicU64::new(0));
    let source = Arc::new(Counted(taken.clone()));
    let mut message = text("big");
    message.content.files =
        vec![OutgoingFile { length: LENGTH, source, ..file("big", "video/mp4", "") }];
    let limit = Duration::from_secs(1);
    let client = client(&url, ClientOptions { transfer_timeout: limit, ..options() });
    let error = client.send(&account(), &message).await.unwrap_err();
    assert_eq!(error.class(), Class::Uncertain);
    let taken = taken.load(Ordering::SeqCst);
    assert!((1..LENGTH / 16).contains(&taken), "{taken} bytes were taken");
}

#[tokio::test]
async fn typing_prolongs_the_limit() {
    const LIMIT: Duration = Duration::from_millis(10);
    // Nobody answers the first, and the second only when the limit alone is over for sure.
    let requests = Arc::new(AtomicUsize::new(0));
    let app = Router::new().fallback(move || {
        let number = requests.fetch_add(1, Ordering::SeqCst);
        async move {
            if number == 0 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(10 * LIMIT).await;
            (StatusCode::CREATED, fixture("message_sent"))
        }
    });
    let url = format!("http://{}", serve(app).await);
    let client = client(&url, ClientOptions { json_timeout: LIMIT, ..options() });
    client.send(&account(), &text("x")).await.unwrap_err();
    let typed = SendMessage { typing: Some(Duration::from_secs(20)), ..text("x") };
    client.send(&account(), &typed).await.unwrap();
}
