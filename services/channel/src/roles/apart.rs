//! One role in a process of its own.

use std::sync::Arc;

use channel_gateway::LocalServices;
use channel_runtime::server::GrpcServer;
use tokio::net::TcpListener;
use tracing::info;

use super::{bucket, gateway, identity, ingest, messaging, query, server};
use crate::config::Config;
use crate::process::{CALLS_END, Ending, Stage, bind, database, reachable};
use crate::store::Opened;

/// A role that has a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Receives webhooks and makes them durable
    Ingest,
    /// Sends and synchronises through UniPile
    Messaging,
    /// Answers reads and streams changes
    Query,
    /// The public door: gRPC-Web, gRPC, webhooks
    Gateway,
}

impl Role {
    /// The name of the process in traces.
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::Ingest => "channel-ingest",
            Self::Messaging => "channel-messaging",
            Self::Query => "channel-query",
            Self::Gateway => "channel-gateway",
        }
    }
}

/// A checked configuration, nothing done yet.
pub(crate) struct Plan {
    role: Role,
    config: Config,
}

impl Plan {
    /// Checks everything that can be known before anything is touched.
    pub(crate) fn new(role: Role, config: Config) -> anyhow::Result<Self> {
        config.require_auth_secret()?;
        config.server.check()?;
        match role {
            Role::Gateway => {
                config.require_upstreams()?;
                config.gateway.validate()?;
            }
            Role::Ingest => config.ingest.check()?,
            Role::Messaging => {
                config.unipile_base_url()?;
                config.messaging.check()?;
                config.retention.check()?;
                config.media.check()?;
                config.subscription()?;
            }
            Role::Query => config.media.check()?,
        }
        if role != Role::Gateway {
            config.require_shared_store()?;
        }
        Ok(Self { role, config })
    }

    /// Takes the ports, opens the store, starts the role, opens its doors.
    pub(crate) async fn start(self, stage: &Stage) -> anyhow::Result<Ending> {
        let admin = stage.open_admin(&self.config.admin).await?;
        info!(role = self.role.service(), admin.address = %admin, "starting");
        match self.role {
            Role::Ingest => self.ingest(stage).await,
            Role::Messaging => self.messaging(stage).await,
            Role::Query => self.query(stage).await,
            Role::Gateway => self.gateway(stage).await,
        }
    }

    async fn ingest(self, stage: &Stage) -> anyhow::Result<Ending> {
        let listener = self.bind().await?;
        let webhooks = bind("ingest.webhook_listen", self.config.ingest.webhook_listen).await?;
        let opened = Opened::open(&self.config.store).await?;
        let server = self.server(stage)?;
        let (server, ingest) = ingest::add(stage, server, &opened.store(), &self.config.ingest)?;
        info!(webhook.address = %reachable(&webhooks)?, "webhooks are received");
        ingest::open_webhooks(
            stage,
            webhooks,
            ingest.router_with(opened.store()),
            &self.config.server,
        )?;
        database::follow(stage, &opened, &server.health());
        open(stage, listener, server)?;
        Ok(Ending { ingest: Some(ingest), store: Some(opened), ..Ending::default() })
    }

    async fn messaging(self, stage: &Stage) -> anyhow::Result<Ending> {
        let listener = self.bind().await?;
        let opened = Opened::open(&self.config.store).await?;
        let (config, store) = (&self.config, opened.store());
        bucket::look(&messaging::objects(config)?, &config.media).await?;
        let upstream = match config.unipile_base_url()? {
            Some(base) => {
                let clock = Arc::clone(&stage.clock);
                Some(messaging::client(base, &config.unipile.api_key, config, clock)?)
            }
            None => None,
        };
        let server = self.server(stage)?;
        let server = messaging::add(
            stage,
            server,
            &store,
            config,
            upstream,
            messaging::Reached::publicly(config)?,
            messaging::place(config)?,
        );
        database::follow(stage, &opened, &server.health());
        open(stage, listener, server)?;
        Ok(Ending { store: Some(opened), ..Ending::default() })
    }

    async fn query(self, stage: &Stage) -> anyhow::Result<Ending> {
        let listener = self.bind().await?;
        let opened = Opened::open(&self.config.store).await?;
        let (config, store) = (&self.config, opened.store());
        let objects = messaging::objects(config)?;
        bucket::look(&objects, &config.media).await?;
        let server = self.server(stage)?;
        let (server, live) = query::add(stage, server, &store, config, true, objects);
        database::follow(stage, &opened, &server.health());
        open(stage, listener, server)?;
        Ok(Ending { live: Some(live), store: Some(opened), ..Ending::default() })
    }

    async fn gateway(self, stage: &Stage) -> anyhow::Result<Ending> {
        let listener = bind("gateway.listen", self.config.gateway.listen).await?;
        let identity = identity(&self.config.auth, stage.clock.clone())?;
        let server = server(self.config.server.clone(), identity.clone());
        let server = gateway::services().fold(server, GrpcServer::list);
        let health = server.health();
        gateway::health::follow(stage, &health, &self.config.gateway.upstreams)?;
        let local = LocalServices {
            grpc: gateway::routes(server.into_stack()?),
            ..LocalServices::default()
        };
        info!(gateway.address = %reachable(&listener)?, "ready");
        gateway::open(stage, listener, self.config.gateway, local, identity)?;
        Ok(Ending { health: Some(health), ..Ending::default() })
    }

    async fn bind(&self) -> anyhow::Result<TcpListener> {
        bind("server.listen", self.config.server.listen).await
    }

    fn server(&self, stage: &Stage) -> anyhow::Result<GrpcServer> {
        let identity = identity(&self.config.auth, stage.clock.clone())?;
        Ok(server(self.config.server.clone(), identity))
    }
}

/// Serves a role's service on its listener.
fn open(stage: &Stage, listener: TcpListener, server: GrpcServer) -> anyhow::Result<()> {
    let closing = stage.closing();
    info!(server.address = %reachable(&listener)?, "ready");
    stage.open_door(
        "server",
        async move { server.serve(listener, closing, CALLS_END).await.map(drop) },
    );
    Ok(())
}
