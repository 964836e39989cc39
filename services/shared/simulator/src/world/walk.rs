//! Lists, newest first, page by page. Nothing is sorted or copied but what is on the page.

use std::collections::BinaryHeap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ChatKey, MessageKey, Who, World};

/// A message's place among all messages: by time, then by chat and number. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    t: Timestamp,
    c: usize,
    n: u64,
}

/// Which messages are meant.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    /// Only those below this place.
    pub(crate) below: Option<Place>,
    /// Only those sent before this time.
    pub(crate) before: Option<Timestamp>,
    /// Only those sent after this time.
    pub(crate) after: Option<Timestamp>,
}

impl Place {
    pub(crate) fn key(self) -> MessageKey {
        MessageKey { chat: ChatKey(self.c), number: self.n }
    }
}

impl Window {
    fn is_below_top(&self, place: Place) -> bool {
        self.below.is_none_or(|top| place < top) && self.before.is_none_or(|top| place.t < top)
    }

    fn is_below_bottom(&self, place: Place) -> bool {
        self.after.is_some_and(|bottom| place.t <= bottom)
    }
}

impl World {
    /// The newest messages of a window in these chats, from one sender or from all, at most so many.
    pub(crate) fn newest_messages(
        &self,
        chats: &[ChatKey],
        window: Window,
        sender: Option<Who>,
        most: usize,
    ) -> Vec<Place> {
        let mut heads = BinaryHeap::new();
        for &chat in chats {
            heads.extend(self.head(chat, window));
        }
        let mut found = Vec::new();
        while found.len() < most
            && let Some((place, index, bottom)) = heads.pop()
        {
            if sender.is_none_or(|who| self.is_from(place.key(), who)) {
                found.push(place);
            }
            let next = index.checked_sub(1).filter(|next| *next >= bottom);
            heads.extend(
                next.and_then(|next| Some((self.place(place.key().chat, next)?, next, bottom))),
            );
        }
        found
    }

    /// The newest message of a chat in a window, its index, and the index of the oldest one.
    fn head(&self, chat: ChatKey, window: Window) -> Option<(Place, usize, usize)> {
        let timeline = &self.chat(chat)?.timeline;
        let place = |t, n| Place { t, c: chat.0, n };
        let top = timeline.count_while(|t, n| window.is_below_top(place(t, n)));
        let bottom = timeline.count_while(|t, n| window.is_below_bottom(place(t, n)));
        let newest = top.checked_sub(1).filter(|newest| *newest >= bottom)?;
        Some((self.place(chat, newest)?, newest, bottom))
    }

    fn place(&self, chat: ChatKey, index: usize) -> Option<Place> {
        let timeline = &self.chat(chat)?.timeline;
        Some(Place { t: timeline.at(index), c: chat.0, n: timeline.number_at(index) })
    }

    fn is_from(&self, key: MessageKey, who: Who) -> bool {
        self.read(key).is_some_and(|message| message.sender == who)
    }
}

/// A chat's place in a walk over chats: by when it was last active as the walk began. Chats that
/// become active later keep their place, so that a walk meets each of them exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Standing {
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    t: Option<Timestamp>,
    c: usize,
}

/// Where a walk over chats has come to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// The messages that had been posted when it began.
    pub(crate) mark: u64,
    pub(crate) below: Standing,
}

impl Standing {
    pub(crate) fn key(self) -> ChatKey {
        ChatKey(self.c)
    }
}

impl World {
    /// Of the chats that are `wanted`, those last active as of a mark, at most so many.
    pub(crate) fn latest_chats(
        &self,
        mark: u64,
        below: Option<Standing>,
        most: usize,
        wanted: impl Fn(&super::Chat) -> bool,
    ) -> Vec<Standing> {
        let all = self.chats.iter().enumerate().filter(|(_, chat)| wanted(chat));
        let standing =
            |(c, chat): (usize, &super::Chat)| Standing { t: chat.timeline.last_at_mark(mark), c };
        let mut standings: Vec<Standing> = all
            .map(standing)
            .filter(|standing| below.is_none_or(|below| *standing < below))
            .collect();
        if standings.len() > most {
            standings.select_nth_unstable_by(most, |a, b| b.cmp(a));
            standings.truncate(most);
        }
        standings.sort_unstable_by(|a, b| b.cmp(a));
        standings
    }
}
