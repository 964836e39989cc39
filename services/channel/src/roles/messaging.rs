//! Messaging: the only role that calls UniPile.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use channel_messaging::grpc::OverGrpc;
use channel_messaging::{
    Connections, Dispatcher, Importer, MessagingConfig, Outgoing, Subscription, Subscriptions,
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

use crate::config::{Config, UnipileConfig};
use crate::process::Stage;

/// A client of UniPile's API v1.
pub(crate) fn client(
    base: BaseUrl,
    key: &Secret,
    config: &UnipileConfig,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Upstream>> {
    let json_timeout = Duration::from_secs(config.timeout_seconds.max(1).into());
    let options = ClientOptions { json_timeout, ..ClientOptions::default() };
    let key = SecretString::from(key.expose());
    let chance = Arc::new(rand::random::<f64>);
    let client = Client::new(base, &key, options, clock, chance);
    Ok(Arc::new(client.context("cannot make a client of UniPile")?))
}

/// The webhooks to look after, and how often.
pub(crate) fn webhooks(config: &Config) -> anyhow::Result<Option<(Subscription, Duration)>> {
    let every = Duration::from_secs(config.unipile.webhook_check_seconds.max(1).into());
    Ok(config.subscription()?.map(|wanted| (wanted, every)))
}

/// Adds the role to a server, and starts to send what is in the outbox. Without an upstream nothing is sent, and
/// nothing is taken to be sent.
pub(crate) fn add(
    stage: &Stage,
    server: GrpcServer,
    store: &Arc<dyn Store>,
    config: &MessagingConfig,
    upstream: Option<Arc<dyn Upstream>>,
    webhooks: Option<(Subscription, Duration)>,
) -> GrpcServer {
    let (clock, config) = (Arc::clone(&stage.clock), Arc::new(config.clone()));
    let connected = upstream.is_some();
    let drain = stage.supervisor.drain();
    let connections =
        Connections::new(Arc::clone(store), upstream.clone(), clock.clone(), config.clone(), drain);
    let outgoing = Outgoing::new(Arc::clone(store), clock.clone(), config.clone(), connected);
    if let Some(upstream) = upstream {
        if let Some((wanted, every)) = webhooks {
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
