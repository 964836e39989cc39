//! Deletes what is old enough, a little at a time.

use std::sync::Arc;
use std::time::Duration;

use channel_domain::Micros;
use channel_runtime::clock::Clock;
use channel_store::StoreError;
use channel_store::intake::Intake;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::IngestConfig;

/// Between two transactions, so that live work goes first.
const BREATH: Duration = Duration::from_millis(100);
/// A round that never ends would hide a fault.
const MOST_BATCHES: u32 = 100_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// Deletes old webhooks and old changes.
pub(crate) struct Pruner {
    pub(crate) store: Arc<dyn Intake>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Arc<IngestConfig>,
}

/// What is deleted.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Inbox,
    Log,
}

impl Pruner {
    /// Works until `stop`, first after one interval: a start has better things to do.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let work = async {
            loop {
                sleep(self.config.prune_every()).await;
                for kind in [Kind::Inbox, Kind::Log] {
                    match self.prune(kind).await {
                        Ok(0) => {}
                        Ok(rows) => info!(kind = kind.name(), rows, "old rows deleted"),
                        Err(problem) => warn!(
                            kind = kind.name(),
                            reason = problem.reason(),
                            "old rows cannot be deleted now"
                        ),
                    }
                }
            }
        };
        stop.run_until_cancelled(work).await;
    }

    async fn prune(&self, kind: Kind) -> Result<u64, StoreError> {
        let mut gone = 0;
        for _ in 0..MOST_BATCHES {
            let now = match self.batch(kind).await? {
                0 => break,
                rows => rows,
            };
            gone += now;
            metrics::counter!("channel_ingest_pruned_total", "kind" => kind.name()).increment(now);
            sleep(BREATH).await;
        }
        Ok(gone)
    }

    async fn batch(&self, kind: Kind) -> Result<u64, StoreError> {
        let config = &self.config;
        let limit = config.prune_batch;
        match kind {
            Kind::Inbox => {
                let before = self.days_ago(config.raw_retention_days);
                self.store.prune_inbox(before, limit).await
            }
            Kind::Log => {
                let before = self.days_ago(config.log_retention_days);
                let keep = config.log_retention_events;
                self.store.prune_log(before, keep, limit).await
            }
        }
    }

    fn days_ago(&self, days: u32) -> Micros {
        let age = i64::from(days).saturating_mul(DAY_MICROS);
        Micros(self.clock.now_micros().saturating_sub(age))
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Log => "log",
        }
    }
}

#[cfg(test)]
mod tests {
    use channel_runtime::clock::ManualClock;

    use super::*;
    use crate::testing::{Do, shared};

    const DAYS: i64 = 86_400_000_000;

    #[tokio::test(start_paused = true)]
    async fn old_rows_go_in_small_batches_and_young_ones_stay() {
        let store = shared(|_, _| Do::Work);
        *store.prunable.lock().unwrap() = 1_200;
        let pruner = Pruner {
            store: store.clone(),
            clock: Arc::new(ManualClock::at(100 * DAYS)),
            config: Arc::new(IngestConfig::default()),
        };
        let stop = CancellationToken::new();
        let end = async {
            tokio::time::sleep(Duration::from_mins(61)).await;
            stop.cancel();
        };
        tokio::join!(pruner.run(stop.clone()), end);
        let calls = store.pruned.lock().unwrap();
        let inbox = ("inbox", Micros(70 * DAYS), 500);
        let log = ("log", Micros(93 * DAYS), 500);
        assert_eq!(*calls, [inbox, inbox, inbox, inbox, log]);
        assert_eq!(*store.prunable.lock().unwrap(), 0);
    }
}
