//! Deletes what is old enough, a little at a time.

use std::sync::Arc;
use std::time::Duration;

use channel_domain::Micros;
use channel_runtime::clock::Clock;
use channel_runtime::config::ConfigError;
use channel_runtime::supervise::TaskError;
use channel_store::erase::{self, Ended};
use channel_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const DAY: i64 = 86_400_000_000;
/// Between two transactions, so that live work goes first.
const BREATH: Duration = Duration::from_millis(20);

/// The section `retention` of the configuration: how long what is stored is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionConfig {
    /// How many days messages are kept, with their files. 0: for ever.
    pub messages_days: u32,
    /// How many days it is remembered what was sent and done.
    pub finished_days: u32,
    /// How many days it is remembered what was read in from UniPile.
    pub syncs_days: u32,
    /// How often what is old is deleted, in seconds.
    pub every_seconds: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { messages_days: 0, finished_days: 30, syncs_days: 30, every_seconds: 3_600 }
    }
}

impl RetentionConfig {
    /// Checks the rules that types cannot hold.
    ///
    /// # Errors
    ///
    /// With every broken rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rules = [
            ("finished_days", self.finished_days >= 2, "must be at least 2"),
            ("syncs_days", self.syncs_days >= 1, "must be at least 1"),
            ("every_seconds", self.every_seconds >= 1, "must be at least 1"),
        ];
        ConfigError::unless("retention", rules)
    }

    const fn days(&self, ended: Ended) -> u32 {
        match ended {
            Ended::Jobs | Ended::Actions => self.finished_days,
            Ended::Syncs => self.syncs_days,
        }
    }
}

/// Deletes what is old.
#[derive(Clone)]
pub struct Retention {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    config: RetentionConfig,
}

impl std::fmt::Debug for Retention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retention").finish_non_exhaustive()
    }
}

impl Retention {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: RetentionConfig) -> Self {
        Self { store, clock, config }
    }

    /// Works until `stop`, first after one interval: a start has better things to do.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again after the next interval.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let work = async {
            loop {
                sleep(Duration::from_secs(self.config.every_seconds.into())).await;
                if let Err(error) = self.round().await {
                    let reason = error.reason();
                    tracing::warn!(reason, "what is old cannot be deleted now");
                }
            }
        };
        stop.run_until_cancelled(work).await;
        Ok(())
    }

    async fn round(&self) -> Result<(), StoreError> {
        for ended in Ended::ALL {
            let before = self.days_ago(self.config.days(ended));
            loop {
                let gone = erase::prune(&*self.store, ended, before).await?;
                if gone == 0 {
                    break;
                }
                count(ended.name(), gone);
                sleep(BREATH).await;
            }
        }
        if self.config.messages_days > 0 { self.thin().await } else { Ok(()) }
    }

    /// Deletes old messages, chat by chat.
    async fn thin(&self) -> Result<(), StoreError> {
        let before = self.days_ago(self.config.messages_days);
        let mut place = Some((0, 0));
        while let Some(after) = place {
            let now = Micros(self.clock.now_micros());
            let (gone, next) = erase::thin(&*self.store, after, before, now).await?;
            if gone > 0 {
                count("messages", gone);
            }
            place = next;
            sleep(BREATH).await;
        }
        Ok(())
    }

    fn days_ago(&self, days: u32) -> Micros {
        Micros(self.clock.now_micros().saturating_sub(i64::from(days).saturating_mul(DAY)))
    }
}

fn count(kind: &'static str, rows: u64) {
    metrics::counter!("channel_messaging_pruned_total", "kind" => kind).increment(rows);
}
