//! The truth: accounts, people, chats and messages, and what happens to them.
//!
//! Nothing here knows of webhooks or HTTP. Whoever changes the world (the traffic, and later the
//! API) gets a [`Change`] back, from which the webhook is made.

mod account;
mod chat;
mod message;
mod model;
mod names;
mod person;
mod seed;
mod timeline;

use jiff::Timestamp;

use crate::dice::Dice;
use crate::ids::Ids;

pub use account::AccountStatus;
pub(crate) use account::{Account, Dialect};
pub(crate) use chat::{Chat, Party};
pub use message::Receipt;
pub(crate) use message::{Attachment, Content, Media, Message, Quote};
pub use model::{AccountModel, ChatModel, MessageModel, Model};
pub(crate) use person::{Person, Privacy};
pub(crate) use timeline::Timeline;

/// Which account of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AccountKey(pub(crate) usize);

/// Which chat of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ChatKey(pub(crate) usize);

/// Which message: its chat, and its number in the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MessageKey {
    pub(crate) chat: ChatKey,
    pub(crate) number: u64,
}

/// Which person, as one account knows people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Who(pub(crate) usize);

impl Who {
    /// The person whose account it is.
    pub(crate) const OWNER: Self = Self(0);
}

/// A message to be posted.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) sender: Who,
    pub(crate) content: Content,
    pub(crate) quoted: Option<MessageKey>,
    pub(crate) forwarded: bool,
}

impl Draft {
    pub(crate) fn new(sender: Who, content: Content) -> Self {
        Self { sender, content, quoted: None, forwarded: false }
    }
}

/// Something that happened, and that UniPile would tell of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    Posted(MessageKey),
    Delivered(MessageKey),
    Read(MessageKey),
    Edited(MessageKey),
    Deleted(MessageKey),
    Reacted { message: MessageKey, by: Who, emoji: Option<&'static str> },
    Status { account: AccountKey, status: AccountStatus, flat: bool },
}

/// All accounts with their people, chats and messages.
#[derive(Debug)]
pub(crate) struct World {
    accounts: Vec<Account>,
    chats: Vec<Chat>,
    ids: Ids,
    kept_per_chat: Option<usize>,
    posted: u64,
}

impl World {
    fn empty(seed: u64, kept_per_chat: Option<usize>) -> Self {
        let ids = Ids::new(Dice::new(seed, 1));
        Self { accounts: Vec::new(), chats: Vec::new(), ids, kept_per_chat, posted: 0 }
    }

    /// From here on, what is made belongs to another chapter: its ids are new ones.
    pub(crate) fn turn_to(&mut self, seed: u64, chapter: u32) {
        if chapter > 0 {
            self.ids.turn_to(Dice::of_chapter(seed, chapter, 1));
        }
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub(crate) fn chats(&self) -> &[Chat] {
        &self.chats
    }

    pub(crate) fn ids(&mut self) -> &mut Ids {
        &mut self.ids
    }

    pub(crate) fn account(&self, key: AccountKey) -> Option<&Account> {
        self.accounts.get(key.0)
    }

    pub(crate) fn chat(&self, key: ChatKey) -> Option<&Chat> {
        self.chats.get(key.0)
    }

    /// A message that is still kept.
    pub(crate) fn message(&self, key: MessageKey) -> Option<&Message> {
        self.chat(key.chat)?.timeline.get(key.number)
    }

    fn message_mut(&mut self, key: MessageKey) -> Option<&mut Message> {
        self.chats.get_mut(key.chat.0)?.timeline.get_mut(key.number)
    }

    /// The owner of a chat's account and everybody else it knows.
    pub(crate) fn person(&self, chat: ChatKey, who: Who) -> Option<&Person> {
        self.account(self.chat(chat)?.account)?.people.get(who.0)
    }

    /// Adds a message to a chat.
    pub(crate) fn post(&mut self, chat: ChatKey, draft: Draft, at: Timestamp) -> Option<Change> {
        let quoted = draft.quoted.and_then(|key| self.quote(key));
        let id = self.ids.unipile();
        let provider_id = self.ids.provider_message();
        self.posted += 1;
        let order = self.posted;
        let kept = self.kept_per_chat;
        let chat_entry = self.chats.get_mut(chat.0)?;
        let mut message = Message::new(id, provider_id, draft.sender, at, draft.content);
        message.quoted = quoted;
        message.forwarded = draft.forwarded;
        message.order = order;
        let number = chat_entry.timeline.push(message, kept);
        Some(Change::Posted(MessageKey { chat, number }))
    }

    fn quote(&self, key: MessageKey) -> Option<Quote> {
        let message = self.message(key)?;
        let sender = self.person(key.chat, message.sender)?;
        Some(Quote {
            provider_id: message.provider_id.clone(),
            sender_id: sender.provider_id().to_owned(),
            text: message.content.text().map(str::to_owned),
        })
    }

    /// Raises what is known of an own message's way; never lowers it.
    pub(crate) fn receive(&mut self, key: MessageKey, receipt: Receipt) -> Option<Change> {
        let message = self.message_mut(key)?;
        if message.deleted || receipt <= message.receipt {
            return None;
        }
        message.receipt = receipt;
        match receipt {
            Receipt::Delivered => Some(Change::Delivered(key)),
            Receipt::Read => Some(Change::Read(key)),
            Receipt::Received | Receipt::Sent => None,
        }
    }

    pub(crate) fn edit(&mut self, key: MessageKey, text: String) -> Option<Change> {
        let message = self.message_mut(key)?;
        message.content = Content::Text(text);
        message.edited = true;
        Some(Change::Edited(key))
    }

    pub(crate) fn delete(&mut self, key: MessageKey) -> Option<Change> {
        self.message_mut(key)?.deleted = true;
        Some(Change::Deleted(key))
    }

    /// Sets, replaces or (without an emoji) takes away a person's one reaction to a message.
    pub(crate) fn react(
        &mut self,
        key: MessageKey,
        by: Who,
        emoji: Option<&'static str>,
    ) -> Option<Change> {
        let reactions = &mut self.message_mut(key)?.reactions;
        reactions.retain(|(who, _)| *who != by);
        reactions.extend(emoji.map(|emoji| (by, emoji)));
        Some(Change::Reacted { message: key, by, emoji })
    }

    pub(crate) fn set_status(
        &mut self,
        account: AccountKey,
        status: AccountStatus,
        flat: bool,
    ) -> Option<Change> {
        self.accounts.get_mut(account.0)?.status = status;
        Some(Change::Status { account, status, flat })
    }

    /// Changes a group's subject or members; does nothing to a chat of two.
    pub(crate) fn change_group(
        &mut self,
        key: ChatKey,
        change: impl FnOnce(&mut String, &mut Vec<Who>),
    ) {
        if let Some(Party::Group { subject, members }) =
            self.chats.get_mut(key.0).map(|chat| &mut chat.party)
        {
            change(subject, members);
        }
    }
}
