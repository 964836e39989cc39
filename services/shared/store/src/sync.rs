//! Synchronisations: history that is read in, and gaps that are repaired.

use crate::error::StoreError;
use crate::log::Moved;
use crate::record::SyncRecord;
use async_trait::async_trait;
use channel_domain::fact::{Fact, Person};
use channel_domain::ids::{AccountId, ChatId};
use channel_domain::sync::{SyncKind, SyncState};
use channel_domain::time::Micros;
use std::time::Duration;
use uuid::Uuid;

use crate::outbox::ChatNews;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct SyncAsk {
    /// The id that makes asking twice the same as once.
    pub id: Uuid,
    /// What it does; `None`: a repair if the account was imported before, else its history.
    pub kind: Option<SyncKind>,
    /// The chat, if one is to be imported.
    pub chat: Option<ChatId>,
    /// Not older than this. `None` is all, or for a repair the end of what is complete.
    pub since: Option<Micros>,
    /// Ask UniPile to read the chat anew from the phone first.
    pub deep: bool,
    /// Nobody asked for it: history only if it was never read nor begun, a repair only after there was history.
    pub automatic: bool,
    /// Not before this time.
    pub not_before: Option<Micros>,
}

impl SyncAsk {
    /// Whatever makes sense for the account, because somebody asks.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self {
            id,
            kind: None,
            chat: None,
            since: None,
            deep: false,
            automatic: false,
            not_before: None,
        }
    }
}

/// A chat of a list, with its other party.
#[derive(Debug, Clone)]
pub struct ListedChat {
    /// What UniPile says of it.
    pub news: ChatNews,
    /// The other party of a chat of two.
    pub counterparty: Option<Person>,
}

/// A piece of a page of messages.
#[derive(Debug, Clone, Default)]
pub struct MessagesRead {
    /// The chat whose page it is; `None`: a page of the account's.
    pub chat: Option<ChatId>,
    /// What it says, in the order in which it is to be applied.
    pub facts: Vec<Fact>,
    /// How old the first fact is, at most the time at which the page was asked for: what was stored since is newer. Each
    /// further one is a microsecond younger, so that messages of the same second stay in the order of the page.
    pub read_at: Micros,
    /// The page ends with this piece.
    pub end: Option<PageEnd>,
}

/// The end of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageEnd {
    /// Messages that the whole page had.
    pub read: u64,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// A step of a synchronisation. Except for the first three it counts only while it is taken under this number.
#[derive(Debug, Clone)]
pub enum SyncStep {
    /// Somebody asks for one; what runs already is given instead.
    Ask(Box<SyncAsk>),
    /// Somebody takes it for so long.
    Take(Uuid, Duration),
    /// It is cancelled.
    Cancel(Uuid),
    /// Whoever has it is alive.
    Renew(Uuid, u32),
    /// A page of the account's chats.
    Chats(Uuid, u32, Vec<ListedChat>, Option<String>),
    /// The people of a chat; who is the owner is true.
    People(Uuid, u32, ChatId, Vec<(Person, bool)>),
    /// A piece of a page of messages.
    Messages(Uuid, u32, Box<MessagesRead>),
    /// A chat cannot be read to its end.
    GiveUp(Uuid, u32, ChatId),
    /// It waits for so long, for this reason.
    Pause(Uuid, u32, &'static str, Duration),
    /// It ends.
    End(Uuid, u32, SyncState, Option<&'static str>),
}

impl SyncStep {
    /// Whether it brings what was read, which gives way to all other work.
    #[must_use]
    pub const fn can_wait(&self) -> bool {
        matches!(self, Self::Chats(..) | Self::People(..) | Self::Messages(..))
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum SyncDone {
    /// Where it stands now.
    Stands(Box<SyncRecord>),
    /// Somebody else has it, or it is over, or there is nothing to do.
    Nothing,
    /// There is no such account.
    AccountUnknown,
    /// There is no such chat, or it exists only here.
    ChatUnknown,
    /// There is no such synchronisation.
    SyncUnknown,
}

/// A synchronisation that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncDue {
    /// The account.
    pub account: AccountId,
    /// The synchronisation.
    pub id: Uuid,
    /// When it is due.
    pub at: Micros,
}

/// The chat to be read next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextChat {
    /// UniPile's id.
    pub chat: ChatId,
    /// Whether its people are known.
    pub people: bool,
    /// Where its messages go on.
    pub cursor: Option<String>,
    /// Pages so far.
    pub pages: u32,
}

/// A step with what it runs by, for a backend to carry out.
#[derive(Debug, Clone)]
pub struct SyncOrder {
    /// The account.
    pub account: AccountId,
    /// The step.
    pub step: SyncStep,
    /// The time.
    pub now: Micros,
    /// W3C trace context.
    pub trace: Option<String>,
}

/// How a step ended, and the accounts whose logs grew.
pub type SyncCarried = (SyncDone, Vec<Moved>);

/// The synchronisations.
#[async_trait]
pub trait Syncs: Send + Sync {
    /// Carries a step out. Steps with pages give way to all other work.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn sync_step(&self, order: SyncOrder) -> Result<SyncDone, StoreError>;

    /// The synchronisations that are due by `until`, of accounts that are connected as far as is known; the
    /// longest due first. Accounts in `but` are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn syncs_due(
        &self,
        until: Micros,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<SyncDue>, StoreError>;

    /// The chat that a synchronisation has to read next: the latest first. `None`: all are done.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn next_chat(
        &self,
        account: &AccountId,
        sync: Uuid,
    ) -> Result<Option<NextChat>, StoreError>;

    /// The accounts of which everything up to some time is here, and that time.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn imported_accounts(&self) -> Result<Vec<(AccountId, Micros)>, StoreError>;
}
