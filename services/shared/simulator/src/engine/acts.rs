//! What the owner does to messages and chats over the API.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use crate::mishap::{Plan, Route};
use crate::world::{Change, ChatKey, MessageKey, Muted, Who, World};

/// Webhooks about messages that the owner has read in one go; the rest goes without.
const SEEN_AT_ONCE: usize = 50;

/// What is done to a message.
#[derive(Debug, Clone)]
pub(crate) enum Undoable {
    Edit(String),
    Delete,
    React(Arc<str>),
}

/// What is done to a chat.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patch {
    Read(bool),
    Mute(Muted),
    Archive(bool),
    Pin(bool),
    Add(Who),
    /// Labels are the owner's own; no object shows them.
    Label,
}

impl Engine {
    /// Changes a message, unless a fault keeps it from having an effect.
    pub(crate) fn change(&self, key: MessageKey, what: Undoable, route: Route, plan: &Plan) {
        let world = &mut *self.world.lock();
        let Some(mut entry) = self.entry(world, key.chat, route, plan) else { return };
        entry.message_id = world.read(key).map(|message| message.id.to_string());
        entry.text = match &what {
            Undoable::Edit(text) => Some(text.clone()),
            Undoable::React(emoji) => Some(emoji.to_string()),
            Undoable::Delete => None,
        };
        self.books.enter(entry);
        if !plan.without_effect && (!matches!(what, Undoable::Edit(_)) || self.in_time(world, key))
        {
            self.take_effect(world, key, what);
        }
        self.beat();
    }

    fn take_effect(&self, world: &mut World, key: MessageKey, what: Undoable) {
        let change = match what {
            Undoable::Edit(text) => world.edit(key, text),
            Undoable::Delete => world.delete(key),
            Undoable::React(emoji) => world.react(key, Who::OWNER, Some(emoji)),
        };
        // Edits and deletions are told of with the time of the message.
        let original = world.message(key).map_or_else(Timestamp::now, |message| message.sent_at);
        let at = match change {
            Some(Change::Edited(_) | Change::Deleted(_)) => original,
            _ => self.clock.tick(),
        };
        if let Some(change) = change {
            self.tell(world, change, at, Duration::ZERO);
        }
    }

    /// WhatsApp takes edits for a while only.
    fn in_time(&self, world: &World, key: MessageKey) -> bool {
        let window = i64::try_from(self.behaviour().edit_window_ms).unwrap_or(i64::MAX);
        let age = world.read(key).map(|message| self.clock.now().duration_since(message.sent_at));
        age.is_some_and(|age| age <= SignedDuration::from_millis(window))
    }

    /// Changes a chat, unless a fault keeps it from having an effect.
    pub(crate) fn patch(&self, key: ChatKey, action: &str, patch: Patch, plan: &Plan) {
        let world = &mut *self.world.lock();
        let Some(mut entry) = self.entry(world, key, Route::PatchChat, plan) else { return };
        entry.text = Some(action.to_owned());
        self.books.enter(entry);
        if !plan.without_effect {
            self.apply(world, key, patch);
        }
        self.beat();
    }

    fn apply(&self, world: &mut World, key: ChatKey, patch: Patch) {
        if let Patch::Read(true) = patch {
            let at = self.clock.tick();
            for change in world.see(key, SEEN_AT_ONCE) {
                self.tell(world, change, at, Duration::ZERO);
            }
        }
        let Some(chat) = world.chat_mut(key) else { return };
        match patch {
            Patch::Read(false) => chat.mark_unread(),
            Patch::Mute(muted) => chat.muted = muted,
            Patch::Archive(archived) => chat.archived = archived,
            Patch::Pin(pinned) => chat.pinned = pinned,
            Patch::Add(who) => world.change_group(key, |_, members| {
                if !members.contains(&who) {
                    members.push(who);
                }
            }),
            Patch::Read(true) | Patch::Label => {}
        }
    }
}
