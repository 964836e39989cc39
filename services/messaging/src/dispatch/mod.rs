//! Takes what is due out of the outbox.
//!
//! Any number of dispatchers may run over one database: whoever begins a request commits that first, and an end
//! is only taken from the request that is under way. A dispatcher holds no state that matters; killed at any
//! point, another one goes on, and what may have left is never sent again by itself.

mod act;
mod ask;
mod look;
mod request;
mod verdict;

pub(crate) use ask::account_news;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channel_domain::send::Phase;
use channel_domain::{AccountId, Micros};
use channel_runtime::clock::Clock;
use channel_runtime::supervise::{Backoff, TaskError};
use channel_store::outbox::{Command, Done, Due, DueAct, DueWork, Rules, Standing};
use channel_store::{Store, StoreError};
use channel_unipile::upstream::Upstream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::MessagingConfig;
use crate::news::{News, not_before};

/// How much of what webhooks left open is asked for at a time.
const ASKED_AT_ONCE: usize = 4;

/// The least time between two looks into the outbox. Every end of a request and every webhook is a reason to look;
/// under load one look serves many.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How often it is counted how many messages stand where.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// How often old files are looked for.
const PRUNE_EVERY: Duration = Duration::from_mins(1);
/// How many are dropped at a time.
const PRUNED: usize = 100;

/// What the parts of a dispatcher share.
struct Shared {
    store: Arc<dyn Store>,
    upstream: Arc<dyn Upstream>,
    clock: Arc<dyn Clock>,
    rules: Rules,
    /// How long a question may take before others may ask it.
    lease: Duration,
    /// Whether history is read in, and how long after the connection at the latest.
    imports: bool,
    import_wait: Duration,
}

/// Takes what is due out of the outbox, calls UniPile, and notes how it ended.
#[derive(Clone)]
pub struct Dispatcher {
    shared: Arc<Shared>,
    config: Arc<MessagingConfig>,
    wake: Arc<Notify>,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").finish_non_exhaustive()
    }
}

/// A piece of work.
enum Piece {
    Send(Due),
    Act(DueAct),
    Ask(DueWork),
}

/// When a piece of work is due, and what it is known by.
type Waiting = (Micros, Work, Piece);

/// What a piece of work is known by: its account, and a name that no other piece has.
type Work = (AccountId, String);

/// How a piece of work ended: whose it was, and until when its account has to wait.
struct Finished {
    work: Work,
    wait: Option<Micros>,
}

impl Dispatcher {
    /// Over a store and an upstream. `wake` tells of what was put into the outbox in this process.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        upstream: Arc<dyn Upstream>,
        clock: Arc<dyn Clock>,
        config: Arc<MessagingConfig>,
        wake: Arc<Notify>,
    ) -> Self {
        let rules = config.rules();
        let (imports, import_wait) = (config.import_history, config.import_wait());
        let lease = config.lease();
        let shared = Shared { store, upstream, clock, rules, lease, imports, import_wait };
        Self { shared: Arc::new(shared), config, wake }
    }

    /// Works until `stop`; what is under way then is finished.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let mut rounds = Rounds {
            news: News::of(&*self.shared.store),
            dispatcher: self,
            running: JoinSet::new(),
            taken: HashSet::new(),
            waiting: HashMap::new(),
            failures: 0,
            pruned_at: None,
            counted_at: None,
            looked_at: Instant::now(),
        };
        while !stop.is_cancelled() {
            rounds.prune().await;
            rounds.count().await;
            let wait = rounds.start_what_is_due().await;
            rounds.rest(wait, &stop).await;
        }
        while let Some(done) = rounds.running.join_next().await {
            rounds.settle(done);
        }
        Ok(())
    }
}

/// The loop of one dispatcher.
struct Rounds {
    dispatcher: Dispatcher,
    news: News,
    running: JoinSet<Finished>,
    /// What is in hand.
    taken: HashSet<Work>,
    /// Accounts that may not send before a time.
    waiting: HashMap<AccountId, Micros>,
    failures: u32,
    pruned_at: Option<Instant>,
    counted_at: Option<Instant>,
    looked_at: Instant,
}

impl Rounds {
    fn now(&self) -> Micros {
        Micros(self.dispatcher.shared.clock.now_micros())
    }

    /// Drops files that were never sent, or long ago; seldom.
    async fn prune(&mut self) {
        if self.pruned_at.is_some_and(|at| at.elapsed() < PRUNE_EVERY) {
            return;
        }
        self.pruned_at = Some(Instant::now());
        if let Err(error) = self.dispatcher.shared.store.prune_uploads(self.now(), PRUNED).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "old files could not be dropped");
        }
    }

    /// Tells how many messages stand where; now and then.
    async fn count(&mut self) {
        if self.counted_at.is_some_and(|at| at.elapsed() < COUNT_EVERY) {
            return;
        }
        self.counted_at = Some(Instant::now());
        // A database that does not answer is told by what is due.
        let Ok(standing) = self.dispatcher.shared.store.standing().await else { return };
        let Standing { queued, sending, uncertain, unconfirmed } = standing;
        let phases = [
            ("queued", queued),
            ("sending", sending),
            ("uncertain", uncertain),
            ("unconfirmed", unconfirmed),
        ];
        for (phase, count) in phases {
            #[expect(clippy::cast_precision_loss, reason = "a metric need not tell 2^53 apart")]
            metrics::gauge!("channel_messaging_outbox", "phase" => phase).set(count as f64);
        }
    }

    /// Starts what is due; returns how long nothing more will be.
    async fn start_what_is_due(&mut self) -> Duration {
        let now = self.now();
        self.looked_at = Instant::now();
        let poll = self.dispatcher.config.poll_interval();
        self.waiting.retain(|_, until| *until > now);
        let room = self.dispatcher.config.concurrency.saturating_sub(self.running.len());
        if room == 0 {
            return poll;
        }
        let due = match self.due(now, room + self.taken.len()).await {
            Ok(due) => due,
            Err(wait) => return wait,
        };
        let mut next = self.waiting.values().min().copied();
        for (at, work, piece) in due {
            if at > now {
                next = Some(next.map_or(at, |next| next.min(at)));
            } else if self.running.len() < self.dispatcher.config.concurrency
                && self.taken.insert(work.clone())
            {
                let shared = Arc::clone(&self.dispatcher.shared);
                self.running.spawn(async move {
                    let wait = shared.work(&piece).await;
                    Finished { work, wait }
                });
            }
        }
        next.map_or(poll, |at| at.after(now)).clamp(Duration::from_millis(1), poll)
    }

    async fn due(&mut self, now: Micros, limit: usize) -> Result<Vec<Waiting>, Duration> {
        let but: Vec<_> = self.waiting.keys().cloned().collect();
        let store = Arc::clone(&self.dispatcher.shared.store);
        // Few at a time: what people send and do goes first.
        let few = limit.min(ASKED_AT_ONCE);
        let (sends, acts) = (store.due(now, &but, limit), store.due_acts(&but, limit));
        match tokio::try_join!(sends, acts, store.due_work(&but, few)) {
            Ok((sends, acts, asks)) => {
                self.failures = 0;
                let sends = sends.into_iter().map(|due| {
                    let name = due.message.to_string();
                    (due.at, (due.account.clone(), name), Piece::Send(due))
                });
                let acts = acts.into_iter().map(|due| {
                    let name = due.id.to_string();
                    (due.at, (due.account.clone(), name), Piece::Act(due))
                });
                let asks = asks.into_iter().map(|due| {
                    let name = format!("{} {}", due.kind as i16, due.subject);
                    (due.at, (due.account.clone(), name), Piece::Ask(due))
                });
                Ok(sends.chain(acts).chain(asks).collect())
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                let wait = Backoff::default().jittered(self.failures);
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the outbox cannot be read"
                );
                Err(wait)
            }
        }
    }

    /// Waits for whatever comes first: news, the end of some work, the time, the end of all.
    async fn rest(&mut self, wait: Duration, stop: &CancellationToken) {
        let full = self.running.len() >= self.dispatcher.config.concurrency;
        tokio::select! {
            () = stop.cancelled() => {}
            Some(done) = self.running.join_next() => self.settle(done),
            () = self.dispatcher.wake.notified(), if !full => {}
            () = self.news.come(), if !full => {}
            () = tokio::time::sleep(wait) => {}
        }
        not_before(self.looked_at + BETWEEN_LOOKS, stop).await;
        while let Some(done) = self.running.try_join_next() {
            self.settle(done);
        }
    }

    fn settle(&mut self, done: Result<Finished, tokio::task::JoinError>) {
        match done {
            Ok(Finished { work, wait }) => {
                self.waiting.extend(wait.map(|until| (work.0.clone(), until)));
                self.taken.remove(&work);
            }
            Err(error) => {
                // Whose it was is not known; its lease tells.
                tracing::error!(error = %error, "work of the outbox was lost");
                self.taken.clear();
            }
        }
    }
}

impl Shared {
    fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    /// Does what is due. Returns until when the account has to wait, if it has.
    async fn work(&self, piece: &Piece) -> Option<Micros> {
        let done = match piece {
            Piece::Act(due) => self.act(due).await.map(|()| None),
            Piece::Ask(due) => self.ask(due).await.map(|()| None),
            Piece::Send(due) => match due.phase {
                Phase::Sending => {
                    let abandon = Command::Abandon(due.message);
                    self.command(&due.account, abandon).await.map(|_| None)
                }
                Phase::Uncertain => self.look(due).await.map(|()| None),
                _ => self.send(due).await,
            },
        };
        done.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "work of the outbox failed and will be tried again");
            // Not at once: the database may be away.
            Some(Micros(self.now().0 + 1_000_000))
        })
    }

    async fn command(&self, account: &AccountId, command: Command) -> Result<Done, StoreError> {
        self.store.command(account, command, &self.rules, self.now(), None).await
    }
}
