//! One account's rows while facts are applied to them.

use super::forgotten::Forgotten;
use crate::log::{Entity, Position};
use crate::media::{FetchEnd, FileId};
use crate::pictures::{LookEnd, PictureWanted};
use crate::rows::{
    ChatAlias, Gone, GoneChat, HeadWrite, Held, Link, Member, MessageWrite, OpenAccount, Owned,
    Parked, Standing, Version, Work,
};
use crate::rows::{WorkKind, Writes, words_of};
use channel_domain::account::Account;
use channel_domain::attendee::{Attendee, ClaimKind, Merged};
use channel_domain::chat::Chat;
use channel_domain::ids::{AttendeeId, ChatId, MessageId, UpstreamMessageId};
use channel_domain::message::Message;
use channel_domain::send::{Action, Job, Pacing};
use channel_domain::sync::{Sync, SyncChat};
use channel_domain::time::Micros;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    /// Its time before the present transaction, if that changed.
    pub moved_from: Option<Micros>,
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
    /// Who has which identifier that may join people; made when it is first needed.
    pub holders: Option<Holders>,
    pub messages: HashMap<i64, MessageEntry>,
    pub message_keys: HashMap<UpstreamMessageId, i64>,
    pub jobs: HashMap<i64, Entry<Job>>,
    pub actions: HashMap<i64, Entry<Action>>,
    /// It may have messages in its outbox that are not loaded.
    pub has_sent: bool,
    pub parked: HashMap<UpstreamMessageId, Vec<Parked>>,
    /// Times of unread messages, for chats whose count may have to be taken anew.
    pub unread: HashMap<i64, Vec<Micros>>,
    /// What the present unit changed, in the order in which it did.
    pub touched: Touched,
    /// Set by the present unit: something was written that people do not see.
    pub remembered: bool,
    pub members: HashMap<(i64, i64), Member>,
    /// Where those stand whom facts show in chats, and who are stored.
    pub standings: HashMap<(i64, i64), Standing>,
    /// Chats whose members changed, and with which event that was last told.
    pub members_told: BTreeMap<i64, u64>,
    /// Who is in a chat, as far as is stored; for chats whose people are listed.
    pub present: HashMap<i64, Vec<i64>>,
    pub links: Vec<Link>,
    pub versions: Vec<Version>,
    pub waiting: Vec<Parked>,
    pub unparked: Vec<UpstreamMessageId>,
    pub work: BTreeSet<Work>,
    pub held: Vec<Held>,
    pub unheld: Vec<i64>,
    pub gone: Vec<Gone>,
    pub gone_chats: Vec<GoneChat>,
    pub aliases: Vec<ChatAlias>,
    pub pacing: Option<Pacing>,
    pub fetched: Vec<FetchEnd>,
    /// Files whose messages know now of a small picture, or that there is none.
    pub looked_at: Vec<FileId>,
    /// Pictures that are wanted, by their subject's key.
    pub pictures: BTreeMap<i64, PictureWanted>,
    /// Ends of looks for pictures.
    pub looked: Vec<LookEnd>,
    /// What is applied is UniPile's own answer.
    pub is_asked: bool,
    /// Synchronisations that go on, and the one that a step is about.
    pub syncs: HashMap<i64, Entry<Sync>>,
    /// Their chats, by synchronisation and chat.
    pub sync_chats: HashMap<(i64, i64), SyncChat>,
    /// What is read in by a synchronisation is applied.
    pub reading: Option<Reading>,
    /// Chats that a command names.
    pub wanted_chats: Vec<ChatId>,
    /// Keys of people whose chats are wanted.
    pub wanted_people: Vec<i64>,
    /// Chats whose messages are here up to another time now.
    pub complete_chats: Vec<(i64, Micros)>,
    /// What was erased and may not come back.
    pub forgotten: Forgotten,
    /// How long what is queued now is expected to wait, in microseconds.
    pub expected_wait: Option<i64>,
}

/// What a synchronisation reads in, as far as screens are not told one by one.
#[derive(Debug)]
pub(super) struct Reading {
    /// Messages from before this are history; `None`: none is.
    pub history_before: Option<Micros>,
    /// Messages that are new, in chats whose messages are to be read again.
    pub messages: Vec<(i64, i64)>,
    /// People who are new.
    pub people: Vec<AttendeeId>,
    /// Messages that were new, told one by one or not.
    pub added: u64,
}

/// People by identifiers that may join them.
pub(super) type Holders = HashMap<(ClaimKind, String), Vec<AttendeeId>>;

/// The entities that a unit touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub attendees: Vec<AttendeeId>,
    pub chats: Vec<i64>,
    /// Chats whose members are others now.
    pub members: HashSet<i64>,
    pub messages: Vec<i64>,
    pub jobs: Vec<i64>,
    /// Messages that turned out to be others: the id that goes, and the one that stays.
    pub merged: Vec<(MessageId, i64)>,
    /// Chats that got another id: the one that goes, and the chat's key.
    pub renamed: Vec<(ChatId, i64)>,
    /// Synchronisations.
    pub syncs: Vec<i64>,
    /// What is gone: what it was, and its public id.
    pub gone: Vec<(Entity, String)>,
    /// Chats whose messages are to be read again.
    pub thinned: Vec<String>,
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
            holders: None,
            messages: HashMap::new(),
            message_keys: HashMap::new(),
            jobs: HashMap::new(),
            actions: HashMap::new(),
            has_sent: open.has_sent,
            parked: HashMap::new(),
            unread: HashMap::new(),
            touched: Touched::default(),
            remembered: false,
            members: HashMap::new(),
            standings: HashMap::new(),
            members_told: BTreeMap::new(),
            present: HashMap::new(),
            links: Vec::new(),
            versions: Vec::new(),
            waiting: Vec::new(),
            unparked: Vec::new(),
            work: BTreeSet::new(),
            held: Vec::new(),
            unheld: Vec::new(),
            gone: Vec::new(),
            gone_chats: Vec::new(),
            aliases: Vec::new(),
            pacing: None,
            fetched: Vec::new(),
            looked_at: Vec::new(),
            pictures: BTreeMap::new(),
            looked: Vec::new(),
            is_asked: false,
            syncs: HashMap::new(),
            sync_chats: HashMap::new(),
            reading: None,
            wanted_chats: Vec::new(),
            wanted_people: Vec::new(),
            complete_chats: Vec::new(),
            forgotten: Forgotten::new(open.has_marks),
            expected_wait: None,
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

    pub(super) fn put_attendee(&mut self, attendee: Attendee) {
        if !self.attendees.contains_key(&attendee.id) {
            self.hold_identifiers(&attendee);
            self.attendees.insert(attendee.id.clone(), Entry::known(attendee));
        }
    }

    pub(super) fn put_chat(&mut self, chat: Chat) {
        self.chat_keys.insert(chat.id.clone(), chat.key);
        self.chats.entry(chat.key).or_insert_with(|| Entry::known(chat));
    }

    pub(super) fn put_message(&mut self, message: Message) {
        if !self.messages.contains_key(&message.key) {
            self.insert(MessageEntry::of(Entry::known(message)));
        }
    }

    pub(super) fn insert(&mut self, message: MessageEntry) {
        let row = &message.entry.row;
        self.message_keys.extend(row.upstream_id.clone().map(|id| (id, row.key)));
        self.messages.insert(row.key, message);
    }

    pub(super) fn put_job(&mut self, job: Job) {
        self.jobs.entry(job.key).or_insert_with(|| Entry::known(job));
    }

    pub(super) fn want(&mut self, kind: WorkKind, subject: impl Into<String>) {
        // What UniPile has just been asked for settles what a webhook would leave open, but no answer brings a file.
        if !self.is_asked || kind == WorkKind::FetchMedia {
            self.remembered |= self.work.insert(Work { kind, subject: subject.into() });
        }
    }

    /// Hands over everything that must be written.
    pub(super) fn close(self, writes: &mut Writes) {
        let account_key = self.key();
        let own = |row| Owned { account_key, row };
        let (head, next_key, heard_at) = (self.head, self.next_key, self.heard_at);
        writes.heads.push(HeadWrite { account_key, head, next_key, heard_at });
        if self.account.stored {
            let complete = self.account.row.complete_up_to;
            writes.complete.extend(complete.map(|row| Owned { account_key, row }));
            writes.accounts.push(self.account.row);
        }
        let syncs = self.syncs.into_values().filter(|entry| entry.stored);
        writes.syncs.extend(syncs.map(|entry| Owned { account_key, row: entry.row }));
        let sync_chats = self.sync_chats.into_values();
        writes.sync_chats.extend(sync_chats.map(|row| Owned { account_key, row }));
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
        writes.gone_chats.extend(self.gone_chats.into_iter().map(|row| Owned { account_key, row }));
        writes.aliases.extend(self.aliases.into_iter().map(|row| Owned { account_key, row }));
        writes.gone.extend(self.gone.into_iter().map(|row| Owned { account_key, row }));
        let jobs = self.jobs.into_values().filter(|entry| entry.stored);
        writes.jobs.extend(jobs.map(|entry| Owned { account_key, row: entry.row }));
        let actions = self.actions.into_values().filter(|entry| entry.stored);
        writes.actions.extend(actions.map(|entry| Owned { account_key, row: entry.row }));
        let complete_chats = self.complete_chats.into_iter();
        writes.complete_chats.extend(complete_chats.map(|row| Owned { account_key, row }));
        let members_told = self.members_told.into_iter();
        writes.members_told.extend(members_told.map(|row| Owned { account_key, row }));
        writes.held.extend(self.held.into_iter().map(|row| Owned { account_key, row }));
        writes.unheld.extend(self.unheld.into_iter().map(|row| Owned { account_key, row }));
        writes.fetched.extend(self.fetched.into_iter().map(|row| Owned { account_key, row }));
        writes.looked_at.extend(self.looked_at.into_iter().map(|row| Owned { account_key, row }));
        let pictures = self.pictures.into_values();
        writes.pictures.extend(pictures.map(|row| Owned { account_key, row }));
        writes.looked.extend(self.looked.into_iter().map(|row| Owned { account_key, row }));
        writes.pacing.extend(self.pacing.map(|row| Owned { account_key, row }));
    }
}

impl MessageEntry {
    pub(super) const fn of(entry: Entry<Message>) -> Self {
        Self { entry, text: false, files: false, reactions: false, moved_from: None }
    }

    fn into_write(self) -> MessageWrite {
        let message = self.entry.row;
        let indexed = self.text.then(|| words_of(&message));
        let Self { files, reactions, moved_from, .. } = self;
        MessageWrite { message, indexed, files, reactions, moved_from }
    }
}
