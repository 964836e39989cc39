//! The truth: accounts, people, chats and messages, and what happens to them.
//!
//! Nothing here knows of webhooks or HTTP. Whoever changes the world (the traffic, the API, the
//! contacts who answer) gets a [`Change`] back, from which the webhook is made.

mod account;
mod chat;
mod happen;
mod index;
mod keys;
mod message;
mod model;
mod names;
mod past;
mod person;
mod seed;
mod shared;
mod timeline;
mod walk;

use std::borrow::Cow;

use crate::dice::Dice;
use crate::ids::Ids;

pub use account::AccountStatus;
pub(crate) use account::{Account, Dialect};
pub(crate) use chat::{Chat, Muted, Party};
use index::Index;
pub(crate) use keys::{AccountKey, Change, ChatKey, Draft, MessageKey, Who};
pub use message::Receipt;
pub(crate) use message::{Attachment, Content, Media, Message, Quote};
pub use model::{AccountModel, ChatModel, MessageModel, Model};
use past::Before;
pub(crate) use person::{Person, Privacy};
pub(crate) use seed::Began;
pub(crate) use shared::SharedWorld;
pub(crate) use timeline::Timeline;
pub(crate) use walk::{Place, Walk, Window};

/// All accounts with their people, chats and messages.
#[derive(Debug)]
pub(crate) struct World {
    accounts: Vec<Account>,
    chats: Vec<Chat>,
    ids: Ids,
    kept_per_chat: Option<usize>,
    posted: u64,
    before: Option<Before>,
    index: Option<Index>,
}

impl World {
    fn empty(seed: u64, kept_per_chat: Option<usize>) -> Self {
        Self {
            accounts: Vec::new(),
            chats: Vec::new(),
            ids: Ids::new(Dice::new(seed, 1)),
            kept_per_chat,
            posted: 0,
            before: None,
            index: None,
        }
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

    pub(crate) fn account_mut(&mut self, key: AccountKey) -> Option<&mut Account> {
        self.accounts.get_mut(key.0)
    }

    pub(crate) fn chat(&self, key: ChatKey) -> Option<&Chat> {
        self.chats.get(key.0)
    }

    pub(crate) fn chat_mut(&mut self, key: ChatKey) -> Option<&mut Chat> {
        self.chats.get_mut(key.0)
    }

    /// The account that a chat belongs to.
    pub(crate) fn account_of(&self, chat: ChatKey) -> Option<&Account> {
        self.account(self.chat(chat)?.account)
    }

    /// A message that was posted or changed, and is still kept.
    pub(crate) fn message(&self, key: MessageKey) -> Option<&Message> {
        self.chat(key.chat)?.timeline.get(key.number)
    }

    /// Any message, those of before included.
    pub(crate) fn read(&self, key: MessageKey) -> Option<Cow<'_, Message>> {
        self.chat(key.chat)?.timeline.read(key.number)
    }

    fn message_mut(&mut self, key: MessageKey) -> Option<&mut Message> {
        self.chats.get_mut(key.chat.0)?.timeline.get_mut(key.number)
    }

    /// The owner of a chat's account and everybody else it knows.
    pub(crate) fn person(&self, chat: ChatKey, who: Who) -> Option<&Person> {
        self.account_of(chat)?.people.get(who.0)
    }

    /// How many messages were posted so far: a mark that later ones are beyond.
    pub(crate) fn posted(&self) -> u64 {
        self.posted
    }
}
