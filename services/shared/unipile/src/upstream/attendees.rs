//! People.

use super::{Answer, Chat, Download, MessageQuery, MessageState, Page, Paging};
use async_trait::async_trait;
use channel_domain::fact::Person;
use channel_domain::{AccountId, AttendeeId};

/// Calls about people.
///
/// # Errors
///
/// All calls: [`super::UpstreamError`].
#[async_trait]
pub trait Attendees: Send + Sync + 'static {
    /// The people that the account knows.
    async fn attendees(&self, account: &AccountId, paging: &Paging) -> Answer<Page<Attendee>>;

    /// One person.
    async fn attendee(&self, account: &AccountId, attendee: &AttendeeId) -> Answer<Attendee>;

    /// A person's picture, or with a chat's id a group's.
    async fn picture(&self, account: &AccountId, id: &str) -> Answer<Download>;

    /// The one-to-one chats with a person. `unread` of the query is not sent.
    async fn attendee_chats(
        &self,
        account: &AccountId,
        attendee: &AttendeeId,
        query: &super::ChatQuery,
    ) -> Answer<Page<Chat>>;

    /// What a person wrote, newest first. `sender` of the query is not sent.
    async fn attendee_messages(
        &self,
        account: &AccountId,
        attendee: &AttendeeId,
        query: &MessageQuery,
    ) -> Answer<Page<MessageState>>;

    /// Asks WhatsApp itself whether a number has WhatsApp; `None` if UniPile does not find it, which is
    /// taken for no. `identifier` is the phone number's digits or a WhatsApp id. WhatsApp counts such
    /// look-ups as suspicious: one at a time, and never in bulk.
    async fn profile(&self, account: &AccountId, identifier: &str) -> Answer<Option<Profile>>;
}

/// A person as UniPile describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Who it is, as a webhook would say too.
    pub person: Person,
    /// Whether it is the account's owner, if UniPile says so.
    pub is_self: Option<bool>,
    /// Not to be shown.
    pub hidden: bool,
}

/// Somebody who has WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// WhatsApp's id.
    pub provider_id: String,
}
