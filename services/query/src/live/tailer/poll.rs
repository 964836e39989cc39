//! The backstop: asks for the heads, whatever the hints say.

use super::Tailer;
use crate::live::feed::Feed;
use channel_proto::query::v1::ResetReason;
use channel_store::StoreError;
use channel_store::log::{Head, Position};
use std::sync::Arc;

const HEADS_AT_ONCE: usize = 5_000;

impl Tailer {
    /// Looks at everything, and tidies up.
    pub(super) async fn poll(&mut self) -> Result<(), StoreError> {
        self.core.meters.polls.add(1);
        for (key, seq) in std::mem::take(&mut self.unhinted) {
            let feed = self.core.hub.feed(key);
            if feed.is_some_and(|feed| feed.hinted() < seq) {
                self.core.meters.poll_only.add(1);
            }
        }
        self.core.hub.sweep();
        self.look().await
    }

    /// Compares the heads of all watched accounts with their rings.
    pub(super) async fn look(&mut self) -> Result<(), StoreError> {
        self.check_epoch().await?;
        for feeds in self.core.hub.all().chunks(HEADS_AT_ONCE) {
            let keys: Vec<_> = feeds.iter().map(|feed| feed.key).collect();
            for head in self.core.log.heads(&keys).await? {
                if let Some(feed) = self.core.hub.feed(head.account_key) {
                    self.compare(&feed, head);
                }
            }
        }
        Ok(())
    }

    fn compare(&mut self, feed: &Feed, head: Head) {
        let end = feed.end();
        if head.floor.seq > end.seq {
            // The rows that would follow are gone, so that a read would find nothing and tell nothing.
            feed.reset(head.head, ResetReason::Compacted);
        } else if head.head.seq > end.seq {
            self.queue.push(feed.key);
            if feed.hinted() < head.head.seq {
                self.unhinted.push((feed.key, head.head.seq));
            }
        } else if head.head.seq < end.seq {
            tracing::error!(
                account.id = &*feed.id,
                seq = end.seq,
                head = head.head.seq,
                "the change log lost its tail"
            );
            feed.reset(head.head, ResetReason::Ahead);
        } else if head.head != end {
            self.broken(feed, "chain", head.head);
        }
    }

    /// Counts and tells a history that does not follow, and starts again at its present head.
    pub(super) fn broken(&self, feed: &Feed, kind: &'static str, head: Position) {
        self.core.meters.violation(kind);
        tracing::error!(
            account.id = &*feed.id,
            seq = feed.end().seq,
            head = head.seq,
            kind,
            "the change log is broken"
        );
        feed.reset(head, ResetReason::Diverged);
    }

    /// Makes all cursors void when the history was declared another one.
    pub(super) async fn check_epoch(&mut self) -> Result<(), StoreError> {
        let epoch = self.core.log.epoch().await?;
        if self.core.hub.epoch().is_none_or(|known| known == epoch) {
            self.core.hub.set_epoch(epoch);
            return Ok(());
        }
        let feeds = self.core.hub.all();
        let keys: Vec<_> = feeds.iter().map(|feed| feed.key).collect();
        let heads = self.core.log.heads(&keys).await?;
        self.core.hub.set_epoch(epoch);
        tracing::warn!(epoch, "the history was replaced");
        for feed in feeds {
            let head = heads.iter().find(|head| head.account_key == feed.key);
            let head = head.map(|head| head.head).unwrap_or_default();
            feed.reset(head, ResetReason::Epoch);
        }
        Ok(())
    }

    /// Finds out why the rows do not follow the ring.
    pub(super) async fn repair(
        &mut self,
        feed: &Arc<Feed>,
        kind: &'static str,
    ) -> Result<(), StoreError> {
        let end = feed.end();
        self.check_epoch().await?;
        let heads = self.core.log.heads(&[feed.key]).await?;
        let (Some(head), true) = (heads.first(), feed.end() == end) else {
            return Ok(());
        };
        if head.floor.seq > end.seq {
            feed.reset(head.head, ResetReason::Compacted);
        } else {
            self.broken(feed, kind, head.head);
        }
        Ok(())
    }
}
