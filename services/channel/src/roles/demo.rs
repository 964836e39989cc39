//! The demo: a simulator in UniPile's place.

use std::net::SocketAddr;

use channel_ingest::IngestConfig;
use channel_runtime::config::Secret;
use channel_runtime::supervise::OnFailure;
use channel_simulator::{ApiConfig, Behaviour, DeliveryConfig, Simulator, SimulatorConfig};
use channel_store::intake::{InboxFilter, id_of};
use channel_store::{Store, StoreError};
use channel_unipile::hosts::{BaseUrl, check_base_url};
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::WEBHOOK_PATH;
use crate::config::DemoConfig;
use crate::keys;
use crate::process::{Stage, bind};

/// Where the simulator's API is, before anybody serves it.
pub(crate) struct Api {
    listener: TcpListener,
    pub(crate) key: Secret,
}

impl Api {
    /// Takes a port of its own on loopback, and makes a key.
    pub(crate) async fn bind() -> anyhow::Result<Self> {
        let listener = bind("the simulator", SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        Ok(Self { listener, key: keys::random() })
    }

    /// Its address, as UniPile's would be given.
    pub(crate) fn base(&self) -> anyhow::Result<BaseUrl> {
        Ok(check_base_url(&format!("http://{}", self.listener.local_addr()?))?)
    }
}

/// Starts the simulator, which sends its webhooks to the gateway and answers its API as UniPile would.
///
/// The same seed tells the same story, so each start tells another chapter of it.
pub(crate) async fn start(
    stage: &Stage,
    demo: &DemoConfig,
    ingest: &IngestConfig,
    gateway: SocketAddr,
    api: Api,
    store: &dyn Store,
) -> anyhow::Result<()> {
    let mut settings = settings(demo, ingest, gateway);
    settings.api = Some(ApiConfig {
        key: api.key.expose().to_owned(),
        behaviour: Behaviour::lively(),
        ..ApiConfig::default()
    });
    settings.chapter = chapter(store).await?;
    let simulator = Simulator::new(settings)?;
    let drain = stage.supervisor.drain();
    stage.supervisor.spawn("simulator", OnFailure::LogAndGoOn, async move {
        simulator.serve(api.listener, drain.cancelled()).await;
        Ok(())
    });
    Ok(())
}

/// A chapter that no earlier start has told: 0 in an empty store, then what the inbox has come to.
async fn chapter(store: &dyn Store) -> Result<u32, StoreError> {
    let newest = InboxFilter { limit: 1, ..InboxFilter::default() };
    let newest = store.inbox(&newest).await?;
    let number = newest.first().map_or(0, id_of);
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn settings(demo: &DemoConfig, ingest: &IngestConfig, gateway: SocketAddr) -> SimulatorConfig {
    let secret = ingest.webhook_secret.expose();
    SimulatorConfig {
        seed: demo.seed,
        contacts: demo.contacts,
        groups: demo.groups,
        history: demo.history,
        rate_per_second: demo.rate_per_second,
        delivery: DeliveryConfig {
            target_url: format!("http://{gateway}{WEBHOOK_PATH}{}", ingest.path_token.expose()),
            secret_header: ingest.secret_header.clone(),
            secret_value: Some(SecretString::from(secret)),
            ..DeliveryConfig::default()
        },
        ..SimulatorConfig::default()
    }
}
