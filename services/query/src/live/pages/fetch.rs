//! Reading pages.

use super::Page;
use crate::live::core::Core;
use crate::live::event::{Event, Violation};
use crate::live::feed::Feed;
use crate::live::lock;
use crate::live::segment::{Limits, Segment};
use crate::live::signal::Signal;
use channel_proto::query::v1::ResetReason;
use channel_runtime::supervise::Backoff;
use channel_store::StoreError;
use channel_store::log::{LogPage, Position, Stale};
use std::sync::{Arc, Weak};

/// What became of an attempt to read on.
#[derive(Debug)]
pub(in crate::live) enum Fetched {
    /// A page with the next frame is in the cache.
    Ready,
    /// There is nothing after the cursor.
    Empty,
    /// The cursor cannot be resumed; the log ends at this place.
    Stale(ResetReason, Position),
    /// The account is gone, or the stream that asked is.
    Gone,
}

/// What a stream needs next of an account.
#[derive(Debug)]
pub(in crate::live) struct Need {
    pub(in crate::live) feed: Arc<Feed>,
    pub(in crate::live) at: Position,
    pub(in crate::live) generation: u32,
    pub(in crate::live) limits: Limits,
    /// Gone when the stream is.
    pub(in crate::live) stream: Weak<Signal>,
}

/// Reads on for a stream, however long the database takes to answer. One reader for each account, and so
/// many for all; who waited for another finds what that one has read.
pub(in crate::live) async fn fetch(core: Arc<Core>, need: Need) -> Fetched {
    core.meters.database_readers.change(1);
    let fetched = attempts(&core, &need).await;
    core.meters.database_readers.change(-1);
    fetched
}

async fn attempts(core: &Core, need: &Need) -> Fetched {
    let backoff = Backoff::default();
    for failures in 1.. {
        if need.stream.strong_count() == 0 {
            break;
        }
        let error = match attempt(core, need).await {
            Ok(fetched) => return fetched,
            Err(error) => error,
        };
        core.meters.store_failures.add(1);
        tracing::warn!(
            account.id = &*need.feed.id,
            failures,
            error = &error as &dyn std::error::Error,
            "catching up has to wait"
        );
        tokio::select! {
            () = tokio::time::sleep(backoff.jittered(failures)) => {}
            () = core.finished.cancelled() => break,
        }
    }
    Fetched::Gone
}

async fn attempt(core: &Core, need: &Need) -> Result<Fetched, StoreError> {
    let feed = &need.feed;
    let pages = &core.pages;
    let _flight = feed.flight.lock().await;
    if pages.find(feed, need.at, need.generation, need.limits).is_some() {
        return Ok(Fetched::Ready);
    }
    // The semaphore is never closed.
    let _reader = pages.readers.acquire().await;
    pages.meters.page_reads.add(1);
    match core.log.resume(feed.key, need.at, pages.rows).await? {
        None => Ok(Fetched::Gone),
        Some(Err(stale)) => {
            let heads = core.log.heads(&[feed.key]).await?;
            let head = heads.first().map(|head| head.head).unwrap_or_default();
            Ok(Fetched::Stale(reason(stale), head))
        }
        Some(Ok(page)) => Ok(keep(core, need, &page)),
    }
}

/// The reason that clients are told.
pub(in crate::live) const fn reason(stale: Stale) -> ResetReason {
    match stale {
        Stale::Compacted => ResetReason::Compacted,
        Stale::Ahead => ResetReason::Ahead,
        Stale::Diverged => ResetReason::Diverged,
    }
}

fn keep(core: &Core, need: &Need, page: &LogPage) -> Fetched {
    if page.rows.is_empty() {
        return Fetched::Empty;
    }
    let feed = &need.feed;
    let mut segment = Segment::new(need.at);
    for row in &page.rows {
        if let Some(violation) = Violation::of(segment.end(), row) {
            core.meters.violation(violation.name());
            tracing::error!(
                account.id = &*feed.id,
                seq = row.seq,
                kind = violation.name(),
                "the change log is broken"
            );
            return Fetched::Stale(ResetReason::Diverged, page.head.head);
        }
        segment.push(Event::encode(&feed.id, row, &core.meters));
    }
    let truncated = segment.end().seq < page.head.head.seq;
    if !truncated {
        segment.seal();
    }
    let page = Page { segment, truncated, generation: need.generation };
    lock(&core.pages.cache).insert(feed.key, page);
    Fetched::Ready
}
