//! Messages that are sent, and what follows from it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Engine;
use super::agenda::Doing;
use crate::books::Accepted;
use crate::dice::{Dice, purpose};
use crate::event::Event;
use crate::mishap::{Echo, Plan, Route};
use crate::world::{
    Attachment, Change, ChatKey, Content, Draft, Media, MessageKey, Receipt, Who, World,
};

/// What somebody wants to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewMessage {
    pub(crate) text: Option<String>,
    pub(crate) files: Vec<File>,
    pub(crate) quoted: Option<MessageKey>,
    /// Content of another message that is passed on.
    pub(crate) forwarded: Option<Content>,
}

/// A file that came with a message.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) media: Media,
    pub(crate) name: Option<String>,
    pub(crate) mimetype: String,
    pub(crate) bytes: Bytes,
}

/// A message that is in the world now.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) chat_id: Arc<str>,
    pub(crate) message_id: Arc<str>,
    /// A webhook that has to be with its receivers before the call is answered.
    pub(crate) early: Option<Event>,
}

impl Engine {
    /// Posts a message of the owner's, enters it into the books, and plans what follows.
    pub(crate) fn send(
        &self,
        chat: ChatKey,
        new: &NewMessage,
        route: Route,
        plan: &Plan,
    ) -> Option<Sent> {
        let world = &mut *self.world.lock();
        let (text, files) = (new.text.clone(), new.files.len());
        let mut draft = Draft::new(Who::OWNER, self.content(world, new));
        draft.quoted = new.quoted;
        draft.forwarded = new.forwarded.is_some();
        draft.linked_device = route != Route::Phone;
        let change = world.post(chat, draft, self.clock.tick())?;
        let Change::Posted(key) = change else { return None };
        let message = world.message(key)?;
        let (message_id, order) = (Arc::clone(&message.id), message.order);
        let mut entry = self.entry(world, chat, route, plan)?;
        let chat_id = entry.chat_id.clone()?.into();
        entry.message_id = Some(message_id.to_string());
        (entry.text, entry.files) = (text, files);
        self.books.enter(entry);
        let early = self.plan_echo(world, key, plan);
        self.plan_receipts(key, order);
        self.beat();
        Some(Sent { chat_id, message_id, early })
    }

    /// The beginnings of an entry about a chat.
    pub(super) fn entry(
        &self,
        world: &World,
        chat: ChatKey,
        route: Route,
        plan: &Plan,
    ) -> Option<Accepted> {
        Some(Accepted {
            number: 0,
            route,
            account_id: Some(world.account_of(chat)?.id.to_string()),
            chat_id: Some(world.chat(chat)?.id.to_string()),
            message_id: None,
            text: None,
            files: 0,
            at: self.clock.now(),
            faults: plan.struck.iter().map(|&name| name.to_owned()).collect(),
        })
    }

    fn content(&self, world: &mut World, new: &NewMessage) -> Content {
        if let Some(content) = &new.forwarded {
            return content.clone();
        }
        if new.files.is_empty() {
            return Content::Text(new.text.clone().unwrap_or_default());
        }
        let most = self.behaviour().files_kept;
        let attachments = new.files.iter().map(|file| {
            let id = world.ids().attachment();
            self.uploads.keep(Arc::clone(&id), file.bytes.clone(), most);
            Attachment {
                id,
                media: file.media,
                bytes: file.bytes.len() as u64,
                name: file.name.clone().map(Cow::Owned),
                mimetype: Some(file.mimetype.as_str().into()),
                unavailable: false,
            }
        });
        Content::Media { attachments: attachments.collect(), caption: new.text.clone() }
    }

    /// Returns the webhook that the call has to wait for, if there is one.
    fn plan_echo(&self, world: &World, key: MessageKey, plan: &Plan) -> Option<Event> {
        let message = world.message(key)?;
        let sent = message.content.text().unwrap_or_default();
        let text = plan.altered.as_ref().map(|altered| altered.text(sent));
        let event = self.event(world, Change::Posted(key), message.sent_at, text.as_deref())?;
        let usual = self.fate(message.order).echo;
        let late = match plan.echo {
            Echo::Never => return None,
            Echo::Early => return Some(event),
            Echo::Late(by) => by,
            Echo::Usual | Echo::Twice => Duration::ZERO,
        };
        let due = Instant::now() + usual + late;
        if plan.echo == Echo::Twice {
            let again = Event { duplicate: true, ..event.clone() };
            self.agenda.add(due, Doing::Send(event));
            self.agenda.add(due, Doing::Send(again));
        } else {
            self.agenda.add(due, Doing::Send(event));
        }
        None
    }

    fn plan_receipts(&self, key: MessageKey, order: u64) {
        let fate = self.fate(order);
        let mut due = Instant::now() + fate.echo + fate.delivered;
        self.agenda.add(due, Doing::Receipt(key, Receipt::Delivered));
        let Some(read) = fate.read else { return };
        due += read;
        self.agenda.add(due, Doing::Receipt(key, Receipt::Read));
        if let Some(answer) = fate.answer {
            self.agenda.add(due + answer, Doing::Answer(key));
        }
    }

    /// Follows from the seed and the message's place, so that a run repeats whatever else goes on.
    fn fate(&self, order: u64) -> Fate {
        let behaviour = self.behaviour();
        let dice = &mut Dice::new(self.config.seed, purpose::FATE | order);
        let reads = dice.chance(behaviour.reads);
        let answers = dice.chance(behaviour.answers);
        Fate {
            echo: behaviour.echo_ms.draw(dice),
            delivered: behaviour.delivered_ms.draw(dice),
            read: reads.then(|| behaviour.read_ms.draw(dice)),
            answer: (reads && answers).then(|| behaviour.answer_ms.draw(dice)),
        }
    }
}

/// What becomes of a message, each counted from the thing before it.
struct Fate {
    echo: Duration,
    delivered: Duration,
    read: Option<Duration>,
    answer: Option<Duration>,
}
