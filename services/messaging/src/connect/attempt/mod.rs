//! One attempt to connect an account, from the first code to its end.

mod code;
mod confirm;
mod outcome;
mod scan;

use std::sync::Arc;
use std::time::Duration;

use channel_domain::{AccountId, Micros};
use channel_store::reads::AccountRow;
use channel_unipile::upstream::{ConnectOptions, Connecting};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use uuid::Uuid;

use super::codes;
use super::step::{LinkFailure, LinkReason, LinkStep};
use super::{Answer, Purpose, Shared, count};
use crate::error::MessagingError;

/// The first and the longest wait between two questions for the account.
const ASK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// The state of an account, and since when.
type Told = (i32, Option<i64>);

/// How an attempt goes on.
enum Next {
    Wait,
    End(LinkStep),
}

/// One attempt.
pub(super) struct Attempt {
    shared: Arc<Shared>,
    purpose: Purpose,
    options: ConnectOptions,
    steps: mpsc::Sender<Answer<LinkStep>>,
    id: Uuid,
    /// What was known of a known account before.
    before: Option<Told>,
    first: Option<Connecting>,
    /// The accounts that codes were shown for, the newest last. An older code may be scanned too.
    shown: Vec<AccountId>,
    /// The account that a phone has linked.
    linked: Option<AccountId>,
    /// It showed no codes, so no other attempt ends it.
    is_confirmed_only: bool,
    /// When UniPile was asked last, it had no such account.
    is_unknown: bool,
    /// When UniPile was asked last, it did not answer.
    is_away: bool,
    /// When it began. An account that was here before is never removed because of it.
    began_at: Micros,
    deadline: Instant,
    renew_at: Instant,
    expires_at: Instant,
    failures: u32,
    ask_at: Instant,
    asked: u32,
    _room: Option<OwnedSemaphorePermit>,
}

impl Attempt {
    /// Gets the first code.
    pub(super) async fn begin(
        shared: Arc<Shared>,
        purpose: Purpose,
        options: ConnectOptions,
        steps: mpsc::Sender<Answer<LinkStep>>,
    ) -> Answer<Self> {
        let full = |_| MessagingError::LinkInProgress { retry_after: Duration::from_secs(10) };
        let room = Arc::clone(&shared.attempts).try_acquire_owned().map_err(full)?;
        let before = match &purpose {
            Purpose::Again { account, .. } => Some(told(&shared.row(account).await?)),
            Purpose::New { .. } => None,
        };
        let began_at = shared.now();
        let first = codes::ask(&**shared.upstream()?, &purpose, &options).await;
        let first = first.map_err(|error| codes::fault(&error))?;
        let now = Instant::now();
        let deadline = now + shared.config.link_time();
        Ok(Self {
            shared,
            purpose,
            options,
            steps,
            id: Uuid::now_v7(),
            before,
            first: Some(first),
            shown: Vec::new(),
            linked: None,
            is_confirmed_only: false,
            is_unknown: false,
            is_away: false,
            began_at,
            deadline,
            renew_at: now,
            expires_at: now,
            failures: 0,
            ask_at: now + ASK.0,
            asked: 0,
            _room: Some(room),
        })
    }

    /// Goes on until the end, and tells it.
    pub(super) async fn run(mut self) {
        let stop = self.shared.stop.clone();
        let end = tokio::select! {
            () = stop.cancelled() => Some(Err(MessagingError::Stopping)),
            end = self.drive() => end,
        };
        match &end {
            None => count("withdrawn"),
            Some(Ok(LinkStep::Failed(failure))) => count(failure.reason.name()),
            Some(Ok(_)) => count("connected"),
            Some(Err(_)) => count("interrupted"),
        }
        // Without a caller the claim stays: a code that was scanned just now still finds its owner.
        let gone = end.is_none();
        if let Some(end) = end {
            // Whoever hung up needs no answer.
            let _ = self.steps.send(end).await;
        }
        self.withdraw().await;
        if !gone {
            self.unclaim().await;
        }
    }

    /// Until the end; `None` when the caller is gone and nothing was linked.
    async fn drive(&mut self) -> Option<Answer<LinkStep>> {
        let mut next = match self.first.take() {
            Some(first) => self.show(first).await,
            None => Ok(Next::Wait),
        };
        loop {
            match next {
                Ok(Next::End(step)) => return Some(Ok(step)),
                Err(MessagingError::Store(error))
                    if error.is_temporary() && Instant::now() < self.deadline =>
                {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "an attempt to connect goes on later");
                }
                Err(error) => return Some(Err(error)),
                Ok(Next::Wait) => {}
            }
            self.rest().await;
            if self.linked.is_none() && self.steps.is_closed() {
                return None;
            }
            next = self.turn().await;
        }
    }

    /// Until it is time to look, or the caller is gone.
    async fn rest(&self) {
        let look = Instant::now() + self.shared.config.poll_interval();
        let wake = look.min(self.ask_at).min(self.deadline).max(Instant::now());
        tokio::select! {
            () = tokio::time::sleep_until(wake) => {}
            () = self.steps.closed(), if self.linked.is_none() => {}
        }
    }

    async fn turn(&mut self) -> Answer<Next> {
        if !self.is_confirmed_only && self.is_superseded().await? {
            return Ok(failed(LinkReason::Superseded.because("A newer attempt began.")));
        }
        let now = Instant::now();
        if now >= self.ask_at
            && let Some(account) = self.ask().await?
            && self.linked.is_none()
        {
            return self.link(account).await;
        }
        if let Next::End(step) = self.look().await? {
            return Ok(Next::End(step));
        }
        if self.linked.is_some() {
            return Ok(Next::Wait);
        }
        if now >= self.deadline {
            let reason = if self.failures > 0 {
                LinkReason::UpstreamUnavailable
            } else {
                LinkReason::CodeExpired
            };
            return Ok(failed(reason.because("No code was scanned in time.")));
        }
        if now >= self.renew_at { self.renew().await } else { Ok(Next::Wait) }
    }

    /// Takes codes back that nobody scanned. Only those of accounts that would be new: deleting is the one way.
    async fn withdraw(&self) {
        let Purpose::New { .. } = self.purpose else { return };
        let Ok(upstream) = self.shared.upstream() else { return };
        let open = self.shown.iter().filter(|account| self.linked.as_ref() != Some(account));
        for account in open {
            match upstream.delete_account(account).await {
                Ok(()) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => tracing::debug!(error = %error, "a code could not be withdrawn"),
            }
        }
    }

    async fn unclaim(&self) {
        for account in &self.shown {
            if let Err(error) = self.shared.store.unclaim(account, self.id).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a claim could not be withdrawn and will run out");
            }
        }
    }

    async fn tell(&self, step: LinkStep) {
        // Whoever hung up is noticed by the loop.
        let _ = self.steps.send(Ok(step)).await;
    }
}

fn failed(failure: LinkFailure) -> Next {
    Next::End(LinkStep::Failed(failure))
}

fn told(row: &AccountRow) -> Told {
    (row.record.connection, row.record.connection_since)
}
