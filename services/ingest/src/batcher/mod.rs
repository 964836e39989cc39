//! Natural micro-batching: what waits while one commit is flushed goes into the next.
//!
//! A webhook goes to the writer of its account, so that batches never wait for each other's account and
//! the order per account is kept. The writer owns the work: a request that goes away cancels nothing.
//! Nothing is answered with success that is not stored.

mod job;
mod lane;
#[cfg(test)]
mod tests;
mod writer;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use channel_store::intake::{Delivery, Reading, Verdict};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::config::IngestConfig;
use crate::error::Refusal;
use job::Job;
pub(crate) use writer::{Writer, WriterParts};

/// The writer answers by the deadline; this is for one that hangs in the store.
const SLACK: Duration = Duration::from_secs(2);

/// Hands webhooks to their writers.
#[derive(Debug)]
pub(crate) struct Batcher {
    lanes: Vec<Lane>,
    retry_after: Duration,
}

#[derive(Debug)]
struct Lane {
    queue: mpsc::Sender<Job>,
    memory: Arc<Semaphore>,
}

impl Batcher {
    /// Makes the lanes, and the other end of each for its writer.
    pub(crate) fn new(config: &IngestConfig) -> (Self, Vec<lane::Waiting>) {
        let lane = |_| {
            let (queue, jobs) = mpsc::channel(config.queue);
            let memory = Arc::new(Semaphore::new(kib(config.queue_bytes)));
            (Lane { queue, memory }, lane::Waiting::new(jobs, config))
        };
        let (lanes, waiting) = (0..config.writers.max(1)).map(lane).unzip();
        let retry_after = config.retry_after();
        (Self { lanes, retry_after }, waiting)
    }

    /// Stores a webhook, or says by the deadline why not.
    pub(crate) async fn store(
        &self,
        delivery: Delivery,
        deadline: Instant,
    ) -> Result<Verdict, Refusal> {
        let lane = &self.lanes[self.lane_of(&delivery)];
        let answer = match timeout_at(deadline, lane.enter(delivery, deadline)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Err(self.ending()),
            Err(_) => {
                let retry_after = self.retry_after;
                return Err(Refusal::Full { retry_after });
            }
        };
        match timeout_at(deadline + SLACK, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.ending()),
            Err(_) => {
                let retry_after = self.retry_after;
                Err(Refusal::StoreAway { retry_after })
            }
        }
    }

    const fn ending(&self) -> Refusal {
        let retry_after = self.retry_after;
        Refusal::ShuttingDown { retry_after }
    }

    fn lane_of(&self, delivery: &Delivery) -> usize {
        // Its keys are fixed, so an account has the same writer for the life of the process.
        let mut hasher = DefaultHasher::new();
        match &delivery.reading {
            Reading::Statement { statement, .. } => statement.account.hash(&mut hasher),
            Reading::Ignored { .. } | Reading::Rejected { .. } => delivery.body.hash(&mut hasher),
        }
        let lanes = self.lanes.len() as u64;
        usize::try_from(hasher.finish() % lanes).unwrap_or_default()
    }
}

impl Lane {
    /// Waits for room, in the order of arrival. `None`: the writer takes no more.
    async fn enter(
        &self,
        delivery: Delivery,
        deadline: Instant,
    ) -> Option<oneshot::Receiver<Result<Verdict, Refusal>>> {
        let kib = u32::try_from(kib(delivery.body.len())).unwrap_or(u32::MAX);
        let memory = Arc::clone(&self.memory);
        let memory = memory.acquire_many_owned(kib).await.ok()?;
        let (job, answer) = Job::new(delivery, deadline, memory);
        self.queue.send(job).await.ok()?;
        Some(answer)
    }
}

/// Rounded up, so that an empty body counts too.
const fn kib(bytes: usize) -> usize {
    bytes / 1024 + 1
}
