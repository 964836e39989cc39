//! Taking a message into the outbox.

use super::command::{Clerk, Outcome};
use crate::outbox::{Refused, Submit};
use crate::rows::Desk;
use channel_domain::direction::Direction;
use channel_domain::fact::Quoted;
use channel_domain::ids::ChatId;
use channel_domain::message::{Content, Message, Origin, Status};
use channel_domain::send::{Ahead, Job, Phase, Request, Sending};
use channel_domain::time::Micros;

impl Clerk<'_> {
    pub(super) fn submit(&mut self, submit: Submit) -> Result<Outcome, Refused> {
        if let Some(known) = self.book.job(submit.message) {
            let same = known.hash == submit.hash;
            return same.then_some(Outcome::Written(known.key)).ok_or(Refused::IdReused);
        }
        if self.book.message_by_id(submit.message).is_some() {
            return Err(Refused::IdReused);
        }
        self.connected()?;
        let (chat_key, request) = self.target(&submit.to, submit.request, submit.instead_of)?;
        let chat_id = self.book.chats.get(&chat_key).ok_or(Refused::ChatUnknown)?.row.id.clone();
        let quoted = self.quoted(&request, chat_key)?;
        if let Some(replaced) = submit.instead_of {
            let replaced = self.book.job(replaced).ok_or(Refused::MessageUnknown)?;
            replaced.is_resolvable().then_some(()).ok_or(Refused::NotResolvable)?;
        }
        let wait = self.room(request.starts_a_chat())?;
        let submit = Submit { request: self.completed(request), ..submit };
        let message = self.message(&submit, (chat_key, chat_id.clone()), quoted);
        if let Some(replaced) = submit.instead_of.and_then(|id| Some(self.book.job(id)?.key)) {
            let now = self.now;
            self.book.step(replaced, |job| job.discard("RESENT", now));
        }
        let key = message.key;
        let job = Job {
            key,
            id: submit.message,
            chat_key,
            chat: chat_id,
            request: submit.request,
            hash: submit.hash,
            phase: Phase::Queued,
            attempts: 0,
            refusals: 0,
            probes: 0,
            next_at: self.now,
            expires_at: submit.expires_at,
            started_at: None,
            failure: None,
            rev: 0,
        };
        self.book.expected_wait = Some(wait);
        self.book.queue(message, job);
        Ok(Outcome::Written(key))
    }

    /// The message that is answered, as it was; the one that is forwarded must be there.
    fn quoted(&self, request: &Request, chat_key: i64) -> Result<Option<Quoted>, Refused> {
        let (id, same_chat) = match request {
            Request::Message { quote: Some(id), .. } => (*id, true),
            Request::Forward { message, .. } => (*message, false),
            _ => return Ok(None),
        };
        let message = self.book.message_by_id(id).ok_or(Refused::MessageUnknown)?;
        if message.deleted_at.is_some() {
            return Err(Refused::MessageDeleted);
        }
        if same_chat && message.chat_key != chat_key {
            return Err(Refused::MessageUnknown);
        }
        let upstream_id = message.upstream_id.clone().ok_or(Refused::MessageNotSent)?;
        Ok(same_chat.then(|| Quoted {
            provider_id: message.provider_id.clone(),
            message: Some(upstream_id),
            sender_id: None,
            text: message.text().map(ToOwned::to_owned),
        }))
    }

    /// What is forwarded is known by its contents.
    fn completed(&self, request: Request) -> Request {
        let Request::Forward { message, .. } = request else { return request };
        let source = self.book.message_by_id(message);
        Request::Forward {
            message,
            text: source.and_then(|source| source.text().map(ToOwned::to_owned)),
            files: source.map(|source| source.content.attachments.clone()).unwrap_or_default(),
        }
    }

    /// How long a message that is queued now is expected to wait, in microseconds, if there is room for it.
    fn room(&self, new_chat: bool) -> Result<i64, Refused> {
        let Desk { waiting, pacing, .. } = &self.desk;
        let wait = pacing.expected(*waiting, new_chat, &self.rules.pace, self.now);
        if new_chat {
            let room = pacing.room_for_chat(waiting.starts, &self.rules.pace, self.now);
            room.map_err(Refused::NewChatsExhausted)?;
        }
        if waiting.messages >= self.rules.most_waiting {
            let one = Ahead { messages: 1, starts: 0 };
            let soon = pacing.expected(one, false, &self.rules.pace, self.now);
            let soon = i64::try_from(soon.as_micros()).unwrap_or(i64::MAX);
            return Err(Refused::Full(Micros(self.now.0.saturating_add(soon))));
        }
        Ok(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    }

    fn message(
        &mut self,
        submit: &Submit,
        (chat_key, chat): (i64, ChatId),
        quoted: Option<Quoted>,
    ) -> Message {
        let owner = self.desk.owner.as_ref();
        let stamp = self.stamps.first().copied().unwrap_or_default();
        Message {
            key: self.book.take_key(),
            id: submit.message,
            upstream_id: None,
            provider_id: None,
            chat_key,
            chat,
            sender_key: owner.map(|owner| owner.key),
            sender: owner.map(|owner| owner.id.clone()),
            direction: Direction::Out,
            origin: Origin::Sent,
            content: Content {
                text: submit.request.text().map(ToOwned::to_owned),
                attachments: submit.request.files().to_vec(),
                forwarded: matches!(submit.request, Request::Forward { .. }),
                quoted,
                ..Content::default()
            },
            content_stamp: stamp,
            sent_at: self.now,
            arrived: stamp,
            status: Status::Pending,
            delivered: None,
            read: None,
            edit: None,
            deleted_at: None,
            reactions: Vec::new(),
            sending: Some(Sending::QUEUED),
            mentioned: Vec::new(),
            rev: 0,
        }
    }
}
