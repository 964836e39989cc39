//! Who is in which chat, and telling whoever shows it.

use super::book::Book;
use super::load::Facts;
use crate::error::StoreError;
use crate::rows::{Member, Owned, Rows, Shown, Standing};
use channel_domain::attendee::Merged;
use channel_domain::direction;
use channel_domain::fact::{Fact, Received};
use channel_domain::ids::AttendeeId;
use channel_domain::people;
use channel_domain::time::{Micros, Stamp};
use std::collections::hash_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet};

/// Loads where those stand whom messages show in chats.
pub(super) async fn load<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    facts: &Facts<'_>,
) -> Result<(), StoreError> {
    let mut shown = Vec::new();
    for (account, fact, stamp) in facts {
        if let (Fact::Received(fact), Some(book)) = (fact, books.get(account)) {
            shown.extend(book.shown_by(fact, *stamp));
        }
    }
    put_standings(rows, books, shown).await
}

/// Loads where those stand who are listed as a chat's people, and who was there before.
pub(super) async fn load_listed<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    chat: i64,
    ids: &[AttendeeId],
    stamp: Stamp,
) -> Result<(), StoreError> {
    let Some(book) = books.get_mut(&key) else { return Ok(()) };
    book.present.insert(chat, rows.members(key, chat).await?);
    let shown = book.shown_in(chat, ids.iter(), stamp);
    put_standings(rows, books, shown).await
}

async fn put_standings<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    shown: Vec<Owned<Shown>>,
) -> Result<(), StoreError> {
    let shown = earliest(shown);
    if shown.is_empty() {
        return Ok(());
    }
    for Owned { account_key, row } in &shown {
        if let Some(book) = books.get_mut(account_key) {
            let standing = Standing { since: row.since, left: None };
            book.standings.insert((row.chat_key, row.attendee_key), standing);
        }
    }
    for Owned { account_key, row } in rows.unsettled(&shown).await? {
        let Some(book) = books.get_mut(&account_key) else { continue };
        let pair = (row.chat_key, row.attendee_key);
        match row.standing {
            Some(standing) => book.standings.insert(pair, standing),
            None => book.standings.remove(&pair),
        };
    }
    Ok(())
}

/// Each of them once, by the earliest fact.
fn earliest(mut shown: Vec<Owned<Shown>>) -> Vec<Owned<Shown>> {
    let pair = |it: &Owned<Shown>| (it.account_key, it.row.chat_key, it.row.attendee_key);
    shown.sort_unstable_by_key(|it| (pair(it), it.row.since));
    shown.dedup_by_key(|it| pair(it));
    shown
}

impl Book {
    /// Whom a message shows in its chat, of those who are stored.
    fn shown_by(&self, fact: &Received, since: Stamp) -> Vec<Owned<Shown>> {
        let Some(chat_key) = self.chat_keys.get(&fact.chat.id).copied() else { return vec![] };
        if self.is_complete(chat_key, since) {
            return vec![];
        }
        let cast = people::cast(fact, direction::decide(fact));
        let ids: Vec<_> = cast.everybody().filter_map(people::key).collect();
        self.shown_in(chat_key, ids.iter(), since)
    }

    fn shown_in<'i>(
        &self,
        chat_key: i64,
        ids: impl Iterator<Item = &'i AttendeeId>,
        since: Stamp,
    ) -> Vec<Owned<Shown>> {
        let account_key = self.key();
        let keys = ids.filter_map(|id| self.attendees.get(id)).map(|entry| entry.row.key);
        let shown = |attendee_key| Shown { chat_key, attendee_key, since };
        keys.map(|key| Owned { account_key, row: shown(key) }).collect()
    }

    /// Somebody is in a chat.
    pub(super) fn is_in(&mut self, chat_key: i64, id: &AttendeeId, since: Stamp, seen: Micros) {
        let Some(entry) = self.attendees.get(id) else { return };
        let attendee_key = entry.row.key;
        let merged = match self.standings.entry((chat_key, attendee_key)) {
            Place::Occupied(known) => known.into_mut().see(since, seen),
            Place::Vacant(place) => {
                place.insert(Standing { since, left: None });
                Merged::SHOWN
            }
        };
        if merged.shown {
            self.members_changed(chat_key);
        }
        if !merged.stored {
            return;
        }
        let member = Member { chat_key, attendee_key, since, seen, left: None };
        let known = self.members.entry((chat_key, attendee_key)).or_insert_with(|| member.clone());
        known.since = known.since.min(member.since);
        known.seen = known.seen.max(member.seen);
    }

    /// Whoever shows a chat's people lists them again. A change for each of them would flood the log when a large
    /// group is read in.
    pub(super) fn members_changed(&mut self, chat_key: i64) {
        if let Some(entry) = self.chats.get_mut(&chat_key) {
            entry.note(Merged::SHOWN);
            self.touched.chats.push(chat_key);
            self.touched.members.insert(chat_key);
        }
    }

    /// These are in a chat, and nobody else is.
    pub(super) fn everybody_in(&mut self, chat_key: i64, ids: &[AttendeeId], stamp: Stamp) {
        // An empty list is no answer to who is in a chat.
        if ids.is_empty() {
            return;
        }
        for id in ids {
            self.is_in(chat_key, id, stamp, stamp.at);
        }
        let listed: BTreeSet<_> =
            ids.iter().filter_map(|id| self.attendees.get(id)).map(|it| it.row.key).collect();
        let gone = self.present.remove(&chat_key).unwrap_or_default();
        for attendee_key in gone.into_iter().filter(|key| !listed.contains(key)) {
            self.members_changed(chat_key);
            let left = Some(stamp.at);
            let member = Member { chat_key, attendee_key, since: stamp, seen: stamp.at, left };
            self.members.insert((chat_key, attendee_key), member);
        }
    }
}
