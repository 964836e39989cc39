//! Loading those who may turn out to be the same person as somebody whom facts describe.

use super::book::Book;
use super::load::put_attendees;
use crate::error::StoreError;
use crate::rows::Rows;
use channel_domain::attendee::{Attendee, ClaimKind, ClaimSource, Claims, claims_of};
use channel_domain::fact::{Fact, Person};
use channel_domain::mentions;
use channel_domain::people;
use channel_domain::time::Stamp;
use std::collections::{BTreeMap, BTreeSet};

/// How often it is looked for those whom the ones found before have something in common with.
const ROUNDS: usize = 4;

/// An identifier of an account that may join people.
pub(super) type Joining = (i64, ClaimKind, String);

/// The identifiers of those of whom something is said that is news. Those whose name or number may change are
/// noted in their books.
pub(super) fn changed<'f>(
    books: &mut BTreeMap<i64, Book>,
    described: impl Iterator<Item = (i64, &'f Person, Stamp)>,
) -> BTreeSet<Joining> {
    let mut joining = BTreeSet::new();
    for (account, person, as_of) in described {
        let Some(book) = books.get_mut(&account) else { continue };
        let known = people::key(person).and_then(|id| book.attendees.get(&id));
        let known = known.map(|entry| &entry.row);
        let Some(claims) = news(known, person, as_of) else { continue };
        if let Some(known) = known
            && is_renamed(known, &claims)
        {
            book.wanted_people.push(known.key);
        }
        let values = claims.joining().map(|(kind, value)| (account, kind, value.to_owned()));
        joining.extend(values);
    }
    joining
}

/// The identifiers of those who are named in the texts of a fact.
pub(super) fn mentioned(account: i64, fact: &Fact) -> Vec<Joining> {
    let texts = match fact {
        Fact::Received(fact) => {
            let quoted = fact.quoted.as_ref().and_then(|quoted| quoted.text.as_deref());
            [fact.text.as_deref(), quoted]
        }
        Fact::Edited(fact) => [fact.text.as_deref(), None],
        _ => return Vec::new(),
    };
    let named =
        texts.into_iter().flatten().flat_map(mentions::ids).filter_map(mentions::identifier);
    named.map(|(kind, value)| (account, kind, value)).collect()
}

/// What will be known of a person; `None` if that is known already.
fn news(known: Option<&Attendee>, person: &Person, as_of: Stamp) -> Option<Claims> {
    let mut claims = known.map(|known| known.claims.clone()).unwrap_or_default();
    let mut changed = false;
    for (kind, value) in claims_of(person) {
        changed |= claims.note(kind, &value, as_of, ClaimSource::Message);
    }
    changed.then_some(claims)
}

fn is_renamed(known: &Attendee, claims: &Claims) -> bool {
    let shown = [ClaimKind::Name, ClaimKind::Phone];
    shown.iter().any(|kind| claims.best(*kind) != known.claims.best(*kind))
}

/// Loads everybody who has one of these identifiers, or something in common with one of those. Returns who
/// was found, by their keys: their chats are wanted.
pub(super) async fn put_same<R: Rows + ?Sized>(
    rows: &mut R,
    books: &mut BTreeMap<i64, Book>,
    joining: BTreeSet<Joining>,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let (mut asked, mut next) = (joining.clone(), joining);
    let mut found = BTreeSet::new();
    for _ in 0..ROUNDS {
        if next.is_empty() {
            break;
        }
        let same = rows.named(&next.into_iter().collect::<Vec<_>>()).await?;
        next = BTreeSet::new();
        for person in &same {
            found.insert((person.account_key, person.row.key));
            let values = person.row.claims.joining();
            next.extend(values.map(|(kind, value)| (person.account_key, kind, value.to_owned())));
        }
        put_attendees(books, same);
        next.retain(|value| asked.insert(value.clone()));
    }
    for (account, key) in &found {
        if let Some(book) = books.get_mut(account) {
            book.wanted_people.push(*key);
        }
    }
    Ok(found.into_iter().collect())
}
