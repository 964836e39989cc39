//! What a synchronisation lists: chats, and the people of a chat.

use super::book::{Book, Entry};
use crate::sync::ListedChat;
use channel_domain::attendee::ClaimSource;
use channel_domain::chat::{Chat, Counterparty};
use channel_domain::fact::Person;
use channel_domain::ids::ChatId;
use channel_domain::people;
use channel_domain::sync::SyncChat;
use channel_domain::time::{Micros, Stamp};
use std::collections::hash_map::Entry as Place;

impl Book {
    pub(super) fn chats_listed(
        &mut self,
        key: i64,
        chats: &[ListedChat],
        next: Option<String>,
        stamp: Stamp,
    ) {
        let mut found = 0;
        self.begin_reading(key);
        for listed in chats {
            let (id, active_at) = (listed.news.claim.id.clone(), listed.news.active_at);
            let chat_key = self.chat_listed(listed, stamp);
            if let Place::Vacant(place) = self.sync_chats.entry((key, chat_key)) {
                place.insert(task(key, chat_key, id, active_at.unwrap_or_default()));
                found += 1;
            }
        }
        let is_last = next.is_none();
        self.change_sync(key, true, |sync| {
            sync.chats_total += found;
            sync.pages += 1;
            (sync.listed, sync.cursor) = (is_last, next);
        });
    }

    fn chat_listed(&mut self, listed: &ListedChat, stamp: Stamp) -> i64 {
        let claim = &listed.news.claim;
        let is_new = !self.chat_keys.contains_key(&claim.id);
        let key = if let Some(key) = self.chat_keys.get(&claim.id) {
            *key
        } else {
            let chat = Chat::new(self.take_key(), claim.id.clone());
            let key = chat.key;
            self.chat_keys.insert(claim.id.clone(), key);
            self.chats.insert(key, Entry::fresh(chat));
            key
        };
        self.chat_news(key, &listed.news, stamp.inbox);
        let group = claim.is_group == Some(true);
        if let Some(person) = listed.counterparty.as_ref().filter(|_| !group) {
            self.person(person, false, stamp, ClaimSource::Chat);
            let row = people::key(person).and_then(|id| self.attendees.get(&id));
            let counterparty = row.map(|entry| Counterparty {
                key: entry.row.key,
                id: entry.row.id.clone(),
                since: stamp,
                name: entry.row.name().map(Into::into),
                phone: entry.row.phone().map(Into::into),
                picture: entry.row.picture.clone(),
            });
            if let (Some(entry), Some(person)) = (self.chats.get_mut(&key), counterparty) {
                let merged = entry.row.merge_counterparty(person);
                entry.note(merged);
            }
        }
        self.touched.chats.push(key);
        if is_new {
            self.want_picture_of_group(key, listed.news.active_at.unwrap_or_default());
        }
        key
    }

    pub(super) fn people_read(
        &mut self,
        key: i64,
        chat: &ChatId,
        people: &[(Person, bool)],
        stamp: Stamp,
    ) {
        self.begin_reading(key);
        for (person, is_self) in people {
            self.person(person, *is_self, stamp, ClaimSource::People);
        }
        let Some(chat_key) = self.chat_keys.get(chat).copied() else { return };
        let listed: Vec<_> = people.iter().filter_map(|(person, _)| people::key(person)).collect();
        self.everybody_in(chat_key, &listed, stamp);
        if let Some(task) = self.sync_chats.get_mut(&(key, chat_key)) {
            task.people = true;
        }
    }
}

pub(super) const fn task(
    sync_key: i64,
    chat_key: i64,
    chat: ChatId,
    active_at: Micros,
) -> SyncChat {
    SyncChat {
        sync_key,
        chat_key,
        chat,
        active_at,
        done: false,
        people: false,
        cursor: None,
        pages: 0,
    }
}
