//! One attempt to connect an account, from the first code to its end.

use std::sync::Arc;
use std::time::Duration;

use channel_domain::account::Connection;
use channel_domain::fact::UpstreamStatus;
use channel_domain::{AccountId, Micros, TenantId};
use channel_store::claims::Claim;
use channel_store::reads::AccountRow;
use channel_unipile::upstream::{ConnectOptions, Connecting, Step, UpstreamError};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use uuid::Uuid;

use super::codes::{self, NoCode};
use super::step::{LinkFailure, LinkReason, LinkStep};
use super::{Answer, Purpose, Shared, count, is_in};
use crate::dispatch::account_news;
use crate::error::MessagingError;

/// How long a phone that has linked may take until the account runs.
const FINISH: Duration = Duration::from_mins(2);
/// How many times in a row UniPile may fail to give a code once none is good any more.
const FAILURES: u32 = 3;
/// The first and the longest wait between two questions for the account.
const ASK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// How often it is tried to delete an account that must not stay.
const DELETES: u32 = 4;

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
    deadline: Instant,
    renew_at: Instant,
    expires_at: Instant,
    failures: u32,
    ask_at: Instant,
    asked: u32,
    _room: OwnedSemaphorePermit,
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
            deadline,
            renew_at: now,
            expires_at: now,
            failures: 0,
            ask_at: now + ASK.0,
            asked: 0,
            _room: room,
        })
    }

    /// Goes on until the end, and tells it.
    pub(super) async fn run(mut self) {
        let stop = self.shared.stop.clone();
        let end = tokio::select! {
            () = stop.cancelled() => Some(Err(MessagingError::Stopping)),
            end = self.drive() => end,
        };
        let withdraw = !matches!(end, Some(Ok(LinkStep::Completed(_))));
        match &end {
            None => count("withdrawn"),
            Some(Ok(LinkStep::Failed(failure))) => count(failure.reason.name()),
            Some(Ok(_)) => count("connected"),
            Some(Err(_)) => count("interrupted"),
        }
        if withdraw {
            self.withdraw().await;
        }
        // Without a caller the claim stays: a code that was scanned just now still finds its owner.
        let gone = end.is_none();
        if let Some(end) = end {
            // Whoever hung up needs no answer.
            let _ = self.steps.send(end).await;
        }
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
        if self.is_superseded().await? {
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

    // ---- codes ------------------------------------------------------------------------------------

    async fn renew(&mut self) -> Answer<Next> {
        let upstream = self.shared.upstream()?;
        match codes::ask(&**upstream, &self.purpose, &self.options).await {
            Ok(connecting) => {
                self.failures = 0;
                self.show(connecting).await
            }
            Err(error) => Ok(self.not_renewed(&error)),
        }
    }

    fn not_renewed(&mut self, error: &UpstreamError) -> Next {
        let now = Instant::now();
        match codes::why(error) {
            NoCode::Busy(wait) => self.renew_at = now + wait,
            NoCode::Away => {
                self.failures += 1;
                self.renew_at = now + Duration::from_secs(1 << self.failures.min(3));
                if self.failures >= FAILURES && now >= self.expires_at {
                    return failed(LinkReason::UpstreamUnavailable.because(error.advice()));
                }
            }
            NoCode::Gone => {
                return failed(LinkReason::Refused.because("UniPile has no such account."));
            }
            NoCode::Refused(advice) => return failed(LinkReason::Refused.because(advice)),
        }
        tracing::debug!(error = %error, "a code could not be renewed");
        Next::Wait
    }

    /// Shows a code, once the account that it is for is claimed.
    async fn show(&mut self, connecting: Connecting) -> Answer<Next> {
        let Some(account) = self.account_of(connecting.account) else {
            return Ok(failed(LinkReason::Refused.because("UniPile did not name the account.")));
        };
        self.claim(&account).await?;
        if self.shown.last() != Some(&account) {
            self.shown.push(account.clone());
        }
        let good = self.shared.config.link_code_time();
        self.expires_at = Instant::now() + good;
        self.renew_at = self.expires_at;
        let micros = i64::try_from(good.as_micros()).unwrap_or(i64::MAX);
        let expires_at = Micros(self.shared.now().0.saturating_add(micros));
        let step = match connecting.step {
            Step::Qr(payload) => LinkStep::Qr { payload, expires_at },
            Step::PairingCode(code) => LinkStep::Pairing { code, expires_at },
            Step::Created | Step::Reconnected => return self.link(account).await,
            Step::Other(_) => {
                let detail = "UniPile asks for something that WhatsApp does not use.";
                return Ok(failed(LinkReason::Refused.because(detail)));
            }
        };
        self.tell(step).await;
        Ok(Next::Wait)
    }

    /// A known account keeps its id, whatever UniPile calls the attempt.
    fn account_of(&self, told: Option<AccountId>) -> Option<AccountId> {
        match &self.purpose {
            Purpose::New { .. } => told,
            Purpose::Again { account, .. } => Some(account.clone()),
        }
    }

    /// For a known account this is what ends an older attempt; one claim is enough, and a newer one stays.
    async fn claim(&self, account: &AccountId) -> Answer<()> {
        let (tenant, name) = match &self.purpose {
            Purpose::New { tenant, name } => (tenant.clone(), name.clone()),
            Purpose::Again { .. } if !self.shown.is_empty() => return Ok(()),
            Purpose::Again { tenant, .. } => (tenant.clone(), None),
        };
        let claim = Claim { tenant, name, attempt: self.id, at: self.shared.now() };
        Ok(self.shared.store.claim(account, &claim).await?)
    }

    async fn is_superseded(&self) -> Answer<bool> {
        let Purpose::Again { account, .. } = &self.purpose else { return Ok(false) };
        let claimed = self.shared.store.claimed(account).await?;
        Ok(claimed.is_some_and(|claim| claim.attempt != self.id))
    }

    // ---- what became of them ----------------------------------------------------------------------

    /// Asks UniPile for the account, ever less often. Not to know it is normal before a code is scanned.
    /// Returns one that runs.
    async fn ask(&mut self) -> Answer<Option<AccountId>> {
        let wait = ASK.0.saturating_mul(1 << self.asked.min(4)).min(ASK.1);
        (self.ask_at, self.asked) = (Instant::now() + wait, self.asked + 1);
        let upstream = self.shared.upstream()?;
        let asked: Vec<AccountId> = match &self.linked {
            Some(account) => vec![account.clone()],
            None => self.shown.iter().rev().take(2).cloned().collect(),
        };
        let mut running = None;
        for account in asked {
            let asked_at = self.shared.now();
            match upstream.account(&account).await {
                // One that waits for its scan may be listed: it has no number, and does not run.
                Ok(state) if state.is_running() || state.phone.is_some() => {
                    let runs = state.is_running();
                    self.shared.learn(&account, account_news(state, asked_at)).await?;
                    running = running.or_else(|| runs.then_some(account));
                }
                Ok(_) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => tracing::debug!(error = %error, "an account could not be asked for"),
            }
        }
        Ok(running)
    }

    /// Looks into the database for what webhooks and answers told.
    async fn look(&mut self) -> Answer<Next> {
        if let Some(account) = self.linked.clone() {
            return self.settle(&account).await;
        }
        for (age, account) in self.shown.clone().into_iter().rev().enumerate() {
            let Some(row) = self.shared.store.account(&account).await? else { continue };
            let is_new = self.before.is_none_or(|before| before != told(&row));
            if is_new && is_linked(&row) {
                return self.link(account).await;
            }
            let refused =
                is_in(&row, Connection::CreationFailed) || is_in(&row, Connection::Deleted);
            // What becomes of an older code does not matter while a newer one is shown.
            if is_new && refused && age == 0 {
                return Ok(failed(LinkReason::Refused.because("WhatsApp did not link the phone.")));
            }
        }
        Ok(Next::Wait)
    }

    async fn link(&mut self, account: AccountId) -> Answer<Next> {
        self.linked = Some(account.clone());
        let now = Instant::now();
        (self.deadline, self.ask_at, self.asked) = (now + FINISH, now, 0);
        self.tell(LinkStep::Accepted(account.clone())).await;
        self.ask().await?;
        self.settle(&account).await
    }

    /// Ends the attempt once the account runs and its number is known, or when that takes too long: it is there.
    async fn settle(&mut self, account: &AccountId) -> Answer<Next> {
        let row = self.shared.row(account).await?;
        let is_late = Instant::now() >= self.deadline;
        if is_in(&row, Connection::CreationFailed) || is_in(&row, Connection::Deleted) {
            return Ok(failed(LinkReason::Refused.because("The account was removed again.")));
        }
        let known = is_in(&row, Connection::Ok) && row.record.phone.is_some();
        if !known && !is_late {
            return Ok(Next::Wait);
        }
        let problem = match &self.purpose {
            Purpose::New { tenant, .. } => self.not_wanted(&row, tenant.clone()).await?,
            Purpose::Again { .. } => self.other_number(&row).await,
        };
        Ok(match problem {
            Some(failure) => failed(failure),
            None => {
                tracing::info!(account = account.as_str(), "an account was connected");
                Next::End(LinkStep::Completed(Box::new(self.shared.row(account).await?)))
            }
        })
    }

    /// A second account of a number would double its history: it goes again.
    async fn not_wanted(
        &mut self,
        row: &AccountRow,
        tenant: TenantId,
    ) -> Answer<Option<LinkFailure>> {
        let account = AccountId::new(row.record.id.as_str());
        if row.tenant != tenant {
            let detail = "The account belongs to somebody else already.";
            return Ok(Some(LinkReason::AlreadyConnected.because(detail)));
        }
        let Some(phone) = &row.record.phone else { return Ok(None) };
        let Some(taken) = self.shared.taken(&tenant, phone, &account).await? else {
            return Ok(None);
        };
        for tried in 0..DELETES {
            match self.shared.delete(&account).await? {
                Ok(()) => return Ok(Some(taken)),
                Err(error) => {
                    tracing::warn!(error = %error, "a second account could not be deleted");
                    tokio::time::sleep(Duration::from_secs(1 << tried)).await;
                }
            }
        }
        let detail = format!("{} The new account {account} could not be deleted.", taken.detail);
        Ok(Some(LinkFailure { detail, ..taken }))
    }

    /// Another number than before: UniPile tells the present one, the database the first one.
    async fn other_number(&self, row: &AccountRow) -> Option<LinkFailure> {
        let account = AccountId::new(row.record.id.as_str());
        let state = self.shared.upstream().ok()?.account(&account).await.ok()?;
        let told = channel_domain::jid::phone_from_digits(state.phone.as_deref()?)?;
        let known = row.record.phone.as_ref()?;
        let detail = "Another number was scanned. Reconnect with the phone of this account.";
        (told != *known).then(|| LinkReason::WrongAccount.because(detail))
    }

    // ---- the end ----------------------------------------------------------------------------------

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

/// Whether a phone has linked: UniPile says so by one of these words, or the account runs.
fn is_linked(row: &AccountRow) -> bool {
    let word = row.record.connection_word.as_deref();
    let told = [UpstreamStatus::CreationSuccess, UpstreamStatus::Reconnected];
    is_in(row, Connection::Ok) || told.iter().any(|told| word == Some(told.as_wire()))
}
