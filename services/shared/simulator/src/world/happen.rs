//! What can happen in a world. Each gives the change that UniPile would tell of.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AccountKey, AccountStatus, Change, ChatKey, Draft, Message, MessageKey, Party, Quote, Receipt,
    Who, World,
};

impl World {
    /// Adds a message to a chat. Its time is never before that of the message above it.
    pub(crate) fn post(&mut self, chat: ChatKey, draft: Draft, at: Timestamp) -> Option<Change> {
        let quoted = draft.quoted.and_then(|key| self.quote(key));
        let id = self.ids.unipile();
        let provider_id = if draft.linked_device {
            self.ids.linked_device_message()
        } else {
            self.ids.provider_message()
        };
        self.posted += 1;
        let order = self.posted;
        let kept = self.kept_per_chat;
        let entry = self.chats.get_mut(chat.0)?;
        let at = entry.timeline.last_at().map_or(at, |last| last.max(at));
        let mut message = Message::new(id, provider_id, draft.sender, at, draft.content);
        message.quoted = quoted;
        message.forwarded = draft.forwarded;
        message.order = order;
        let id = Arc::clone(&message.id);
        entry.count_unread(&message);
        let (number, forgotten) = entry.timeline.push(message, kept);
        let key = MessageKey { chat, number };
        if let Some(index) = &mut self.index {
            index.add_message(id, key);
            index.forget(forgotten.as_ref());
        }
        Some(Change::Posted(key))
    }

    fn quote(&self, key: MessageKey) -> Option<Quote> {
        let message = self.read(key)?;
        let sender = self.person(key.chat, message.sender)?;
        Some(Quote {
            provider_id: message.provider_id.clone(),
            sender_id: sender.provider_id().to_owned(),
            text: message.content.text().map(str::to_owned),
        })
    }

    /// Raises what is known of an own message's way; never lowers it.
    pub(crate) fn receive(&mut self, key: MessageKey, receipt: Receipt) -> Option<Change> {
        let message = self.message_mut(key)?;
        if message.deleted || receipt <= message.receipt {
            return None;
        }
        message.receipt = receipt;
        match receipt {
            Receipt::Delivered => Some(Change::Delivered(key)),
            Receipt::Read => Some(Change::Read(key)),
            Receipt::Received | Receipt::Sent => None,
        }
    }

    pub(crate) fn edit(&mut self, key: MessageKey, text: String) -> Option<Change> {
        let message = self.message_mut(key)?;
        message.content.set_text(text);
        message.edited = true;
        Some(Change::Edited(key))
    }

    pub(crate) fn delete(&mut self, key: MessageKey) -> Option<Change> {
        self.message_mut(key)?.deleted = true;
        Some(Change::Deleted(key))
    }

    /// Sets, replaces or (without an emoji) takes away a person's one reaction to a message.
    pub(crate) fn react(
        &mut self,
        key: MessageKey,
        by: Who,
        emoji: Option<Arc<str>>,
    ) -> Option<Change> {
        let reactions = &mut self.message_mut(key)?.reactions;
        reactions.retain(|(who, _)| *who != by);
        let removed = emoji.is_none();
        reactions.extend(emoji.map(|emoji| (by, emoji)));
        Some(Change::Reacted { message: key, by, removed })
    }

    pub(crate) fn set_status(
        &mut self,
        account: AccountKey,
        status: AccountStatus,
        flat: bool,
    ) -> Option<Change> {
        self.accounts.get_mut(account.0)?.status = status;
        Some(Change::Status { account, status, flat })
    }

    /// Changes a group's subject or members; does nothing to a chat of two.
    pub(crate) fn change_group(
        &mut self,
        key: ChatKey,
        change: impl FnOnce(&mut String, &mut Vec<Who>),
    ) {
        if let Some(Party::Group { subject, members }) =
            self.chats.get_mut(key.0).map(|chat| &mut chat.party)
        {
            change(subject, members);
        }
    }

    /// The owner reads a chat: what others wrote and was not read yet, the newest `most` of it.
    pub(crate) fn see(&mut self, key: ChatKey, most: usize) -> Vec<Change> {
        let Some(chat) = self.chats.get_mut(key.0) else { return Vec::new() };
        let unread = chat.timeline.newest(usize::MAX).take_while(|(n, _)| *n >= chat.seen_below);
        let mut seen: Vec<Change> = unread
            .filter(|(_, message)| !message.is_own() && !message.is_notice())
            .map(|(number, _)| Change::Seen(MessageKey { chat: key, number }))
            .take(most)
            .collect();
        seen.reverse();
        chat.mark_read();
        seen
    }
}
