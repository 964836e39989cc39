//! Carrying a command out: the same locks, rows and log as for webhooks.

use super::book::{Book, Entry};
use super::engine::close;
use super::load;
use crate::error::StoreError;
use crate::intake::Adoption;
use crate::outbox::{
    Begun, Carried, Command, Done, Order, Refused, Rules, SlowDown, Submit, Written,
};
use crate::record::SendRecord;
use crate::rows::{Desk, Held, JobsWanted, Rows, Writes};
use channel_domain::direction::Direction;
use channel_domain::fact::{Fact, Quoted};
use channel_domain::ids::{MessageId, UpstreamMessageId};
use channel_domain::message::{Content, Message, Origin, Status};
use channel_domain::send::{Job, Phase, Request, Sending, Verdict};
use channel_domain::time::{Micros, Stamp};
use std::collections::BTreeMap;

/// Carries a command out. The caller commits.
///
/// # Errors
///
/// When a row could not be read or written; the caller must roll back.
pub async fn command<R: Rows + ?Sized>(rows: &mut R, order: Order) -> Result<Carried, StoreError> {
    let Order { account, command, rules, now, trace } = order;
    let opened = rows.open(std::slice::from_ref(&account), &Adoption::Nobody, now).await?;
    let Some(open) = opened.into_iter().next() else {
        return Ok((Done::Refused(Refused::AccountUnknown), vec![]));
    };
    let key = open.account.key;
    let mut books = BTreeMap::from([(key, Book::new(open))]);
    let Known { desk, held, stamps } = gather(rows, &mut books, key, &command, now).await?;
    let mut writes = Writes::default();
    let mut done = Done::Nothing;
    if let Some(book) = books.get_mut(&key) {
        let mut clerk = Clerk { book: &mut *book, desk, held, stamps, rules, now };
        let outcome = clerk.carry_out(command);
        book.end_unit(&mut writes.log, now, trace.as_deref());
        done = match outcome {
            Ok(Outcome::Written(key)) => written(book, key).map_or(Done::Nothing, Done::Sent),
            Ok(Outcome::Begun(begun)) => Done::Begun(begun),
            Ok(Outcome::NotBefore(at)) => Done::NotBefore(at),
            Ok(Outcome::Nothing) => Done::Nothing,
            Err(refused) => Done::Refused(refused),
        };
    }
    let moved = close(books, &mut writes);
    if !writes.changes_nothing() {
        rows.write(&writes).await?;
    }
    Ok((done, moved))
}

/// What was loaded beside the book.
struct Known {
    desk: Desk,
    held: Vec<Held>,
    stamps: Vec<Stamp>,
}

/// Loads what a command needs, in a fixed number of round trips.
async fn gather<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    command: &Command,
    now: Micros,
) -> Result<Known, StoreError> {
    let ids: Vec<_> = jobs_of(command).into_iter().map(|id| (key, id)).collect();
    if !ids.is_empty() {
        let wanted = JobsWanted { ids: ids.clone(), ..JobsWanted::default() };
        load::put_jobs(rows, books, &wanted).await?;
    }
    let mut about: Vec<_> = ids;
    about.extend(books.get(&key).and_then(|book| about_of(book, command)).map(|id| (key, id)));
    if !about.is_empty() {
        load::put_messages(books, rows.messages_by_id(&about).await?);
    }
    let held = match ending(books.get(&key), command) {
        Some(message) => rows.held(key, message).await?,
        None => vec![],
    };
    let desk = match command {
        Command::Submit(_) | Command::Begin(_) | Command::Finish { .. } => rows.desk(key).await?,
        _ => Desk::default(),
    };
    let told: Vec<&Fact> = match command {
        Command::Learn(facts) => facts.iter().collect(),
        _ => held.iter().map(|held| &held.fact.fact).collect(),
    };
    let mut asked = load::asked(told.iter().map(|fact| (key, *fact)));
    // Each fact has a stamp of its own, as each webhook has.
    asked.inbox_ids = told.len().max(1);
    if let Some(id) = accepted(command) {
        asked.messages.push((key, id.clone()));
        asked.parked.push((key, id.clone()));
        load::once(&mut asked.messages);
        load::once(&mut asked.parked);
    }
    let known = rows.look_up(&asked, now).await?;
    let stamps: Vec<_> =
        known.inbox_ids.iter().map(|inbox| Stamp { at: now, inbox: *inbox }).collect();
    if let (Command::Submit(submit), Some(book)) = (command, books.get_mut(&key)) {
        book.wanted_chats.push(submit.chat.clone());
    }
    let stamped = told.into_iter().zip(&stamps);
    let facts: Vec<_> = stamped.map(|(fact, stamp)| (key, fact, *stamp)).collect();
    load::load(rows, books, &facts, known).await?;
    Ok(Known { desk, held, stamps })
}

/// The messages of the outbox that a command is about.
fn jobs_of(command: &Command) -> Vec<MessageId> {
    match command {
        Command::Submit(submit) => {
            std::iter::once(submit.message).chain(submit.instead_of).collect()
        }
        Command::Begin(id)
        | Command::Renew(id, _)
        | Command::Abandon(id)
        | Command::Looked(id)
        | Command::LookAgain(id, _)
        | Command::Read(id)
        | Command::Cancel(id)
        | Command::Finish { message: id, .. }
        | Command::Discard { message: id, .. } => vec![*id],
        Command::Learn(_) => vec![],
    }
}

/// The message that is answered or forwarded.
fn about_of(book: &Book, command: &Command) -> Option<MessageId> {
    let request = match command {
        Command::Submit(submit) => &submit.request,
        Command::Begin(id) => &book.job(*id)?.request,
        _ => return None,
    };
    match request {
        Request::Message { quote, .. } => *quote,
        Request::Forward { message, .. } => Some(*message),
        Request::Start { .. } => None,
    }
}

/// The message whose request ends.
fn ending(book: Option<&Book>, command: &Command) -> Option<i64> {
    match command {
        Command::Finish { message: id, .. } | Command::Abandon(id) => Some(book?.job(*id)?.key),
        _ => None,
    }
}

fn accepted(command: &Command) -> Option<&UpstreamMessageId> {
    match command {
        Command::Finish { verdict: Verdict::Accepted { message, .. }, .. } => message.as_ref(),
        _ => None,
    }
}

fn written(book: &Book, key: i64) -> Option<Box<Written>> {
    let message = &book.messages.get(&key)?.entry.row;
    let job = &book.jobs.get(&key)?.row;
    let chat = book.chats.get(&message.chat_key).map(|chat| (&chat.row).into());
    let mut send = SendRecord::from(job);
    send.expected_wait = book.expected_wait.filter(|_| send.next_at.is_some());
    let (request, hash) = (job.request.clone(), job.hash);
    Some(Box::new(Written { message: message.into(), send, chat, request, hash }))
}

enum Outcome {
    Written(i64),
    Begun(Box<Begun>),
    NotBefore(Micros),
    Nothing,
}

/// Carries commands out on an open book.
struct Clerk<'b> {
    book: &'b mut Book,
    desk: Desk,
    held: Vec<Held>,
    /// One for each fact that is told, at least one.
    stamps: Vec<Stamp>,
    rules: Rules,
    now: Micros,
}

impl Clerk<'_> {
    fn carry_out(&mut self, command: Command) -> Result<Outcome, Refused> {
        if let Command::Learn(facts) = &command {
            for (fact, stamp) in facts.iter().zip(&self.stamps) {
                self.book.apply(fact, *stamp);
            }
            return Ok(Outcome::Nothing);
        }
        if let Command::Submit(submit) = command {
            return self.submit(submit);
        }
        let id = jobs_of(&command).first().copied();
        let job = id.and_then(|id| self.book.job(id)).ok_or(Refused::MessageUnknown)?.clone();
        let (now, limits) = (self.now, self.rules.limits);
        match command {
            Command::Begin(_) => return Ok(self.begin(&job)),
            Command::Renew(_, attempt) if job.is_under_way(attempt) => {
                self.book.step_unseen(job.key, |job| job.renew(now, &limits));
            }
            Command::Finish { attempt, verdict, slow_down, jitter, .. } => {
                self.finish(&job, attempt, &verdict, jitter);
                self.pace(&verdict, slow_down);
            }
            Command::Abandon(_) if job.phase == Phase::Sending && job.next_at <= now => {
                self.book.step(job.key, |job| job.abandoned(&limits));
                self.release(job.key);
            }
            Command::Looked(_) if job.phase == Phase::Uncertain && job.next_at <= now => {
                self.book.step(job.key, |job| job.not_found(now, &limits));
            }
            Command::LookAgain(_, wait) if job.phase == Phase::Uncertain => {
                self.book.step_unseen(job.key, |job| job.look_again(wait, now));
            }
            Command::Read(_) => return Ok(Outcome::Written(job.key)),
            Command::Cancel(_) => {
                let is_cancelled = matches!(job.phase, Phase::Queued | Phase::Cancelled);
                is_cancelled.then_some(()).ok_or(Refused::NotQueued)?;
                self.book.step(job.key, |job| job.cancel(now));
                return Ok(Outcome::Written(job.key));
            }
            Command::Discard { reason, .. } => {
                job.is_resolvable().then_some(()).ok_or(Refused::NotResolvable)?;
                self.book.step(job.key, |job| job.discard(reason, now));
                return Ok(Outcome::Written(job.key));
            }
            _ => {}
        }
        Ok(Outcome::Nothing)
    }

    // ---- from the client ------------------------------------------------------------------------

    fn submit(&mut self, submit: Submit) -> Result<Outcome, Refused> {
        if let Some(known) = self.book.job(submit.message) {
            let same = known.hash == submit.hash;
            return same.then_some(Outcome::Written(known.key)).ok_or(Refused::IdReused);
        }
        if self.book.message_by_id(submit.message).is_some() {
            return Err(Refused::IdReused);
        }
        let chat = self.book.chat_keys.get(&submit.chat).and_then(|key| self.book.chats.get(key));
        let chat = &chat.ok_or(Refused::ChatUnknown)?.row;
        if chat.read_only {
            return Err(Refused::ChatReadOnly);
        }
        let quoted = self.quoted(&submit.request, chat.key)?;
        if let Some(replaced) = submit.instead_of {
            let replaced = self.book.job(replaced).ok_or(Refused::MessageUnknown)?;
            replaced.is_resolvable().then_some(()).ok_or(Refused::NotResolvable)?;
        }
        let wait = self.room(submit.request.starts_a_chat())?;
        let (chat_key, chat) = (chat.key, chat.id.clone());
        let message = self.message(&submit, chat_key, quoted);
        if let Some(replaced) = submit.instead_of.and_then(|id| Some(self.book.job(id)?.key)) {
            let now = self.now;
            self.book.step(replaced, |job| job.discard("RESENT", now));
        }
        let key = message.key;
        let job = Job {
            key,
            id: submit.message,
            chat_key,
            chat,
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

    /// How long a message that is queued now is expected to wait, in microseconds, if there is room for it.
    fn room(&self, new_chat: bool) -> Result<i64, Refused> {
        let Desk { waiting, pacing, .. } = &self.desk;
        let wait = pacing.expected(*waiting, new_chat, &self.rules.pace, self.now);
        if *waiting >= self.rules.most_waiting {
            let soon = pacing.expected(1, false, &self.rules.pace, self.now);
            let soon = i64::try_from(soon.as_micros()).unwrap_or(i64::MAX);
            return Err(Refused::Full(Micros(self.now.0.saturating_add(soon))));
        }
        Ok(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    }

    fn message(&mut self, submit: &Submit, chat_key: i64, quoted: Option<Quoted>) -> Message {
        let owner = self.desk.owner.as_ref();
        let stamp = self.stamps.first().copied().unwrap_or_default();
        Message {
            key: self.book.take_key(),
            id: submit.message,
            upstream_id: None,
            provider_id: None,
            chat_key,
            chat: submit.chat.clone(),
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
            rev: 0,
        }
    }

    // ---- from whoever sends ---------------------------------------------------------------------

    fn begin(&mut self, job: &Job) -> Outcome {
        let Rules { pace, limits, .. } = self.rules;
        let now = self.now;
        if job.has_expired(now) {
            self.book.step(job.key, |job| job.expire(now));
            return Outcome::Nothing;
        }
        if !job.is_ready(now) {
            return Outcome::Nothing;
        }
        let new_chat = job.request.starts_a_chat();
        let earliest = self.desk.pacing.earliest(new_chat, &pace, now);
        if earliest > now {
            return Outcome::NotBefore(earliest);
        }
        self.desk.pacing.take(new_chat, &pace, now);
        self.book.pacing = Some(self.desk.pacing.clone());
        self.book.step(job.key, |job| job.begin(now, &limits));
        let about = about_of(self.book, &Command::Begin(job.id));
        let about = about.and_then(|id| self.book.message_by_id(id)?.upstream_id.clone());
        let begun = self.book.jobs.get(&job.key).map(|entry| entry.row.clone());
        begun.map_or(Outcome::Nothing, |job| Outcome::Begun(Box::new(Begun { job, about })))
    }

    fn finish(&mut self, job: &Job, attempt: u32, verdict: &Verdict, jitter: f64) {
        let (now, limits) = (self.now, self.rules.limits);
        if let Some(id) = sent_as(verdict) {
            // An id is the truth, even if it comes after others gave the request up.
            if job.attempts == attempt && job.phase.may_have_left() {
                self.book.accept(job.key, id);
                self.release(job.key);
            }
        } else if job.is_under_way(attempt) {
            self.book.step(job.key, |job| job.finish(verdict, jitter, now, &limits));
            self.release(job.key);
        }
    }

    fn release(&mut self, key: i64) {
        let held = std::mem::take(&mut self.held);
        self.book.release(key, held);
    }

    fn pace(&mut self, verdict: &Verdict, slow_down: Option<SlowDown>) {
        let before = self.desk.pacing.clone();
        match slow_down {
            Some(told) => {
                self.desk.pacing.slow_down(told.at_least, &self.rules.pace, self.now);
            }
            None if matches!(verdict, Verdict::Accepted { .. }) => self.desk.pacing.went_through(),
            None => {}
        }
        if self.desk.pacing != before {
            self.book.pacing = Some(self.desk.pacing.clone());
        }
    }
}

fn sent_as(verdict: &Verdict) -> Option<&UpstreamMessageId> {
    match verdict {
        Verdict::Accepted { message, .. } => message.as_ref(),
        _ => None,
    }
}

impl Book {
    pub(super) fn job(&self, id: MessageId) -> Option<&Job> {
        self.jobs.values().map(|entry: &Entry<Job>| &entry.row).find(|job| job.id == id)
    }

    pub(super) fn message_by_id(&self, id: MessageId) -> Option<&Message> {
        self.messages.values().map(|message| &message.entry.row).find(|row| row.id == id)
    }
}
