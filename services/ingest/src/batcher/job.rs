//! One webhook that waits to be stored.

use channel_store::intake::{Delivery, Verdict};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::error::Refusal;

/// A webhook, the one who waits for its answer, and how long they do.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) delivery: Delivery,
    deadline: Instant,
    answer: oneshot::Sender<Result<Verdict, Refusal>>,
    /// Its share of the memory for what waits.
    _memory: OwnedSemaphorePermit,
}

impl Job {
    pub(super) fn new(
        delivery: Delivery,
        deadline: Instant,
        memory: OwnedSemaphorePermit,
    ) -> (Self, oneshot::Receiver<Result<Verdict, Refusal>>) {
        let (answer, wait) = oneshot::channel();
        let job = Self { delivery, deadline, answer, _memory: memory };
        (job, wait)
    }

    pub(super) fn bytes(&self) -> usize {
        self.delivery.body.len()
    }

    /// Nobody is told any more that it was stored, so the sender will come again.
    pub(super) fn is_overdue(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// A sender that went away needs no answer; its webhook is stored all the same.
    pub(super) fn answer(self, answer: Result<Verdict, Refusal>) {
        let _ = self.answer.send(answer);
    }
}
