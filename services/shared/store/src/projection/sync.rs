//! Steps of synchronisations: the same locks, rows and log as for webhooks.

use super::book::{Book, Entry, Reading};
use super::engine::close;
use super::forgotten;
use super::listing::task;
use super::{load, members, same};
use crate::error::StoreError;
use crate::intake::Adoption;
use crate::record::SyncRecord;
use crate::rows::{Rows, Writes};
use crate::sync::{MessagesRead, SyncAsk, SyncCarried, SyncDone, SyncOrder, SyncStep};
use channel_domain::attendee::Merged;
use channel_domain::fact::{Person, Received};
use channel_domain::ids::{AttendeeId, ChatId};
use channel_domain::media::Fetch;
use channel_domain::message::{Message, Origin};
use channel_domain::people;
use channel_domain::send::is_provisional;
use channel_domain::sync::{Sync, SyncKind, SyncState, is_before};
use channel_domain::time::{Micros, Stamp};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How much earlier than the end of what is complete a repair begins, in microseconds: the provider's clock
/// and ours differ, and what was under way then may have been dated before.
const OVERLAP: i64 = 10 * 60 * 1_000_000;

/// Files of history are fetched of messages up to this old, in microseconds: thirty days.
const OLD_FILES: i64 = 30 * 86_400_000_000;

/// Carries a step out. The caller commits.
///
/// # Errors
///
/// When a row could not be read or written; the caller must roll back.
pub async fn step<R: Rows + ?Sized>(
    rows: &mut R,
    order: SyncOrder,
) -> Result<SyncCarried, StoreError> {
    let SyncOrder { account, step, now, trace } = order;
    let opened = rows.open(std::slice::from_ref(&account), &Adoption::Nobody, now).await?;
    let Some(open) = opened.into_iter().next() else {
        return Ok((SyncDone::AccountUnknown, vec![]));
    };
    let key = open.account.key;
    let mut book = Book::new(open);
    for sync in rows.syncs(key, Some(id_of(&step))).await? {
        book.syncs.insert(sync.key, Entry::known(sync));
    }
    if let Some(taken) = taken_of(&step)
        && !book.sync(id_of(&step)).is_some_and(|sync| sync.is_taken(taken))
    {
        return Ok((SyncDone::Nothing, vec![]));
    }
    let can_wait = step.can_wait();
    let mut books = BTreeMap::from([(key, book)]);
    let stamps = gather(rows, &mut books, key, &step, now).await?;
    let mut done = SyncDone::Nothing;
    let mut writes = Writes::default();
    if let Some(book) = books.get_mut(&key) {
        done = book.sync_step(step, &stamps, now);
        book.end_unit(&mut writes.log, now, trace.as_deref());
        if let SyncDone::Stands(stands) = &mut done
            && let Some(sync) = book.sync_named(&stands.id)
        {
            **stands = SyncRecord::of(sync, now);
        }
    }
    let moved = close(books, &mut writes, can_wait);
    if !writes.changes_nothing() {
        rows.write(&writes).await?;
    }
    Ok((done, moved))
}

const fn id_of(step: &SyncStep) -> Uuid {
    match step {
        SyncStep::Ask(ask) => ask.id,
        SyncStep::Take(id, _)
        | SyncStep::Cancel(id)
        | SyncStep::Renew(id, ..)
        | SyncStep::Chats(id, ..)
        | SyncStep::People(id, ..)
        | SyncStep::Messages(id, ..)
        | SyncStep::GiveUp(id, ..)
        | SyncStep::Pause(id, ..)
        | SyncStep::End(id, ..) => *id,
    }
}

/// The number under which whoever says this has it.
const fn taken_of(step: &SyncStep) -> Option<u32> {
    match step {
        SyncStep::Ask(_) | SyncStep::Take(..) | SyncStep::Cancel(_) => None,
        SyncStep::Renew(_, taken)
        | SyncStep::Chats(_, taken, ..)
        | SyncStep::People(_, taken, ..)
        | SyncStep::Messages(_, taken, _)
        | SyncStep::GiveUp(_, taken, _)
        | SyncStep::Pause(_, taken, ..)
        | SyncStep::End(_, taken, ..) => Some(*taken),
    }
}

/// Loads what a step needs. Returns a stamp for each fact that is told, at least one.
async fn gather<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    step: &SyncStep,
    now: Micros,
) -> Result<Vec<Stamp>, StoreError> {
    let (mut chats, mut persons, mut facts, mut at) = (Vec::new(), Vec::new(), &[][..], now);
    match step {
        SyncStep::Ask(ask) => chats.extend(ask.chat.clone()),
        SyncStep::Chats(_, _, listed, _) => {
            chats.extend(listed.iter().map(|chat| chat.news.claim.id.clone()));
            persons.extend(listed.iter().filter_map(|chat| chat.counterparty.as_ref()));
        }
        SyncStep::People(_, _, chat, people) => {
            chats.push(chat.clone());
            persons.extend(people.iter().map(|(person, _)| person));
        }
        SyncStep::Messages(_, _, read) => {
            chats.extend(read.chat.clone());
            (facts, at) = (&read.facts, read.read_at);
        }
        SyncStep::GiveUp(_, _, chat) => chats.push(chat.clone()),
        _ => {}
    }
    load_people(rows, books, key, &persons, now).await?;
    forgotten::load_listed(rows, books, key, &persons, &chats).await?;
    let mut asked = load::asked(facts.iter().map(|fact| (key, fact)));
    // Each fact has a stamp of its own, as each webhook has.
    asked.inbox_ids = facts.len().max(1);
    let known = rows.look_up(&asked, now).await?;
    let ages = (at.0..).map(Micros);
    let stamped = known.inbox_ids.iter().zip(ages);
    let stamps: Vec<_> = stamped.map(|(inbox, at)| Stamp { at, inbox: *inbox }).collect();
    if let Some(book) = books.get_mut(&key) {
        book.wanted_chats.extend(chats.iter().cloned());
    }
    let stamped: Vec<_> =
        facts.iter().zip(&stamps).map(|(fact, stamp)| (key, fact, *stamp)).collect();
    load::load(rows, books, &stamped, known).await?;
    let stamp = stamps.first().copied().unwrap_or_default();
    load_present(rows, books, key, step, stamp).await?;
    load_tasks(rows, books, key, step, &chats).await?;
    Ok(stamps)
}

/// People, and the chats that are named after them.
async fn load_people<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    persons: &[&Person],
    now: Micros,
) -> Result<(), StoreError> {
    let mut ids: Vec<(i64, AttendeeId)> =
        persons.iter().filter_map(|person| people::key(person)).map(|id| (key, id)).collect();
    load::once(&mut ids);
    if ids.is_empty() {
        return Ok(());
    }
    let known = rows.attendees(&ids).await?;
    if let Some(book) = books.get_mut(&key) {
        book.wanted_people.extend(known.iter().map(|person| person.row.key));
    }
    load::put_attendees(books, known);
    let as_of = Stamp { at: now, inbox: 0 };
    let described = persons.iter().map(|person| (key, *person, as_of));
    let changed = same::changed(books, described);
    same::put_same(rows, books, changed).await.map(drop)
}

/// Who was in the chat whose people are listed.
async fn load_present<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    step: &SyncStep,
    stamp: Stamp,
) -> Result<(), StoreError> {
    let SyncStep::People(_, _, chat, people) = step else { return Ok(()) };
    let known = books.get(&key).and_then(|book| book.chat_keys.get(chat).copied());
    let Some(chat) = known else { return Ok(()) };
    let ids: Vec<_> = people.iter().filter_map(|(person, _)| people::key(person)).collect();
    members::load_listed(rows, books, key, chat, &ids, stamp).await
}

async fn load_tasks<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    step: &SyncStep,
    chats: &[ChatId],
) -> Result<(), StoreError> {
    let Some(book) = books.get_mut(&key) else { return Ok(()) };
    let Some(sync) = book.sync(id_of(step)).map(|sync| sync.key) else { return Ok(()) };
    let keys: Vec<_> = chats.iter().filter_map(|id| book.chat_keys.get(id).copied()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    for task in rows.sync_chats(key, sync, &keys).await? {
        book.sync_chats.insert((sync, task.chat_key), task);
    }
    Ok(())
}

impl Book {
    fn sync(&self, id: Uuid) -> Option<&Sync> {
        self.syncs.values().map(|entry| &entry.row).find(|sync| sync.id == id)
    }

    fn sync_named(&self, id: &str) -> Option<&Sync> {
        self.sync(Uuid::parse_str(id).ok()?)
    }

    fn sync_step(&mut self, step: SyncStep, stamps: &[Stamp], now: Micros) -> SyncDone {
        let stamp = stamps.first().copied().unwrap_or_default();
        let id = id_of(&step);
        if let SyncStep::Ask(ask) = step {
            return self.ask_for_sync(*ask, now);
        }
        let Some(key) = self.sync(id).map(|sync| sync.key) else { return SyncDone::SyncUnknown };
        match step {
            SyncStep::Ask(_) => {}
            SyncStep::Take(_, lease) => {
                if !self.sync(id).is_some_and(|sync| sync.is_due(now)) {
                    return SyncDone::Nothing;
                }
                self.change_sync(key, true, |sync| sync.take(now, lease));
            }
            SyncStep::Cancel(_) => {
                if self.sync(id).is_some_and(|sync| sync.state.is_open()) {
                    self.change_sync(key, true, |sync| sync.end(SyncState::Cancelled, None, now));
                }
            }
            SyncStep::Renew(..) => self.change_sync(key, false, |sync| sync.renew(now)),
            SyncStep::Chats(_, _, chats, next) => {
                self.change_sync(key, false, |sync| sync.goes_on(now));
                self.chats_listed(key, &chats, next, stamp);
            }
            SyncStep::People(_, _, chat, people) => {
                self.change_sync(key, false, |sync| sync.goes_on(now));
                self.people_read(key, &chat, &people, stamp);
            }
            SyncStep::Messages(_, _, read) => {
                self.change_sync(key, false, |sync| sync.goes_on(now));
                self.messages_read(key, *read, stamps, now);
            }
            SyncStep::GiveUp(_, _, chat) => {
                if let Some(chat) = self.chat_keys.get(&chat).copied() {
                    self.chat_ends(key, chat, true, now);
                }
            }
            SyncStep::Pause(_, _, reason, wait) => {
                let told = self.sync(id).is_some_and(|sync| sync.reason.as_deref() != Some(reason));
                self.change_sync(key, told, |sync| sync.pause(reason, wait, now));
            }
            SyncStep::End(_, _, state, reason) => self.sync_ends(key, state, reason, now),
        }
        self.stands(key, now)
    }

    fn stands(&self, key: i64, now: Micros) -> SyncDone {
        let sync = self.syncs.get(&key).map(|entry| SyncRecord::of(&entry.row, now));
        sync.map_or(SyncDone::SyncUnknown, |sync| SyncDone::Stands(Box::new(sync)))
    }

    pub(super) fn change_sync(&mut self, key: i64, shown: bool, change: impl FnOnce(&mut Sync)) {
        if let Some(entry) = self.syncs.get_mut(&key) {
            change(&mut entry.row);
            entry.note(if shown { Merged::SHOWN } else { Merged::STORED });
            self.touched.syncs.push(key);
        }
    }

    // ---- asking for one -------------------------------------------------------------------------

    fn ask_for_sync(&mut self, ask: SyncAsk, now: Micros) -> SyncDone {
        if let Some(same) = self.sync(ask.id).map(|sync| sync.key) {
            return self.stands(same, now);
        }
        let was_read = self.account.row.complete_up_to.is_some();
        let kind = match (ask.kind, &ask.chat) {
            (_, Some(_)) => SyncKind::Chat,
            (Some(kind), _) => kind,
            (None, _) if was_read => SyncKind::Repair,
            (None, _) => SyncKind::History,
        };
        if let Some(chat) = &ask.chat
            && (is_provisional(chat) || !self.chat_keys.contains_key(chat))
        {
            return SyncDone::ChatUnknown;
        }
        if ask.automatic && !self.makes_sense(kind) {
            return SyncDone::Nothing;
        }
        let is_same =
            |sync: &&Sync| sync.state.is_open() && sync.kind == kind && sync.chat == ask.chat;
        if let Some(running) = self.syncs.values().map(|entry| &entry.row).find(is_same) {
            let key = running.key;
            let at = ask.not_before.unwrap_or(now);
            self.change_sync(key, false, |sync| sync.wake(at));
            return self.stands(key, now);
        }
        let key = self.new_sync(&ask, kind, now);
        if let Some(chat) = ask.chat {
            self.one_chat(key, chat);
        }
        self.stands(key, now)
    }

    /// What nobody asked for: history once, unless somebody cancelled it; what was missed only after that.
    fn makes_sense(&self, kind: SyncKind) -> bool {
        let was_read = self.account.row.complete_up_to.is_some();
        let mut histories = self.syncs.values().map(|entry| &entry.row);
        match kind {
            SyncKind::Repair => was_read,
            _ => !was_read && !histories.any(|sync| sync.state == SyncState::Cancelled),
        }
    }

    fn new_sync(&mut self, ask: &SyncAsk, kind: SyncKind, now: Micros) -> i64 {
        let key = self.take_key();
        let at = ask.not_before.unwrap_or(now);
        let mut sync = Sync::new(key, ask.id, kind, at, now);
        let complete = self.account.row.complete_up_to.filter(|_| kind == SyncKind::Repair);
        let complete = complete.map(|at| Micros(at.0.saturating_sub(OVERLAP)));
        (sync.since, sync.deep) = (ask.since.or(complete), ask.deep);
        sync.chat.clone_from(&ask.chat);
        self.syncs.insert(key, Entry::fresh(sync));
        self.touched.syncs.push(key);
        key
    }

    fn one_chat(&mut self, sync: i64, chat: ChatId) {
        let Some(chat_key) = self.chat_keys.get(&chat).copied() else { return };
        let task = task(sync, chat_key, chat, Micros(0));
        self.sync_chats.insert((sync, chat_key), task);
        self.change_sync(sync, true, |sync| (sync.listed, sync.chats_total) = (true, 1));
    }

    // ---- what it reads --------------------------------------------------------------------------

    fn messages_read(&mut self, key: i64, read: MessagesRead, stamps: &[Stamp], now: Micros) {
        self.begin_reading(key);
        // A repair brings what is news; history leaves nothing to be asked again.
        self.is_asked = self.syncs.get(&key).is_some_and(|it| it.row.kind != SyncKind::Repair);
        for (fact, stamp) in read.facts.iter().zip(stamps) {
            self.apply(fact, *stamp);
        }
        let added = self.reading.as_ref().map_or(0, |reading| reading.added);
        let of_chat = read.chat.is_some();
        // A chat that was erased meanwhile has no key any more.
        let chat = read.chat.and_then(|chat| self.chat_keys.get(&chat).copied());
        let Some(end) = read.end else {
            return self.change_sync(key, false, |sync| sync.messages_added += added);
        };
        let is_last = end.next.is_none();
        self.change_sync(key, false, |sync| {
            sync.messages_added += added;
            sync.messages_read += end.read;
            if !of_chat {
                sync.pages += 1;
                (sync.listed, sync.cursor) = (is_last, end.next.clone());
            }
        });
        if let Some(chat) = chat {
            if let Some(task) = self.sync_chats.get_mut(&(key, chat)) {
                (task.cursor, task.pages) = (end.next, task.pages + 1);
            }
            if is_last {
                self.chat_ends(key, chat, false, now);
            }
        }
        self.tell_progress(key, now);
    }

    fn chat_ends(&mut self, key: i64, chat: i64, failed: bool, now: Micros) {
        let Some(task) = self.sync_chats.get_mut(&(key, chat)).filter(|task| !task.done) else {
            return;
        };
        (task.done, task.cursor) = (true, None);
        if !failed {
            self.chat_is_complete(key, chat);
        }
        self.change_sync(key, false, |sync| {
            sync.chats_done += 1;
            sync.chats_failed += u64::from(failed);
        });
        self.tell_progress(key, now);
    }

    /// Everything that UniPile had of a chat when the synchronisation began is here.
    fn chat_is_complete(&mut self, key: i64, chat: i64) {
        let Some(sync) = self.syncs.get(&key).map(|entry| &entry.row) else { return };
        let (Some(up_to), Some(entry)) = (sync.started_at, self.chats.get_mut(&chat)) else {
            return;
        };
        // That of the whole account is told at the end of all its chats.
        if sync.kind != SyncKind::Chat && self.account.row.complete_up_to.is_some() {
            return;
        }
        // What lies before must be here: all, or up to where it begins.
        let known = self.account.row.complete_up_to.max(entry.row.complete_up_to);
        if sync.since.is_some_and(|since| known.is_none_or(|known| since > known)) {
            return;
        }
        let merged = entry.row.merge_complete(up_to);
        entry.note(merged);
        if merged.stored {
            self.complete_chats.push((chat, up_to));
            self.touched.chats.push(chat);
        }
    }

    fn tell_progress(&mut self, key: i64, now: Micros) {
        let is_time = self.syncs.get(&key).is_some_and(|entry| entry.row.is_to_be_shown(now));
        self.change_sync(key, is_time, |_| {});
    }

    fn sync_ends(&mut self, key: i64, state: SyncState, reason: Option<&'static str>, now: Micros) {
        self.change_sync(key, true, |sync| sync.end(state, reason, now));
        let Some(sync) = self.syncs.get(&key).map(|entry| &entry.row) else { return };
        let complete = sync.started_at.filter(|_| {
            // What lies before must be here: all, or up to where it begins.
            let known = self.account.row.complete_up_to;
            let is_whole = sync.since.is_none_or(|since| known.is_some_and(|known| since <= known));
            state == SyncState::Done && sync.kind != SyncKind::Chat && is_whole
        });
        if let Some(up_to) = complete {
            let merged = self.account.row.merge_complete(up_to);
            self.account.note(merged);
        }
    }

    pub(super) fn begin_reading(&mut self, key: i64) {
        let history_before = self.syncs.get(&key).and_then(|entry| entry.row.history_before());
        self.reading = Some(Reading { history_before, messages: vec![], people: vec![], added: 0 });
    }
}

impl Book {
    pub(super) fn origin(&self, fact: &Received) -> Origin {
        let Some(reading) = &self.reading else { return Origin::Webhook };
        let is_history = is_before(fact.sent_at, reading.history_before);
        if is_history { Origin::Imported } else { Origin::Repaired }
    }

    /// Of history screens are not told message by message, and of what is old the files are left where they are.
    pub(super) fn read_in(&mut self, message: &mut Message, stamp: Stamp) {
        let Some(reading) = &mut self.reading else { return };
        reading.added += 1;
        if message.origin != Origin::Imported {
            return;
        }
        reading.messages.push((message.chat_key, message.key));
        if message.sent_at.0 < stamp.at.0.saturating_sub(OLD_FILES) {
            for file in &mut message.content.attachments {
                file.fetch = Some(Fetch::Skipped);
            }
        }
    }
}
