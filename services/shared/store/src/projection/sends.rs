//! Messages that are sent from here, and the own messages that turn up.

use super::book::{Book, Entry, MessageEntry};
use crate::rows::{Gone, Held, Parked};
use channel_domain::attendee::Merged;
use channel_domain::fact::{Fact, Received};
use channel_domain::ids::UpstreamMessageId;
use channel_domain::message::Message;
use channel_domain::send::{self, Job, Phase};
use channel_domain::time::Stamp;

impl Book {
    /// An own message that nobody knows yet turned up. True if it is, or may be, one that was sent from here:
    /// then it makes no row of its own.
    pub(super) fn own_message(&mut self, fact: &Received, chat_key: i64, stamp: Stamp) -> bool {
        let of_chat =
            |entry: &&Entry<Job>| entry.row.chat_key == chat_key && send::is_echo(&entry.row, fact);
        let mut candidates: Vec<_> =
            self.jobs.values().filter(of_chat).map(|entry| &entry.row).collect();
        candidates.sort_by_key(|job| job.key);
        // The answer to the request under way decides; until then it is not shown.
        let under_way = candidates.iter().find(|job| job.phase == Phase::Sending);
        if let Some(message_key) = under_way.map(|job| job.key) {
            self.hold(message_key, fact, stamp);
            return true;
        }
        let Some(key) = send::one_of(&candidates).map(|job| job.key) else {
            return false;
        };
        self.accept(key, &fact.message);
        self.received_again(fact, stamp);
        true
    }

    pub(super) fn hold(&mut self, message_key: i64, fact: &Received, stamp: Stamp) {
        let (account_key, message) = (self.key(), fact.message.clone());
        let fact = Fact::Received(Box::new(fact.clone()));
        let fact = Parked { account_key, message, stamp, fact };
        self.held.push(Held { message_key, fact });
        self.remembered = true;
    }

    /// UniPile took the message under this id. If the id is known of another row, that was the same message:
    /// it goes, and what became of it is kept.
    pub(super) fn accept(&mut self, key: i64, id: &UpstreamMessageId) {
        let other = self.message_keys.get(id).copied().filter(|other| *other != key);
        let other = other.and_then(|other| self.messages.remove(&other));
        let absorbed = other.is_some();
        self.message_keys.insert(id.clone(), key);
        self.change_by_key(key, |entry| {
            entry.entry.row.accepted(id.clone());
            if let Some(other) = &other {
                entry.entry.row.absorb(other.entry.row.clone());
                (entry.text, entry.files, entry.reactions) = (true, true, true);
            }
            Merged::SHOWN
        });
        if let Some(other) = other {
            self.replace(other.entry.row, key);
        }
        self.step(key, Job::sent);
        if !absorbed {
            self.unpark(id);
        }
    }

    /// A row goes because it is the same message as another one.
    fn replace(&mut self, gone: Message, key: i64) {
        self.touched.merged.push((gone.id, key));
        let last = |book: &Self| {
            let chat = book.chats.get(&gone.chat_key)?;
            (chat.row.last.as_ref()?.id == gone.id).then_some(())
        };
        if last(self).is_some()
            && let Some(message) = self.messages.get(&key)
            && let Some(chat) = self.chats.get_mut(&gone.chat_key)
        {
            chat.row.order = message.entry.row.sort_key();
            let merged = chat.row.merge_last(&message.entry.row);
            chat.note(merged.and(Merged::SHOWN));
            self.touched.chats.push(gone.chat_key);
        }
        self.gone.push(Gone { message: gone });
    }

    /// Takes a step in the outbox, and lets the message follow.
    pub(super) fn step(&mut self, key: i64, step: impl FnOnce(&mut Job)) {
        let Some(entry) = self.jobs.get_mut(&key) else {
            return;
        };
        let before = entry.row.clone();
        step(&mut entry.row);
        if entry.row == before {
            return;
        }
        entry.note(Merged::SHOWN);
        self.touched.jobs.push(key);
        let job = entry.row.clone();
        self.change_by_key(key, |message| {
            let sending = message.entry.row.sending.as_mut();
            let changed = sending.is_some_and(|sending| sending.follow(&job));
            if changed { Merged::SHOWN } else { Merged::NOTHING }
        });
    }

    /// The same, where only the outbox itself has to remember it.
    pub(super) fn step_unseen(&mut self, key: i64, step: impl FnOnce(&mut Job)) {
        if let Some(entry) = self.jobs.get_mut(&key) {
            step(&mut entry.row);
            entry.note(Merged::STORED);
        }
    }

    /// A request has ended: what turned up meanwhile is looked at again.
    pub(super) fn release(&mut self, key: i64, held: Vec<Held>) {
        if !held.is_empty() {
            self.unheld.push(key);
        }
        let mut held: Vec<_> = held.into_iter().map(|held| held.fact).collect();
        held.sort_by_key(|fact| fact.stamp);
        for Parked { fact, stamp, .. } in held {
            self.apply(&fact, stamp);
        }
    }

    /// A new message and its place in the outbox.
    pub(super) fn queue(&mut self, message: Message, job: Job) {
        let (key, files) = (message.key, !message.content.attachments.is_empty());
        self.admit(&message);
        self.touched.messages.push(key);
        let entry = MessageEntry::of(Entry::fresh(message));
        self.insert(MessageEntry { text: true, files, ..entry });
        self.touched.jobs.push(key);
        self.jobs.insert(key, Entry::fresh(job));
    }
}
