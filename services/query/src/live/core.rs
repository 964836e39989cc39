//! What all parts of the live half share.

use super::access::{Accounts, Directory};
use super::config::LiveConfig;
use super::hub::Hub;
use super::meters::Meters;
use super::pages::Pages;
use super::streams::Streams;
use channel_runtime::clock::Clock;
use channel_runtime::supervise::Tasks;
use channel_store::{ChangeLog, StoreError};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(super) struct Core {
    pub(super) log: Arc<dyn ChangeLog>,
    pub(super) directory: Directory,
    pub(super) hub: Hub,
    pub(super) pages: Pages,
    pub(super) streams: Arc<Streams>,
    pub(super) meters: Arc<Meters>,
    pub(super) config: LiveConfig,
    pub(super) clock: Arc<dyn Clock>,
    /// Work that a dropped stream must not cancel.
    pub(super) tasks: Tasks,
    /// Cancelled when the streams have ended and nobody needs the tailer any more.
    pub(super) finished: CancellationToken,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Core")
    }
}

impl Core {
    pub(super) fn new(
        log: Arc<dyn ChangeLog>,
        accounts: Arc<dyn Accounts>,
        config: LiveConfig,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
    ) -> Self {
        let meters = Arc::new(Meters::new());
        Self {
            log,
            directory: Directory::new(accounts, Arc::clone(&meters)),
            hub: Hub::new(&config, Arc::clone(&meters)),
            pages: Pages::new(&config, Arc::clone(&meters)),
            streams: Arc::new(Streams::new(&config, Arc::clone(&meters))),
            meters,
            config,
            clock,
            tasks,
            finished: CancellationToken::new(),
        }
    }

    /// The number of the present history.
    pub(super) async fn epoch(&self) -> Result<u64, StoreError> {
        match self.hub.epoch() {
            Some(epoch) => Ok(epoch),
            None => Ok(self.hub.first_epoch(self.log.epoch().await?)),
        }
    }
}
