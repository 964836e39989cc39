//! The order in which a process ends.

use std::time::Duration;

use channel_ingest::Ingest;
use channel_query::live::Live;
use channel_runtime::server::Health;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::store::Opened;

/// How long callers inside may take. Streams are told goodbye at once; what is longer is cut.
const CALLERS: Duration = Duration::from_secs(16);
/// How long accepted webhooks may take to become durable.
const WRITERS: Duration = Duration::from_secs(3);
/// How long the store may take to close.
const STORE: Duration = Duration::from_secs(2);

/// What has to end in order: who comes in, who is inside, what was accepted, where it is kept.
#[derive(Default)]
pub(crate) struct Ending {
    /// Services of this process that are reached without a server of their own.
    pub(crate) health: Option<Health>,
    pub(crate) live: Option<Live>,
    pub(crate) ingest: Option<Ingest>,
    pub(crate) store: Option<Opened>,
}

impl Ending {
    /// Ends everything. `inside` ends with the last caller after `closing` was cancelled.
    pub(super) async fn run(self, closing: CancellationToken, inside: impl Future<Output = ()>) {
        if let Some(health) = &self.health {
            health.end();
        }
        closing.cancel();
        let goodbye = async {
            if let Some(live) = &self.live {
                live.drain().await;
            }
        };
        within(CALLERS, "callers", async { tokio::join!(goodbye, inside) }).await;
        if let Some(ingest) = &self.ingest {
            within(WRITERS, "writers", ingest.drain()).await;
        }
        if let Some(store) = &self.store {
            within(STORE, "store", store.close()).await;
        }
        info!("everything has ended");
    }
}

async fn within<T>(limit: Duration, what: &'static str, end: impl Future<Output = T>) {
    if timeout(limit, end).await.is_err() {
        warn!(what, limit_seconds = limit.as_secs(), "not waiting any longer");
    }
}
