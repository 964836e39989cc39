//! Fetches the files of messages.
//!
//! The journal in the database says what is wanted and who is at it; a fetcher holds no state that matters, so any
//! number may run over one database, and where one was killed another goes on. Bytes go through a file without a name
//! on the disk into the folder or bucket, and only then the journal says that they are there. A link in a payload is
//! never followed: files are asked for by their ids.

mod fetch;
mod keep;
mod pictures;
mod thumbnails;
mod verdict;

pub use pictures::Portraits;
pub use thumbnails::Miniatures;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channel_domain::media::Policy;
use channel_domain::{AccountId, Micros};
use channel_media::{MediaConfig, Objects, Spool};
use channel_runtime::clock::Clock;
use channel_runtime::supervise::{Backoff, TaskError};
use channel_store::media::{DueFetch, FileId};
use channel_store::{Store, StoreError};
use channel_unipile::upstream::Upstream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::news::{News, not_before};
use keep::Keeper;

/// How often the journal is looked through for work that nobody announced. It asks our own database only.
const LOOK: Duration = Duration::from_secs(15);
/// The least time between two looks: under load one look serves many.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How many messages are entered into the journal at a time.
const ENTERED: usize = 100;

/// What the tries share.
struct Shared {
    store: Arc<dyn Store>,
    upstream: Arc<dyn Upstream>,
    clock: Arc<dyn Clock>,
    objects: Objects,
    spool: Spool,
    policy: Policy,
    lease: Duration,
}

impl Shared {
    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    const fn keeper(&self) -> Keeper<'_> {
        Keeper { store: &self.store, clock: &self.clock, objects: &self.objects }
    }
}

/// Fetches the files of messages, a few at a time.
#[derive(Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
    concurrency: usize,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

/// What a file is known by.
type Name = (i64, FileId);

/// How a piece of work ended: whose it was, and until when its account has to wait.
struct Finished {
    account: AccountId,
    name: Name,
    wait: Option<Micros>,
}

impl Fetcher {
    /// From an upstream into a folder or bucket.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        upstream: Arc<dyn Upstream>,
        clock: Arc<dyn Clock>,
        (objects, spool): (Objects, Spool),
        config: &MediaConfig,
    ) -> Self {
        let policy = config.policy();
        let lease = Duration::from_secs(config.lease_seconds.into());
        let shared = Shared { store, upstream, clock, objects, spool, policy, lease };
        Self { shared: Arc::new(shared), concurrency: config.concurrency }
    }

    /// Works until `stop`; what is under way then is left to whoever comes next.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let mut rounds = Rounds {
            news: News::of(&*self.shared.store),
            fetcher: self,
            running: JoinSet::new(),
            taken: HashSet::new(),
            waiting: HashMap::new(),
            failures: 0,
        };
        while !stop.is_cancelled() {
            let began = Instant::now();
            let wait = rounds.start_what_is_due(&stop).await;
            rounds.rest(wait, began, &stop).await;
        }
        while let Some(done) = rounds.running.join_next().await {
            rounds.settle(done);
        }
        Ok(())
    }
}

/// The loop of one fetcher.
struct Rounds {
    fetcher: Fetcher,
    news: News,
    running: JoinSet<Finished>,
    /// What is in hand.
    taken: HashSet<Name>,
    /// Accounts that have to wait until a time.
    waiting: HashMap<AccountId, Micros>,
    failures: u32,
}

impl Rounds {
    /// Starts what is due; returns how long nothing more will be.
    async fn start_what_is_due(&mut self, stop: &CancellationToken) -> Duration {
        let now = self.fetcher.shared.now();
        self.waiting.retain(|_, until| *until > now);
        if self.running.len() >= self.fetcher.concurrency {
            return LOOK;
        }
        let due = match self.due().await {
            Ok(due) => due,
            Err(error) => return self.cannot_read(&error),
        };
        self.failures = 0;
        let mut next = self.waiting.values().min().copied();
        for due in due {
            if due.at > now {
                next = Some(next.map_or(due.at, |next| next.min(due.at)));
            } else if self.running.len() < self.fetcher.concurrency {
                self.start(due, stop);
            }
        }
        next.map_or(LOOK, |at| at.after(now)).clamp(Duration::from_millis(1), LOOK)
    }

    async fn due(&self) -> Result<Vec<DueFetch>, StoreError> {
        let store = &self.fetcher.shared.store;
        while store.enter_fetches(ENTERED).await? >= ENTERED as u64 {}
        let but: Vec<_> = self.waiting.keys().cloned().collect();
        // One more than there is room for tells when to look again.
        store.due_fetches(&but, self.fetcher.concurrency + self.taken.len() + 1).await
    }

    fn start(&mut self, due: DueFetch, stop: &CancellationToken) {
        let name = (due.account_key, due.file.clone());
        if !self.taken.insert(name.clone()) {
            return;
        }
        let (shared, stop) = (Arc::clone(&self.fetcher.shared), stop.clone());
        self.running.spawn(async move {
            let done = shared.work(&due, &stop).await;
            let wait = done.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "fetching a file failed and will be tried again");
                None
            });
            Finished { account: due.account, name, wait }
        });
    }

    fn cannot_read(&mut self, error: &StoreError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, "the journal of files cannot be read");
        Backoff::default().jittered(self.failures)
    }

    /// Waits for whatever comes first: news, the end of some work, the time, the end of all.
    async fn rest(&mut self, wait: Duration, began: Instant, stop: &CancellationToken) {
        let full = self.running.len() >= self.fetcher.concurrency;
        tokio::select! {
            () = stop.cancelled() => {}
            Some(done) = self.running.join_next() => self.settle(done),
            () = self.news.come(), if !full => {}
            () = tokio::time::sleep(wait) => {}
        }
        not_before(began + BETWEEN_LOOKS, stop).await;
        while let Some(done) = self.running.try_join_next() {
            self.settle(done);
        }
    }

    fn settle(&mut self, done: Result<Finished, tokio::task::JoinError>) {
        match done {
            Ok(Finished { account, name, wait }) => {
                self.waiting.extend(wait.map(|until| (account, until)));
                self.taken.remove(&name);
            }
            Err(error) => {
                // Which file it was is not known; its lease tells.
                tracing::error!(error = %error, "the fetching of a file was lost");
                self.taken.clear();
            }
        }
    }
}
