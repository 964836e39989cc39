//! From a body that may come in to a verdict that is durable. Both doors, HTTP and gRPC, lead here.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channel_domain::Micros;
use channel_runtime::clock::Clock;
use channel_runtime::telemetry::traceparent_of_current_span;
use channel_store::intake::{Delivery, Verdict};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::debug;

use crate::batcher::Batcher;
use crate::config::IngestConfig;
use crate::counters::Counters;
use crate::error::Refusal;
use crate::reading::Parser;
use crate::secret::Credentials;

/// What both doors share.
pub(crate) struct Admission {
    pub(crate) credentials: Credentials,
    pub(crate) counters: Arc<Counters>,
    pub(crate) body_limit: usize,
    pub(crate) retry_after: Duration,
    hold: Duration,
    parser: Parser,
    clock: Arc<dyn Clock>,
    batcher: Batcher,
    inside: TaskTracker,
}

/// A request that was let in; the orderly end waits for it.
pub(crate) struct Entry {
    /// When it must be answered.
    pub(crate) deadline: Instant,
    began: Instant,
    pub(crate) received_at: Micros,
    _inside: TaskTrackerToken,
}

impl Admission {
    pub(crate) fn new(
        config: &IngestConfig,
        parser: Parser,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
        batcher: Batcher,
    ) -> Self {
        Self {
            credentials: Credentials::new(config),
            counters,
            body_limit: config.body_limit_bytes,
            retry_after: config.retry_after(),
            hold: config.hold(),
            parser,
            clock,
            batcher,
            inside: TaskTracker::new(),
        }
    }

    /// Lets a request in.
    pub(crate) fn enter(&self) -> Result<Entry, Refusal> {
        let began = Instant::now();
        let entry = Entry {
            deadline: began + self.hold,
            began,
            received_at: Micros(self.clock.now_micros()),
            _inside: self.inside.token(),
        };
        // After the token was taken, so that `drain` cannot miss it.
        if self.inside.is_closed() {
            self.counters.turned_away();
            let retry_after = self.retry_after;
            return Err(Refusal::ShuttingDown { retry_after });
        }
        Ok(entry)
    }

    /// Stores a body. `Ok` means that it is durable.
    pub(crate) async fn accept(
        &self,
        entry: &Entry,
        body: Bytes,
        headers: String,
    ) -> Result<Verdict, Refusal> {
        if body.len() > self.body_limit {
            let limit_bytes = self.body_limit;
            return Err(Refusal::TooLarge { limit_bytes });
        }
        self.counters.received(entry.received_at);
        let read = self.parser.read(&body);
        let delivery = Delivery {
            received_at: entry.received_at,
            body,
            headers,
            reading: read.reading.clone(),
            trace: traceparent_of_current_span(),
        };
        let stored = self.batcher.store(delivery, entry.deadline).await;
        let verdict = stored.inspect_err(|_| self.counters.turned_away())?;
        debug!(
            inbox.id = verdict.inbox,
            outcome = ?verdict.outcome,
            reason = verdict.reason,
            "webhook stored"
        );
        self.counters.accepted(&read, &verdict, entry.began.elapsed());
        Ok(verdict)
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.inside.close();
    }

    /// Waits for those inside, once nobody is let in any more.
    pub(crate) async fn emptied(&self) {
        self.inside.wait().await;
    }
}
