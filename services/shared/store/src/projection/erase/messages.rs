//! Erasing messages, and what others' messages have of the erased.

use super::contact::quotes;
use super::sql;
use crate::erase::{Erasure, Seen, Shelf, Statement, Step};
use crate::error::StoreError;
use crate::intake::Adoption;
use crate::log::Moved;
use crate::projection::book::Book;
use crate::projection::engine::close;
use crate::projection::load;
use crate::rows::{ChatsWanted, Rows, Writes};
use channel_domain::attendee::Merged;
use channel_domain::fact::Quoted;
use channel_domain::ids::{AccountId, MessageId};
use channel_domain::message::{Content, Message};
use channel_domain::time::Micros;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Others' messages keep everything but what they have of the erased: a quote, a reaction.
pub(super) async fn mentions<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    found: &[Seen],
    now: Micros,
) -> Result<Vec<Moved>, StoreError> {
    let account = erasure.account.clone();
    let Some(work) = &mut erasure.work else { return Ok(vec![]) };
    let mut moved = Vec::new();
    if let (Some(first), Some(last)) = (found.first(), found.last()) {
        // Who quotes without naming anybody is found in the log by the message itself.
        let unnamed = found.iter().filter(|row| row.number == 5).filter_map(id);
        work.needles.extend(unnamed.map(|id| id.to_string()));
        let reactions = Statement::of(work.account, sql::REACTIONS).keys(work.keys.clone());
        rows.run(reactions.between(first.key, last.key + 1)).await?;
        let said =
            |row: &Seen| row.number == 5 || row.text.as_deref().is_some_and(|it| quotes(work, it));
        let quoting: Vec<_> = found.iter().filter(|row| said(row)).map(|row| row.key).collect();
        moved = change(rows, &account, found, now, |message| {
            if quoting.contains(&message.key) {
                blank_quote(message);
            }
        })
        .await?;
    }
    erasure.counts.mentions += found.len() as u64;
    if work.from > work.to {
        (work.step, work.from) = (Step::Messages, 1);
    }
    Ok(moved)
}

fn blank_quote(message: &mut Message) {
    if let Some(Quoted { sender_id, text, provider_id, message }) = &mut message.content.quoted {
        (*sender_id, *text, *provider_id, *message) = (None, None, None, None);
    }
}

/// Messages of the erased: those of their chats go, others become empty places.
pub(super) async fn theirs<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    found: &[Seen],
    now: Micros,
) -> Result<Vec<Moved>, StoreError> {
    let account = erasure.account.clone();
    let Some(work) = &mut erasure.work else { return Ok(vec![]) };
    let mut moved = Vec::new();
    if !found.is_empty() {
        let keys: Vec<i64> = found.iter().map(|row| row.key).collect();
        erasure.counts.payloads += gone(rows, work.account, &keys).await?;
        let of_chats = found.iter().filter(|row| row.number == 1).map(|row| row.key);
        let delete = Statement::of(work.account, sql::MESSAGES).keys(of_chats.collect::<Vec<_>>());
        rows.run(delete).await?;
        let others: Vec<_> = found.iter().filter(|row| row.number == 2).cloned().collect();
        moved = change(rows, &account, &others, now, |message| empty(message, now)).await?;
    }
    erasure.counts.messages += found.len() as u64;
    if work.from > work.to {
        (work.step, work.from) = (Step::Rest, 0);
    }
    Ok(moved)
}

/// What belongs to messages. Returns how many payloads that was.
pub(super) async fn gone<R: Shelf + ?Sized>(
    rows: &mut R,
    account: i64,
    keys: &[i64],
) -> Result<u64, StoreError> {
    rows.forget_words(account, keys).await?;
    let payloads = rows.run(Statement::of(account, sql::PAYLOADS_OF).keys(keys)).await?;
    for sql in sql::CHILDREN {
        rows.run(Statement::of(account, sql).keys(keys)).await?;
    }
    Ok(payloads)
}

/// A message without anything of whoever wrote it. Without its ids nothing that comes late finds it.
fn empty(message: &mut Message, now: Micros) {
    message.content = Content::default();
    (message.upstream_id, message.provider_id) = (None, None);
    (message.sender_key, message.sender) = (None, None);
    message.edit = None;
    message.reactions.clear();
    message.deleted_at = message.deleted_at.or(Some(now));
}

fn id(row: &Seen) -> Option<MessageId> {
    Some(MessageId(Uuid::from_slice(row.bytes.as_deref()?).ok()?))
}

/// Changes messages for everybody to see.
async fn change<R: Rows + ?Sized>(
    rows: &mut R,
    account: &AccountId,
    found: &[Seen],
    now: Micros,
    change: impl Fn(&mut Message),
) -> Result<Vec<Moved>, StoreError> {
    let opened = rows.open(std::slice::from_ref(account), &Adoption::Nobody, now).await?;
    let Some(open) = opened.into_iter().next().filter(|_| !found.is_empty()) else {
        return Ok(vec![]);
    };
    let key = open.account.key;
    let mut books = BTreeMap::from([(key, Book::new(open))]);
    let wanted: Vec<_> = found.iter().filter_map(id).map(|id| (key, id)).collect();
    load::put_messages(&mut books, rows.messages_by_id(&wanted).await?);
    load_chats(rows, &mut books, key).await?;
    let mut writes = Writes::default();
    if let Some(book) = books.get_mut(&key) {
        for row in found {
            book.change_by_key(row.key, |entry| {
                change(&mut entry.entry.row);
                entry.text = true;
                Merged::SHOWN
            });
        }
        book.end_unit(&mut writes.log, now, None);
    }
    let moved = close(books, &mut writes, true);
    rows.write(&writes).await?;
    Ok(moved)
}

/// The chats of the messages at hand, with what is unread in them.
async fn load_chats<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
) -> Result<(), StoreError> {
    let Some(book) = books.get_mut(&key) else { return Ok(()) };
    let mut keys: Vec<_> = book.messages.values().map(|it| it.entry.row.chat_key).collect();
    load::once(&mut keys);
    let keys = keys.into_iter().map(|chat| (key, chat)).collect();
    let chats = rows.chats(&ChatsWanted { keys, ..ChatsWanted::default() }).await?;
    let unread = chats.iter().map(|chat| (key, chat.row.key, chat.row.read_up_to));
    let unread: Vec<_> = unread.collect();
    for chat in chats {
        book.put_chat(chat.row);
    }
    load::put_unread(rows, books, &unread).await
}
