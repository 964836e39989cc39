//! Commands of callers: checked, then put into the outbox.

use std::sync::Arc;
use std::time::Duration;

use channel_domain::account::Connection;
use channel_domain::send::{Act, Request};
use channel_domain::{AccountId, ChatId, MessageId, Micros};
use channel_proto::types::v1::SyncProgress;
use channel_runtime::clock::Clock;
use channel_runtime::identity::Identity;
use channel_runtime::telemetry::traceparent_of_current_span;
use channel_store::Store;
use channel_store::outbox::{
    Acting, Command, Done, PersonChange, Refused, Shown, Submit, To, Written,
};
use channel_store::record::AttendeeRecord;
use channel_store::sync::{SyncDone, SyncOrder, SyncStep};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::config::MessagingConfig;
use crate::error::MessagingError;

type Answer<T> = Result<T, MessagingError>;

/// What a caller wants to send.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The account that sends.
    pub account: AccountId,
    /// Where to.
    pub to: To,
    /// The message's id.
    pub message: MessageId,
    /// What to send, but its files.
    pub request: Request,
    /// Its files, as they were taken in, and whether each is a voice message.
    pub files: Vec<(Uuid, bool)>,
    /// The hash of what was asked for.
    pub hash: [u8; 32],
    /// When it is given up, from now on; `None`: as configured.
    pub expires_in: Option<Duration>,
}

/// Puts messages into the outbox, and decides about those that are there. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    config: Arc<MessagingConfig>,
    /// Whether somebody takes messages out of the outbox.
    is_connected: bool,
    wake: Arc<Notify>,
    sync: Arc<Notify>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

impl Outgoing {
    /// Over a store. `is_connected`: an upstream is configured, here or in another process of the role.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        config: Arc<MessagingConfig>,
        is_connected: bool,
    ) -> Self {
        Self { store, clock, config, is_connected, wake: Arc::default(), sync: Arc::default() }
    }

    /// Told whenever something was put into the outbox here.
    #[must_use]
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Told whenever a synchronisation was asked for here.
    #[must_use]
    pub fn sync_wake(&self) -> Arc<Notify> {
        Arc::clone(&self.sync)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &MessagingConfig {
        &self.config
    }

    /// Queues a message.
    ///
    /// # Errors
    ///
    /// As the contract says of `SendMessage`; nothing was queued.
    pub async fn send(&self, caller: &Identity, ask: Ask) -> Answer<Written> {
        self.submit(caller, ask, None).await
    }

    async fn submit(
        &self,
        caller: &Identity,
        ask: Ask,
        instead_of: Option<MessageId>,
    ) -> Answer<Written> {
        let account_key = self.account(caller, &ask.account).await?;
        if !self.is_connected {
            return Err(MessagingError::NotConfigured);
        }
        let usual = Duration::from_secs(self.config.expires_seconds.into());
        let wait = ask.expires_in.unwrap_or(usual).as_micros();
        let expires_at = self.now().0.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
        let Ask { account, to, message, mut request, files, hash, .. } = ask;
        let expires_at = Micros(expires_at);
        if let Request::Message { files: into, .. } = &mut request
            && !files.is_empty()
        {
            *into = self.files(account_key, &files, expires_at).await?;
        }
        let submit = Submit { message, to, request, hash, expires_at, instead_of };
        let written = self.carry_out(&account, Command::Submit(submit)).await?;
        self.wake.notify_one();
        Ok(written)
    }

    /// Cancels a message that waits.
    ///
    /// # Errors
    ///
    /// As the contract says of `CancelSend`.
    pub async fn cancel(
        &self,
        caller: &Identity,
        account: &AccountId,
        message: MessageId,
    ) -> Answer<Written> {
        self.account(caller, account).await?;
        self.carry_out(account, Command::Cancel(message)).await
    }

    /// Leaves a message that was not sent.
    ///
    /// # Errors
    ///
    /// As the contract says of `ResolveSend`.
    pub async fn discard(
        &self,
        caller: &Identity,
        account: &AccountId,
        message: MessageId,
    ) -> Answer<Written> {
        self.account(caller, account).await?;
        self.carry_out(account, Command::Discard { message, reason: "DISCARDED" }).await
    }

    /// Sends a message again that was not sent, as a new one. Returns both.
    ///
    /// # Errors
    ///
    /// As the contract says of `ResolveSend`.
    pub async fn resend(
        &self,
        caller: &Identity,
        account: &AccountId,
        message: MessageId,
        again: MessageId,
    ) -> Answer<(Written, Written)> {
        self.account(caller, account).await?;
        let command = Command::Read(message);
        let before = self.carry_out(account, command.clone()).await?;
        let request = before.request.clone();
        let ask = Ask {
            account: account.clone(),
            to: To::Chat(ChatId::new(before.message.chat.as_str())),
            message: again,
            hash: before.hash,
            request,
            files: vec![],
            expires_in: None,
        };
        let sent = self.submit(caller, ask, Some(message)).await?;
        Ok((self.carry_out(account, command).await?, sent))
    }

    /// Does things to a message or chat, in order: shown at once, done at UniPile after. Returns how it is shown.
    ///
    /// # Errors
    ///
    /// As the contract says of the calls that change messages and chats.
    pub async fn act(
        &self,
        caller: &Identity,
        account: &AccountId,
        acts: Vec<(Uuid, Act)>,
        hash: [u8; 32],
    ) -> Answer<Shown> {
        self.account(caller, account).await?;
        if !self.is_connected {
            return Err(MessagingError::NotConfigured);
        }
        let wait = i64::from(self.config.expires_seconds).saturating_mul(1_000_000);
        let expires_at = Micros(self.now().0.saturating_add(wait));
        let mut shown = Shown::default();
        for (id, act) in acts {
            let acting = Acting { id, act, hash, expires_at };
            shown = self.show(account, Command::Act(acting)).await?;
        }
        self.wake.notify_one();
        Ok(shown)
    }

    /// Names or labels a chat, here only.
    ///
    /// # Errors
    ///
    /// As the contract says of `UpdateChat`.
    pub async fn describe(
        &self,
        caller: &Identity,
        account: &AccountId,
        chat: ChatId,
        name: Option<String>,
        labels: Option<Vec<String>>,
    ) -> Answer<Shown> {
        self.account(caller, account).await?;
        self.show(account, Command::Describe { chat, name, labels }).await
    }

    /// Asks for a synchronisation, or cancels one. Returns where it stands.
    ///
    /// # Errors
    ///
    /// As the contract says of `SyncAccount`, `SyncChat` and `CancelSync`.
    pub async fn sync(
        &self,
        caller: &Identity,
        account: &AccountId,
        step: SyncStep,
    ) -> Answer<SyncProgress> {
        self.account(caller, account).await?;
        if !self.is_connected {
            return Err(MessagingError::NotConfigured);
        }
        let (now, trace) = (self.now(), traceparent_of_current_span());
        let order = SyncOrder { account: account.clone(), step, now, trace };
        let done = self.store.sync_step(order).await?;
        self.sync.notify_one();
        match done {
            SyncDone::Stands(sync) => Ok(channel_wire::sync_progress(account.as_str(), &sync)),
            SyncDone::AccountUnknown => Err(MessagingError::AccountNotFound),
            SyncDone::ChatUnknown => Err(MessagingError::ChatNotFound),
            SyncDone::SyncUnknown | SyncDone::Nothing => Err(MessagingError::SyncNotFound),
        }
    }

    /// Takes what the team says of a person. Returns everybody who is that person now, the one named first.
    ///
    /// # Errors
    ///
    /// As the contract says of `UpdateAttendee`, `JoinAttendees` and `SplitAttendee`.
    pub async fn change_person(
        &self,
        caller: &Identity,
        account: &AccountId,
        change: PersonChange,
    ) -> Answer<Vec<AttendeeRecord>> {
        self.account(caller, account).await?;
        match self.command(account, Command::Person(change)).await? {
            Done::Person(people) => Ok(people),
            _ => Err(MessagingError::AttendeeNotFound),
        }
    }

    async fn show(&self, account: &AccountId, command: Command) -> Answer<Shown> {
        match self.command(account, command).await? {
            Done::Shown(shown) => Ok(*shown),
            _ => Err(MessagingError::MessageNotFound),
        }
    }

    /// Now, by the clock of whoever sends.
    #[must_use]
    pub fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Lets a caller on to an account that exists for them and is still connected. Returns its key.
    pub(crate) async fn account(&self, caller: &Identity, id: &AccountId) -> Answer<i64> {
        let account = self.store.account(id).await?;
        let seen = account.filter(|it| caller.may_see(it.tenant.as_str(), &it.record.id));
        let account = seen.ok_or(MessagingError::AccountNotFound)?;
        let is_removed = account.record.connection == Connection::Deleted as i32;
        if is_removed { Err(MessagingError::AccountRemoved) } else { Ok(account.key) }
    }

    async fn carry_out(&self, account: &AccountId, command: Command) -> Answer<Written> {
        match self.command(account, command).await? {
            Done::Sent(written) => Ok(*written),
            _ => Err(MessagingError::MessageNotFound),
        }
    }

    async fn command(&self, account: &AccountId, command: Command) -> Answer<Done> {
        let (rules, now) = (self.config.rules(), self.now());
        let trace = traceparent_of_current_span();
        match self.store.command(account, command, &rules, now, trace).await? {
            Done::Refused(refused) => Err(refusal(refused, now)),
            done => Ok(done),
        }
    }
}

fn refusal(refused: Refused, now: Micros) -> MessagingError {
    match refused {
        Refused::AccountUnknown => MessagingError::AccountNotFound,
        Refused::AccountDisconnected => MessagingError::AccountDisconnected,
        Refused::ChatUnknown => MessagingError::ChatNotFound,
        Refused::MessageUnknown => MessagingError::MessageNotFound,
        Refused::ChatReadOnly => MessagingError::ChatReadOnly,
        Refused::IdReused => MessagingError::IdReused,
        Refused::MessageNotSent => MessagingError::MessageNotSent,
        Refused::MessageDeleted => MessagingError::MessageDeleted,
        Refused::MessageNotOwn => MessagingError::MessageNotOwn,
        Refused::EditWindowClosed => MessagingError::EditWindowClosed,
        Refused::NotQueued => MessagingError::NotQueued,
        Refused::NotResolvable => MessagingError::NotResolvable,
        Refused::AttendeeUnknown => MessagingError::AttendeeNotFound,
        Refused::AttendeeIsSelf => MessagingError::AttendeeIsSelf,
        Refused::Unreachable => MessagingError::Unreachable,
        Refused::SamePerson => MessagingError::SamePerson,
        Refused::ChatNotStarted => MessagingError::ChatNotStarted,
        Refused::Full(at) => MessagingError::Full { retry_after: until(at, now) },
        Refused::NewChatsExhausted(at) => {
            MessagingError::NewChatsExhausted { retry_after: until(at, now) }
        }
    }
}

fn until(at: Micros, now: Micros) -> Duration {
    at.after(now).max(Duration::from_secs(1))
}
