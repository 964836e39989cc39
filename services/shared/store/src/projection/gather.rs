//! Loading what a command needs.

use super::book::{Book, Entry};
use super::load;
use crate::error::StoreError;
use crate::media::FetchRow;
use crate::outbox::{ActEnd, Command, Submit, To};
use crate::rows::{Asked, Desk, Held, JobsWanted, Rows};
use channel_domain::fact::Fact;
use channel_domain::ids::{ChatId, MessageId, UpstreamMessageId};
use channel_domain::picture::Subject;
use channel_domain::send::{Before, Recipient, Request, Verdict};
use channel_domain::time::{Micros, Stamp};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What was loaded beside the book.
pub(super) struct Known {
    pub(super) desk: Desk,
    pub(super) held: Vec<Held>,
    pub(super) stamps: Vec<Stamp>,
    pub(super) fetch: Option<FetchRow>,
}

/// Loads what a command needs, in a fixed number of round trips.
pub(super) async fn gather<R: Rows + ?Sized>(
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
    let acts: Vec<_> = act_of(command).map(|id| (key, id)).into_iter().collect();
    if !acts.is_empty() {
        for action in rows.actions(&acts).await? {
            if let Some(book) = books.get_mut(&action.account_key) {
                book.actions.insert(action.row.key, Entry::known(action.row));
            }
        }
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
        Command::Submit(_) | Command::Act(_) => rows.desk(key).await?,
        Command::Begin(_) | Command::Finish { .. } => {
            Desk { pacing: rows.pacing(key).await?, ..Desk::default() }
        }
        _ => Desk::default(),
    };
    let told: Vec<&Fact> = match command {
        Command::Learn(facts) => facts.iter().collect(),
        _ => held.iter().map(|held| &held.fact.fact).collect(),
    };
    let fetch = match command {
        Command::EndFetch(end) => rows.fetch_row(key, &end.file).await?,
        Command::EndLook(end) => rows.picture_row(key, end.key).await?,
        _ => None,
    };
    let asked = asked(key, command, &told);
    put_people(rows, books, key, command).await?;
    let known = rows.look_up(&asked, now).await?;
    let stamps: Vec<_> =
        known.inbox_ids.iter().map(|inbox| Stamp { at: now, inbox: *inbox }).collect();
    if let Some(book) = books.get_mut(&key) {
        book.wanted_chats.extend(chat_of(command, book));
    }
    let stamped = told.into_iter().zip(&stamps);
    let facts: Vec<_> = stamped.map(|(fact, stamp)| (key, fact, *stamp)).collect();
    load::load(rows, books, &facts, known).await?;
    if let Some((chat, since)) = books.get(&key).and_then(|book| unread_again(book, command)) {
        load::put_unread(rows, books, &[(key, chat, since)]).await?;
    }
    Ok(Known { desk, held, stamps, fetch })
}

/// Loads whom a command names.
async fn put_people<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    command: &Command,
) -> Result<(), StoreError> {
    match command {
        Command::Submit(Submit { to: To::People { recipients, .. }, .. }) => {
            load::put_recipients(rows, books, key, recipients).await
        }
        Command::Person(change) => {
            let ids = change.ids().into_iter().map(|id| Recipient::Attendee(id.clone()));
            load::put_recipients(rows, books, key, &ids.collect::<Vec<_>>()).await?;
            let tied: Vec<_> = books.get(&key).map(tied_to_the_owner).unwrap_or_default();
            load::put_messages(books, rows.reacted_to(&tied).await?);
            Ok(())
        }
        Command::EndLook(end) => match &end.of {
            Subject::Attendee(id) => {
                let id = [Recipient::Attendee(id.clone())];
                load::put_recipients(rows, books, key, &id).await
            }
            Subject::Chat(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Those who are the account's owner only because they are the same person as somebody else.
fn tied_to_the_owner(book: &Book) -> Vec<(i64, i64)> {
    let people = book.attendees.values().map(|entry| &entry.row);
    people.filter(|it| it.is_self && !it.was_self()).map(|it| (book.key(), it.key)).collect()
}

/// What the facts, and the messages that the command names by UniPile's id, need to know first.
fn asked(key: i64, command: &Command, told: &[&Fact]) -> Asked {
    let mut asked = load::asked(told.iter().map(|fact| (key, *fact)));
    // Each fact has a stamp of its own, as each webhook has.
    asked.inbox_ids = told.len().max(1);
    if let Some(id) = accepted(command) {
        asked.messages.push((key, id.clone()));
        asked.parked.push((key, id.clone()));
        load::once(&mut asked.messages);
        load::once(&mut asked.parked);
    }
    let file = match command {
        Command::EndFetch(end) => Some(&end.file),
        Command::ShowThumbnail(shown) => Some(&shown.file),
        _ => None,
    };
    asked.messages.extend(file.map(|file| (key, file.message.clone())));
    asked
}

/// The messages of the outbox that a command is about.
pub(super) fn jobs_of(command: &Command) -> Vec<MessageId> {
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
        Command::Learn(_)
        | Command::LearnAccount(_)
        | Command::CallAccount(..)
        | Command::LearnChat(_)
        | Command::Act(_)
        | Command::BeginAct(_)
        | Command::EndAct { .. }
        | Command::EndFetch(_)
        | Command::ShowThumbnail(_)
        | Command::Person(_)
        | Command::EndLook(_)
        | Command::Describe { .. } => vec![],
    }
}

/// The action that a command is about.
const fn act_of(command: &Command) -> Option<Uuid> {
    match command {
        Command::Act(acting) => Some(acting.id),
        Command::BeginAct(id) | Command::EndAct { id, .. } => Some(*id),
        _ => None,
    }
}

/// The chat that is not read after all, and up to where it was.
fn unread_again(book: &Book, command: &Command) -> Option<(i64, Micros)> {
    let Command::EndAct { id, end: ActEnd::Refused(_), .. } = command else { return None };
    let action = book.action(*id)?;
    match action.before {
        Before::ReadUpTo { from, .. } => Some((action.chat_key, from)),
        _ => None,
    }
}

/// The chat that a command names.
fn chat_of(command: &Command, book: &Book) -> Option<ChatId> {
    match command {
        Command::Submit(submit) => match &submit.to {
            To::Chat(chat) => Some(chat.clone()),
            To::People { .. } => None,
        },
        Command::Finish { verdict: Verdict::Accepted { chat, .. }, .. } => chat.clone(),
        Command::Describe { chat, .. } => Some(chat.clone()),
        Command::LearnChat(news) => Some(news.claim.id.clone()),
        Command::Act(acting) => acting.act.chat().cloned(),
        Command::BeginAct(id) | Command::EndAct { id, .. } => book.action(*id)?.act.chat().cloned(),
        Command::EndLook(end) => match &end.of {
            Subject::Chat(id) => Some(id.clone()),
            Subject::Attendee(_) => None,
        },
        _ => None,
    }
}

/// The message that is answered, forwarded or acted on.
pub(super) fn about_of(book: &Book, command: &Command) -> Option<MessageId> {
    let request = match command {
        Command::Act(acting) => return acting.act.message(),
        Command::BeginAct(id) | Command::EndAct { id, .. } => {
            return book.action(*id)?.act.message();
        }
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
