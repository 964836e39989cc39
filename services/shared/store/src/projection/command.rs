//! Carrying a command out: the same locks, rows and log as for webhooks.

use super::book::{Book, Entry};
use super::engine::close;
use super::gather::{Known, about_of, gather, jobs_of};
use crate::error::StoreError;
use crate::intake::Adoption;
use crate::media::{FetchEnd, FetchRow};
use crate::outbox::{
    AccountNews, ActBegun, Begun, Carried, Command, Done, Order, Refused, Rules, Shown, SlowDown,
    Written,
};
use crate::record::SendRecord;
use crate::rows::{Desk, Held, Rows, Writes};
use crate::thumbnails::ThumbnailShown;
use channel_domain::account::Source;
use channel_domain::fact::OwnerClaim;
use channel_domain::ids::{AttendeeId, MessageId, UpstreamMessageId};
use channel_domain::message::Message;
use channel_domain::send::{Attempt, Job, Phase, Verdict, is_provisional};
use channel_domain::time::{Micros, Stamp};
use std::collections::BTreeMap;

/// How long a message waits before it is looked whether its chat has got its name, in microseconds. The name
/// itself wakes it.
const UNTIL_NAMED: i64 = 30_000_000;

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
    let can_wait = command.can_wait();
    let mut books = BTreeMap::from([(key, Book::new(open))]);
    let Known { desk, held, stamps, fetch } = gather(rows, &mut books, key, &command, now).await?;
    let mut writes = Writes::default();
    let mut done = Done::Nothing;
    if let Some(book) = books.get_mut(&key) {
        let mut clerk = Clerk { book: &mut *book, desk, held, stamps, rules, now };
        let outcome = match clerk.carry_out(command, fetch) {
            Ok(outcome) => outcome,
            // What was made on the way is not kept.
            Err(refused) => return Ok((Done::Refused(refused), vec![])),
        };
        book.end_unit(&mut writes.log, now, trace.as_deref());
        done = match outcome {
            Outcome::Written(key) => written(book, key).map_or(Done::Nothing, Done::Sent),
            Outcome::Begun(begun) => Done::Begun(begun),
            Outcome::Shown { message, chat } => Done::Shown(Box::new(shown(book, message, chat))),
            Outcome::ActBegun(begun) => Done::ActBegun(begun),
            Outcome::NotBefore(at) => Done::NotBefore(at),
            Outcome::Person(id) => people_shown(book, &id),
            Outcome::Nothing => Done::Nothing,
        };
    }
    let moved = close(books, &mut writes, can_wait);
    if !writes.changes_nothing() {
        rows.write(&writes).await?;
    }
    Ok((done, moved))
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

/// What an action or a description shows.
fn shown(book: &Book, message: Option<i64>, chat: i64) -> Shown {
    let message = message.and_then(|key| book.messages.get(&key));
    Shown {
        message: message.map(|message| (&message.entry.row).into()),
        chat: book.chats.get(&chat).map(|chat| (&chat.row).into()),
    }
}

/// A person under all the ids that they have now, the one that was asked for first.
fn people_shown(book: &Book, id: &AttendeeId) -> Done {
    let Some(asked) = book.attendees.get(id).map(|entry| &entry.row) else { return Done::Nothing };
    let all = book.attendees.values().map(|entry| &entry.row);
    let mut others: Vec<_> =
        all.filter(|it| it.person() == asked.person() && it.id != asked.id).collect();
    others.sort_by(|one, other| one.id.cmp(&other.id));
    Done::Person(std::iter::once(asked).chain(others).map(Into::into).collect())
}

pub(super) enum Outcome {
    Written(i64),
    Shown { message: Option<i64>, chat: i64 },
    ActBegun(Box<ActBegun>),
    Begun(Box<Begun>),
    NotBefore(Micros),
    Person(AttendeeId),
    Nothing,
}

/// Carries commands out on an open book.
pub(super) struct Clerk<'b> {
    pub(super) book: &'b mut Book,
    pub(super) desk: Desk,
    held: Vec<Held>,
    /// One for each fact that is told, at least one.
    pub(super) stamps: Vec<Stamp>,
    pub(super) rules: Rules,
    pub(super) now: Micros,
}

impl Clerk<'_> {
    fn carry_out(&mut self, command: Command, fetch: Option<FetchRow>) -> Result<Outcome, Refused> {
        if let Command::Learn(facts) = &command {
            self.book.is_asked = true;
            for (fact, stamp) in facts.iter().zip(&self.stamps) {
                self.book.apply(fact, *stamp);
            }
            return Ok(Outcome::Nothing);
        }
        let command = match command {
            Command::Submit(submit) => return self.submit(submit),
            Command::Act(acting) => return self.act(acting),
            Command::BeginAct(id) => return Ok(self.begin_act(id)),
            Command::EndAct { id, end, jitter } => return Ok(self.end_act(id, &end, jitter)),
            Command::LearnAccount(news) => return Ok(self.learn_account(news)),
            Command::CallAccount(name, since) => return Ok(self.call_account(name, since)),
            Command::EndFetch(end) => return Ok(self.end_fetch(fetch, *end)),
            Command::ShowThumbnail(shown) => return Ok(self.show_thumbnail(*shown)),
            Command::EndLook(end) => return Ok(self.end_look(fetch, *end)),
            Command::LearnChat(news) => return Ok(self.learn_chat(&news)),
            Command::Person(change) => return self.change_person(change),
            Command::Describe { chat, name, labels } => return self.describe(&chat, name, labels),
            command => command,
        };
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

    /// A webhook that came after UniPile was asked is newer than the answer.
    fn end_fetch(&mut self, fetch: Option<FetchRow>, end: FetchEnd) -> Outcome {
        self.book.end_fetch(fetch, end);
        Outcome::Nothing
    }

    fn show_thumbnail(&mut self, shown: ThumbnailShown) -> Outcome {
        self.book.show_thumbnail(shown);
        Outcome::Nothing
    }

    fn call_account(&mut self, name: String, since: Micros) -> Outcome {
        let account = &mut self.book.account;
        let merged = account.row.call_new(name, since);
        account.note(merged);
        Outcome::Nothing
    }

    fn learn_account(&mut self, news: AccountNews) -> Outcome {
        let inbox = self.stamps.first().map_or(0, |stamp| stamp.inbox);
        let stamp = Stamp { at: news.asked_at, inbox };
        let account = &mut self.book.account;
        if let Some(status) = news.status {
            let merged = account.row.merge_status(status, stamp, Source::Api);
            account.note(merged);
        }
        let owner = OwnerClaim { phone: news.phone, user_id: None };
        let merged = account.row.merge_owner(&owner, stamp);
        account.note(merged);
        Outcome::Nothing
    }

    /// Whether the account is connected, as far as is known.
    pub(super) fn connected(&self) -> Result<(), Refused> {
        let (connection, _) = self.book.account.row.connection();
        connection.takes_messages().then_some(()).ok_or(Refused::AccountDisconnected)
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
        if self.waits_for_its_chat(job) {
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
        let account_key = self.book.key();
        let begun = begun.map(|job| Box::new(Begun { account_key, job, about }));
        begun.map_or(Outcome::Nothing, Outcome::Begun)
    }

    /// A message of a chat that is not there yet, or the one that starts it too early for another new chat. It
    /// is put off by itself: the account's other messages go on.
    fn waits_for_its_chat(&mut self, job: &Job) -> bool {
        let now = self.now;
        if job.request.starts_a_chat() {
            let earliest = self.desk.pacing.next_chat(&self.rules.pace, now);
            if earliest > now {
                self.book.step(job.key, |job| job.wait_until(earliest));
            }
            return earliest > now;
        }
        if !is_provisional(&job.chat) {
            return false;
        }
        if self.book.is_started_before(job) {
            self.book.step_unseen(job.key, |job| job.wait_until(Micros(now.0 + UNTIL_NAMED)));
        } else {
            let detail = "The chat could not be started. Send it again to start it.";
            self.book.step(job.key, |job| job.fail("CHAT_NOT_STARTED", detail, now));
        }
        true
    }

    fn finish(&mut self, job: &Job, attempt: u32, verdict: &Verdict, jitter: f64) {
        let (now, limits) = (self.now, self.rules.limits);
        if let Verdict::Accepted { chat: Some(chat), .. } = verdict
            && job.attempts == attempt
        {
            self.book.settle_chat(job.chat_key, chat);
        }
        self.give_back(job, attempt, verdict);
        if let Some(id) = sent_as(verdict) {
            // An id is the truth, even if it comes after others gave the request up.
            if job.attempts == attempt && job.phase.may_have_left() {
                self.book.accept(job.key, id);
                // Its chat has no name yet: the message tells it, should its echo be lost.
                self.book.ask_for_name(job.chat_key, id);
                self.release(job.key);
            }
        } else if job.is_under_way(attempt) {
            self.book.step(job.key, |job| job.finish(verdict, jitter, now, &limits));
            self.release(job.key);
        }
    }

    /// An outage uses up none of the day's new chats.
    fn give_back(&mut self, job: &Job, attempt: u32, verdict: &Verdict) {
        let away = matches!(verdict, Verdict::Refused(it) if matches!(it.attempt, Attempt::Whenever { .. }));
        if away && job.is_under_way(attempt) && job.request.starts_a_chat() {
            self.desk.pacing.give_back(job.started_at);
            self.book.pacing = Some(self.desk.pacing.clone());
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
