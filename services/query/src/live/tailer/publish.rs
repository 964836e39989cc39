//! From rows to rings.

use super::Tailer;
use crate::live::event::{Event, Violation};
use crate::live::feed::Feed;
use channel_runtime::telemetry::continue_from;
use channel_store::StoreError;
use channel_store::log::LogRow;
use std::sync::Arc;
use tracing::Instrument as _;

const ACCOUNTS_AT_ONCE: usize = 500;
/// Rows of all accounts in one read, shared among them within the bounds of each.
const ROWS_AT_ONCE: usize = 2_000;
const LEAST_ROWS: usize = 16;
const MOST_ROWS: usize = 1_000;

impl Tailer {
    /// Reads on, once, for the accounts that have waited longest.
    pub(super) async fn read(&mut self) -> Result<(), StoreError> {
        let keys = self.queue.take(ACCOUNTS_AT_ONCE);
        let feeds: Vec<_> = keys.iter().filter_map(|key| self.core.hub.feed(*key)).collect();
        if feeds.is_empty() {
            return Ok(());
        }
        let result = self.read_on(&feeds).await;
        match &result {
            Ok(()) => (self.failures, self.rest_until) = (0, None),
            Err(error) if !error.is_temporary() && feeds.len() > 1 => {
                return self.read_each(&feeds).await;
            }
            Err(_) => keys.into_iter().for_each(|key| self.queue.push(key)),
        }
        result
    }

    /// One account's log has a row that cannot be read: the others must not wait for it.
    async fn read_each(&mut self, feeds: &[Arc<Feed>]) -> Result<(), StoreError> {
        let mut result = Ok(());
        for feed in feeds {
            if let Err(error) = self.read_on(std::slice::from_ref(feed)).await {
                tracing::error!(
                    account.id = &*feed.id,
                    error = &error as &dyn std::error::Error,
                    "the log of one account cannot be read"
                );
                self.queue.push(feed.key);
                result = Err(error);
            }
        }
        result
    }

    async fn read_on(&mut self, feeds: &[Arc<Feed>]) -> Result<(), StoreError> {
        let limit = (ROWS_AT_ONCE / feeds.len()).clamp(LEAST_ROWS, MOST_ROWS);
        let after: Vec<_> = feeds.iter().map(|feed| (feed.key, feed.end().seq)).collect();
        let span = tracing::debug_span!("live.tail", accounts = after.len());
        let mut rows = self.core.log.tail(&after, limit).instrument(span).await?;
        // Sorted already, by the promise of the store; a stable sort hides no disorder within an account.
        rows.sort_by_key(|row| row.account_key);
        let mut broken = Vec::new();
        for feed in feeds {
            let start = rows.partition_point(|row| row.account_key < feed.key);
            let rows = &rows[start..];
            let rows = &rows[..rows.partition_point(|row| row.account_key <= feed.key)];
            let all = rows.len() < limit;
            if !all {
                self.queue.push(feed.key);
            }
            if let Err(violation) = self.publish(feed, rows, all) {
                broken.push((feed, violation));
            }
        }
        self.core.hub.evict();
        for (feed, violation) in broken {
            self.repair(feed, violation.name()).await?;
        }
        Ok(())
    }

    /// `all`: the rows go up to the end of a commit.
    fn publish(&self, feed: &Feed, rows: &[LogRow], all: bool) -> Result<(), Violation> {
        let mut events = Vec::with_capacity(rows.len());
        let mut last = feed.end();
        for row in rows {
            if let Some(violation) = Violation::of(last, row) {
                return Err(violation);
            }
            let event = Event::encode(&feed.id, row, &self.core.meters);
            last = event.at;
            events.push(event);
        }
        if let Some(last) = events.last_mut() {
            last.unit_end |= all;
            trace(feed, rows);
            feed.publish(events, self.core.hub.capacity);
        }
        Ok(())
    }
}

/// Leaves a span in the trace of each cause, so that a trace goes from the webhook to the streams.
fn trace(feed: &Feed, rows: &[LogRow]) {
    let mut before = None;
    for row in rows.iter().filter(|row| row.trace.is_some()) {
        if before != row.trace.as_deref() {
            before = row.trace.as_deref();
            let span = tracing::info_span!("live.publish", account.id = &*feed.id, seq = row.seq);
            continue_from(&span, before);
            span.in_scope(|| tracing::debug!("published"));
        }
    }
}
