//! Messaging: the only role that calls UniPile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use channel_media::{MediaConfig, MediaStoreKind, Objects, Spool};
use channel_messaging::grpc::OverGrpc;
use channel_messaging::{
    Connections, Dispatcher, Eraser, Fetcher, Importer, MessagingConfig, Miniatures, Outgoing,
    Portraits, Retention, RetentionConfig, Subscription, Subscriptions,
};
use channel_proto::messaging::v1::messaging_service_server::MessagingServiceServer;
use channel_runtime::clock::Clock;
use channel_runtime::config::Secret;
use channel_runtime::server::GrpcServer;
use channel_runtime::supervise::Backoff;
use channel_store::Store;
use channel_unipile::hosts::BaseUrl;
use channel_unipile::upstream::Upstream;
use channel_unipile::v1::client::{Client, ClientOptions};
use secrecy::SecretString;
use tracing::warn;

use super::WEBHOOK_PATH;
use crate::config::Config;
use crate::process::Stage;

/// A client of UniPile's API v1.
pub(crate) fn client(
    base: BaseUrl,
    key: &Secret,
    config: &Config,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Upstream>> {
    let json_timeout = Duration::from_secs(config.unipile.timeout_seconds.max(1).into());
    let download_limit = config.media.most_bytes;
    let options = ClientOptions { json_timeout, download_limit, ..ClientOptions::default() };
    let key = SecretString::from(key.expose());
    let chance = Arc::new(rand::random::<f64>);
    let client = Client::new(base, &key, options, clock, chance);
    Ok(Arc::new(client.context("cannot make a client of UniPile")?))
}

/// How the upstream reaches us.
#[derive(Default)]
pub(crate) struct Reached {
    /// The webhooks to look after, and how often.
    pub(crate) webhooks: Option<(Subscription, Duration)>,
    /// Where it reports to after somebody used its sign-in page, up to the token.
    pub(crate) callbacks: Option<String>,
}

impl Reached {
    /// By the public address, if there is one.
    pub(crate) fn publicly(config: &Config) -> anyhow::Result<Self> {
        let every = Duration::from_secs(config.unipile.webhook_check_seconds.max(1).into());
        let webhooks = config.subscription()?.map(|wanted| (wanted, every));
        Ok(Self { webhooks, callbacks: config.public_origin()?.map(callbacks) })
    }

    /// By the simulator beside us, which knows where webhooks go.
    pub(crate) fn beside(gateway: SocketAddr) -> Self {
        Self { webhooks: None, callbacks: Some(callbacks(&format!("http://{gateway}"))) }
    }
}

fn callbacks(origin: &str) -> String {
    format!("{origin}{WEBHOOK_PATH}hosted/")
}

/// Where files go, and where they lie on their way there.
pub(crate) type Place = (Objects, Spool);

/// Opens the folder or bucket for files.
pub(crate) fn objects(config: &Config) -> anyhow::Result<Objects> {
    let objects = Objects::open(&config.media, &config.media_folder());
    objects.context("cannot open the place for files: see `media`")
}

/// The same, with room for files on their way there.
pub(crate) fn place(config: &Config) -> anyhow::Result<Place> {
    // A process that writes into a bucket may have no folder of its own.
    let incoming = match config.media.kind {
        MediaStoreKind::Local => config.media_folder().join("incoming"),
        MediaStoreKind::S3 => std::env::temp_dir(),
    };
    let spool = Spool::new(&incoming).context("cannot open the folder for files that come in")?;
    Ok((objects(config)?, spool))
}

/// Starts to fetch the files of messages and the pictures of people and groups, and to make small pictures.
fn fetch(
    stage: &Stage,
    store: &Arc<dyn Store>,
    upstream: &Arc<dyn Upstream>,
    config: &MediaConfig,
    place: Place,
) {
    let (store, upstream) = (Arc::clone(store), Arc::clone(upstream));
    let clock = Arc::clone(&stage.clock);
    let portraits =
        Portraits::new(store.clone(), upstream.clone(), clock.clone(), place.clone(), config);
    let drain = stage.supervisor.drain();
    stage.supervisor.spawn_restarting("portraits", Backoff::default(), move || {
        portraits.clone().run(drain.clone())
    });
    let miniatures = Miniatures::new(store.clone(), clock.clone(), place.0.clone(), config);
    let drain = stage.supervisor.drain();
    stage.supervisor.spawn_restarting("miniatures", Backoff::default(), move || {
        miniatures.clone().run(drain.clone())
    });
    let fetcher = Fetcher::new(store, upstream, clock, place, config);
    let drain = stage.supervisor.drain();
    stage.supervisor.spawn_restarting("fetcher", Backoff::default(), move || {
        fetcher.clone().run(drain.clone())
    });
}

/// Starts to erase what is to be erased, and to delete what is old, which needs no upstream.
fn erase(
    stage: &Stage,
    store: &Arc<dyn Store>,
    connections: &Connections,
    objects: Objects,
    retention: RetentionConfig,
) {
    let (store, clock) = (Arc::clone(store), Arc::clone(&stage.clock));
    let retention = Retention::new(store.clone(), clock.clone(), retention);
    let drain = stage.supervisor.drain();
    stage.supervisor.spawn_restarting("retention", Backoff::default(), move || {
        retention.clone().run(drain.clone())
    });
    let eraser = Eraser::new(store, clock, objects, connections.erase_wake());
    let drain = stage.supervisor.drain();
    stage
        .supervisor
        .spawn_restarting("eraser", Backoff::default(), move || eraser.clone().run(drain.clone()));
}

/// Starts to confirm what the upstream's sign-in page reported.
fn confirm(stage: &Stage, connections: &Connections) {
    let (confirmer, drain) = (connections.confirmer(), stage.supervisor.drain());
    stage.supervisor.spawn_restarting("confirmer", Backoff::default(), move || {
        confirmer.clone().run(drain.clone())
    });
}

/// Starts to have the upstream remove the accounts that are to be erased.
fn remove(stage: &Stage, connections: &Connections) {
    let (remover, drain) = (connections.remover(), stage.supervisor.drain());
    stage.supervisor.spawn_restarting("remover", Backoff::default(), move || {
        remover.clone().run(drain.clone())
    });
}

/// Adds the role to a server, and starts to send what is in the outbox. Without an upstream nothing is sent, and
/// nothing is taken to be sent.
pub(crate) fn add(
    stage: &Stage,
    server: GrpcServer,
    store: &Arc<dyn Store>,
    config: &Config,
    upstream: Option<Arc<dyn Upstream>>,
    reached: Reached,
    place: Place,
) -> GrpcServer {
    let (media, retention) = (&config.media, config.retention.clone());
    let config: Arc<MessagingConfig> = Arc::new(config.messaging.clone());
    let clock = Arc::clone(&stage.clock);
    let connected = upstream.is_some();
    let drain = stage.supervisor.drain();
    let connections = Connections::new(
        Arc::clone(store),
        upstream.clone(),
        clock.clone(),
        config.clone(),
        reached.callbacks,
        drain,
    );
    let outgoing = Outgoing::new(Arc::clone(store), clock.clone(), config.clone(), connected);
    erase(stage, store, &connections, place.0.clone(), retention);
    if let Some(upstream) = upstream {
        fetch(stage, store, &upstream, media, place);
        confirm(stage, &connections);
        remove(stage, &connections);
        if let Some((wanted, every)) = reached.webhooks {
            let subscriptions = Subscriptions::new(upstream.clone(), wanted, every);
            let drain = stage.supervisor.drain();
            stage.supervisor.spawn_restarting("subscriptions", Backoff::default(), move || {
                subscriptions.clone().run(drain.clone())
            });
        }
        let store = Arc::clone(store);
        let importer = Importer::new(
            store.clone(),
            upstream.clone(),
            clock.clone(),
            config.clone(),
            outgoing.sync_wake(),
        );
        let drain = stage.supervisor.drain();
        stage.supervisor.spawn_restarting("importer", Backoff::default(), move || {
            importer.clone().run(drain.clone())
        });
        let dispatcher = Dispatcher::new(store, upstream, clock, config, outgoing.wake());
        let drain = stage.supervisor.drain();
        stage.supervisor.spawn_restarting("dispatcher", Backoff::default(), move || {
            dispatcher.clone().run(drain.clone())
        });
    } else {
        warn!("no upstream is configured: messages cannot be sent");
    }
    server.service(MessagingServiceServer::new(OverGrpc::new(
        outgoing,
        connections,
        stage.supervisor.tasks(),
    )))
}
