//! What each fact does to the rows of its account.

use super::book::{Book, Entry, MessageEntry};
use super::start::Started;
use crate::rows::{Parked, Version, WorkKind};
use channel_domain::account::Source;
use channel_domain::attendee::{ClaimSource, Merged};
use channel_domain::chat::{Chat, Counterparty, UNREAD_CAP};
use channel_domain::direction::{self, Direction};
use channel_domain::fact::{
    Deleted, Edited, Fact, Person, Reacted, Receipt, ReceiptKind, Received,
};
use channel_domain::fact::{Status as StatusFact, UpstreamStatus};
use channel_domain::ids::{AccountId, MessageId, UpstreamMessageId};
use channel_domain::mentions;
use channel_domain::message::{Content, Message, Reaction, Status};
use channel_domain::people::{self, Cast};
use channel_domain::time::{Micros, Stamp};
use sha2::{Digest, Sha256};

impl Book {
    /// Applies one fact. A fact about a message that is not here yet waits for it.
    pub(super) fn apply(&mut self, fact: &Fact, stamp: Stamp) {
        let Some(fact) = self.without_erased(fact, stamp) else { return };
        match &*fact {
            Fact::Received(fact) => self.received(fact, stamp),
            Fact::Status(fact) => self.status(fact, stamp),
            other => {
                // People are learnt from a reaction even while its message is unknown.
                if let Fact::Reacted(fact) = other {
                    let is_self = people::is_self(&fact.actor, &fact.owner);
                    self.person(&fact.actor, is_self, stamp, ClaimSource::Message);
                }
                self.about_a_message(other, stamp);
            }
        }
    }

    fn about_a_message(&mut self, fact: &Fact, stamp: Stamp) {
        let Some(id) = fact.message() else { return };
        if !self.message_keys.contains_key(id) {
            let (account_key, message) = (self.key(), id.clone());
            self.waiting.push(Parked { account_key, message, stamp, fact: fact.clone() });
            self.remembered = true;
            return;
        }
        match fact {
            Fact::Receipt(fact) => self.receipt(fact, stamp),
            Fact::Edited(fact) => self.edited(fact, stamp),
            Fact::Deleted(fact) => self.deleted(fact, stamp),
            Fact::Reacted(fact) => self.reacted(fact, stamp),
            Fact::Received(_) | Fact::Status(_) => {}
        }
    }

    // ---- messages -------------------------------------------------------------------------------

    fn received(&mut self, fact: &Received, stamp: Stamp) {
        let direction = direction::decide(fact);
        let cast = people::cast(fact, direction);
        let merged = self.account.row.merge_owner(&fact.owner, stamp);
        self.account.note(merged);
        self.everybody(&cast, fact.people_as_of(stamp));
        match self.started(fact) {
            Some(Started::Named(chat)) => self.settle_chat(chat, &fact.chat.id),
            Some(Started::UnderWay(message)) => return self.hold(message, fact, stamp),
            None => {}
        }
        let chat_key = self.chat_of(fact, &cast, stamp);
        if self.message_keys.contains_key(&fact.message) {
            self.received_again(fact, stamp);
        } else if direction == Direction::In || !self.own_message(fact, chat_key, stamp) {
            self.received_first(fact, direction, chat_key, &cast, stamp);
        }
    }

    fn received_first(
        &mut self,
        fact: &Received,
        direction: Direction,
        chat_key: i64,
        cast: &Cast<'_>,
        stamp: Stamp,
    ) {
        let sender = cast.sender.and_then(people::key).and_then(|id| self.attendees.get(&id));
        let sender = sender.map(|entry| (entry.row.key, entry.row.id.clone()));
        let chat = self.chats.get(&chat_key).map(|entry| entry.row.id.clone());
        let mut message = Message {
            key: self.take_key(),
            id: message_id(&self.account.row.id, &fact.message, stamp),
            upstream_id: Some(fact.message.clone()),
            provider_id: fact.provider_id.clone(),
            chat_key,
            chat: chat.unwrap_or_else(|| fact.chat.id.clone()),
            sender_key: sender.as_ref().map(|(key, _)| *key),
            sender: sender.map(|(_, id)| id),
            direction,
            origin: self.origin(fact),
            content: Content::of(fact),
            content_stamp: stamp,
            sent_at: fact.sent_at.unwrap_or(stamp.at),
            arrived: stamp,
            status: if direction == Direction::Out { Status::Sent } else { Status::Delivered },
            delivered: None,
            read: None,
            edit: None,
            deleted_at: None,
            reactions: Vec::new(),
            sending: None,
            mentioned: Vec::new(),
            rev: 0,
        };
        self.name_the_mentioned(&mut message);
        self.read_in(&mut message, stamp);
        self.admit(&message);
        let files = !message.content.attachments.is_empty();
        self.touched.messages.push(message.key);
        let entry = MessageEntry::of(Entry::fresh(message));
        self.insert(MessageEntry { text: true, files, ..entry });
        self.want_files(&fact.message);
        self.unpark(&fact.message);
    }

    /// Takes a new message into its chat's summary.
    pub(super) fn admit(&mut self, message: &Message) {
        let Some(entry) = self.chats.get_mut(&message.chat_key) else {
            return;
        };
        let last_day = entry.row.order.sent_at().day();
        let merged = entry.row.merge_last(message);
        entry.note(merged);
        let is_seen = entry.row.order.sent_at().day() > last_day;
        if entry.row.is_unread(message) {
            entry.row.unread = (entry.row.unread + 1).min(UNREAD_CAP);
            entry.note(Merged::SHOWN);
            if let Some(times) = self.unread.get_mut(&message.chat_key) {
                times.push(message.sent_at);
            }
        }
        self.touched.chats.push(message.chat_key);
        if is_seen {
            self.want_picture_of_group(message.chat_key, message.sent_at);
        }
        // Whoever writes from this account, on the phone or here, has the chat open.
        if message.direction == Direction::Out && message.content.event.is_none() {
            self.mark_read(message.chat_key, message.sent_at);
        }
    }

    pub(super) fn received_again(&mut self, fact: &Received, stamp: Stamp) {
        let quoted = fact.quoted.as_ref().and_then(|quoted| quoted.text.as_deref());
        let texts = fact.text.as_deref().into_iter().chain(quoted);
        let mentioned = self.mentioned(texts.flat_map(mentions::ids));
        let direction = direction::decide(fact);
        let sender = people::cast(fact, direction).sender.and_then(people::key);
        let sender = sender.and_then(|id| self.attendees.get(&id));
        let sender = sender.map(|entry| (entry.row.key, entry.row.id.clone()));
        let mut fuller = false;
        self.change(&fact.message, |entry| {
            let row = &mut entry.entry.row;
            row.mention(mentioned);
            let mut merged = row.merge_received(fact, stamp);
            // A fuller copy tells who wrote it, or tells it better.
            if let Some((key, id)) = sender {
                merged = merged.and(row.merge_sender(key, &id));
            }
            entry.text |= merged.shown;
            entry.files |= merged.shown;
            fuller = merged.shown;
            merged
        });
        if fuller {
            self.want_files(&fact.message);
        }
    }

    fn receipt(&mut self, fact: &Receipt, stamp: Stamp) {
        self.change(&fact.message, |entry| {
            entry.entry.row.merge_receipt(fact.kind, fact.claimed_at, stamp.at)
        });
        let Some(message) = self.message(&fact.message) else {
            return;
        };
        // Reading one of the others' messages reads everything before it too.
        if fact.kind == ReceiptKind::Read && message.direction == Direction::In {
            let (chat_key, up_to) = (message.chat_key, message.sent_at);
            self.mark_read(chat_key, up_to);
        }
    }

    fn edited(&mut self, fact: &Edited, stamp: Stamp) {
        if self.is_edited_so(fact) {
            return;
        }
        let mentioned = self.mentioned(fact.text.iter().flat_map(|text| mentions::ids(text)));
        self.change(&fact.message, |entry| {
            entry.entry.row.mention(mentioned);
            let merged = entry.entry.row.merge_edit(fact.text.as_deref(), stamp);
            entry.text |= merged.shown;
            merged
        });
        if let Some(message_key) = self.message_keys.get(&fact.message).copied() {
            self.versions.push(Version { message_key, stamp, text: fact.text.clone() });
        }
        if fact.text.is_none() {
            self.want(WorkKind::RefreshMessage, fact.message.as_str());
        }
    }

    /// What is read from UniPile tells of an edit each time, and never when it was made.
    fn is_edited_so(&self, fact: &Edited) -> bool {
        let is_read = self.is_asked || self.reading.is_some();
        let edit = self.message(&fact.message).and_then(|message| message.edit.as_ref());
        is_read && edit.is_some_and(|edit| edit.text == fact.text)
    }

    fn deleted(&mut self, fact: &Deleted, stamp: Stamp) {
        self.change(&fact.message, |entry| {
            let merged = entry.entry.row.merge_deleted(stamp.at);
            entry.text |= merged.shown;
            merged
        });
    }

    fn reacted(&mut self, fact: &Reacted, stamp: Stamp) {
        let actor = people::key(&fact.actor).and_then(|id| self.attendees.get(&id));
        let Some(actor) = actor.map(|entry| &entry.row) else {
            // Nobody is named: only reading the message again tells whose reaction it is.
            self.want(WorkKind::RefreshMessage, fact.message.as_str());
            return;
        };
        let reaction = Reaction {
            actor_key: actor.key,
            actor: actor.id.clone(),
            is_self: actor.is_self,
            emoji: fact.emoji.clone(),
            stamp,
        };
        self.change(&fact.message, |entry| {
            let merged = entry.entry.row.merge_reaction(reaction);
            entry.reactions |= merged.stored;
            merged
        });
    }

    /// Changes a message that is here, and keeps its chat's summary true.
    pub(super) fn change(
        &mut self,
        id: &UpstreamMessageId,
        change: impl FnOnce(&mut MessageEntry) -> Merged,
    ) {
        if let Some(key) = self.message_keys.get(id).copied() {
            self.change_by_key(key, change);
        }
    }

    /// The same, by its key.
    pub(super) fn change_by_key(
        &mut self,
        key: i64,
        change: impl FnOnce(&mut MessageEntry) -> Merged,
    ) {
        let Some(entry) = self.messages.get_mut(&key) else {
            return;
        };
        let counted = entry.entry.row.counts_as_unread();
        let (was_at, place) = (entry.entry.row.sent_at, entry.entry.row.sort_key());
        let merged = change(entry);
        entry.entry.note(merged);
        if entry.entry.row.sent_at != was_at {
            entry.moved_from.get_or_insert(was_at);
            entry.text = true;
        }
        if !merged.shown {
            self.remembered |= merged.stored;
            return;
        }
        self.touched.messages.push(key);
        let message = &entry.entry.row;
        let (chat_key, sent_at) = (message.chat_key, message.sent_at);
        let counts = message.counts_as_unread();
        let Some(chat) = self.chats.get_mut(&chat_key) else {
            return;
        };
        if chat.row.order == place || place != message.sort_key() {
            let merged = chat.row.merge_last(message);
            chat.note(merged);
        }
        self.touched.chats.push(chat_key);
        if counted != counts && sent_at > chat.row.read_up_to {
            self.recount(chat_key, sent_at, counts);
        }
    }

    /// Applies the facts that waited for a message, in the database or in this very batch.
    pub(super) fn unpark(&mut self, id: &UpstreamMessageId) {
        let here = self.waiting.extract_if(.., |parked| parked.message == *id);
        let mut waiting: Vec<_> = here.collect();
        if let Some(stored) = self.parked.remove(id) {
            self.unparked.push(id.clone());
            waiting.extend(stored);
        }
        waiting.sort_by_key(|parked| parked.stamp);
        for parked in waiting {
            self.about_a_message(&parked.fact, parked.stamp);
        }
    }

    /// A message by UniPile's id.
    pub(super) fn message(&self, id: &UpstreamMessageId) -> Option<&Message> {
        let key = self.message_keys.get(id)?;
        Some(&self.messages.get(key)?.entry.row)
    }

    // ---- people and chats -----------------------------------------------------------------------

    fn everybody(&mut self, cast: &Cast<'_>, stamp: Stamp) {
        if let Some(owner) = cast.owner {
            self.person(owner, true, stamp, ClaimSource::Message);
        }
        let sender = cast.sender.filter(|sender| Some(*sender) != cast.owner);
        for person in sender.into_iter().chain(cast.others.iter().copied()) {
            self.person(person, false, stamp, ClaimSource::Message);
        }
    }

    fn chat_of(&mut self, fact: &Received, cast: &Cast<'_>, stamp: Stamp) -> i64 {
        let key = if let Some(key) = self.chat_keys.get(&fact.chat.id) {
            *key
        } else {
            let chat = Chat::new(self.take_key(), fact.chat.id.clone());
            let key = chat.key;
            self.chat_keys.insert(fact.chat.id.clone(), key);
            self.chats.insert(key, Entry::fresh(chat));
            self.want(WorkKind::FetchChat, fact.chat.id.as_str());
            key
        };
        let counterparty = cast.counterparty.and_then(|person| self.counterparty(person, stamp));
        if let Some(entry) = self.chats.get_mut(&key) {
            let mut merged =
                entry.row.merge_claim(&fact.chat, people::is_group(fact), fact.chat_as_of());
            if let Some(counterparty) = counterparty {
                merged = merged.and(entry.row.merge_counterparty(counterparty));
            }
            entry.note(merged);
            self.remembered |= merged.stored;
            self.touched.chats.push(key);
        }
        self.join(key, cast, stamp, fact.people_as_of(stamp).at);
        key
    }

    fn counterparty(&self, person: &Person, since: Stamp) -> Option<Counterparty> {
        let row = &self.attendees.get(&people::key(person)?)?.row;
        let (name, phone) = (row.name().map(Into::into), row.phone().map(Into::into));
        let picture = row.shown_picture().cloned();
        Some(Counterparty { key: row.key, id: row.id.clone(), since, name, phone, picture })
    }

    fn join(&mut self, chat_key: i64, cast: &Cast<'_>, since: Stamp, seen: Micros) {
        if self.is_complete(chat_key, since) {
            return;
        }
        for id in cast.everybody().filter_map(people::key) {
            self.is_in(chat_key, &id, since, seen);
        }
    }

    /// In a chat of two nobody joins later, so only its earliest fact adds anything.
    pub(super) fn is_complete(&self, chat_key: i64, since: Stamp) -> bool {
        let counterparty =
            self.chats.get(&chat_key).and_then(|entry| entry.row.counterparty.as_ref());
        counterparty.is_some_and(|person| person.since < since)
    }

    // ---- account --------------------------------------------------------------------------------

    fn status(&mut self, fact: &StatusFact, stamp: Stamp) {
        let merged = self.account.row.merge_status(fact.status, stamp, Source::Webhook);
        self.account.note(merged);
        self.remembered |= merged.stored;
        // Statuses come unordered, so what they say is confirmed; one that is gone cannot be asked.
        if fact.status != UpstreamStatus::Deleted {
            let id = self.account.row.id.to_string();
            self.want(WorkKind::RefreshAccount, id);
        }
    }
}

/// A `UUIDv7` made from stored facts alone, so that the same webhook always makes the same message.
fn message_id(account: &AccountId, message: &UpstreamMessageId, stamp: Stamp) -> MessageId {
    let mut hash = Sha256::new();
    hash.update(account.as_str());
    hash.update([0]);
    hash.update(message.as_str());
    let hash: [u8; 32] = hash.finalize().into();
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    let millis = u64::try_from(stamp.at.0.div_euclid(1000)).unwrap_or(0);
    MessageId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}
