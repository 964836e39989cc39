//! A server that notes what it is asked and answers what it was told, and a client for it.

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::response::Response;
use bytes::Bytes;
use channel_domain::fact::Received;
use channel_runtime::clock::ManualClock;
use channel_unipile::hosts::check_base_url;
use channel_unipile::upstream::{MessageState, Outgoing, SendMessage};
use channel_unipile::v1::client::{Client, ClientOptions};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

pub(crate) const KEY: &str = "FIXTURE-KEY";
pub(crate) const ACCOUNT: &str = "O6Q7c7nsO6FopN47cqoX3w";
/// 2026-02-01T10:05:12Z
pub(crate) const NOW: i64 = 1_769_940_312_000_000;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer to be given.
#[derive(Debug, Clone)]
pub(crate) struct Canned {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Canned {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn fixture(status: u16, name: &str) -> Self {
        Self::new(status, fixture(name))
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(200, value.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn response(self) -> Response {
        let builder = Response::builder().status(self.status);
        let add = |builder: http::response::Builder, (name, value)| builder.header(name, value);
        self.headers.into_iter().fold(builder, add).body(Body::from(self.body)).unwrap()
    }
}

/// The server. It gives the answers in turn, and the last one again and again.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Canned>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        let app = Router::new().fallback(move |request: Request| {
            let (answers, noted) = (answers.clone(), noted.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
                let line = format!("{} {}", parts.method, parts.uri);
                noted.lock().unwrap().push(Seen { line, headers: parts.headers, body });
                let mut answers = answers.lock().unwrap();
                let last = answers.len() == 1;
                let next = if last { answers.front().cloned() } else { answers.pop_front() };
                next.unwrap().response()
            }
        });
        Self { address: serve(app).await, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    pub(crate) fn client(&self) -> Client {
        client(&format!("http://{}", self.address), options())
    }
}

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// A server that does with each connection what it is told; how many connections there were.
pub(crate) async fn raw<Fut>(
    with: impl Fn(TcpStream) -> Fut + Send + 'static,
) -> (String, Arc<AtomicUsize>)
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(with(stream));
        }
    });
    (url, count)
}

/// Patient where nothing is to be waited for, with no breaker and next to no waits.
pub(crate) fn options() -> ClientOptions {
    let mut options = ClientOptions::default();
    options.backoff.first = Duration::from_millis(1);
    options.backoff.most = Duration::from_millis(1);
    options.breaker.failures = 0;
    options
}

pub(crate) fn client(url: &str, options: ClientOptions) -> Client {
    let clock = Arc::new(ManualClock::at(NOW));
    let key = SecretString::from(KEY);
    Client::new(check_base_url(url).unwrap(), &key, options, clock, Arc::new(|| 0.5)).unwrap()
}

/// Text of a fixture of REST.
pub(crate) fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/rest/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn fixture_value(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap()
}

/// A message with a text alone.
pub(crate) fn text(text: &str) -> SendMessage {
    let content = Outgoing { text: Some(text.to_owned()), ..Outgoing::default() };
    SendMessage { chat: "c1".into(), content, quote: None, typing: None }
}

/// The parts of a multipart body: name, file name, media type, bytes.
pub(crate) async fn parts(seen: &Seen) -> Vec<(String, Option<String>, Option<String>, Bytes)> {
    let mut request = Request::new(Body::from(seen.body.clone()));
    *request.headers_mut() = seen.headers.clone();
    let mut form = Multipart::from_request(request, &()).await.unwrap();
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        let file = field.file_name().map(str::to_owned);
        let mime = field.content_type().map(str::to_owned);
        parts.push((name, file, mime, field.bytes().await.unwrap()));
    }
    parts
}

pub(crate) fn received(state: &MessageState) -> &Received {
    &state.received
}
