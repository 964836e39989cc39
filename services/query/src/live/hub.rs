//! All watched accounts of the process.

use super::config::{LiveConfig, millis};
use super::feed::Feed;
use super::lock;
use super::meters::Meters;
use super::ring::Capacity;
use super::signal::Signal;
use channel_store::log::Position;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// An account by its key and its public id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountRef {
    pub(super) key: i64,
    pub(super) id: Arc<str>,
}

/// All watched accounts of the process.
#[derive(Debug)]
pub(super) struct Hub {
    feeds: Mutex<HashMap<i64, Arc<Feed>>>,
    /// Accounts whose log may be longer than their ring.
    dirty: Mutex<BTreeSet<i64>>,
    pub(super) wake: Notify,
    epoch: Mutex<Option<u64>>,
    pub(super) capacity: Capacity,
    linger: Duration,
    all_bytes: usize,
    meters: Arc<Meters>,
}

impl Hub {
    pub(super) fn new(config: &LiveConfig, meters: Arc<Meters>) -> Self {
        Self {
            feeds: Mutex::default(),
            dirty: Mutex::default(),
            wake: Notify::new(),
            epoch: Mutex::default(),
            capacity: Capacity::of(config),
            linger: millis(config.ring_linger_ms),
            all_bytes: config.rings_bytes,
            meters,
        }
    }

    /// The number of the present history, once it was read.
    pub(super) fn epoch(&self) -> Option<u64> {
        *lock(&self.epoch)
    }

    /// Notes the number of the present history; returns the one before, if it was another.
    pub(super) fn set_epoch(&self, epoch: u64) -> Option<u64> {
        self.meters.epoch(epoch);
        let before = lock(&self.epoch).replace(epoch);
        before.filter(|before| *before != epoch)
    }

    /// Takes a number that was read for another purpose, unless one is known.
    pub(super) fn first_epoch(&self, epoch: u64) -> u64 {
        *lock(&self.epoch).get_or_insert_with(|| {
            self.meters.epoch(epoch);
            epoch
        })
    }

    /// Lets a stream listen to an account whose log ends at `head` or later.
    pub(super) fn join(
        &self,
        account: &AccountRef,
        head: Position,
        stream: u64,
        listener: (&Arc<Signal>, u32),
    ) -> Arc<Feed> {
        let mut feeds = lock(&self.feeds);
        let mut fresh = false;
        let feed = feeds.entry(account.key).or_insert_with(|| {
            fresh = true;
            let (id, meters) = (Arc::clone(&account.id), Arc::clone(&self.meters));
            Arc::new(Feed::new(account.key, id, head, meters))
        });
        feed.listen(stream, listener.0, listener.1);
        let feed = Arc::clone(feed);
        drop(feeds);
        // What was committed after the head was read told nobody: the account was not watched.
        if fresh || feed.end().seq < head.seq {
            self.mark(account.key);
        }
        feed
    }

    /// Makes the tailer look at an account.
    pub(super) fn mark(&self, key: i64) {
        lock(&self.dirty).insert(key);
        self.wake.notify_one();
    }

    pub(super) fn take_dirty(&self) -> BTreeSet<i64> {
        std::mem::take(&mut *lock(&self.dirty))
    }

    pub(super) fn feed(&self, key: i64) -> Option<Arc<Feed>> {
        lock(&self.feeds).get(&key).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Feed>> {
        lock(&self.feeds).values().cloned().collect()
    }

    /// Forgets old events and accounts that nobody has watched for long.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        let mut feeds = lock(&self.feeds);
        feeds.retain(|_, feed| !feed.is_idle(now, self.linger));
        let kept: Vec<_> = feeds.values().cloned().collect();
        drop(feeds);
        for feed in kept {
            feed.expire(now, self.capacity);
        }
    }

    /// Keeps all rings together below their limit: the least recently read ones are emptied, a tenth of
    /// the limit ahead, so that this is rare.
    pub(super) fn evict(&self) {
        if !self.is_over(self.all_bytes) {
            return;
        }
        let mut feeds: Vec<_> = self.all().into_iter().map(|feed| (feed.read_at(), feed)).collect();
        feeds.sort_by_key(|(read_at, _)| *read_at);
        for (_, feed) in feeds {
            if !self.is_over(self.all_bytes / 10 * 9) {
                break;
            }
            feed.evict();
        }
    }

    fn is_over(&self, limit: usize) -> bool {
        usize::try_from(self.meters.ring_bytes.value()).is_ok_and(|bytes| bytes > limit)
    }
}
