//! Reading lists and single objects, from the local database only.

use crate::error::StoreError;
use crate::log::Position;
use crate::record::{AccountRecord, AttendeeRecord, ChatRecord, MessageRecord};
use async_trait::async_trait;
use channel_domain::SortKey;
use channel_domain::attendee::Claim;
use channel_domain::ids::{AccountId, AttendeeId, ChatId, MessageId, TenantId};
use channel_domain::time::Micros;

/// An account with what a reader must know beside it.
#[derive(Debug, Clone)]
pub struct AccountRow {
    /// Our key.
    pub key: i64,
    /// Who owns it.
    pub tenant: TenantId,
    /// Its state.
    pub record: AccountRecord,
    /// The end of its log: what is read after this is at least as new.
    pub head: Position,
    /// When the last webhook about it came.
    pub heard_at: Option<Micros>,
}

/// One page's place in the list of chats: the order key and the chat's key.
pub type ChatPlace = (SortKey, i64);

/// Which chats of one account, newest first.
#[derive(Debug, Clone, Default)]
pub struct ChatQuery {
    /// Only those with unread messages, or only those without.
    pub unread: Option<bool>,
    /// Only archived ones, or only others.
    pub archived: Option<bool>,
    /// Only those whose title or phone number has words that begin with all of these.
    pub words: Vec<String>,
    /// Only those after this place.
    pub after: Option<ChatPlace>,
    /// At most this many.
    pub limit: usize,
}

/// Which messages of one chat.
#[derive(Debug, Clone, Copy)]
pub struct MessageQuery {
    /// Older than this place.
    pub before: Option<SortKey>,
    /// Newer than this place: the ones next to it.
    pub after: Option<SortKey>,
    /// Take a message at the place itself too.
    pub inclusive: bool,
    /// At most this many.
    pub limit: usize,
}

/// Which messages of one account, by their words, newest first.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// Words that must all begin a word of the message; from [`channel_domain::search::query`].
    pub words: Vec<String>,
    /// In this chat only.
    pub chat: Option<ChatId>,
    /// Older than this place.
    pub before: Option<SortKey>,
    /// At most this many.
    pub limit: usize,
}

/// Which people of one account, by key.
#[derive(Debug, Clone, Default)]
pub struct AttendeeQuery {
    /// In this chat only.
    pub chat: Option<ChatId>,
    /// Each person once, under the id that shows them.
    pub each_once: bool,
    /// Whose name or phone number has words that begin with all of these.
    pub words: Vec<String>,
    /// Only those after this key.
    pub after: Option<i64>,
    /// At most this many.
    pub limit: usize,
}

/// A person in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct AttendeeRow {
    /// Our key.
    pub key: i64,
    /// Their state.
    pub record: AttendeeRecord,
    /// Since when they are in the chat that was asked for, and until when they were.
    pub member: Option<(Micros, Option<Micros>)>,
}

/// Reading. Every method answers from one statement or snapshot.
///
/// All errors mean that the database did not answer, or holds a row that makes no sense; something that
/// does not exist is `None` or an empty list.
#[async_trait]
pub trait Reads: Send + Sync {
    /// All accounts of a tenant, by id.
    async fn accounts(&self, tenant: &TenantId) -> Result<Vec<AccountRow>, StoreError>;

    /// One account, whoever owns it.
    async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError>;

    /// Chats, each with its place.
    async fn chats(
        &self,
        account_key: i64,
        query: &ChatQuery,
    ) -> Result<Vec<(ChatPlace, ChatRecord)>, StoreError>;

    /// One chat.
    async fn chat(&self, account_key: i64, id: &ChatId) -> Result<Option<ChatRecord>, StoreError>;

    /// Messages of a chat, newest first whatever the direction of reading.
    async fn messages(
        &self,
        account_key: i64,
        chat: &ChatId,
        query: &MessageQuery,
    ) -> Result<Vec<MessageRecord>, StoreError>;

    /// One message.
    async fn message(
        &self,
        account_key: i64,
        id: &MessageId,
    ) -> Result<Option<MessageRecord>, StoreError>;

    /// Messages by their words, newest first.
    async fn search(
        &self,
        account_key: i64,
        query: &SearchQuery,
    ) -> Result<Vec<MessageRecord>, StoreError>;

    /// People, by key; of a chat also those who left it.
    async fn attendees(
        &self,
        account_key: i64,
        query: &AttendeeQuery,
    ) -> Result<Vec<AttendeeRow>, StoreError>;

    /// One person.
    async fn attendee(
        &self,
        account_key: i64,
        id: &AttendeeId,
    ) -> Result<Option<AttendeeRecord>, StoreError>;

    /// What names a person, under whichever of their ids it was said; nothing if there is no such person.
    async fn identifiers(
        &self,
        account_key: i64,
        id: &AttendeeId,
    ) -> Result<Vec<Claim>, StoreError>;
}
