//! What contacts do by hand.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, File};
use crate::books::Accepted;
use crate::mishap::{Echo, Route};
use crate::world::{Attachment, Change, ChatKey, Content, Draft, Who, World};

/// A file of a contact's, and what is told of it.
#[derive(Debug)]
pub(crate) struct ContactFile {
    pub(crate) file: File,
    /// How many bytes it is said to have.
    pub(crate) told: u64,
    /// UniPile says that it does not have it.
    pub(crate) unavailable: bool,
}

impl Engine {
    /// A contact writes, by hand. Returns the message's id.
    pub(crate) fn contact_writes(
        &self,
        chat: ChatKey,
        sender: Option<Who>,
        text: String,
    ) -> Option<String> {
        let world = &mut *self.world.lock();
        self.contact_posts(world, chat, sender, Content::Text(text))
    }

    /// A contact sends a file, by hand. Returns the message's id.
    pub(crate) fn contact_sends(&self, chat: ChatKey, sent: ContactFile) -> Option<String> {
        let most = self.behaviour().files_kept;
        let world = &mut *self.world.lock();
        let ContactFile { file, told, unavailable } = sent;
        let id = world.ids().attachment();
        self.uploads.keep(Arc::clone(&id), file.bytes, most);
        let (name, mimetype) = (file.name.map(Cow::Owned), Some(file.mimetype.into()));
        let attachment =
            Attachment { id, media: file.media, bytes: told, name, mimetype, unavailable };
        let content = Content::Media { attachments: vec![attachment], caption: None };
        self.contact_posts(world, chat, None, content)
    }

    fn contact_posts(
        &self,
        world: &mut World,
        chat: ChatKey,
        sender: Option<Who>,
        content: Content,
    ) -> Option<String> {
        let sender = sender.or_else(|| world.chat(chat)?.others().first().copied())?;
        let chat_id = world.chat(chat).map(|chat| Arc::clone(&chat.id));
        let plan = self.rules.plan(Route::Contact, None, chat_id.as_deref());
        let mut entry = self.entry(world, chat, Route::Contact, &plan)?;
        entry.text = content.text().map(ToOwned::to_owned);
        entry.files = content.attachments().len();
        let at = self.clock.tick();
        let change = world.post(chat, Draft::new(sender, content), at)?;
        let Change::Posted(key) = change else { return None };
        let id = world.message(key)?.id.to_string();
        self.books.enter(Accepted { message_id: Some(id.clone()), ..entry });
        if plan.echo != Echo::Never {
            self.tell(world, change, at, Duration::ZERO);
        }
        self.beat();
        Some(id)
    }
}
