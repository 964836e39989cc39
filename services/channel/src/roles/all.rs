//! All roles in one process.

use std::net::SocketAddr;
use std::sync::Arc;

use channel_gateway::LocalServices;
use channel_runtime::config::Secret;
use channel_runtime::identity::{IdentityLayer, TokenIssuer};
use channel_unipile::upstream::Upstream as UniPile;
use tracing::info;

use super::{bucket, demo, gateway, identity, ingest, messaging, query, server};
use crate::config::{Config, StoreKind, Upstream};
use crate::keys;
use crate::process::{Ending, Stage, bind, database, reachable};
use crate::store::Opened;
use crate::tokens::Tokens;

/// A checked configuration, nothing done yet.
pub(crate) struct Plan {
    config: Config,
    upstream: Upstream,
    own_auth: bool,
}

/// What the one who started it has to know.
pub(crate) struct Started {
    pub(crate) gateway: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) upstream: Upstream,
    /// The token of an admin, if tokens were written beside the data.
    pub(crate) token: Option<Secret>,
    /// Whether the webhooks' secret was made here.
    pub(crate) own_webhook_secret: bool,
    pub(crate) config: Config,
}

impl Plan {
    /// Checks everything that can be known before anything is touched.
    pub(crate) fn new(mut config: Config) -> anyhow::Result<Self> {
        let upstream = config.upstream()?;
        config.check_store()?;
        config.server.check()?;
        config.gateway.validate()?;
        config.messaging.check()?;
        config.retention.check()?;
        config.media.check()?;
        config.public_origin()?;
        if config.store.kind == StoreKind::Sqlite {
            // It has one writer, which batches by itself.
            config.ingest.writers = 1;
        }
        let own_auth = config.auth.secret.is_empty();
        Ok(Self { config, upstream, own_auth })
    }

    /// Takes the ports, opens the store, starts the roles, opens the doors.
    pub(crate) async fn start(mut self, stage: &Stage) -> anyhow::Result<(Started, Ending)> {
        let listener = bind("gateway.listen", self.config.gateway.listen).await?;
        let admin = stage.open_admin(&self.config.admin).await?;
        let own_webhook_secret = self.complete_secrets()?;
        let store = Opened::open(&self.config.store).await?;
        bucket::look(&messaging::objects(&self.config)?, &self.config.media).await?;

        let gateway = reachable(&listener)?;
        let events = store.store();
        let identity = identity(&self.config.auth, stage.clock.clone())?;
        let simulated = match self.upstream {
            Upstream::Demo => Some(demo::Api::bind().await?),
            _ => None,
        };
        let upstream = self.client(stage, simulated.as_ref())?;
        let (local, ending) = self.services(stage, store, identity.clone(), gateway, upstream)?;
        gateway::open(stage, listener, self.config.gateway.clone(), local, identity)?;
        let token = self.write_tokens(stage)?;
        if let Some(api) = simulated {
            let Config { demo, ingest, .. } = &self.config;
            demo::start(stage, demo, ingest, gateway, api, &*events).await?;
        }
        info!(role = "all", gateway.address = %gateway, admin.address = %admin, "ready");
        let Self { config, upstream, .. } = self;
        let started = Started { gateway, admin, upstream, token, own_webhook_secret, config };
        Ok((started, ending))
    }

    /// Fills in what the configuration leaves to the program. The demo's webhook secret is a new one each
    /// time; one that somebody has to tell UniPile stays.
    fn complete_secrets(&mut self) -> anyhow::Result<bool> {
        let folder = &self.config.store.path;
        if self.own_auth {
            self.config.auth.secret = keys::kept(folder, keys::AUTH)?;
        }
        let ingest = &mut self.config.ingest;
        let made = ingest.webhook_secret.is_empty() && !ingest.allow_unauthenticated;
        if made {
            ingest.webhook_secret = match self.upstream {
                Upstream::Demo => keys::random(),
                _ => keys::kept(folder, keys::WEBHOOK)?,
            };
        }
        ingest.check()?;
        Ok(made)
    }

    /// Who is called to send: UniPile, or the simulator in its place.
    fn client(
        &self,
        stage: &Stage,
        simulated: Option<&demo::Api>,
    ) -> anyhow::Result<Option<Arc<dyn UniPile>>> {
        let (clock, config) = (Arc::clone(&stage.clock), &self.config);
        let client = match (&self.upstream, simulated) {
            (Upstream::UniPile(base), _) => {
                messaging::client(base.clone(), &config.unipile.api_key, config, clock)?
            }
            (_, Some(api)) => messaging::client(api.base()?, &api.key, config, clock)?,
            _ => return Ok(None),
        };
        Ok(Some(client))
    }

    fn services(
        &self,
        stage: &Stage,
        opened: Opened,
        identity: IdentityLayer,
        gateway: SocketAddr,
        upstream: Option<Arc<dyn UniPile>>,
    ) -> anyhow::Result<(LocalServices, Ending)> {
        let (config, store) = (&self.config, opened.store());
        let server = server(config.server.clone(), identity);
        let (server, ingest) = ingest::add(stage, server, &store, &config.ingest)?;
        let place = messaging::place(config)?;
        let objects = place.0.clone();
        let (server, live) = query::add(stage, server, &store, config, upstream.is_some(), objects);
        let reached = match self.upstream {
            Upstream::UniPile(_) => messaging::Reached::publicly(config)?,
            Upstream::Demo => messaging::Reached::beside(gateway),
            Upstream::None => messaging::Reached::default(),
        };
        let server = messaging::add(stage, server, &store, config, upstream, reached, place);
        let health = server.health();
        database::follow(stage, &opened, &health);
        let local = LocalServices {
            grpc: gateway::routes(server.into_stack()?),
            webhook: Some(ingest.router_with(store)),
            http: None,
        };
        let ending = Ending {
            health: Some(health),
            live: Some(live),
            ingest: Some(ingest),
            store: Some(opened),
        };
        Ok((local, ending))
    }

    /// Who sits at the machine gets tokens, unless tokens are somebody else's matter.
    fn write_tokens(&self, stage: &Stage) -> anyhow::Result<Option<Secret>> {
        if !self.own_auth && self.upstream != Upstream::Demo {
            return Ok(None);
        }
        let store = &self.config.store;
        keys::private_folder(&store.path)?;
        let issuer = TokenIssuer::new(&self.config.auth, stage.clock.clone())?;
        let tenant = if store.tenant.is_empty() { "default" } else { &store.tenant };
        let tokens = Tokens::new(issuer, tenant, &store.path);
        let token = tokens.write()?;
        tokens.keep_fresh(stage);
        Ok(Some(token))
    }
}
