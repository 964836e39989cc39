//! Chats that are started from here. Until UniPile names one it is provisional: it exists here only.

use super::book::{Book, Entry};
use super::command::Clerk;
use crate::outbox::{Refused, To};
use crate::rows::{ChatAlias, GoneChat, WorkKind};
use channel_domain::attendee::{Attendee, ClaimSource, Merged};
use channel_domain::chat::{Chat, ChatKind, Counterparty};
use channel_domain::direction::{self, Direction};
use channel_domain::fact::Received;
use channel_domain::ids::{ChatId, MessageId, UpstreamMessageId};
use channel_domain::send::{self, Job, Phase, Recipient, Request, is_provisional};
use channel_domain::time::{Micros, Stamp};

/// Anything that a fact says of the other party counts more than what a command assumed.
const ASSUMED: Stamp = Stamp { at: Micros(i64::MAX), inbox: i64::MAX };

/// How the message that turns up belongs to a chat that was started here.
pub(super) enum Started {
    /// It shows the name of the provisional chat with this key.
    Named(i64),
    /// The request of the message with this key decides.
    UnderWay(i64),
}

impl Clerk<'_> {
    /// The chat to write into, made if there is none, and what to ask of UniPile for it.
    pub(super) fn target(
        &mut self,
        to: &To,
        request: Request,
        instead_of: Option<MessageId>,
    ) -> Result<(i64, Request), Refused> {
        let key = match to {
            To::Chat(id) => *self.book.chat_keys.get(id).ok_or(Refused::ChatUnknown)?,
            To::People { recipients, subject, provisional } => {
                let people = self.people(recipients)?;
                if let Some(key) = self.chat_with(&people) {
                    key
                } else {
                    let start = starting(&people, subject.clone(), request)?;
                    return Ok((self.provisional(provisional, &people, subject.as_deref()), start));
                }
            }
        };
        let chat = &self.book.chats.get(&key).ok_or(Refused::ChatUnknown)?.row;
        if chat.read_only {
            return Err(Refused::ChatReadOnly);
        }
        if is_provisional(&chat.id) && !self.book.is_starting(key, instead_of) {
            return self.start_again(key, request).map(|request| (key, request));
        }
        Ok((key, into_chat(request)))
    }

    /// What started a chat in vain is done once more, with another message.
    fn start_again(&self, chat: i64, request: Request) -> Result<Request, Refused> {
        let of_chat = self.book.jobs.values().filter(|job| job.row.chat_key == chat);
        let last =
            of_chat.filter(|job| job.row.request.starts_a_chat()).max_by_key(|job| job.row.key);
        match last.map(|job| &job.row.request) {
            Some(Request::Start { people, subject, .. }) => {
                start(people.clone(), subject.clone(), request)
            }
            _ => Err(Refused::ChatNotStarted),
        }
    }

    /// The people as the account knows them; strangers get to be known.
    fn people(&mut self, recipients: &[Recipient]) -> Result<Vec<Attendee>, Refused> {
        let stamp = self.stamps.first().copied().unwrap_or_default();
        let mut people: Vec<Attendee> = Vec::new();
        for recipient in recipients {
            let person = match self.book.recipient(recipient) {
                Some(known) => known.clone(),
                None => self.stranger(recipient, stamp).ok_or(Refused::AttendeeUnknown)?,
            };
            if !people.iter().any(|known| is_same(known, &person)) {
                people.push(person);
            }
        }
        let alone = recipients.len() > 1 && people.len() == 1;
        if alone { Err(Refused::SamePerson) } else { Ok(people) }
    }

    fn stranger(&mut self, recipient: &Recipient, stamp: Stamp) -> Option<Attendee> {
        let person = recipient.stranger()?;
        let id = channel_domain::people::key(&person)?;
        self.book.person(&person, false, stamp, ClaimSource::Started);
        self.book.attendees.get(&id).map(|entry| entry.row.clone())
    }

    /// The chat of two with this person: a true one before a provisional one, then the latest.
    fn chat_with(&self, people: &[Attendee]) -> Option<i64> {
        let [person] = people else { return None };
        let others = self.book.attendees.values().map(|entry| &entry.row);
        let same: Vec<_> =
            others.filter(|other| is_same(other, person)).map(|other| other.key).collect();
        let theirs = self.book.chats.values().map(|entry| &entry.row).filter(|chat| {
            let other = chat.counterparty.as_ref().is_some_and(|it| same.contains(&it.key));
            other && chat.kind == ChatKind::Single
        });
        theirs.max_by_key(|chat| (!is_provisional(&chat.id), chat.order)).map(|chat| chat.key)
    }

    fn provisional(&mut self, id: &ChatId, people: &[Attendee], subject: Option<&str>) -> i64 {
        let mut chat = Chat::new(self.book.take_key(), id.clone());
        let key = chat.key;
        match people {
            [person] => {
                chat.counterparty = Some(Counterparty {
                    key: person.key,
                    id: person.id.clone(),
                    since: ASSUMED,
                    name: person.name().map(Into::into),
                    phone: person.phone().map(Into::into),
                    picture: person.picture.clone(),
                });
            }
            _ => chat.kind = ChatKind::Group,
        }
        // The least stamp: what UniPile says of the subject counts more.
        chat.subject = subject.map(|subject| (subject.to_owned(), Stamp::default()));
        self.book.chat_keys.insert(id.clone(), key);
        self.book.chats.insert(key, Entry::fresh(chat));
        self.book.touched.chats.push(key);
        key
    }
}

/// What is asked for where there is a chat already.
fn into_chat(request: Request) -> Request {
    match request {
        Request::Start { text, files, .. } => {
            Request::Message { text, files, quote: None, typing_ms: None }
        }
        request => request,
    }
}

/// A person may be known under several ids.
fn is_same(one: &Attendee, other: &Attendee) -> bool {
    let addresses = send::address(one).zip(send::address(other));
    one.person() == other.person() || addresses.is_some_and(|(one, other)| one == other)
}

fn starting(
    people: &[Attendee],
    subject: Option<String>,
    request: Request,
) -> Result<Request, Refused> {
    let people: Option<Vec<_>> = people.iter().map(send::address).collect();
    start(people.ok_or(Refused::Unreachable)?, subject, request)
}

fn start(
    people: Vec<String>,
    subject: Option<String>,
    request: Request,
) -> Result<Request, Refused> {
    match request {
        Request::Message { text, files, .. } | Request::Start { text, files, .. } => {
            Ok(Request::Start { people, subject, text, files })
        }
        Request::Forward { .. } => Err(Refused::ChatNotStarted),
    }
}

impl Book {
    /// Somebody whom the account knows. Of several, whom UniPile has named before whom a command assumed.
    fn recipient(&self, recipient: &Recipient) -> Option<&Attendee> {
        let known = self.attendees.values().map(|entry| &entry.row).filter(|it| recipient.is(it));
        known.min_by_key(|it| (it.id != *it.person(), it.id.is_made_here(), it.key))
    }

    /// Whether something starts this chat, or may have, or did; `but` a message that is to be replaced.
    pub(super) fn is_starting(&self, chat: i64, but: Option<MessageId>) -> bool {
        let starts = |job: &Job| job.chat_key == chat && job.is_starting() && Some(job.id) != but;
        self.jobs.values().any(|job| starts(&job.row))
    }

    /// Whether the chat of a message that waits may still get its name from one before it.
    pub(super) fn is_started_before(&self, waiting: &Job) -> bool {
        let starts = |job: &Job| job.chat_key == waiting.chat_key && job.key < waiting.key;
        self.jobs.values().any(|job| starts(&job.row) && job.row.is_starting())
    }

    /// UniPile took the first message of a provisional chat and did not name the chat.
    pub(super) fn ask_for_name(&mut self, chat: i64, message: &UpstreamMessageId) {
        if self.provisional(chat).is_some() {
            self.want(WorkKind::RefreshMessage, message.as_str());
        }
    }

    /// The chat with this key, if it exists only here.
    fn provisional(&self, key: i64) -> Option<&Chat> {
        self.chats.get(&key).map(|entry| &entry.row).filter(|chat| is_provisional(&chat.id))
    }

    /// Whether an own message that turns up belongs to a chat that was started here.
    pub(super) fn started(&self, fact: &Received) -> Option<Started> {
        if let Some(message) = self.message(&fact.message) {
            return self.provisional(message.chat_key).map(|chat| Started::Named(chat.key));
        }
        if direction::decide(fact) != Direction::Out {
            return None;
        }
        // Where the message does not tell, a chat that was here before is another one.
        let is_new = !self.chat_keys.contains_key(&fact.chat.id);
        let may_be = |job: &&Job| {
            self.provisional(job.chat_key).is_some()
                && send::started_with(job, fact).unwrap_or(is_new)
                && send::is_echo(job, fact)
        };
        let mut candidates: Vec<_> =
            self.jobs.values().map(|entry| &entry.row).filter(may_be).collect();
        candidates.sort_by_key(|job| job.key);
        let under_way = candidates.iter().find(|job| job.phase == Phase::Sending);
        under_way
            .map(|job| Started::UnderWay(job.key))
            .or_else(|| send::one_of(&candidates).map(|job| Started::Named(job.chat_key)))
    }

    /// UniPile named a provisional chat: it gets the name, or its messages go to the chat that has it.
    pub(super) fn settle_chat(&mut self, key: i64, id: &ChatId) {
        let Some(former) = self.provisional(key).map(|chat| chat.id.clone()) else { return };
        let known = self.chat_keys.get(id).copied().filter(|known| *known != key);
        let into = known.unwrap_or(key);
        if known.is_some() {
            self.join_chats(key, into);
        } else if let Some(entry) = self.chats.get_mut(&key) {
            entry.row.id = id.clone();
            entry.note(Merged::SHOWN);
        }
        self.chat_keys.insert(id.clone(), into);
        self.chat_keys.insert(former.clone(), into);
        self.aliases.push(ChatAlias { id: former.clone(), chat_key: into });
        self.touched.chats.push(into);
        self.touched.renamed.push((former, into));
        self.move_messages(key, into, id);
        self.want(WorkKind::FetchChat, id.as_str());
        let seen_at = self.chats.get(&into).map(|chat| chat.row.order.sent_at());
        self.want_picture_of_group(into, seen_at.unwrap_or_default());
    }

    /// A provisional chat goes; what the team said about it stays.
    fn join_chats(&mut self, key: i64, into: i64) {
        self.gone_chats.push(GoneChat { chat_key: key, into });
        let gone = self.chats.remove(&key);
        let (Some(gone), Some(entry)) = (gone, self.chats.get_mut(&into)) else { return };
        let chat = &mut entry.row;
        chat.own_name = chat.own_name.take().or(gone.row.own_name);
        chat.labels.extend(gone.row.labels);
        chat.labels.sort();
        chat.labels.dedup();
        entry.note(Merged::SHOWN);
    }

    fn move_messages(&mut self, key: i64, into: i64, id: &ChatId) {
        let mut moved: Vec<_> = self.jobs.values().map(|job| &job.row).collect();
        moved.retain(|job| job.chat_key == key);
        moved.sort_by_key(|job| job.key);
        let moved: Vec<_> = moved.into_iter().map(|job| job.key).collect();
        for message in moved {
            if let Some(job) = self.jobs.get_mut(&message) {
                (job.row.chat_key, job.row.chat) = (into, id.clone());
                if job.row.phase == Phase::Queued {
                    // It waited for the name.
                    job.row.next_at = Micros(0);
                }
                job.note(Merged::SHOWN);
                self.touched.jobs.push(message);
            }
            let Some(entry) = self.messages.get_mut(&message) else { continue };
            (entry.entry.row.chat_key, entry.entry.row.chat) = (into, id.clone());
            entry.entry.note(Merged::SHOWN);
            // Words are found within a chat by its key.
            entry.text |= key != into;
            self.touched.messages.push(message);
            if let Some(chat) = self.chats.get_mut(&into) {
                let merged = chat.row.merge_last(&entry.entry.row);
                chat.note(merged);
            }
        }
    }
}
