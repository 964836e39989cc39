//! Conversations: list, read, start, change.

use super::{Answer, Attendee, MessageQuery, MessageState, Outgoing, Page, Paging, SyncState};
use async_trait::async_trait;
use channel_domain::chat::ChatKind;
use channel_domain::fact::{ChatClaim, Person};
use channel_domain::{AccountId, ChatId, Micros, UpstreamMessageId};

/// Calls about conversations.
///
/// # Errors
///
/// All calls: [`super::UpstreamError`].
#[async_trait]
pub trait Chats: Send + Sync + 'static {
    /// The account's chats, the latest first, without their last message.
    async fn chats(&self, account: &AccountId, query: &ChatQuery) -> Answer<Page<Chat>>;

    /// One chat with its last message. New chats are not told by webhooks: ask here when one is first
    /// named.
    async fn chat(&self, account: &AccountId, chat: &ChatReference) -> Answer<Chat>;

    /// Changes a chat. UniPile may answer success without effect; read the chat to be sure.
    async fn change_chat(
        &self,
        account: &AccountId,
        chat: &ChatId,
        action: &ChatAction,
    ) -> Answer<()>;

    /// Sends the first message to a person or a new group. With one person whose chat exists already,
    /// UniPile uses that chat; with several it makes a group.
    async fn start_chat(&self, account: &AccountId, start: &StartChat) -> Answer<Started>;

    /// Starts to read a chat's history again, or tells how far that came. Ask every 5 to 10 s until
    /// [`SyncState::is_final`]; may be unsupported (422, 501).
    async fn sync_chat(&self, account: &AccountId, chat: &ChatId) -> Answer<SyncState>;

    /// Who is in a chat; UniPile gives all at once.
    async fn chat_attendees(&self, account: &AccountId, chat: &ChatId) -> Answer<Page<Attendee>>;

    /// A chat's messages, newest first.
    async fn chat_messages(
        &self,
        account: &AccountId,
        chat: &ChatId,
        query: &MessageQuery,
    ) -> Answer<Page<MessageState>>;
}

/// Which chats. The times mean when the chat came about, or its last activity: UniPile does not say.
#[derive(Debug, Clone, Default)]
pub struct ChatQuery {
    /// Only those with unread messages, or only those without.
    pub unread: Option<bool>,
    /// Strictly before.
    pub before: Option<Micros>,
    /// Strictly after.
    pub after: Option<Micros>,
    /// Which page.
    pub paging: Paging,
}

/// A chat by either of its ids.
#[derive(Debug, Clone)]
pub enum ChatReference {
    /// By UniPile's id.
    Id(ChatId),
    /// By WhatsApp's id, such as `15550100002@s.whatsapp.net`.
    Provider(String),
}

/// A chat as UniPile describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// What a message's payload would say about it too. The subject is filled for groups only.
    pub claim: ChatClaim,
    /// Single, group or channel, if UniPile says so or its WhatsApp id does.
    pub kind: Option<ChatKind>,
    /// The other party of a one-to-one chat; the name is often missing.
    pub counterparty: Option<Person>,
    /// The last activity.
    pub active_at: Option<Micros>,
    /// Unread messages, by UniPile's count.
    pub unread: Option<u32>,
    /// Whether it is archived.
    pub archived: Option<bool>,
    /// Until when it is muted; `Micros(i64::MAX)` is for ever, `None` is not muted.
    pub muted_until: Option<Micros>,
    /// Whether nothing can be sent here. UniPile has two such states and does not say how they differ.
    pub read_only: Option<bool>,
    /// Reactions are not possible here.
    pub no_reactions: bool,
    /// Replies are not possible here.
    pub no_replies: bool,
    /// The last message; only of a chat asked for alone.
    pub last_message: Option<MessageState>,
}

/// A change of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatAction {
    /// Mark as read (which sends read receipts: the only way to) or as unread.
    Read(bool),
    /// Mute or unmute. That the value is a flag is assumed, UniPile does not say.
    Mute(bool),
    /// Archive or bring back.
    Archive(bool),
    /// Pin or unpin.
    Pin(bool),
    /// Add a person to a group, by their WhatsApp id; the account needs the right.
    AddParticipant(String),
    /// Put a label on it; not documented for WhatsApp.
    Label(String),
}

/// The first message of a chat.
#[derive(Debug, Clone)]
pub struct StartChat {
    /// WhatsApp ids of the people, such as `15550100002@s.whatsapp.net`: one for a one-to-one chat, several
    /// for a group.
    pub people: Vec<String>,
    /// The group's subject.
    pub subject: Option<String>,
    /// What to send; neither quote nor typing is possible here.
    pub content: Outgoing,
}

/// A chat was started. An id may be missing: it was sent all the same, and the echo will tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The chat.
    pub chat: Option<ChatId>,
    /// The message.
    pub message: Option<UpstreamMessageId>,
}
