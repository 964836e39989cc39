//! Pages of the log read from the database, for streams that are further back than the rings.
//!
//! The pages belong to a cache of bounded size and are shared; a stream keeps nothing but its cursor, so a
//! thousand streams that do not read cost no more memory than one.

mod cache;
mod fetch;

pub(super) use fetch::{Fetched, Need, fetch, reason};

use super::config::LiveConfig;
use super::feed::Feed;
use super::lock;
use super::meters::Meters;
use super::segment::{Limits, Segment, Slice, Standing};
use cache::Cache;
use channel_store::log::Position;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// One page.
#[derive(Debug)]
pub(super) struct Page {
    segment: Segment,
    /// The log goes on after it.
    truncated: bool,
    generation: u32,
}

impl Page {
    /// The next frame for a reader at `at`, if this page has it.
    pub(super) fn slice(&self, at: Position, limits: Limits) -> Option<Slice<'_>> {
        match self.segment.find(at) {
            Standing::At(0) if self.truncated => self.segment.part(limits),
            Standing::At(offset) => self.segment.cut(offset, limits),
            Standing::Before | Standing::After | Standing::Diverged => None,
        }
    }
}

/// The cache, and the right to read.
#[derive(Debug)]
pub(super) struct Pages {
    cache: Mutex<Cache>,
    readers: Semaphore,
    rows: usize,
    meters: Arc<Meters>,
}

impl Pages {
    pub(super) fn new(config: &LiveConfig, meters: Arc<Meters>) -> Self {
        Self {
            cache: Mutex::new(Cache::new(config.pages_bytes)),
            readers: Semaphore::new(config.database_readers.max(1)),
            rows: config.page_events.max(1),
            meters,
        }
    }

    /// The page with the next frame for a reader at `at`.
    pub(super) fn find(
        &self,
        feed: &Feed,
        at: Position,
        generation: u32,
        limits: Limits,
    ) -> Option<Arc<Page>> {
        let page = lock(&self.cache).touch(feed.key, at.seq)?;
        let usable = page.generation == generation && page.slice(at, limits).is_some();
        usable.then_some(page)
    }
}
