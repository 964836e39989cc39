//! What is done to messages and chats that exist: shown at once, undone if it did not take.

use super::book::{Book, Entry, MessageEntry};
use super::command::{Clerk, Outcome};
use crate::outbox::{ActBegun, ActEnd, Acting, ChatNews, Refused};
use channel_domain::attendee::Merged;
use channel_domain::chat::Chat;
use channel_domain::direction::Direction;
use channel_domain::ids::ChatId;
use channel_domain::message::{Edit, Message, Reaction};
use channel_domain::names;
use channel_domain::send::{Act, Action, Before, Stage, is_provisional};
use channel_domain::time::{Micros, Stamp};
use uuid::Uuid;

/// For ever.
const EVER: Micros = Micros(i64::MAX);

impl Clerk<'_> {
    /// Shows what is done, and notes that it has to be done at UniPile.
    pub(super) fn act(&mut self, acting: Acting) -> Result<Outcome, Refused> {
        if let Some(known) = self.book.action(acting.id) {
            let (message, chat) = (known.message_key, known.chat_key);
            let same = known.hash == acting.hash;
            return same.then_some(Outcome::Shown { message, chat }).ok_or(Refused::IdReused);
        }
        self.connected()?;
        let (message_key, chat_key) = self.subject(&acting.act)?;
        let stamp = self.stamps.first().copied().unwrap_or_default();
        let before = self.show(&acting.act, message_key, chat_key, stamp);
        let Acting { id, act, hash, expires_at } = acting;
        let key = self.book.take_key();
        let action = Action {
            key,
            id,
            chat_key,
            message_key,
            act,
            before,
            stamp,
            hash,
            stage: Stage::Open,
            attempts: 0,
            refusals: 0,
            next_at: self.now,
            expires_at,
            failure: None,
        };
        self.book.actions.insert(key, Entry { shown: false, ..Entry::fresh(action) });
        Ok(Outcome::Shown { message: message_key, chat: chat_key })
    }

    /// The message and chat that an action is about, if they allow it.
    fn subject(&self, act: &Act) -> Result<(Option<i64>, i64), Refused> {
        if let Some(chat) = act.chat() {
            let key = self.book.chat_keys.get(chat).copied().ok_or(Refused::ChatUnknown)?;
            let chat = self.book.chats.get(&key).ok_or(Refused::ChatUnknown)?;
            let is_there = !is_provisional(&chat.row.id);
            return is_there.then_some((None, key)).ok_or(Refused::ChatNotStarted);
        }
        let message = act.message().and_then(|id| self.book.message_by_id(id));
        let message = message.ok_or(Refused::MessageUnknown)?;
        if message.upstream_id.is_none() {
            return Err(Refused::MessageNotSent);
        }
        let is_own = message.direction == Direction::Out;
        let window = i64::try_from(self.rules.edit_window.as_micros()).unwrap_or(i64::MAX);
        let is_old = self.now.0.saturating_sub(message.sent_at.0) > window;
        match act {
            Act::Edit { .. } | Act::Delete { .. } if !is_own => Err(Refused::MessageNotOwn),
            Act::Edit { .. } | Act::React { .. } if message.deleted_at.is_some() => {
                Err(Refused::MessageDeleted)
            }
            Act::Edit { .. } if is_old => Err(Refused::EditWindowClosed),
            _ => Ok((Some(message.key), message.chat_key)),
        }
    }

    /// Shows what is done; returns what was there.
    fn show(&mut self, act: &Act, message: Option<i64>, chat: i64, stamp: Stamp) -> Before {
        match act {
            Act::Edit { text, .. } => {
                let edit = Some(Edit { text: Some(text.clone()), stamp });
                let before = self.change(message, |row| std::mem::replace(&mut row.edit, edit));
                Before::Edit { edit: before.flatten() }
            }
            Act::Delete { .. } => {
                self.change(message, |row| row.merge_deleted(stamp.at));
                Before::Present
            }
            Act::React { emoji, .. } => self.react(message, Some(emoji.clone()), stamp),
            Act::Read { on, .. } => self.read(chat, *on),
            Act::Mute { on, .. } => {
                let until = on.then_some(EVER);
                let before =
                    self.change_chat(chat, |row| std::mem::replace(&mut row.muted_until, until));
                Before::Muted { until: before.flatten() }
            }
            Act::Archive { on, .. } => {
                let before =
                    self.change_chat(chat, |row| std::mem::replace(&mut row.archived, *on));
                Before::Flag { on: before.unwrap_or_default() }
            }
            Act::Pin { on, .. } => {
                let pinned = (*on, stamp);
                let before =
                    self.change_chat(chat, |row| std::mem::replace(&mut row.pinned, pinned));
                Before::Flag { on: before.unwrap_or_default().0 }
            }
        }
    }

    fn react(&mut self, message: Option<i64>, emoji: Option<String>, stamp: Stamp) -> Before {
        let Some(owner) = self.desk.owner.clone() else { return Before::Nothing };
        let before = self.book.change_reaction(message, |row| {
            let before = own_reaction(row, owner.key);
            row.merge_reaction(Reaction {
                actor_key: owner.key,
                actor: owner.id,
                is_self: true,
                emoji,
                stamp,
            });
            before
        });
        Before::Reaction { emoji: before.flatten() }
    }

    /// Read up to the newest message; unread cannot be shown without a message to count.
    fn read(&mut self, chat_key: i64, on: bool) -> Before {
        let Some(chat) = self.book.chats.get(&chat_key).map(|chat| &chat.row) else {
            return Before::Nothing;
        };
        let (from, to) = (chat.read_up_to, chat.order.sent_at());
        if !on || to <= from {
            return Before::Nothing;
        }
        self.book.mark_read(chat_key, to);
        Before::ReadUpTo { from, to }
    }

    fn change<T>(
        &mut self,
        message: Option<i64>,
        change: impl FnOnce(&mut Message) -> T,
    ) -> Option<T> {
        self.book.change_text(message, change)
    }

    fn change_chat<T>(&mut self, key: i64, change: impl FnOnce(&mut Chat) -> T) -> Option<T> {
        let entry = self.book.chats.get_mut(&key)?;
        let done = change(&mut entry.row);
        entry.note(Merged::SHOWN);
        self.book.touched.chats.push(key);
        Some(done)
    }

    /// Begins a try, if it is due.
    pub(super) fn begin_act(&mut self, id: Uuid) -> Outcome {
        let (now, limits) = (self.now, self.rules.limits);
        let Some(action) = self.book.action(id).filter(|it| it.stage == Stage::Open) else {
            return Outcome::Nothing;
        };
        let (key, message, chat) = (action.key, action.message_key, action.chat_key);
        if action.next_at > now {
            return Outcome::Nothing;
        }
        let Some(entry) = self.book.actions.get_mut(&key) else { return Outcome::Nothing };
        entry.row.begin(now, &limits);
        entry.note(Merged::STORED);
        let action = entry.row.clone();
        let message = message.and_then(|key| self.book.messages.get(&key));
        let message = message.and_then(|message| message.entry.row.upstream_id.clone());
        let chat = self.book.chats.get(&chat).map(|chat| chat.row.id.clone());
        let Some(chat) = chat else { return Outcome::Nothing };
        Outcome::ActBegun(Box::new(ActBegun { action, message, chat }))
    }

    /// Takes the end of a try.
    pub(super) fn end_act(&mut self, id: Uuid, end: &ActEnd, jitter: f64) -> Outcome {
        let (now, limits) = (self.now, self.rules.limits);
        let key = self.book.action(id).filter(|it| it.stage == Stage::Open).map(|it| it.key);
        let Some(entry) = key.and_then(|key| self.book.actions.get_mut(&key)) else {
            return Outcome::Nothing;
        };
        entry.note(Merged::STORED);
        let given_up = match end {
            ActEnd::Applied => {
                entry.row.applied();
                false
            }
            ActEnd::Refused(refusal) => entry.row.refused(refusal, jitter, now, &limits),
        };
        if given_up {
            let action = entry.row.clone();
            self.undo(&action);
        }
        Outcome::Nothing
    }

    /// Takes back what was shown, unless something newer is shown by now.
    fn undo(&mut self, action: &Action) {
        let (message, chat, stamp) = (action.message_key, action.chat_key, action.stamp);
        match (&action.act, &action.before) {
            (Act::Edit { .. }, Before::Edit { edit }) => {
                self.change(message, |row| {
                    if row.edit.as_ref().is_some_and(|shown| shown.stamp == stamp) {
                        row.edit.clone_from(edit);
                    }
                });
            }
            (Act::Delete { .. }, _) => {
                self.change(message, |row| {
                    row.deleted_at = row.deleted_at.filter(|at| *at != stamp.at);
                });
            }
            (Act::React { .. }, Before::Reaction { emoji }) => {
                let emoji = emoji.clone();
                self.book.change_reaction(message, |row| {
                    let ours = |it: &&mut Reaction| it.is_self && it.stamp == stamp;
                    if let Some(shown) = row.reactions.iter_mut().find(ours) {
                        shown.emoji = emoji;
                    }
                });
            }
            (Act::Read { .. }, Before::ReadUpTo { from, to }) => {
                self.book.unmark_read(chat, *from, *to);
            }
            (Act::Mute { on, .. }, Before::Muted { until }) => {
                let shown = on.then_some(EVER);
                self.change_chat(chat, |row| {
                    if row.muted_until == shown {
                        row.muted_until = *until;
                    }
                });
            }
            (Act::Archive { on, .. }, Before::Flag { on: before }) => {
                self.change_chat(chat, |row| {
                    if row.archived == *on {
                        row.archived = *before;
                    }
                });
            }
            (Act::Pin { .. }, Before::Flag { on: before }) => {
                self.change_chat(chat, |row| {
                    if row.pinned.1 == stamp {
                        row.pinned.0 = *before;
                    }
                });
            }
            _ => {}
        }
    }

    /// Takes in what UniPile says about a chat that is known here.
    pub(super) fn learn_chat(&mut self, news: &ChatNews) -> Outcome {
        let Some(key) = self.book.chat_keys.get(&news.claim.id).copied() else {
            return Outcome::Nothing;
        };
        let inbox = self.stamps.first().copied().unwrap_or_default().inbox;
        self.book.chat_news(key, news, inbox);
        Outcome::Nothing
    }

    /// Names or labels a chat.
    pub(super) fn describe(
        &mut self,
        chat: &ChatId,
        name: Option<String>,
        labels: Option<Vec<String>>,
    ) -> Result<Outcome, Refused> {
        let key = self.book.chat_keys.get(chat).copied().ok_or(Refused::ChatUnknown)?;
        let name = name.map(|name| Some(names::clean(&name)).filter(|name| !name.is_empty()));
        self.change_chat(key, |row| {
            row.own_name = name.unwrap_or_else(|| row.own_name.take());
            let mut labels = labels.unwrap_or_else(|| std::mem::take(&mut row.labels));
            labels.sort_unstable();
            labels.dedup();
            row.labels = labels;
        });
        Ok(Outcome::Shown { message: None, chat: key })
    }
}

fn own_reaction(message: &Message, owner: i64) -> Option<String> {
    let own = message.reactions.iter().find(|reaction| reaction.actor_key == owner);
    own.and_then(|reaction| reaction.emoji.clone())
}

impl Book {
    pub(super) fn action(&self, id: Uuid) -> Option<&Action> {
        self.actions.values().map(|entry| &entry.row).find(|action| action.id == id)
    }

    /// Changes a message; `noted` says what of it has to be written.
    fn change_message<T>(
        &mut self,
        message: Option<i64>,
        noted: impl FnOnce(&mut MessageEntry),
        change: impl FnOnce(&mut Message) -> T,
    ) -> Option<T> {
        let mut done = None;
        self.change_by_key(message?, |entry| {
            done = Some(change(&mut entry.entry.row));
            noted(entry);
            Merged::SHOWN
        });
        done
    }

    /// Changes what a message shows, and its words.
    fn change_text<T>(
        &mut self,
        message: Option<i64>,
        change: impl FnOnce(&mut Message) -> T,
    ) -> Option<T> {
        self.change_message(message, |entry| entry.text = true, change)
    }

    fn change_reaction<T>(
        &mut self,
        message: Option<i64>,
        change: impl FnOnce(&mut Message) -> T,
    ) -> Option<T> {
        self.change_message(message, |entry| entry.reactions = true, change)
    }

    /// Takes in what UniPile says of a chat.
    pub(super) fn chat_news(&mut self, key: i64, news: &ChatNews, inbox: i64) {
        let as_of = Stamp { at: news.active_at.unwrap_or_default(), inbox };
        let Some(entry) = self.chats.get_mut(&key) else { return };
        let group = news.claim.is_group == Some(true);
        let mut merged = entry.row.merge_claim(&news.claim, group, as_of);
        let row = &mut entry.row;
        let before = (row.archived, row.muted_until, row.read_only);
        row.archived = news.archived.unwrap_or(row.archived);
        row.muted_until = news.muted_until;
        row.read_only = news.read_only.unwrap_or(row.read_only);
        if before != (row.archived, row.muted_until, row.read_only) {
            merged = Merged::SHOWN;
        }
        entry.note(merged);
        self.touched.chats.push(key);
    }
}
