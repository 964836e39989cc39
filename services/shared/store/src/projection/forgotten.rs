//! Keeping the past of the erased out: what is told late, or read in from history, of before the erasure.
//!
//! What they do after it makes them new.

use super::book::Book;
use super::engine::Unit;
use super::erase::{ERASED_ACCOUNTS, MARKS};
use super::load::{Facts, persons};
use crate::erase::{Shelf, Statement, mark, names_of};
use crate::error::StoreError;
use channel_domain::fact::{Fact, Person, Quoted, Reacted, Received};
use channel_domain::ids::{AccountId, ChatId};
use channel_domain::people;
use channel_domain::time::{Micros, Stamp};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The reason of a payload that told of the erased only; its body is not kept.
pub(super) const ERASED: &str = "ERASED";
/// The reason of a payload about an account that was erased; its body is not kept.
pub(super) const ACCOUNT_ERASED: &str = "ACCOUNT_ERASED";

/// What of an account was erased and may not come back, as far as it is at hand.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    /// There is something.
    is_any: bool,
    /// Digests, and up to when nothing of what they are of comes back.
    marks: HashMap<String, Micros>,
    /// The present unit was about the erased, and said nothing to be kept.
    pub is_met: bool,
}

impl Forgotten {
    pub(super) fn new(is_any: bool) -> Self {
        Self { is_any, ..Self::default() }
    }
}

/// Which of the accounts that nobody knows were erased.
pub(super) async fn erased_accounts<R: Shelf + ?Sized>(
    rows: &mut R,
    units: &[Unit],
    books: &BTreeMap<i64, Book>,
) -> Result<HashSet<AccountId>, StoreError> {
    let known: HashSet<_> = books.values().map(|book| &book.account.row.id).collect();
    let accounts = units.iter().filter_map(Unit::account).filter(|id| !known.contains(id));
    let unknown: Vec<_> = accounts.map(ToString::to_string).collect();
    if unknown.is_empty() {
        return Ok(HashSet::new());
    }
    let erased = rows.look(Statement::of(0, ERASED_ACCOUNTS).texts(unknown)).await?;
    Ok(erased.into_iter().filter_map(|row| row.text).map(AccountId::from).collect())
}

/// Loads the marks that facts may meet, in accounts that have any.
pub(super) async fn load<R: Shelf + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    facts: &Facts<'_>,
) -> Result<(), StoreError> {
    for (key, book) in books.iter_mut().filter(|(_, book)| book.forgotten.is_any) {
        let own = facts.iter().filter(|(account, ..)| account == key);
        let names: Vec<_> = own.flat_map(|(_, fact, _)| named(fact)).collect();
        book.load_marks(rows, names).await?;
    }
    Ok(())
}

/// Loads the marks that chats and people of a list may meet.
pub(super) async fn load_listed<R: Shelf + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    key: i64,
    persons: &[&Person],
    chats: &[ChatId],
) -> Result<(), StoreError> {
    let Some(book) = books.get_mut(&key).filter(|book| book.forgotten.is_any) else {
        return Ok(());
    };
    let names = persons.iter().flat_map(|person| names_of(person));
    let names = names.chain(chats.iter().map(ToString::to_string)).collect();
    book.load_marks(rows, names).await
}

/// Everything in a fact that may name the erased.
fn named(fact: &Fact) -> Vec<String> {
    let mut names: Vec<_> = persons(fact).flat_map(names_of).collect();
    if let Fact::Received(fact) = fact {
        names.push(fact.chat.id.to_string());
        names.extend(author(fact.quoted.as_ref()));
    }
    names
}

/// Whom a quote names as its author.
fn author(quoted: Option<&Quoted>) -> Option<String> {
    let sender = quoted?.sender_id.as_deref()?;
    Some(channel_domain::jid::bare(sender))
}

impl Book {
    async fn load_marks<R: Shelf + ?Sized>(
        &mut self,
        rows: &mut R,
        names: Vec<String>,
    ) -> Result<(), StoreError> {
        let account = &self.account.row.id;
        let digests: HashSet<_> = names.iter().map(|name| mark(account, name)).collect();
        if digests.is_empty() {
            return Ok(());
        }
        let digests: Vec<_> = digests.into_iter().collect();
        let found = rows.look(Statement::of(self.key(), MARKS).texts(digests)).await?;
        let marks = found.into_iter().filter_map(|row| Some((row.text?, Micros(row.key))));
        self.forgotten.marks.extend(marks);
        Ok(())
    }

    /// Up to when what has this name was erased.
    pub(super) fn erased_up_to(&self, name: &str) -> Option<Micros> {
        if self.forgotten.marks.is_empty() {
            return None;
        }
        self.forgotten.marks.get(&mark(&self.account.row.id, name)).copied()
    }

    /// Up to when a person was erased.
    pub(super) fn person_erased_up_to(&self, person: &Person) -> Option<Micros> {
        if self.forgotten.marks.is_empty() {
            return None;
        }
        names_of(person).filter_map(|name| self.erased_up_to(&name)).max()
    }

    /// Whether a person was erased, and nothing was heard of them since.
    pub(super) fn is_forgotten(&self, person: &Person) -> bool {
        let is_here = || people::key(person).is_some_and(|id| self.attendees.contains_key(&id));
        self.person_erased_up_to(person).is_some() && !is_here()
    }

    /// A fact without what it says of the past of the erased; `None`: it says nothing else.
    pub(super) fn without_erased<'f>(
        &mut self,
        fact: &'f Fact,
        stamp: Stamp,
    ) -> Option<Cow<'f, Fact>> {
        let left = match fact {
            _ if self.forgotten.marks.is_empty() => Some(Cow::Borrowed(fact)),
            Fact::Received(received) => self.message_without_erased(fact, received, stamp),
            Fact::Reacted(reacted) => {
                (!self.is_past(reacted, stamp)).then_some(Cow::Borrowed(fact))
            }
            _ => Some(Cow::Borrowed(fact)),
        };
        self.forgotten.is_met |= left.is_none();
        left
    }

    fn message_without_erased<'f>(
        &self,
        fact: &'f Fact,
        received: &Received,
        stamp: Stamp,
    ) -> Option<Cow<'f, Fact>> {
        let sent_at = received.sent_at.unwrap_or(stamp.at);
        let is_past = |up_to: Option<Micros>| up_to.is_some_and(|up_to| sent_at <= up_to);
        let past = |person: &Person| is_past(self.person_erased_up_to(person));
        let author = author(received.quoted.as_ref());
        let quotes = is_past(author.and_then(|author| self.erased_up_to(&author)));
        if is_past(self.erased_up_to(received.chat.id.as_str()))
            || received.sender.as_ref().is_some_and(past)
        {
            return None;
        }
        if !quotes && !received.attendees.iter().any(past) {
            return Some(Cow::Borrowed(fact));
        }
        let mut left = received.clone();
        left.attendees.retain(|person| !past(person));
        if quotes {
            left.quoted = None;
        }
        Some(Cow::Owned(Fact::Received(Box::new(left))))
    }

    /// Nobody tells when a reaction was given: what is read from UniPile counts as of its message's time.
    fn is_past(&self, reacted: &Reacted, stamp: Stamp) -> bool {
        let Some(up_to) = self.person_erased_up_to(&reacted.actor) else { return false };
        let is_read = self.is_asked || self.reading.is_some();
        let sent_at = self.message(&reacted.message).map(|message| message.sent_at);
        stamp.at <= up_to || is_read && sent_at.is_none_or(|at| at <= up_to)
    }
}
