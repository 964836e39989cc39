//! An ingest on a free port, over SQLite in a temporary folder.

use std::sync::Arc;
use std::time::Duration;

use channel_ingest::{Ingest, IngestConfig, IngestOverGrpc, Parser};
use channel_proto::ingest::v1::ingest_service_client::IngestServiceClient;
use channel_proto::ingest::v1::ingest_service_server::IngestServiceServer;
use channel_runtime::clock::SystemClock;
use channel_runtime::config::Secret;
use channel_runtime::identity::{Identity, Role};
use channel_runtime::supervise::Supervisor;
use channel_store::intake::{InboxFilter, Intake, Outcome, Stored};
use channel_store_sqlite::{Options, SqliteStore};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const SECRET: &str = "s3cret";

pub(crate) struct Running {
    pub(crate) ingest: Ingest,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) address: std::net::SocketAddr,
    http: reqwest::Client,
    pub(crate) supervisor: Supervisor,
    _folder: Arc<TempDir>,
}

pub(crate) fn config() -> IngestConfig {
    IngestConfig { webhook_secret: Secret::new(SECRET), ..IngestConfig::default() }
}

pub(crate) async fn sqlite() -> (Arc<SqliteStore>, Arc<TempDir>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).await;
    (Arc::new(store.unwrap()), Arc::new(folder))
}

pub(crate) async fn start(config: IngestConfig) -> Running {
    let (store, folder) = sqlite().await;
    run(store.clone(), store, folder, config, Parser::default()).await
}

/// Starts over `store`; `through` is what the role sees of it.
pub(crate) async fn run(
    store: Arc<SqliteStore>,
    through: Arc<dyn Intake>,
    folder: Arc<TempDir>,
    config: IngestConfig,
    parser: Parser,
) -> Running {
    let ingest = Ingest::with_parser(through, &config, Arc::new(SystemClock), parser).unwrap();
    let supervisor = Supervisor::new();
    ingest.spawn(&supervisor);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = ingest.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Running { ingest, store, address, http: reqwest::Client::new(), supervisor, _folder: folder }
}

impl Running {
    pub(crate) fn request(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}/api/v1/webhooks/unipile{path}", self.address);
        self.http.post(url)
    }

    /// Sends with the right secret.
    pub(crate) async fn send(&self, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let request = self.request("/").header("Unipile-Auth", SECRET).body(body);
        answer(request.send().await.unwrap()).await
    }

    /// All stored webhooks in these states (any, if none), the newest first.
    pub(crate) async fn inbox(&self, outcomes: &[Outcome]) -> Vec<Stored> {
        let filter =
            InboxFilter { outcomes: outcomes.to_vec(), limit: 1_000, ..InboxFilter::default() };
        self.store.inbox(&filter).await.unwrap().into_iter().map(Result::unwrap).collect()
    }

    /// Waits until the inbox has so many in a state.
    pub(crate) async fn until(&self, outcome: Outcome, count: usize) {
        let looking = async {
            while self.inbox(&[outcome]).await.len() != count {
                tokio::task::yield_now().await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(20), looking).await;
        let now = self.inbox(&[]).await.len();
        assert!(seen.is_ok(), "never {count} in {outcome:?}, {now} in all");
    }

    pub(crate) fn client(&self) -> IngestServiceClient<IngestServiceServer<IngestOverGrpc>> {
        IngestServiceClient::new(self.ingest.grpc())
    }
}

pub(crate) async fn answer(response: reqwest::Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    (status, body)
}

/// A request by a caller in a role, as the identity layer hands it on.
pub(crate) fn by<T>(role: Role, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.extensions_mut().insert(Identity {
        subject: "test".into(),
        tenant: "".into(),
        role,
        accounts: None,
        expires_at: i64::MAX,
    });
    request
}

/// A webhook that tells of a message.
pub(crate) fn message(account: &str, id: &str) -> String {
    json!({
        "event": "message_received",
        "account_id": account,
        "account_type": "WHATSAPP",
        "message_id": id,
        "chat_id": format!("chat-of-{account}"),
        "message": format!("text of {id}"),
        "is_sender": false,
        "timestamp": "2026-11-04T10:00:00.000Z",
        "sender": {
            "attendee_id": "att1",
            "attendee_name": "Ada",
            "attendee_provider_id": "4915112345678@s.whatsapp.net",
        },
    })
    .to_string()
}
