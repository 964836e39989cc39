//! Messages: read, send, edit, delete, react, forward, fetch files.

use super::{Answer, Attendee, Download, OutgoingFile, Page, Paging};
use async_trait::async_trait;
use channel_domain::fact::{
    Attachment, Deleted, Edited, Fact, OwnerClaim, Person, Reacted, Receipt, ReceiptKind, Received,
};
use channel_domain::{AccountId, ChatId, Micros, UpstreamMessageId, jid};
use std::fmt;
use std::time::Duration;

/// Calls about messages.
///
/// # Errors
///
/// All calls: [`super::UpstreamError`].
#[async_trait]
pub trait Messages: Send + Sync + 'static {
    /// The account's messages over all chats, newest first.
    async fn messages(
        &self,
        account: &AccountId,
        query: &MessageQuery,
    ) -> Answer<Page<MessageState>>;

    /// One message as it stands now.
    async fn message(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
    ) -> Answer<MessageState>;

    /// Sends a message into a chat that exists. Never tried twice.
    async fn send(&self, account: &AccountId, send: &SendMessage) -> Answer<Sent>;

    /// Gives an own message another text. WhatsApp allows it for about 15 minutes, and UniPile may answer
    /// success without effect after that; read the message to be sure.
    async fn edit(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        text: &str,
    ) -> Answer<()>;

    /// Deletes an own message for everyone. UniPile cannot delete for oneself alone.
    async fn delete(&self, account: &AccountId, message: &UpstreamMessageId) -> Answer<()>;

    /// Reacts with an emoji, in place of an earlier one. False when UniPile says that it did not take.
    /// API v1 has no way to take a reaction back.
    async fn react(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        emoji: &str,
    ) -> Answer<bool>;

    /// Forwards a message into another chat of the same account. Never tried twice.
    async fn forward(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        to: &ChatId,
    ) -> Answer<Sent>;

    /// Fetches the bytes of a file, by ids alone: a link in a payload is never followed. Of one that is
    /// marked as unavailable nothing is asked ([`super::Failure::Unavailable`]); one that has gone since
    /// gives [`super::UpstreamError::is_not_found`].
    async fn attachment(
        &self,
        account: &AccountId,
        message: &UpstreamMessageId,
        file: &Attachment,
    ) -> Answer<Download>;
}

/// Which messages.
#[derive(Debug, Clone, Default)]
pub struct MessageQuery {
    /// Sent strictly before.
    pub before: Option<Micros>,
    /// Sent strictly after.
    pub after: Option<Micros>,
    /// By this sender only.
    pub sender: Option<String>,
    /// Which page.
    pub paging: Paging,
}

/// A message as UniPile has it now: what was said of it, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageState {
    /// As a webhook would tell it. The text is the present one: of an edited message the edit's. Attendees
    /// and owner are empty, for REST objects name the sender only.
    pub received: Received,
    /// Whether the text was edited.
    pub edited: bool,
    /// Whether it was deleted for everyone.
    pub deleted: bool,
    /// Of an own message: it reached the other side, or WhatsApp's server only; UniPile does not say which.
    pub delivered: Option<bool>,
    /// Of an own message: somebody read it. Of another: the connected user did.
    pub seen: Option<bool>,
    /// Who read it, and when.
    pub seen_by: Vec<SeenBy>,
    /// All reactions as they stand: a person who is missing here has none. `None` if UniPile does not say.
    pub reactions: Option<Vec<ReactionState>>,
}

/// A reader of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenBy {
    /// WhatsApp's id of the person.
    pub provider_id: String,
    /// When, if UniPile knows.
    pub at: Option<Micros>,
}

/// One person's reaction as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionState {
    /// The emoji.
    pub emoji: String,
    /// WhatsApp's id of the person.
    pub provider_id: Option<String>,
    /// Whether it is the connected user's own.
    pub is_own: Option<bool>,
}

impl MessageState {
    /// The same as facts, in the order in which they are to be applied: that it exists, was edited, was
    /// delivered, was read, who reacted, that it was deleted.
    ///
    /// REST names who reacted by WhatsApp's id alone. `people` are those of the chat, as far as they are at
    /// hand: with them the same person is known by UniPile's id, as webhooks name them.
    ///
    /// Reactions that were taken back are in none of them: compare with [`reactions`](Self::reactions).
    #[must_use]
    pub fn facts(&self, people: &[Attendee]) -> Vec<Fact> {
        let message = &self.received.message;
        let mut facts = vec![Fact::Received(Box::new(self.received.clone()))];
        if self.edited && !self.deleted {
            let text = self.received.text.clone();
            facts.push(Fact::Edited(Edited { message: message.clone(), text }));
        }
        facts.extend(self.receipts());
        let known = || people.iter().map(|known| &known.person).chain(&self.received.sender);
        let reactions = self.reactions.iter().flatten();
        facts.extend(reactions.filter_map(|reaction| reaction.fact(message, known())));
        if self.deleted {
            facts.push(Fact::Deleted(Deleted { message: message.clone() }));
        }
        facts
    }

    fn receipts(&self) -> impl Iterator<Item = Fact> {
        // Delivery of a message that came in says nothing: it came in.
        let own = self.received.is_sender == Some(true);
        let delivered =
            (own && self.delivered == Some(true)).then_some((ReceiptKind::Delivered, None));
        let first_seen = self.seen_by.iter().filter_map(|reader| reader.at).min();
        let read = (self.seen == Some(true)).then_some((ReceiptKind::Read, first_seen));
        [delivered, read].into_iter().flatten().map(|(kind, claimed_at)| {
            Fact::Receipt(Receipt { message: self.received.message.clone(), kind, claimed_at })
        })
    }
}

impl ReactionState {
    /// A reaction of nobody is none.
    fn fact<'a>(
        &self,
        message: &UpstreamMessageId,
        mut people: impl Iterator<Item = &'a Person>,
    ) -> Option<Fact> {
        let id = self.provider_id.as_deref()?;
        let unknown = || Person { provider_id: Some(id.to_owned()), ..Person::default() };
        let actor = people.find(|person| is_named(person, id)).cloned().unwrap_or_else(unknown);
        // UniPile's own word on whose reaction it is: the actor is then the owner.
        let is_own = self.is_own == Some(true);
        let user_id = actor.provider_id.clone().filter(|_| is_own);
        Some(Fact::Reacted(Box::new(Reacted {
            message: message.clone(),
            actor,
            owner: OwnerClaim { phone: None, user_id },
            emoji: Some(self.emoji.clone()),
        })))
    }
}

/// Whether one of a person's ids of WhatsApp is this one.
fn is_named(person: &Person, id: &str) -> bool {
    let ids = [&person.provider_id, &person.lid, &person.public_identifier];
    ids.into_iter().flatten().any(|own| jid::bare(own) == jid::bare(id))
}

/// What is sent. A text or at least one file is needed.
#[derive(Clone, Default)]
pub struct Outgoing {
    /// Text or caption.
    pub text: Option<String>,
    /// Files.
    pub files: Vec<OutgoingFile>,
    /// A voice note.
    pub voice: Option<OutgoingFile>,
}

impl Outgoing {
    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.as_deref().unwrap_or_default().is_empty()
            && self.files.is_empty()
            && self.voice.is_none()
    }
}

/// Shows no text.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, files, voice } = self;
        let characters = text.as_ref().map(|text| text.chars().count());
        f.debug_struct("Outgoing")
            .field("characters", &characters)
            .field("files", files)
            .field("voice", voice)
            .finish()
    }
}

/// A message into a chat that exists.
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// The chat.
    pub chat: ChatId,
    /// What to send.
    pub content: Outgoing,
    /// The message that it answers.
    pub quote: Option<UpstreamMessageId>,
    /// Show "typing" that long before; the call takes that much longer. Whole milliseconds are sent.
    pub typing: Option<Duration>,
}

/// A message was sent. The id may be missing: it was sent all the same, and the echo will tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message.
    pub message: Option<UpstreamMessageId>,
}
