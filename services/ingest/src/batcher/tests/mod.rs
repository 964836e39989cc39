mod groups;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use channel_store::intake::{Delivery, Intake, Verdict};
use futures::future::join_all;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Batcher, Writer, WriterParts};
use crate::config::IngestConfig;
use crate::counters::Counters;
use crate::error::Refusal;

const HOLD: Duration = Duration::from_secs(20);

/// A batcher with its writers running over `store`.
struct Running {
    batcher: Arc<Batcher>,
    parts: WriterParts,
    writers: Vec<tokio::task::JoinHandle<()>>,
}

fn run(store: Arc<dyn Intake>, config: &IngestConfig) -> Running {
    let parts = WriterParts {
        store,
        counters: Arc::new(Counters::default()),
        kept: Arc::new(Notify::new()),
        ending: CancellationToken::new(),
        closing: CancellationToken::new(),
        retry_after: Duration::from_secs(5),
    };
    let (batcher, waiting) = Batcher::new(config);
    let writer = |waiting| tokio::spawn(Writer::new(parts.clone(), waiting).run());
    Running {
        writers: waiting.into_iter().map(writer).collect(),
        batcher: Arc::new(batcher),
        parts,
    }
}

impl Running {
    /// Sends each from a task of its own, in order, and waits for all answers.
    async fn send_all(&self, deliveries: Vec<Delivery>) -> Vec<Result<Verdict, Refusal>> {
        let send = |delivery| {
            let batcher = Arc::clone(&self.batcher);
            tokio::spawn(async move { batcher.store(delivery, deadline()).await })
        };
        let tasks: Vec<_> = deliveries.into_iter().map(send).collect();
        let answers = join_all(tasks).await;
        answers.into_iter().map(Result::unwrap).collect()
    }
}

fn deadline() -> Instant {
    Instant::now() + HOLD
}

fn one_writer() -> IngestConfig {
    IngestConfig { writers: 1, ..IngestConfig::default() }
}
