//! One synchronisation, from its taking to its end or pause.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use channel_domain::AccountId;
use channel_domain::sync::{SyncKind, SyncState};
use channel_runtime::supervise::Backoff;
use channel_store::StoreError;
use channel_store::record::SyncRecord;
use channel_store::sync::{SyncDone, SyncStep};
use channel_unipile::upstream::{Answer, Kind, PAGE_MAX, UpstreamError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Shared;

/// How long it waits where a person has to do something first; the account's return ends that earlier.
const UNTIL_REPAIRED: Duration = Duration::from_mins(5);

/// Why it does not go on.
pub(super) enum Halt {
    /// Somebody else has it, it was cancelled, or this process ends.
    Lost,
    /// It goes on later, for this reason.
    Pause(&'static str, Duration),
    /// It cannot go on.
    Fail(&'static str),
    /// The database is away: whoever takes it next goes on.
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A synchronisation in hand.
pub(super) struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) account: AccountId,
    pub(super) id: Uuid,
    pub(super) taken: u32,
    tries: u32,
    /// How many messages are asked for at a time.
    pub(super) page_size: AtomicU16,
    stop: CancellationToken,
}

impl Run {
    pub(super) fn new(
        shared: Arc<Shared>,
        account: AccountId,
        id: Uuid,
        stop: CancellationToken,
    ) -> Self {
        let page_size = AtomicU16::new(PAGE_MAX);
        Self { shared, account, id, taken: 0, tries: 0, page_size, stop }
    }

    /// Takes it and brings it as far as it goes.
    pub(super) async fn run(mut self) {
        let take = SyncStep::Take(self.id, self.shared.config.lease());
        let sync = match self.shared.step(&self.account, take).await {
            Ok(SyncDone::Stands(sync)) => *sync,
            Ok(_) => return,
            Err(error) => return self.told(&Halt::Store(error)),
        };
        (self.taken, self.tries) = (sync.taken, sync.tries);
        let ended = match self.drive(sync).await {
            Ok(()) => self.end().await,
            Err(halt) => Err(halt),
        };
        if let Err(halt) = ended {
            self.told(&halt);
            let settled = match halt {
                Halt::Pause(reason, wait) => {
                    self.step(SyncStep::Pause(self.id, self.taken, reason, wait)).await
                }
                Halt::Fail(reason) => self.ends(SyncState::Failed, Some(reason)).await,
                Halt::Lost | Halt::Store(_) => return,
            };
            if let Err(halt) = settled {
                self.told(&halt);
            }
        }
    }

    fn told(&self, halt: &Halt) {
        let (account, sync) = (&self.account, self.id);
        match halt {
            Halt::Lost => tracing::debug!(%account, %sync, "a synchronisation is somebody else's"),
            Halt::Pause(reason, _) => {
                tracing::info!(%account, %sync, reason, "a synchronisation waits");
            }
            Halt::Fail(reason) => {
                tracing::warn!(%account, %sync, reason, "a synchronisation was given up");
            }
            Halt::Store(error) => {
                let error = error as &dyn std::error::Error;
                tracing::warn!(%account, %sync, error, "a synchronisation was not written");
            }
        }
    }

    async fn drive(&mut self, sync: SyncRecord) -> Result<(), Halt> {
        let kind = i16::try_from(sync.kind).ok().and_then(SyncKind::from_number);
        match kind {
            Some(SyncKind::Repair) => self.repair(sync).await,
            Some(SyncKind::Chat) => {
                self.fetch_anew(&sync).await?;
                self.chats(sync.since).await
            }
            _ => {
                let since = sync.since;
                self.list(sync).await?;
                self.chats(since).await
            }
        }
    }

    async fn end(&mut self) -> Result<(), Halt> {
        let stands = self.stands(SyncStep::Renew(self.id, self.taken)).await?;
        // What is complete must not be claimed where a chat is not.
        match stands.chats_failed {
            0 => self.ends(SyncState::Done, None).await,
            _ => self.ends(SyncState::Failed, Some("CHATS_INCOMPLETE")).await,
        }
    }

    async fn ends(&self, state: SyncState, reason: Option<&'static str>) -> Result<(), Halt> {
        let outcome = reason.unwrap_or("DONE");
        metrics::counter!("channel_messaging_syncs_ended_total", "outcome" => outcome).increment(1);
        self.step(SyncStep::End(self.id, self.taken, state, reason)).await
    }

    /// Writes a step; an error if this taking counts no more.
    pub(super) async fn stands(&self, step: SyncStep) -> Result<SyncRecord, Halt> {
        match self.shared.step(&self.account, step).await? {
            SyncDone::Stands(sync) => Ok(*sync),
            _ => Err(Halt::Lost),
        }
    }

    pub(super) async fn step(&self, step: SyncStep) -> Result<(), Halt> {
        self.stands(step).await.map(drop)
    }

    /// Asks UniPile, and tells meanwhile that this process is alive.
    pub(super) async fn ask<T>(
        &self,
        question: impl Future<Output = Answer<T>>,
    ) -> Result<Answer<T>, Halt> {
        let mut question = std::pin::pin!(question);
        let every = self.shared.config.lease() / 3;
        loop {
            tokio::select! {
                answer = &mut question => return Ok(answer),
                () = self.stop.cancelled() => return Err(Halt::Lost),
                () = tokio::time::sleep(every) => {
                    self.step(SyncStep::Renew(self.id, self.taken)).await?;
                }
            }
        }
    }

    /// What a question that was not answered means for the whole.
    pub(super) fn halt(&self, error: &UpstreamError) -> Halt {
        tracing::debug!(error = %error, "UniPile did not answer a synchronisation");
        let wait = Backoff::default().jittered(self.tries + 1);
        match error.kind() {
            Kind::Temporary => {
                let wait = error.retry_after().unwrap_or_default().max(wait);
                Halt::Pause("UPSTREAM_UNAVAILABLE", wait)
            }
            Kind::RateLimited { retry_after } => {
                Halt::Pause("UPSTREAM_LIMITED", retry_after.unwrap_or_default().max(wait))
            }
            Kind::Reconnect => Halt::Pause("ACCOUNT_DISCONNECTED", UNTIL_REPAIRED),
            Kind::Configuration => Halt::Pause("UPSTREAM_NOT_CONFIGURED", UNTIL_REPAIRED),
            Kind::Permanent | Kind::Restricted => Halt::Fail("UPSTREAM_REFUSED"),
        }
    }

    /// Whether this process ends: a page is a good place to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }
}
