use std::sync::Arc;

use reqwest::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::DeliveryConfig;
use super::client::{Answer, Destination, Receiver};
use super::ledger::{Ledger, Outcome, Place};
use super::retry::Schedule;
use crate::config::ConfigError;
use crate::event::Event;

/// Sends events, each until it is acknowledged or given up.
#[derive(Debug)]
pub(crate) struct Deliverer {
    line: Arc<Line>,
    outstanding: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// What every delivery needs.
#[derive(Debug)]
struct Line {
    receiver: Receiver,
    in_flight: Arc<Semaphore>,
    schedule: Schedule,
    ledger: Arc<Ledger>,
    stopping: CancellationToken,
}

impl Deliverer {
    /// A way to one receiver. Several may share the books.
    pub(crate) fn new(
        to: Destination,
        config: &DeliveryConfig,
        ledger: Arc<Ledger>,
    ) -> Result<Self, ConfigError> {
        let line = Line {
            receiver: Receiver::new(to, config)?,
            in_flight: Arc::new(Semaphore::new(config.concurrency)),
            schedule: Schedule::new(config),
            ledger,
            stopping: CancellationToken::new(),
        };
        Ok(Self {
            line: Arc::new(line),
            outstanding: Arc::new(Semaphore::new(config.outstanding)),
            tasks: TaskTracker::new(),
        })
    }

    /// Takes an event up. Waits while too many are outstanding. What is returned ends when the event
    /// is acknowledged or given up.
    pub(crate) async fn send(&self, event: Event) -> Option<JoinHandle<()>> {
        let line = Arc::clone(&self.line);
        // Neither semaphore is ever closed. The turn is taken here and not in the task, which
        // keeps first attempts in order where only one request may be under way.
        let room = Arc::clone(&self.outstanding).acquire_owned().await.ok()?;
        let turn = Arc::clone(&line.in_flight).acquire_owned().await.ok()?;
        let place = line.ledger.open(&event);
        Some(self.tasks.spawn(async move {
            let outcome = line.deliver(&event, place, turn).await;
            line.ledger.settle(place, outcome);
            drop(room);
        }))
    }

    /// Waits until every event is acknowledged or given up.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Makes every event end with the attempt that is under way.
    pub(crate) fn stop(&self) {
        self.line.stopping.cancel();
    }
}

impl Line {
    /// Attempts until the event is acknowledged or given up.
    async fn deliver(&self, event: &Event, place: Place, first: OwnedSemaphorePermit) -> Outcome {
        let mut acked = self.attempt(event, place).await;
        drop(first);
        let mut attempts = 1;
        while !acked {
            let Some(wait) = self.schedule.after(attempts) else {
                break;
            };
            debug!(event.number = event.number, attempts, "webhook not acknowledged, will retry");
            if tokio::time::timeout(wait, self.stopping.cancelled()).await.is_ok() {
                break;
            }
            let Ok(_turn) = self.in_flight.acquire().await else {
                break;
            };
            acked = self.attempt(event, place).await;
            attempts += 1;
        }
        if acked {
            return Outcome::Acked;
        }
        warn!(event.number = event.number, attempts, "webhook given up");
        Outcome::Failed
    }

    /// One request. True when the answer is literally 200.
    async fn attempt(&self, event: &Event, place: Place) -> bool {
        if self.stopping.is_cancelled() {
            return false;
        }
        self.ledger.attempt(place);
        self.receiver.post(event.body.clone()).await == Answer::Status(StatusCode::OK)
    }
}
