//! Looks for the pictures of people and groups.
//!
//! As for files, the journal in the database says what is wanted, and a link in a payload is never followed. Nobody waits
//! for a picture, so they come slowly, and never where something else waits for the same account.

mod look;
mod turns;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use channel_domain::media::Policy;
use channel_domain::{AccountId, Micros};
use channel_media::{MediaConfig, Objects, PicturesConfig, Spool};
use channel_runtime::clock::Clock;
use channel_runtime::supervise::{Backoff, TaskError};
use channel_store::pictures::DueLook;
use channel_store::{Store, StoreError};
use channel_unipile::upstream::Upstream;
use futures::StreamExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::media::keep::Keeper;
use crate::news::{News, not_before};
use turns::Turns;

/// How often the journal is looked through for work that nobody announced. It asks our own database only.
const LOOK: Duration = Duration::from_secs(15);
/// The least time between two looks into the journal.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// Of how many things that wait it is looked whose they are.
const WAITING: usize = 50;

/// What the looks share.
struct Shared {
    store: Arc<dyn Store>,
    upstream: Arc<dyn Upstream>,
    clock: Arc<dyn Clock>,
    objects: Objects,
    spool: Spool,
    policy: Policy,
    lease: Duration,
    config: PicturesConfig,
}

impl Shared {
    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    const fn keeper(&self) -> Keeper<'_> {
        Keeper { store: &self.store, clock: &self.clock, objects: &self.objects }
    }

    /// Accounts for which something more urgent waits: a message, what a webhook left open, a file.
    async fn busy(&self, now: Micros) -> Result<HashSet<AccountId>, StoreError> {
        let store = &self.store;
        let sends = store.due(now, &[], WAITING).await?;
        let sends = sends.into_iter().map(|due| (due.account, due.at));
        let acts = store.due_acts(&[], WAITING).await?;
        let acts = acts.into_iter().map(|due| (due.account, due.at));
        let work = store.due_work(&[], WAITING).await?;
        let work = work.into_iter().map(|due| (due.account, due.at));
        let files = store.due_fetches(&[], WAITING).await?;
        let files = files.into_iter().map(|due| (due.account, due.at));
        let all = sends.chain(acts).chain(work).chain(files);
        Ok(all.filter(|(_, at)| *at <= now).map(|(account, _)| account).collect())
    }
}

/// Looks for the pictures of people and groups, a few at a time.
#[derive(Clone)]
pub struct Portraits(Arc<Shared>);

impl std::fmt::Debug for Portraits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portraits").finish_non_exhaustive()
    }
}

impl Portraits {
    /// From an upstream into a folder or bucket.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        upstream: Arc<dyn Upstream>,
        clock: Arc<dyn Clock>,
        (objects, spool): (Objects, Spool),
        config: &MediaConfig,
    ) -> Self {
        let (policy, lease) = (config.policy(), Duration::from_secs(config.lease_seconds.into()));
        let config = config.pictures;
        Self(Arc::new(Shared { store, upstream, clock, objects, spool, policy, lease, config }))
    }

    /// Works until `stop`; what is under way then is left to whoever comes next.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        if self.0.config.per_minute == 0 {
            stop.cancelled().await;
            return Ok(());
        }
        let mut rounds = Rounds {
            news: News::of(&*self.0.store),
            turns: Turns::new(self.0.config.per_minute),
            shared: self.0,
            failures: 0,
        };
        while !stop.is_cancelled() {
            let began = Instant::now();
            let wait = rounds.round(&stop).await;
            rounds.rest(wait, began, &stop).await;
        }
        Ok(())
    }
}

/// The loop.
struct Rounds {
    shared: Arc<Shared>,
    news: News,
    turns: Turns,
    failures: u32,
}

impl Rounds {
    /// Looks for what is due, to the end; returns how long nothing more will be.
    async fn round(&mut self, stop: &CancellationToken) -> Duration {
        let now = self.shared.now();
        let (ready, later) = match self.due(now).await {
            Ok(due) => due,
            Err(error) => return self.cannot_read(&error),
        };
        self.failures = 0;
        let looks = futures::stream::iter(ready).map(|due| {
            let shared = Arc::clone(&self.shared);
            async move { (shared.look(&due, stop).await, due.account) }
        });
        let looks = looks.buffer_unordered(self.shared.config.concurrency);
        let ended: Vec<_> = looks.collect().await;
        for (went, account) in ended {
            let went = went.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "looking for a picture failed and will be tried again");
                look::Went::Badly { at_least: None }
            });
            self.turns.ended(account, now, self.shared.now(), went, rand::random());
        }
        let now = self.shared.now();
        let next = self.turns.next().into_iter().chain(later).min();
        next.map_or(LOOK, |at| at.after(now)).min(LOOK)
    }

    /// The looks whose turn it is, and when the next one is due.
    async fn due(&mut self, now: Micros) -> Result<(Vec<DueLook>, Option<Micros>), StoreError> {
        let but = self.turns.waiting(now);
        // One more than there is room for tells when to look again.
        let most = self.shared.config.concurrency + 1;
        let due = self.shared.store.due_looks(&but, most).await?;
        let (mut ready, later): (Vec<_>, Vec<_>) = due.into_iter().partition(|due| due.at <= now);
        if !ready.is_empty() {
            let busy = self.shared.busy(now).await?;
            ready.retain(|due| {
                !(busy.contains(&due.account) && self.turns.gives_way(&due.account, now))
            });
        }
        Ok((ready, later.iter().map(|due| due.at).min()))
    }

    fn cannot_read(&mut self, error: &StoreError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, "the journal of pictures cannot be read");
        Backoff::default().jittered(self.failures)
    }

    /// Waits for whatever comes first: news, the time, the end of all.
    async fn rest(&mut self, wait: Duration, began: Instant, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.news.come() => {}
            () = tokio::time::sleep(wait) => {}
        }
        not_before(began + BETWEEN_LOOKS, stop).await;
    }
}
