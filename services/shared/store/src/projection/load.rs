//! Finding out which rows a batch needs, and loading them: a fixed number of round trips whatever the
//! batch's size.

use super::book::Book;
use super::{forgotten, members, same};
use crate::error::StoreError;
use crate::rows::{Asked, ChatsWanted, JobsWanted, Known, Owned, Rows};
use channel_domain::attendee::Attendee;
use channel_domain::direction::{self, Direction};
use channel_domain::fact::{Fact, Person, ReceiptKind, Received};
use channel_domain::ids::{AttendeeId, ChatId};
use channel_domain::message::Message;
use channel_domain::people;
use channel_domain::send::{Recipient, is_provisional};
use channel_domain::time::{Micros, Stamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The facts of a batch with the accounts they are about.
pub(super) type Facts<'a> = [(i64, &'a Fact, Stamp)];

/// What the facts need to know before anything else.
pub(super) fn asked<'f>(facts: impl Iterator<Item = (i64, &'f Fact)>) -> Asked {
    let mut asked = Asked::default();
    for (account, fact) in facts {
        asked.messages.extend(fact.message().map(|id| (account, id.clone())));
        if let Fact::Received(fact) = fact {
            asked.parked.push((account, fact.message.clone()));
        }
        let named = persons(fact).filter_map(people::key);
        asked.attendees.extend(named.map(|id| (account, id)));
    }
    once(&mut asked.messages);
    once(&mut asked.parked);
    once(&mut asked.attendees);
    asked
}

/// Loads what the facts need into the books.
pub(super) async fn load<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    facts: &Facts<'_>,
    known: Known,
) -> Result<(), StoreError> {
    put_messages(books, known.messages);
    for parked in known.parked {
        if let Some(book) = books.get_mut(&parked.account_key) {
            book.parked.entry(parked.message.clone()).or_default().push(parked);
        }
    }
    put_attendees(books, known.attendees);
    forgotten::load(rows, books, facts).await?;
    let more = named_by_waiting(books);
    if !more.is_empty() {
        put_attendees(books, rows.attendees(&more).await?);
    }
    let described = facts.iter().flat_map(|(account, fact, stamp)| {
        let as_of = people_as_of(fact, *stamp);
        persons(fact).map(move |person| (*account, person, as_of))
    });
    let mut changed = same::changed(books, described);
    changed.extend(facts.iter().flat_map(|(account, fact, _)| same::mentioned(*account, fact)));
    for (account, book) in books.iter() {
        let waiting = book.parked.values().flatten();
        changed.extend(waiting.flat_map(|parked| same::mentioned(*account, &parked.fact)));
    }
    let same = same::put_same(rows, books, changed).await?;
    let mut owners = recognised(facts, books);
    if facts.iter().any(|(_, fact, _)| owner_of(fact).is_some()) {
        owners.extend(same);
        once(&mut owners);
    }
    if !owners.is_empty() {
        put_messages(books, rows.reacted_to(&owners).await?);
    }
    load_jobs(rows, books, facts).await?;
    let mut chats = ChatsWanted {
        ids: wanted_chats(facts, books),
        keys: chats_of_messages(books),
        counterparties: wanted_people(books),
    };
    chats.keys.extend(formerly(rows, books, &chats.ids).await?);
    for owned in rows.chats(&chats).await? {
        if let Some(book) = books.get_mut(&owned.account_key) {
            book.put_chat(owned.row);
        }
    }
    load_provisional(rows, books).await?;
    members::load(rows, books, facts).await?;
    load_unread(rows, books, facts).await
}

/// An own message that nobody knows may be one that was sent from here: those that may have left its chat.
async fn load_jobs<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    facts: &Facts<'_>,
) -> Result<(), StoreError> {
    let unknown = |account: &i64, fact: &Received| {
        let book = books.get(account);
        book.is_some_and(|book| book.has_sent && !book.message_keys.contains_key(&fact.message))
    };
    let own = facts.iter().filter_map(|(account, fact, _)| match fact {
        Fact::Received(fact) if direction::decide(fact) == Direction::Out => {
            unknown(account, fact).then(|| (*account, fact.chat.id.clone()))
        }
        _ => None,
    });
    let mut wanted = JobsWanted { chats: own.collect(), ..JobsWanted::default() };
    once(&mut wanted.chats);
    wanted.starts = wanted.chats.iter().map(|(account, _)| *account).collect();
    once(&mut wanted.starts);
    if wanted.chats.is_empty() {
        return Ok(());
    }
    put_jobs(rows, books, &wanted).await
}

/// The keys of chats that are asked for by an id that they had.
async fn formerly<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    ids: &[(i64, ChatId)],
) -> Result<Vec<(i64, i64)>, StoreError> {
    let former: Vec<_> = ids.iter().filter(|(_, id)| is_provisional(id)).cloned().collect();
    if former.is_empty() {
        return Ok(Vec::new());
    }
    let aliases = rows.aliases(&former).await?;
    for alias in &aliases {
        if let Some(book) = books.get_mut(&alias.account_key) {
            book.chat_keys.insert(alias.row.id.clone(), alias.row.chat_key);
        }
    }
    Ok(aliases.into_iter().map(|alias| (alias.account_key, alias.row.chat_key)).collect())
}

/// All messages of the provisional chats that are here: they have no others than those that were sent.
async fn load_provisional<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
) -> Result<(), StoreError> {
    let of = |(account, book): (&i64, &Book)| {
        let account = *account;
        let chats = book.chats.values().filter(|chat| is_provisional(&chat.row.id));
        chats.map(|chat| (account, chat.row.key)).collect::<Vec<_>>()
    };
    let all_of: Vec<_> = books.iter().flat_map(of).collect();
    if all_of.is_empty() {
        return Ok(());
    }
    put_jobs(rows, books, &JobsWanted { all_of, ..JobsWanted::default() }).await
}

/// Loads the people a chat is to be started with, as far as the account knows them.
pub(super) async fn put_recipients<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    recipients: &[Recipient],
) -> Result<(), StoreError> {
    let ids = recipients.iter().filter_map(|recipient| match recipient {
        Recipient::Attendee(id) => Some((key, id.clone())),
        _ => None,
    });
    put_attendees(books, rows.attendees(&ids.collect::<Vec<_>>()).await?);
    // Whom an id names may be known under another id too.
    let mut named: BTreeSet<_> = recipients.iter().flat_map(Recipient::identifiers).collect();
    if let Some(book) = books.get(&key) {
        let known = book.attendees.values().flat_map(|entry| entry.row.claims.all());
        let known = known.filter(|claim| claim.kind.identifies());
        named.extend(known.map(|claim| (claim.kind, claim.value.clone())));
    }
    let named: Vec<_> = named.into_iter().map(|(kind, value)| (key, kind, value)).collect();
    put_attendees(books, rows.named(&named).await?);
    // The others whom these are the same as.
    let known = books.get(&key).map(|book| book.attendees.values().map(|entry| &entry.row));
    let joining: BTreeSet<_> = known
        .into_iter()
        .flatten()
        .flat_map(|row| row.claims.joining())
        .map(|(kind, value)| (key, kind, value.to_owned()))
        .collect();
    same::put_same(rows, books, joining).await?;
    if let Some(book) = books.get_mut(&key) {
        book.wanted_people = book.attendees.values().map(|entry| entry.row.key).collect();
    }
    Ok(())
}

/// Loads messages of the outbox, with the messages themselves.
pub(super) async fn put_jobs<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    wanted: &JobsWanted,
) -> Result<(), StoreError> {
    let jobs = rows.jobs(wanted).await?;
    let ids: Vec<_> = jobs.iter().map(|job| (job.account_key, job.row.id)).collect();
    for job in jobs {
        if let Some(book) = books.get_mut(&job.account_key) {
            book.put_job(job.row);
        }
    }
    if !ids.is_empty() {
        put_messages(books, rows.messages_by_id(&ids).await?);
    }
    Ok(())
}

pub(super) fn put_messages(books: &mut BTreeMap<i64, Book>, messages: Vec<Owned<Message>>) {
    for owned in messages {
        if let Some(book) = books.get_mut(&owned.account_key) {
            book.put_message(owned.row);
        }
    }
}

pub(super) fn put_attendees(books: &mut BTreeMap<i64, Book>, attendees: Vec<Owned<Attendee>>) {
    for owned in attendees {
        if let Some(book) = books.get_mut(&owned.account_key) {
            book.put_attendee(owned.row);
        }
    }
}

fn wanted_chats(facts: &Facts<'_>, books: &BTreeMap<i64, Book>) -> Vec<(i64, ChatId)> {
    let own = |(key, book): (&i64, &Book)| {
        let key = *key;
        book.wanted_chats.clone().into_iter().map(move |id| (key, id))
    };
    let received = facts.iter().filter_map(|(account, fact, _)| match fact {
        Fact::Received(fact) => Some((*account, fact.chat.id.clone())),
        _ => None,
    });
    let mut chats: Vec<_> = received.chain(books.iter().flat_map(own)).collect();
    once(&mut chats);
    chats
}

pub(super) fn once<T: Ord>(items: &mut Vec<T>) {
    items.sort_unstable();
    items.dedup();
}

pub(super) fn persons(fact: &Fact) -> Box<dyn Iterator<Item = &Person> + '_> {
    match fact {
        Fact::Received(fact) => Box::new(fact.sender.iter().chain(&fact.attendees)),
        Fact::Reacted(fact) => Box::new(std::iter::once(&fact.actor)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Those whom only the facts name that wait for their messages.
fn named_by_waiting(books: &BTreeMap<i64, Book>) -> Vec<(i64, AttendeeId)> {
    let mut ids = Vec::new();
    for (account, book) in books {
        let named = book.parked.values().flatten().flat_map(|parked| persons(&parked.fact));
        let unknown = named.filter_map(people::key).filter(|id| !book.attendees.contains_key(id));
        ids.extend(unknown.map(|id| (*account, id)));
    }
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

fn people_as_of(fact: &Fact, stamp: Stamp) -> Stamp {
    match fact {
        Fact::Received(fact) => fact.people_as_of(stamp),
        _ => stamp,
    }
}

/// People who get another name or number, perhaps: their chats get another title.
fn wanted_people(books: &BTreeMap<i64, Book>) -> Vec<(i64, i64)> {
    let of = |(account, book): (&i64, &Book)| {
        let account = *account;
        book.wanted_people.iter().map(move |key| (account, *key)).collect::<Vec<_>>()
    };
    let mut keys: Vec<_> = books.iter().flat_map(of).collect();
    once(&mut keys);
    keys
}

/// Whom a fact shows to be the account's owner.
fn owner_of(fact: &Fact) -> Option<&Person> {
    match fact {
        Fact::Received(fact) => people::cast(fact, direction::decide(fact)).owner,
        Fact::Reacted(fact) => {
            Some(&fact.actor).filter(|actor| people::is_self(actor, &fact.owner))
        }
        _ => None,
    }
}

/// People who are known, and whom only these facts show to be the account's owner.
fn recognised(facts: &Facts<'_>, books: &BTreeMap<i64, Book>) -> Vec<(i64, i64)> {
    let mut keys = BTreeSet::new();
    for (account, fact, _) in facts {
        let book = books.get(account);
        let known = owner_of(fact).and_then(people::key).and_then(|id| book?.attendees.get(&id));
        keys.extend(
            known.filter(|entry| !entry.row.is_self).map(|entry| (*account, entry.row.key)),
        );
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
        let chats = book.chats.values().map(|entry| &entry.row).filter(|chat| chat.unread > 0);
        wanted.extend(chats.map(|chat| (*account, chat.key, chat.read_up_to)));
    }
    put_unread(rows, books, &wanted).await
}

/// Loads the times of unread messages of chats, from a marker on.
pub(super) async fn put_unread<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    wanted: &[(i64, i64, Micros)],
) -> Result<(), StoreError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut times: HashMap<(i64, i64), Vec<_>> =
        wanted.iter().map(|(account, chat, _)| ((*account, *chat), vec![])).collect();
    for (account, chat, at) in rows.unread(wanted).await? {
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
    let own = |fact: &Received| direction::decide(fact) == Direction::Out;
    match fact {
        Fact::Received(fact) => {
            let waiting = book.parked.contains_key(&fact.message);
            waiting || own(fact) || book.message_keys.contains_key(&fact.message)
        }
        Fact::Receipt(fact) => fact.kind == ReceiptKind::Read,
        Fact::Deleted(_) => true,
        Fact::Edited(_) | Fact::Reacted(_) | Fact::Status(_) => false,
    }
}
