//! Receives UniPile's webhooks and makes them durable.
//!
//! ```text
//! HTTP, gRPC -> admission -> parser -> batcher -> store (raw, rows and log in one transaction) -> 200
//!                                        |  refused: stored as mere bytes
//!                                        v
//!                                      worker -> applied, put off, or quarantined -> replay
//! ```
//!
//! | part | promise |
//! |---|---|
//! | `admission`, `shim` | who may deliver, and what they hear; 200 only after the commit |
//! | `batcher` | one commit for all that waits; nothing answered that is not stored |
//! | `worker` | what was only stored is applied later, or set aside with a reason |
//! | `quarantine` | looking at stored webhooks, and applying them again |
//! | `pruner` | old webhooks and old changes go, a little at a time |
//! | `grpc` | the contract `channel.ingest.v1` |

mod admission;
mod batcher;
mod config;
mod core;
mod counters;
mod error;
mod grpc;
mod pruner;
mod quarantine;
mod reading;
mod secret;
mod shim;
#[cfg(test)]
mod testing;
mod worker;

use std::sync::Arc;

use axum::Router;
use channel_domain::AccountId;
use channel_proto::ingest::v1::ingest_service_server::IngestServiceServer;
use channel_runtime::clock::Clock;
use channel_runtime::config::ConfigError;
use channel_runtime::supervise::{Backoff, OnFailure, Supervisor};
use channel_store::StoreError;
use channel_store::hosted::HostedLinks;
use channel_store::intake::Intake;

pub use crate::config::IngestConfig;
pub use crate::grpc::IngestOverGrpc;
pub use crate::reading::Parser;

use crate::core::Core;

/// The role ingest. Clones share it.
#[derive(Clone)]
pub struct Ingest(Arc<Core>);

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ingest")
    }
}

impl Ingest {
    /// Builds the role. Nothing is taken in before [`spawn`](Self::spawn).
    ///
    /// # Errors
    ///
    /// When the section breaks a rule, such as a missing secret.
    pub fn new(
        store: Arc<dyn Intake>,
        config: &IngestConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        Self::with_parser(store, config, clock, Parser::default())
    }

    /// Like [`new`](Self::new), with another parser.
    ///
    /// # Errors
    ///
    /// When the section breaks a rule.
    pub fn with_parser(
        store: Arc<dyn Intake>,
        config: &IngestConfig,
        clock: Arc<dyn Clock>,
        parser: Parser,
    ) -> Result<Self, ConfigError> {
        let core = Core::new(store, config, clock, parser)?;
        Ok(Self(Arc::new(core)))
    }

    /// The webhook address, for the listener of [`IngestConfig::webhook_listen`] or a gateway in the
    /// same process.
    pub fn router(&self) -> Router {
        shim::router(Arc::clone(&self.0.admission), self.0.secret_header.clone())
    }

    /// The same, with the address that UniPile reports to after somebody used its sign-in page.
    pub fn router_with(&self, links: Arc<dyn HostedLinks>) -> Router {
        self.router().merge(shim::hosted::router(Arc::clone(&self.0.admission), links))
    }

    /// The service `channel.ingest.v1.IngestService`. It needs the identity layer around it.
    #[must_use]
    pub fn grpc(&self) -> IngestServiceServer<IngestOverGrpc> {
        grpc::service(&self.0)
    }

    /// Starts the writers, the worker and the pruner. They end with the supervisor: first nobody is
    /// let in, then what waits is written and answered.
    pub fn spawn(&self, supervisor: &Supervisor) {
        for (at, writer) in self.0.writers().into_iter().enumerate() {
            let name = format!("ingest-writer-{at}");
            supervisor.spawn(name, OnFailure::StopTheProcess, async move {
                writer.await;
                Ok(())
            });
        }
        let (core, stop) = (Arc::clone(&self.0), supervisor.drain());
        supervisor.spawn("ingest-drain", OnFailure::LogAndGoOn, async move {
            stop.cancelled().await;
            core.drain().await;
            Ok(())
        });
        let (core, stop) = (Arc::clone(&self.0), supervisor.drain());
        supervisor.spawn_restarting("ingest-worker", Backoff::default(), move || {
            let (core, stop) = (Arc::clone(&core), stop.clone());
            async move {
                core.worker.run(stop).await;
                Ok(())
            }
        });
        let (core, stop) = (Arc::clone(&self.0), supervisor.drain());
        supervisor.spawn_restarting("ingest-pruner", Backoff::default(), move || {
            let (core, stop) = (Arc::clone(&core), stop.clone());
            async move {
                core.pruner.run(stop).await;
                Ok(())
            }
        });
    }

    /// Lets nobody in any more (they hear `SHUTTING_DOWN`), answers those inside, writes what waits.
    /// Returns when the writers have ended.
    pub async fn drain(&self) {
        self.0.drain().await;
    }

    /// Applies what was held for an account that nobody owned, now that somebody does. Returns how
    /// many webhooks that were.
    ///
    /// # Errors
    ///
    /// When the store is away; call it again.
    pub async fn adopted(&self, account: &AccountId) -> Result<usize, StoreError> {
        self.0.worker.adopted(account).await
    }
}
