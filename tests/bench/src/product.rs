//! The product in a process of its own: the real doors over a real database, put together as the
//! program does it. Or the reference in the place of its intake.

use crate::child::{Orders, report};
use crate::database;
use crate::history::{HistoryArgs, Import};
use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use channel_domain::time::Micros;
use channel_ingest::{Ingest, IngestConfig};
use channel_query::live::LiveConfig;
use channel_query::page::TOKEN_KEY_LENGTH;
use channel_query::{Live, OverGrpc, Queries};
use channel_runtime::clock::{Clock, SystemClock};
use channel_runtime::config::{AuthConfig, Secret, ServerConfig, TelemetryConfig};
use channel_runtime::identity::{IdentityLayer, TokenVerifier};
use channel_runtime::server::{GrpcServer, Transport, serve_http};
use channel_runtime::supervise::Supervisor;
use channel_runtime::telemetry::{Metrics, Telemetry};
use channel_store::Store;
use channel_store::intake::{Delivery, Digest, Intake, Outcome, Reading};
use channel_unipile::v1::webhook::{Parsed, parse};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What to put together.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProductArgs {
    /// `postgres://…` or a folder.
    #[arg(long)]
    pub(crate) database: String,
    #[arg(long, value_enum)]
    pub(crate) intake: IntakeKind,
    /// The secret of webhooks and of tokens.
    #[arg(long)]
    pub(crate) secret: String,
    /// Writers of the batched intake; by default as many as the product has.
    #[arg(long)]
    pub(crate) writers: Option<usize>,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}

/// How webhooks get into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IntakeKind {
    /// As the product does it.
    Batched,
    /// One transaction for each webhook, 64 at a time: the same parser, the same rows, the same door.
    Single,
    /// One transaction for each webhook, one at a time: for a database with one writer.
    Serial,
}

impl IntakeKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Batched => "batched",
            Self::Single => "single",
            Self::Serial => "serial",
        }
    }

    /// Of a PostgreSQL store's connections a quarter writes.
    const fn connections(self) -> u32 {
        match self {
            Self::Single => 4 * 64,
            Self::Batched | Self::Serial => 16,
        }
    }
}

/// Where the product listens.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Doors {
    pub(crate) webhooks: SocketAddr,
    pub(crate) grpc: SocketAddr,
}

/// Serves until told to end.
pub(crate) async fn run(args: ProductArgs) -> anyhow::Result<()> {
    let quiet = TelemetryConfig { log_filter: "warn".into(), ..TelemetryConfig::default() };
    let telemetry = Telemetry::start("channel-bench", &quiet)?;
    let _metrics = Metrics::install()?;
    let store = database::open(&args.database, args.intake.connections()).await?;
    let supervisor = Supervisor::new();
    let stop = CancellationToken::new();
    let router = match args.intake {
        IntakeKind::Batched => batched(Arc::clone(&store), &args, &supervisor)?,
        IntakeKind::Single => one_by_one(Arc::clone(&store), 64),
        IntakeKind::Serial => one_by_one(Arc::clone(&store), 1),
    };
    let doors = Doors {
        webhooks: serve_webhooks(router, stop.clone()).await?,
        grpc: serve_queries(Arc::clone(&store), &args, &supervisor, stop.clone()).await?,
    };
    let import = Import::of(&store, &args.history).await?;
    report(&doors)?;
    let mut orders = Orders::listen();
    while orders.next().await {
        // The first time it begins, later it tells how far it came.
        let import = import.as_ref().context("no history was named")?;
        report(&import.ask().await?.messages_read)?;
    }
    stop.cancel();
    if let Some(import) = import {
        import.end().await?;
    }
    telemetry.flush().await;
    Ok(())
}

fn batched(
    store: Arc<dyn Store>,
    args: &ProductArgs,
    supervisor: &Supervisor,
) -> anyhow::Result<Router> {
    let config = IngestConfig { webhook_secret: Secret::new(&args.secret), ..writers(args) };
    let ingest = Ingest::new(store, &config, Arc::new(SystemClock))?;
    ingest.spawn(supervisor);
    Ok(ingest.router())
}

/// SQLite has one writer.
fn writers(args: &ProductArgs) -> IngestConfig {
    let config = IngestConfig::default();
    let usual = if args.database.starts_with("postgres://") { config.writers } else { 1 };
    IngestConfig { writers: args.writers.unwrap_or(usual), ..config }
}

async fn serve_webhooks(router: Router, stop: CancellationToken) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let transport = Transport::new(&ServerConfig::default(), true)?;
    let limit = Duration::from_secs(1);
    tokio::spawn(serve_http(listener, router, transport, stop, limit));
    Ok(address)
}

async fn serve_queries(
    store: Arc<dyn Store>,
    args: &ProductArgs,
    supervisor: &Supervisor,
    stop: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let auth = AuthConfig { secret: Secret::new(&args.secret), ..AuthConfig::default() };
    let verifier = TokenVerifier::new(&auth, Arc::clone(&clock))?;
    let queries = Queries::new(Arc::clone(&store), Arc::clone(&clock), &[7; TOKEN_KEY_LENGTH]);
    // Only how fast streams may open differs from the defaults.
    let live = LiveConfig { streams_per_second: 100_000, ..LiveConfig::default() };
    let live = Live::start(store, live, clock, supervisor);
    let service = OverGrpc::new(queries, live, supervisor.tasks()).into_server();
    let server = GrpcServer::new(ServerConfig::default(), IdentityLayer::new(Arc::new(verifier)))
        .describe(channel_proto::FILE_DESCRIPTOR_SET)
        .service(service);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(server.serve(listener, stop, Duration::from_secs(1)));
    Ok(address)
}

/// The reference behind the same kind of door.
#[derive(Clone)]
struct OneByOne {
    store: Arc<dyn Intake>,
    places: Arc<Semaphore>,
}

fn one_by_one(store: Arc<dyn Store>, at_a_time: usize) -> Router {
    let state = OneByOne { store, places: Arc::new(Semaphore::new(at_a_time)) };
    Router::new().route("/api/v1/webhooks/unipile/", post(take_one)).with_state(state)
}

async fn take_one(State(state): State<OneByOne>, body: Bytes) -> (StatusCode, &'static str) {
    let delivery = Delivery {
        received_at: Micros(SystemClock.now_micros()),
        reading: read(&body),
        body,
        headers: "{}".to_owned(),
        trace: None,
    };
    let Ok(_place) = state.places.acquire().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "");
    };
    match state.store.take(vec![delivery]).await {
        Ok(taken) if taken.verdicts.iter().all(|one| one.outcome != Outcome::Pending) => {
            (StatusCode::OK, "{}")
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, ""),
    }
}

/// As the product reads a body.
pub(crate) fn read(body: &[u8]) -> Reading {
    match parse(body) {
        Parsed::Statement(statement) => {
            let digest = channel_unipile::digest(&statement).unwrap_or_else(|| {
                let mut digest = Digest::default();
                digest.copy_from_slice(&sha2::Sha256::digest(body)[..16]);
                digest
            });
            Reading::Statement { statement: Box::new(statement), digest }
        }
        Parsed::Ignored { account, reason, .. } => {
            Reading::Ignored { account, reason: reason.code() }
        }
        Parsed::Rejected(rejection) => {
            Reading::Rejected { reason: rejection.reason.code(), detail: rejection.detail }
        }
    }
}

/// Starts a product in a process of its own.
pub(crate) async fn start(
    place: &str,
    intake: IntakeKind,
    preload: Option<&std::path::Path>,
) -> anyhow::Result<(crate::child::Part, Doors)> {
    start_with(place, intake, preload, vec![]).await
}

/// The same, with more to do.
pub(crate) async fn start_with(
    place: &str,
    intake: IntakeKind,
    preload: Option<&std::path::Path>,
    more: Vec<String>,
) -> anyhow::Result<(crate::child::Part, Doors)> {
    let arguments = ["product", "--database", place, "--intake", intake.name(), "--secret", SECRET];
    let arguments = arguments.map(str::to_owned).into_iter().chain(more);
    let mut part = crate::child::Part::start(arguments, preload)?;
    let doors = part.hear().await.context("the product does not start")?;
    Ok((part, doors))
}

/// No secret at all: it guards throw-away data on loopback.
pub(crate) const SECRET: &str = "a-secret-of-at-least-thirty-two-bytes";
