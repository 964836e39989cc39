//! Reads history in and repairs gaps.
//!
//! | part | what it does |
//! |---|---|
//! | [`Importer`] | takes the synchronisations that are due, a few at a time |
//! | [`run`] | one of them, from its taking to its end or pause |
//! | [`history`] | the account's chats, and of each its people and messages |
//! | [`repair`] | what the account's chats got since a time |
//! | [`traffic`] | whether anything else is written meanwhile: history gives way to it |
//! | [`pages`] | writes what was read, piece by piece, and reads on meanwhile |
//!
//! Where a synchronisation stands is in the database alone, page by page: killed at any point, another process
//! goes on with the page that was not written to its end. Nothing here looks for new messages; those come by
//! webhook.

mod history;
mod pages;
mod repair;
mod run;
mod traffic;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use channel_domain::{AccountId, Micros};
use channel_runtime::clock::Clock;
use channel_runtime::supervise::TaskError;
use channel_store::sync::{SyncAsk, SyncDone, SyncDue, SyncOrder, SyncStep};
use channel_store::{Store, StoreError};
use channel_unipile::upstream::Upstream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::config::MessagingConfig;
use crate::news::{News, not_before};
use run::Run;
use traffic::Traffic;

/// What the synchronisations share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Arc<MessagingConfig>,
    traffic: Traffic,
}

impl Shared {
    pub(crate) fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    async fn step(&self, account: &AccountId, step: SyncStep) -> Result<SyncDone, StoreError> {
        let order = SyncOrder { account: account.clone(), step, now: self.now(), trace: None };
        self.store.sync_step(order).await
    }
}

/// What nobody asked for: a repair where history was read in, else the history.
pub(crate) fn by_itself(not_before: Option<Micros>) -> SyncAsk {
    SyncAsk { automatic: true, not_before, ..SyncAsk::new(Uuid::now_v7()) }
}

/// Takes the synchronisations that are due.
#[derive(Clone)]
pub struct Importer {
    shared: Arc<Shared>,
    wake: Arc<Notify>,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer").finish_non_exhaustive()
    }
}

impl Importer {
    /// Over a store and an upstream. `wake` tells of what was asked for in this process.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        upstream: Arc<dyn Upstream>,
        clock: Arc<dyn Clock>,
        config: Arc<MessagingConfig>,
        wake: Arc<Notify>,
    ) -> Self {
        let traffic = Traffic::default();
        Self { shared: Arc::new(Shared { store, upstream, clock, config, traffic }), wake }
    }

    /// Works until `stop`; what is under way then stops after its page and goes on at the next start. Begins
    /// with a repair of every account, for what came while nobody was here.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let mut news = News::of(&*self.shared.store);
        let (mut running, mut taken) = (JoinSet::new(), HashSet::new());
        let (mut repaired, mut measured) = (false, None);
        let shared = Arc::clone(&self.shared);
        let _watching = AbortOnDropHandle::new(tokio::spawn(async move {
            shared.traffic.watch(shared.store.wakeups()).await;
        }));
        while !stop.is_cancelled() {
            repaired = repaired || self.repair_all().await;
            self.measure(&mut measured).await;
            self.start_what_is_due(&mut running, &mut taken, &stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                Some(done) = running.join_next() => settle(done, &mut taken),
                () = self.wake.notified() => {}
                () = news.come() => {}
                () = tokio::time::sleep(self.shared.config.poll_interval()) => {}
            }
            not_before(Instant::now() + BETWEEN_LOOKS, &stop).await;
        }
        while let Some(done) = running.join_next().await {
            settle(done, &mut taken);
        }
        Ok(())
    }

    /// Asks for a repair of every account whose history was read in. False if that has to be tried again.
    async fn repair_all(&self) -> bool {
        let asked = async {
            for (account, _) in self.shared.store.imported_accounts().await? {
                self.shared.step(&account, SyncStep::Ask(Box::new(by_itself(None)))).await?;
            }
            Ok::<_, StoreError>(())
        };
        match asked.await {
            Ok(()) => true,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "repairs could not be asked for and will be");
                false
            }
        }
    }

    /// Tells up to when everything is here, of the account that is least far; now and then.
    async fn measure(&self, measured: &mut Option<Instant>) {
        if measured.is_some_and(|at| at.elapsed() < MEASURE_EVERY) {
            return;
        }
        *measured = Some(Instant::now());
        // A database that does not answer is told by what is due.
        let Ok(accounts) = self.shared.store.imported_accounts().await else { return };
        if let Some(up_to) = accounts.into_iter().map(|(_, up_to)| up_to).min() {
            #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
            metrics::gauge!("channel_messaging_complete_up_to_seconds")
                .set((up_to.0 / 1_000_000) as f64);
        }
    }

    async fn start_what_is_due(
        &self,
        running: &mut JoinSet<AccountId>,
        taken: &mut HashSet<AccountId>,
        stop: &CancellationToken,
    ) {
        let room = self.shared.config.import_concurrency.saturating_sub(running.len());
        if room == 0 {
            return;
        }
        let but: Vec<_> = taken.iter().cloned().collect();
        let due = match self.shared.store.syncs_due(self.shared.now(), &but, room).await {
            Ok(due) => due,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                return tracing::warn!(error, "synchronisations cannot be looked for");
            }
        };
        for SyncDue { account, id, .. } in due {
            // One at a time for each account.
            if !taken.insert(account.clone()) {
                continue;
            }
            let run = Run::new(Arc::clone(&self.shared), account.clone(), id, stop.clone());
            running.spawn(async move {
                run.run().await;
                account
            });
        }
    }
}

/// How often it is told up to when everything is here.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// The least time between two looks for what is due.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

fn settle(done: Result<AccountId, tokio::task::JoinError>, taken: &mut HashSet<AccountId>) {
    match done {
        Ok(account) => drop(taken.remove(&account)),
        Err(error) => {
            // Whose it was is not known; its lease tells.
            tracing::error!(error = %error, "a synchronisation was lost");
            taken.clear();
        }
    }
}
