//! Finding out which rows a batch needs, and loading them: a fixed number of round trips whatever the
//! batch's size.

use super::book::Book;
use crate::error::StoreError;
use crate::rows::{ChatsWanted, Rows};
use channel_domain::attendee::{ClaimKind, claims_of};
use channel_domain::fact::{Fact, Person, ReceiptKind, Received};
use channel_domain::ids::{AttendeeId, ChatId, UpstreamMessageId};
use channel_domain::people;
use channel_domain::time::Stamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The facts of a batch with the accounts they are about.
pub(super) type Facts<'a> = [(i64, &'a Fact, Stamp)];

/// Loads what the facts need into the books.
pub(super) async fn load<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    facts: &Facts<'_>,
) -> Result<(), StoreError> {
    let wanted = wanted(facts);
    for owned in rows.messages(&wanted.messages).await? {
        if let Some(book) = books.get_mut(&owned.account_key) {
            book.put_message(owned.row);
        }
    }
    for parked in rows.parked(&wanted.received).await? {
        if let Some(book) = books.get_mut(&parked.account_key) {
            book.parked.entry(parked.message.clone()).or_default().push(parked);
        }
    }
    let people = people_of(facts, books);
    for owned in rows.attendees(&people).await? {
        if let Some(book) = books.get_mut(&owned.account_key) {
            let (id, row) = (owned.row.id.clone(), owned.row);
            book.attendees.entry(id).or_insert_with(|| super::book::Entry::known(row));
        }
    }
    let chats = ChatsWanted {
        ids: wanted.chats,
        keys: chats_of_messages(books),
        counterparties: renamed(facts, books),
    };
    for owned in rows.chats(&chats).await? {
        if let Some(book) = books.get_mut(&owned.account_key) {
            book.put_chat(owned.row);
        }
    }
    load_unread(rows, books, facts).await
}

#[derive(Default)]
struct Wanted {
    messages: Vec<(i64, UpstreamMessageId)>,
    received: Vec<(i64, UpstreamMessageId)>,
    chats: Vec<(i64, ChatId)>,
}

fn wanted(facts: &Facts<'_>) -> Wanted {
    let mut wanted = Wanted::default();
    for (account, fact, _) in facts {
        wanted.messages.extend(fact.message().map(|id| (*account, id.clone())));
        if let Fact::Received(fact) = fact {
            wanted.received.push((*account, fact.message.clone()));
            wanted.chats.push((*account, fact.chat.id.clone()));
        }
    }
    once(&mut wanted.messages);
    once(&mut wanted.received);
    once(&mut wanted.chats);
    wanted
}

fn once<T: Ord>(items: &mut Vec<T>) {
    items.sort_unstable();
    items.dedup();
}

fn persons(fact: &Fact) -> Box<dyn Iterator<Item = &Person> + '_> {
    match fact {
        Fact::Received(fact) => Box::new(fact.sender.iter().chain(&fact.attendees)),
        Fact::Reacted(fact) => Box::new(std::iter::once(&fact.actor)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Everybody whom the facts, or the facts that wait for their messages, name.
fn people_of(facts: &Facts<'_>, books: &BTreeMap<i64, Book>) -> Vec<(i64, AttendeeId)> {
    let named = facts.iter().map(|(account, fact, _)| (*account, *fact));
    let waiting = books.values().flat_map(|book| book.parked.values().flatten());
    let waiting = waiting.map(|parked| (parked.account_key, &parked.fact));
    let mut ids: Vec<_> = named
        .chain(waiting)
        .flat_map(|(account, fact)| persons(fact).map(move |person| (account, person)))
        .filter_map(|(account, person)| Some((account, people::key(person)?)))
        .collect();
    once(&mut ids);
    ids
}

fn chats_of_messages(books: &BTreeMap<i64, Book>) -> Vec<(i64, i64)> {
    let messages =
        |book: &Book| book.messages.values().map(|m| m.entry.row.chat_key).collect::<BTreeSet<_>>();
    books
        .iter()
        .flat_map(|(key, book)| messages(book).into_iter().map(|chat| (*key, chat)))
        .collect()
}

/// People who get another name or number: their chats get another title.
fn renamed(facts: &Facts<'_>, books: &BTreeMap<i64, Book>) -> Vec<(i64, i64)> {
    let mut keys = BTreeSet::new();
    for (account, fact, stamp) in facts {
        let Some(book) = books.get(account) else {
            continue;
        };
        let as_of = match fact {
            Fact::Received(fact) => fact.people_as_of(*stamp),
            _ => *stamp,
        };
        for person in persons(fact) {
            let known = people::key(person).and_then(|id| book.attendees.get(&id));
            let Some(known) = known.map(|entry| &entry.row) else {
                continue;
            };
            let mut claims = known.claims.clone();
            for (kind, value) in claims_of(person) {
                claims.note(kind, &value, as_of);
            }
            let shown = [ClaimKind::Name, ClaimKind::Phone];
            if shown.iter().any(|kind| claims.best(*kind) != known.claims.best(*kind)) {
                keys.insert((*account, known.key));
            }
        }
    }
    keys.into_iter().collect()
}

/// Loads unread times for chats with unread messages, in accounts where a fact may mark some as read.
async fn load_unread<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    facts: &Facts<'_>,
) -> Result<(), StoreError> {
    let marking: HashSet<i64> = facts
        .iter()
        .filter(|(account, fact, _)| books.get(account).is_some_and(|book| may_mark(book, fact)))
        .map(|(account, ..)| *account)
        .collect();
    let mut wanted = Vec::new();
    for (account, book) in books.iter().filter(|(account, _)| marking.contains(account)) {
        let chats = book.chats.values().filter(|entry| entry.row.unread > 0);
        wanted.extend(chats.map(|entry| (*account, entry.row.key)));
    }
    let mut times: HashMap<(i64, i64), Vec<_>> = wanted.iter().map(|key| (*key, vec![])).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    for (account, chat, at) in rows.unread(&wanted).await? {
        times.entry((account, chat)).or_default().push(at);
    }
    for ((account, chat), times) in times {
        if let Some(book) = books.get_mut(&account) {
            book.unread.insert(chat, times);
        }
    }
    Ok(())
}

fn may_mark(book: &Book, fact: &Fact) -> bool {
    let own = |fact: &Received| {
        channel_domain::direction::decide(fact) == channel_domain::direction::Direction::Out
    };
    match fact {
        Fact::Received(fact) => {
            let waiting = book.parked.contains_key(&fact.message);
            waiting || own(fact) || book.messages.contains_key(&fact.message)
        }
        Fact::Receipt(fact) => fact.kind == ReceiptKind::Read,
        Fact::Deleted(_) => true,
        Fact::Edited(_) | Fact::Reacted(_) | Fact::Status(_) => false,
    }
}
