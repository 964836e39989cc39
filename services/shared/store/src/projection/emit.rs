//! Numbering what a unit changed and writing it into the log.

use super::book::{Book, MessageEntry, Touched};
use crate::log::{BODY_LIMIT, Entity, LogRow, Op, body_hash};
use crate::record::{Record, SendRecord, State, SyncRecord};
use channel_domain::time::Micros;
use std::collections::HashSet;
use std::hash::Hash;

impl Book {
    /// Ends a unit: every entity that people see changed gets the next number. Returns how many did.
    pub(super) fn end_unit(
        &mut self,
        log: &mut Vec<LogRow>,
        now: Micros,
        trace: Option<&str>,
    ) -> usize {
        let first = log.len();
        let touched = std::mem::take(&mut self.touched);
        self.emit_account(log);
        self.keep_quiet();
        self.emit_people(log, &touched);
        self.emit_renamed(log, &touched);
        self.emit_chats(log, &touched);
        self.emit_merged(log, &touched);
        self.emit_messages(log, &touched);
        self.emit_jobs(log, &touched);
        self.emit_read_in(log);
        self.emit_syncs(log, &touched, now);
        self.emit_gone(log, &touched);
        let rows = &mut log[first..];
        for row in rows.iter_mut() {
            row.at = now;
            row.trace = trace.map(ToOwned::to_owned);
            row.tag = row.chained(self.head.tag);
            self.head.tag = row.tag;
        }
        if let Some(last) = rows.last_mut() {
            last.unit_end = true;
        }
        rows.len()
    }

    fn emit_account(&mut self, log: &mut Vec<LogRow>) {
        if !std::mem::take(&mut self.account.shown) {
            return;
        }
        self.account.stored = true;
        self.account.row.rev = self.number();
        let state = State::Account((&self.account.row).into());
        log.push(self.row(Entity::Account, self.account.row.id.to_string(), state));
    }

    fn emit_people(&mut self, log: &mut Vec<LogRow>, touched: &Touched) {
        for id in once(touched.attendees.iter().cloned()) {
            let rev = self.head.seq + 1;
            let Some(entry) = self.attendees.get_mut(&id).filter(|entry| entry.shown) else {
                continue;
            };
            (entry.shown, entry.stored, entry.row.rev) = (false, true, rev);
            let state = State::Attendee((&entry.row).into());
            self.number();
            log.push(self.row(Entity::Attendee, id.to_string(), state));
        }
    }

    fn emit_chats(&mut self, log: &mut Vec<LogRow>, touched: &Touched) {
        for key in once(touched.chats.iter().copied()) {
            let rev = self.head.seq + 1;
            let Some(entry) = self.chats.get_mut(&key).filter(|entry| entry.shown) else {
                continue;
            };
            (entry.shown, entry.stored, entry.row.rev) = (false, true, rev);
            if touched.members.contains(&key) {
                entry.row.members_rev = rev;
                self.members_told.insert(key, rev);
            }
            let (id, state) = (entry.row.id.to_string(), State::Chat((&entry.row).into()));
            self.number();
            log.push(self.row(Entity::Chat, id, state));
        }
    }

    fn emit_messages(&mut self, log: &mut Vec<LogRow>, touched: &Touched) {
        for key in once(touched.messages.iter().copied()) {
            let rev = self.head.seq + 1;
            let shown = |message: &&mut MessageEntry| message.entry.shown;
            let Some(message) = self.messages.get_mut(&key).filter(shown) else {
                continue;
            };
            let entry = &mut message.entry;
            (entry.shown, entry.stored, entry.row.rev) = (false, true, rev);
            let (id, state) = (entry.row.id.to_string(), State::Message((&entry.row).into()));
            self.number();
            log.push(self.row(Entity::Message, id, state));
        }
    }

    /// A provisional chat has become a true one.
    fn emit_renamed(&mut self, log: &mut Vec<LogRow>, touched: &Touched) {
        for (former, key) in &touched.renamed {
            let Some(chat) = self.chats.get(key) else {
                continue;
            };
            let state = State::Chat((&chat.row).into());
            self.number();
            let row = self.row(Entity::Chat, former.to_string(), state);
            log.push(LogRow { op: Op::Merge, ..row });
        }
    }

    /// The body of a merge is the state of the entity that remains.
    fn emit_merged(&mut self, log: &mut Vec<LogRow>, touched: &Touched) {
        for (gone, key) in &touched.merged {
            let Some(message) = self.messages.get(key) else {
                continue;
            };
            let state = State::Message((&message.entry.row).into());
            self.number();
            let row = self.row(Entity::Message, gone.to_string(), state);
            log.push(LogRow { op: Op::Merge, ..row });
        }
    }

    fn emit_jobs(&mut self, log: &mut Vec<LogRow>, touched: &Touched) {
        for key in once(touched.jobs.iter().copied()) {
            let rev = self.head.seq + 1;
            let Some(entry) = self.jobs.get_mut(&key).filter(|entry| entry.shown) else {
                continue;
            };
            (entry.shown, entry.stored, entry.row.rev) = (false, true, rev);
            let mut record = SendRecord::from(&entry.row);
            record.expected_wait = self.expected_wait.filter(|_| record.next_at.is_some());
            let id = record.id.clone();
            self.number();
            log.push(self.row(Entity::Send, id, State::Send(record)));
        }
    }

    /// People and messages that a synchronisation brings are not told one by one.
    fn keep_quiet(&mut self) {
        let Some(reading) = &self.reading else { return };
        for (_, message) in &reading.messages {
            if let Some(message) = self.messages.get_mut(message) {
                message.entry.shown = false;
            }
        }
        for person in &reading.people {
            if let Some(person) = self.attendees.get_mut(person) {
                person.shown = false;
            }
        }
    }

    /// Whoever shows a chat of which history was read in reads its messages again.
    fn emit_read_in(&mut self, log: &mut Vec<LogRow>) {
        let Some(reading) = &mut self.reading else { return };
        let mut messages = std::mem::take(&mut reading.messages);
        let people = std::mem::take(&mut reading.people);
        messages.sort_unstable();
        for of_chat in messages.chunk_by(|one, other| one.0 == other.0) {
            let Some(chat) = self.chats.get(&of_chat[0].0).map(|chat| chat.row.id.to_string())
            else {
                continue;
            };
            let seq = self.number();
            log.push(self.invalidate(chat));
            for (_, message) in of_chat {
                if let Some(message) = self.messages.get_mut(message) {
                    message.entry.row.rev = seq;
                }
            }
        }
        let seq = self.head.seq;
        for person in people {
            if let Some(person) = self.attendees.get_mut(&person) {
                person.row.rev = seq;
            }
        }
    }

    fn emit_syncs(&mut self, log: &mut Vec<LogRow>, touched: &Touched, now: Micros) {
        for key in once(touched.syncs.iter().copied()) {
            let rev = self.head.seq + 1;
            let Some(entry) = self.syncs.get_mut(&key).filter(|entry| entry.shown) else {
                continue;
            };
            (entry.shown, entry.stored) = (false, true);
            (entry.row.rev, entry.row.shown_at) = (rev, now);
            let record = SyncRecord::of(&entry.row, now);
            let id = record.id.clone();
            self.number();
            log.push(self.row(Entity::Sync, id, State::Sync(record)));
        }
    }

    fn emit_gone(&mut self, log: &mut Vec<LogRow>, touched: &Touched) {
        for chat in &touched.thinned {
            self.number();
            log.push(self.invalidate(chat.clone()));
        }
        for (entity, id) in &touched.gone {
            self.number();
            log.push(self.without_body(Op::Delete, *entity, id.clone()));
        }
    }

    fn invalidate(&self, chat: String) -> LogRow {
        self.without_body(Op::Invalidate, Entity::Chat, chat)
    }

    fn without_body(&self, op: Op, entity: Entity, entity_id: String) -> LogRow {
        LogRow {
            account_key: self.key(),
            seq: self.head.seq,
            tag: 0,
            body_hash: body_hash(&[]),
            unit_end: false,
            op,
            entity,
            entity_id,
            at: Micros(0),
            body: None,
            trace: None,
        }
    }

    const fn number(&mut self) -> u64 {
        self.head.seq += 1;
        self.head.seq
    }

    fn row(&self, entity: Entity, entity_id: String, state: State) -> LogRow {
        let body = Record { state: Some(state) }.to_body();
        LogRow {
            account_key: self.key(),
            seq: self.head.seq,
            tag: 0,
            body_hash: body_hash(&body),
            unit_end: false,
            op: Op::Put,
            entity,
            entity_id,
            at: Micros(0),
            body: (body.len() <= BODY_LIMIT).then_some(body),
            trace: None,
        }
    }
}

fn once<T: Eq + Hash + Clone>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}
