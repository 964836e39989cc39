//! A writer's end of its lane: takes what waits, and never waits for more.

use tokio::sync::mpsc;

use super::job::Job;
use crate::config::IngestConfig;

/// What waits for one writer.
#[derive(Debug)]
pub(crate) struct Waiting {
    jobs: mpsc::Receiver<Job>,
    /// Did not fit into the batch before.
    left_over: Option<Job>,
    max_jobs: usize,
    max_bytes: usize,
}

impl Waiting {
    pub(super) fn new(jobs: mpsc::Receiver<Job>, config: &IngestConfig) -> Self {
        Self {
            jobs,
            left_over: None,
            max_jobs: config.max_batch,
            max_bytes: config.max_batch_bytes,
        }
    }

    /// Lets nothing more in; what waits can still be taken.
    pub(super) fn close(&mut self) {
        self.jobs.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.jobs.is_closed()
    }

    /// Waits for one and takes all that wait with it, within the limits. Empty: there will be no more.
    ///
    /// Safe to drop while it waits: nothing is taken before the wait is over.
    pub(super) async fn batch(&mut self) -> Vec<Job> {
        let first = match self.left_over.take() {
            Some(job) => Some(job),
            None => self.jobs.recv().await,
        };
        let Some(first) = first else { return vec![] };
        let mut bytes = first.bytes();
        let mut batch = vec![first];
        while batch.len() < self.max_jobs {
            let Ok(job) = self.jobs.try_recv() else { break };
            if bytes + job.bytes() > self.max_bytes {
                self.left_over = Some(job);
                break;
            }
            bytes += job.bytes();
            batch.push(job);
        }
        batch
    }
}
