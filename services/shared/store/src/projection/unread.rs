//! Read markers, and how many messages lie behind them.

use super::book::Book;
use channel_domain::attendee::Merged;
use channel_domain::chat::UNREAD_CAP;
use channel_domain::time::Micros;

impl Book {
    pub(super) fn mark_read(&mut self, chat_key: i64, up_to: Micros) {
        let Some(entry) = self.chats.get_mut(&chat_key) else {
            return;
        };
        if up_to <= entry.row.read_up_to {
            return;
        }
        entry.row.read_up_to = up_to;
        entry.note(Merged::STORED);
        let times = self.unread.entry(chat_key).or_default();
        times.retain(|at| *at > up_to);
        self.set_unread(chat_key);
    }

    /// The marker goes back, unless it was moved on since. The unread times from there on must have been loaded.
    pub(super) fn unmark_read(&mut self, chat_key: i64, from: Micros, to: Micros) {
        let Some(entry) = self.chats.get_mut(&chat_key) else {
            return;
        };
        if entry.row.read_up_to == to {
            entry.row.read_up_to = from;
            entry.note(Merged::STORED);
            self.set_unread(chat_key);
        }
    }

    pub(super) fn recount(&mut self, chat_key: i64, at: Micros, counts: bool) {
        let times = self.unread.entry(chat_key).or_default();
        if counts {
            times.push(at);
        } else if let Some(place) = times.iter().position(|time| *time == at) {
            times.swap_remove(place);
        }
        self.set_unread(chat_key);
    }

    pub(super) fn set_unread(&mut self, chat_key: i64) {
        let count = self.unread.get(&chat_key).map_or(0, Vec::len);
        let count = u32::try_from(count).unwrap_or(UNREAD_CAP).min(UNREAD_CAP);
        let Some(entry) = self.chats.get_mut(&chat_key) else {
            return;
        };
        if entry.row.unread != count {
            entry.row.unread = count;
            entry.note(Merged::SHOWN);
            self.touched.chats.push(chat_key);
        }
    }
}
