//! What is told about a call, and what never is.

use crate::support::{ACCOUNT, Canned, KEY, Server, text};
use bytes::Bytes;
use channel_domain::AccountId;
use channel_domain::fact::Attachment;
use channel_unipile::upstream::{MessageQuery, Messages, OutgoingFile};
use channel_unipile::v1::client::Client;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A client of a server that runs elsewhere, so that only the client's own words are heard here.
fn elsewhere(answers: Vec<Canned>) -> Client {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let server = Server::answering(answers).await;
            sender.send(server.client()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
}

async fn exercise(client: &Client) {
    let account = AccountId::from(ACCOUNT);
    let mut message = text("SECRET-TEXT");
    let bytes = Bytes::from_static(b"SECRET-BYTES");
    let (length, source) = (bytes.len() as u64, Arc::new(bytes));
    let (name, mime) = ("SECRET-NAME".into(), "image/png".into());
    message.content.files.push(OutgoingFile { name, mime, length, source });
    let sent = client.send(&account, &message).await;
    let edited = client.edit(&account, &"m".into(), "SECRET-TEXT").await;
    let query = MessageQuery { sender: Some("SECRET-SENDER".into()), ..MessageQuery::default() };
    let listed = client.messages(&account, &query).await;
    let file = Attachment { id: "SECRET-FILE".into(), ..Attachment::default() };
    let fetched = client.attachment(&account, &"m".into(), &file).await;
    for error in [sent.err(), edited.err(), listed.err(), fetched.err()].into_iter().flatten() {
        tracing::error!(error = %error, debug = ?error, advice = error.advice(), "failed");
    }
    tracing::info!(?client, ?message, "shown");
}

fn refused(status: u16) -> Canned {
    let detail = "SECRET-DETAIL";
    let body =
        format!(r#"{{"title":"{detail}","type":"errors/x","detail":"{detail}","status":1}}"#);
    Canned::new(status, body)
}

#[test]
fn neither_logs_nor_errors_nor_debug_hold_key_text_names_or_bytes() {
    let answers = vec![
        Canned::fixture(201, "message_sent"),
        refused(422),
        Canned::new(200, "SECRET-BODY"),
        refused(404),
        refused(500),
    ];
    let client = elsewhere(answers);
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        runtime().block_on(async {
            exercise(&client).await;
            exercise(&client).await;
        });
    });
    let logs = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for told in
        ["unipile.call", "POST /chats/{id}/messages", ACCOUNT, "status=422", "milliseconds="]
    {
        assert!(logs.contains(told), "{told} is missing in\n{logs}");
    }
    assert!(!logs.contains(KEY), "the key is in\n{logs}");
    let secret = logs.lines().find(|line| line.contains("SECRET"));
    assert_eq!(secret, None);
}

#[test]
fn each_call_is_counted_and_timed_by_route_and_outcome() {
    let client = elsewhere(vec![
        Canned::fixture(201, "message_sent"),
        Canned::fixture(422, "error_422_invalid_recipient"),
        Canned::new(503, ""),
        Canned::fixture(200, "messages_list"),
        Canned::new(200, "bytes"),
    ]);
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || runtime().block_on(exercise(&client)));
    let text = handle.render();
    for line in [
        r#"channel_unipile_calls_total{route="POST /chats/{id}/messages",outcome="ok"} 1"#,
        r#"channel_unipile_calls_total{route="PATCH /messages/{id}",outcome="invalid_recipient"} 1"#,
        r#"channel_unipile_calls_total{route="GET /messages",outcome="unknown"} 1"#,
        r#"channel_unipile_calls_total{route="GET /messages",outcome="ok"} 1"#,
        r#"channel_unipile_retries_total{route="GET /messages"} 1"#,
        r#"channel_unipile_call_seconds_count{route="GET /messages",outcome="ok"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("SECRET") && !text.contains(ACCOUNT), "{text}");
}
