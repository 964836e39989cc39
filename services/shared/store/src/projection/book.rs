//! One account's rows while facts are applied to them.

use crate::log::Position;
use crate::rows::{
    HeadWrite, Link, Member, MessageWrite, OpenAccount, Owned, Parked, Version, Work,
};
use crate::rows::{WorkKind, Writes};
use channel_domain::account::Account;
use channel_domain::attendee::{Attendee, Merged};
use channel_domain::chat::Chat;
use channel_domain::ids::{AttendeeId, ChatId, UpstreamMessageId};
use channel_domain::message::Message;
use channel_domain::search;
use channel_domain::time::Micros;
use std::collections::{BTreeSet, HashMap};

/// A row in the book.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub row: T,
    /// It must be written.
    pub stored: bool,
    /// People see a change made by the present unit.
    pub shown: bool,
}

impl<T> Entry<T> {
    pub(super) const fn known(row: T) -> Self {
        Self { row, stored: false, shown: false }
    }

    pub(super) const fn fresh(row: T) -> Self {
        Self { row, stored: true, shown: true }
    }

    pub(super) const fn note(&mut self, merged: Merged) {
        self.stored |= merged.stored;
        self.shown |= merged.shown;
    }
}

/// A message in the book, with what of it must be written.
#[derive(Debug)]
pub(super) struct MessageEntry {
    pub entry: Entry<Message>,
    pub text: bool,
    pub files: bool,
    pub reactions: bool,
}

/// One account's rows.
#[derive(Debug)]
pub(super) struct Book {
    pub account: Entry<Account>,
    pub head: Position,
    pub next_key: i64,
    pub heard_at: Micros,
    pub chats: HashMap<i64, Entry<Chat>>,
    pub chat_keys: HashMap<ChatId, i64>,
    pub attendees: HashMap<AttendeeId, Entry<Attendee>>,
    pub messages: HashMap<UpstreamMessageId, MessageEntry>,
    pub parked: HashMap<UpstreamMessageId, Vec<Parked>>,
    /// Times of unread messages, for chats whose count may have to be taken anew.
    pub unread: HashMap<i64, Vec<Micros>>,
    /// What the present unit changed, in the order in which it did.
    pub touched: Touched,
    /// Set by the present unit: something was written that people do not see.
    pub remembered: bool,
    pub members: HashMap<(i64, i64), Member>,
    pub links: Vec<Link>,
    pub versions: Vec<Version>,
    pub waiting: Vec<Parked>,
    pub unparked: Vec<UpstreamMessageId>,
    pub work: BTreeSet<Work>,
}

/// The entities that a unit touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub attendees: Vec<AttendeeId>,
    pub chats: Vec<i64>,
    pub messages: Vec<UpstreamMessageId>,
}

impl Book {
    pub(super) fn new(open: OpenAccount) -> Self {
        // An account that nobody was told of yet is news whatever comes first.
        let shown = open.account.rev == 0;
        Self {
            account: Entry { shown, ..Entry::known(open.account) },
            head: open.head,
            next_key: open.next_key,
            heard_at: Micros(i64::MIN),
            chats: HashMap::new(),
            chat_keys: HashMap::new(),
            attendees: HashMap::new(),
            messages: HashMap::new(),
            parked: HashMap::new(),
            unread: HashMap::new(),
            touched: Touched::default(),
            remembered: false,
            members: HashMap::new(),
            links: Vec::new(),
            versions: Vec::new(),
            waiting: Vec::new(),
            unparked: Vec::new(),
            work: BTreeSet::new(),
        }
    }

    pub(super) const fn key(&self) -> i64 {
        self.account.row.key
    }

    pub(super) const fn take_key(&mut self) -> i64 {
        let key = self.next_key;
        self.next_key += 1;
        key
    }

    pub(super) fn put_chat(&mut self, chat: Chat) {
        self.chat_keys.insert(chat.id.clone(), chat.key);
        self.chats.entry(chat.key).or_insert_with(|| Entry::known(chat));
    }

    pub(super) fn put_message(&mut self, message: Message) {
        if let Some(id) = message.upstream_id.clone() {
            let entry = Entry::known(message);
            let entry = MessageEntry { entry, text: false, files: false, reactions: false };
            self.messages.entry(id).or_insert(entry);
        }
    }

    pub(super) fn want(&mut self, kind: WorkKind, subject: impl Into<String>) {
        self.remembered |= self.work.insert(Work { kind, subject: subject.into() });
    }

    /// Hands over everything that must be written.
    pub(super) fn close(self, writes: &mut Writes) {
        let account_key = self.key();
        let own = |row| Owned { account_key, row };
        let (head, next_key, heard_at) = (self.head, self.next_key, self.heard_at);
        writes.heads.push(HeadWrite { account_key, head, next_key, heard_at });
        if self.account.stored {
            writes.accounts.push(self.account.row);
        }
        let chats = self.chats.into_values().filter(|entry| entry.stored);
        writes.chats.extend(chats.map(|entry| Owned { account_key, row: entry.row }));
        let attendees = self.attendees.into_values().filter(|entry| entry.stored);
        writes.attendees.extend(attendees.map(|entry| Owned { account_key, row: entry.row }));
        let messages = self.messages.into_values().filter(|entry| entry.entry.stored);
        writes
            .messages
            .extend(messages.map(|entry| Owned { account_key, row: entry.into_write() }));
        let members = self.members.into_values();
        writes.members.extend(members.map(|row| Owned { account_key, row }));
        writes.links.extend(self.links.into_iter().map(|row| Owned { account_key, row }));
        writes.versions.extend(self.versions.into_iter().map(|row| Owned { account_key, row }));
        writes.parked.extend(self.waiting);
        writes.unparked.extend(self.unparked.into_iter().map(own));
        writes.work.extend(self.work.into_iter().map(|row| Owned { account_key, row }));
    }
}

impl MessageEntry {
    fn into_write(self) -> MessageWrite {
        let message = self.entry.row;
        let indexed = self.text.then(|| {
            let visible = message.deleted_at.is_none() && message.content.event.is_none();
            let text = message.text().filter(|_| visible);
            let names = message.content.attachments.iter().filter(|_| visible);
            let names = names.filter_map(|file| file.name.as_deref());
            search::indexed(&text.into_iter().chain(names).collect::<Vec<_>>().join(" "))
        });
        MessageWrite { message, indexed, files: self.files, reactions: self.reactions }
    }
}
