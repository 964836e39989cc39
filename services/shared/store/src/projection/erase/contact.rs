//! Erasing a contact: who is meant, what is looked for, and what nobody is told of.

use super::{LOOKS, ROWS, TEXTS, WINDOW, sql};
use crate::erase::{Erasure, Erasures, Seen, Shelf, Statement, Step, Work, mark, names, needles};
use crate::error::StoreError;
use crate::intake::Adoption;
use crate::log::{Entity, Moved};
use crate::projection::book::Book;
use crate::projection::engine::close;
use crate::rows::{ChatsWanted, Owned, Rows, Writes};
use channel_domain::attendee::{Attendee, Claims};
use channel_domain::fact::Quoted;
use channel_domain::ids::AccountId;
use channel_domain::time::Micros;
use std::collections::BTreeMap;

/// Over how many payloads one look goes: their bodies are read.
const PAYLOADS: i64 = 200;

/// Looks for what the next piece is about, and notes in the work how far it looked.
pub(super) async fn found<S: Erasures + ?Sized>(
    store: &S,
    account: &AccountId,
    work: &mut Work,
) -> Result<Vec<Seen>, StoreError> {
    let (sql, window, most) = match work.step {
        Step::Mentions => (sql::MENTIONS, WINDOW, ROWS),
        Step::Messages => (sql::THEIRS, WINDOW, ROWS),
        Step::Payloads => (sql::PAYLOADS, PAYLOADS, TEXTS),
        Step::Changes => (sql::CHANGES, WINDOW, TEXTS),
        Step::Rest if work.from == 0 => {
            let members = Statement::of(work.account, sql::MEMBERS).keys(work.keys.clone());
            return store.look(members).await;
        }
        _ => return Ok(Vec::new()),
    };
    ends(store, work).await?;
    if work.keys.is_empty() && work.needles.is_empty() {
        return Ok(Vec::new());
    }
    for _ in 0..LOOKS {
        let upper = (work.from + window).min(work.to + 1);
        let look = Statement::of(work.account, sql).keys(work.keys.clone());
        let look = look.texts([account.to_string()]).between(work.from, upper);
        let seen = store.look(look).await?;
        let mut seen: Vec<_> = seen.into_iter().filter(|row| is_meant(work, row)).collect();
        if seen.len() > most {
            seen.truncate(most);
            work.from = seen.last().map_or(upper, |row| row.key + 1);
        } else {
            work.from = upper;
        }
        if !seen.is_empty() || work.from > work.to {
            return Ok(seen);
        }
    }
    Ok(Vec::new())
}

/// Where payloads and changes end is asked when the step begins.
async fn ends<S: Erasures + ?Sized>(store: &S, work: &mut Work) -> Result<(), StoreError> {
    let last = match work.step {
        Step::Payloads if work.to == 0 => sql::LAST_PAYLOAD,
        Step::Changes if work.to == 0 => sql::LAST_CHANGE,
        _ => return Ok(()),
    };
    let rows = store.look(Statement::of(work.account, last)).await?;
    if let Some(row) = rows.first() {
        (work.from, work.to) = (row.number.max(1), row.key);
    }
    Ok(())
}

fn is_meant(work: &Work, row: &Seen) -> bool {
    let bytes = row.bytes.as_deref().unwrap_or_default();
    match work.step {
        Step::Payloads => names(&work.needles, bytes, true),
        // Lengths stand before texts there, and may look like letters.
        Step::Changes => names(&work.needles, bytes, false),
        Step::Mentions => row.number != 3 || row.text.as_deref().is_some_and(|it| quotes(work, it)),
        _ => true,
    }
}

/// Whether a quote is of a message of theirs.
pub(super) fn quotes(work: &Work, quoted: &str) -> bool {
    let quoted: Option<Quoted> = serde_json::from_str(quoted).ok();
    let sender = quoted.and_then(|quoted| quoted.sender_id);
    sender.is_some_and(|sender| names(&work.needles, sender.as_bytes(), true))
}

/// The people and their chats go, and with them all that is seen of them. What is left has no name any more.
pub(super) async fn begin<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    now: Micros,
) -> Result<Vec<Moved>, StoreError> {
    let account = erasure.account.clone();
    let opened = rows.open(std::slice::from_ref(&account), &Adoption::Nobody, now).await?;
    let Some(open) = opened.into_iter().next() else {
        erasure.work = None;
        return Ok(vec![]);
    };
    let mut book = Book::new(open);
    let Some(work) = &mut erasure.work else { return Ok(vec![]) };
    let names = who(rows, work, &mut book).await?;
    let chats = book.touched.gone.iter().filter(|(entity, _)| *entity == Entity::Chat).count();
    erasure.counts.chats += chats as u64;
    erasure.counts.people += (book.touched.gone.len() - chats) as u64;
    let marks: Vec<_> = names.iter().map(|name| mark(&account, name)).collect();
    let mark = Statement::of(work.account, sql::MARK).texts(marks);
    // WhatsApp tells times in whole seconds: all of this one counts as before.
    rows.run(mark.between(now.0, 0)).await?;
    for sql in sql::SEEN {
        let statement = Statement::of(work.account, sql).keys(work.keys.clone());
        rows.run(statement.texts(names.clone())).await?;
    }
    work.needles = needles(names.iter().map(String::as_str));
    (work.step, work.from, work.to) = (Step::Mentions, 1, book.next_key);
    let mut writes = Writes::default();
    book.end_unit(&mut writes.log, now, None);
    let moved = close(BTreeMap::from([(book.key(), book)]), &mut writes, true);
    rows.write(&writes).await?;
    Ok(moved)
}

/// The people who are meant, also under ids that nobody named: each of a person's ids tells of the others.
async fn under_all_ids<R: Rows + ?Sized>(
    rows: &mut R,
    work: &Work,
) -> Result<Vec<Owned<Attendee>>, StoreError> {
    let wanted: Vec<_> = work.people.iter().map(|id| (work.account, id.clone())).collect();
    let mut people = rows.attendees(&wanted).await?;
    let joined: Vec<_> = people.iter().filter(|it| it.row.ties.joined.is_some()).cloned().collect();
    let shared = |it: &Owned<Attendee>| {
        let others = it.row.ties.joined.as_ref().map(|joined| &joined.claims);
        let claims = std::iter::once(&it.row.claims).chain(others);
        let named = claims.flat_map(Claims::joining);
        named.map(|(kind, value)| (work.account, kind, value.to_owned())).collect::<Vec<_>>()
    };
    let named: Vec<_> = joined.iter().flat_map(shared).collect();
    for other in rows.named(&named).await? {
        let is_same = joined.iter().any(|it| it.row.person() == other.row.person());
        if is_same && !people.iter().any(|it| it.row.key == other.row.key) {
            people.push(other);
        }
    }
    Ok(people)
}

/// Who is meant, and by which chats: their keys into the work, their ids into what is told. Returns all names.
async fn who<R: Rows + ?Sized>(
    rows: &mut R,
    work: &mut Work,
    book: &mut Book,
) -> Result<Vec<String>, StoreError> {
    let mut names: Vec<String> = work.people.iter().map(ToString::to_string).collect();
    for person in under_all_ids(rows, work).await? {
        names.push(person.row.id.to_string());
        let claims = person.row.claims.all().iter().filter(|claim| claim.kind.identifies());
        names.extend(claims.map(|claim| claim.value.clone()));
        work.keys.push(person.row.key);
        book.touched.gone.push((Entity::Attendee, person.row.id.to_string()));
    }
    let of = |sql, keys: &[i64]| Statement::of(work.account, sql).keys(keys);
    for chat in rows.look(of(sql::CHATS, &work.keys)).await? {
        let id = chat.text.unwrap_or_default();
        names.push(id.clone());
        work.keys.push(chat.key);
        book.touched.gone.push((Entity::Chat, id));
    }
    let also = rows.look(of(sql::ALSO, &work.keys)).await?;
    names.extend(also.into_iter().filter_map(|row| row.text));
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// One of the small tables. Whoever shows a chat that they were in is told.
pub(super) async fn rest<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    found: &[Seen],
    now: Micros,
) -> Result<Vec<Moved>, StoreError> {
    let account = erasure.account.clone();
    let Some(work) = &mut erasure.work else { return Ok(vec![]) };
    let mut moved = Vec::new();
    if !found.is_empty() {
        moved = tell_members(rows, &account, found, now).await?;
        let keys = work.keys.iter().copied().chain(found.iter().map(|row| row.key));
        let members = Statement::of(work.account, sql::NO_MEMBERS).keys(keys.collect::<Vec<_>>());
        rows.run(members).await?;
    }
    let at = usize::try_from(work.from).unwrap_or_default();
    if let Some(sql) = sql::REST.get(at) {
        let statement = Statement::of(work.account, *sql).keys(work.keys.clone());
        rows.run(statement.texts(work.needles.clone())).await?;
    }
    work.from += 1;
    if at + 1 >= sql::REST.len() {
        (work.step, work.from, work.to) = (Step::Payloads, 0, 0);
    }
    Ok(moved)
}

async fn tell_members<R: Rows + ?Sized>(
    rows: &mut R,
    account: &AccountId,
    found: &[Seen],
    now: Micros,
) -> Result<Vec<Moved>, StoreError> {
    let opened = rows.open(std::slice::from_ref(account), &Adoption::Nobody, now).await?;
    let Some(open) = opened.into_iter().next() else { return Ok(vec![]) };
    let mut book = Book::new(open);
    let keys = found.iter().map(|row| (book.key(), row.key)).collect();
    for chat in rows.chats(&ChatsWanted { keys, ..ChatsWanted::default() }).await? {
        let key = chat.row.key;
        book.put_chat(chat.row);
        book.members_changed(key);
    }
    let mut writes = Writes::default();
    book.end_unit(&mut writes.log, now, None);
    let moved = close(BTreeMap::from([(book.key(), book)]), &mut writes, true);
    rows.write(&writes).await?;
    Ok(moved)
}

/// Payloads that name them. One that was not applied yet is waited for: it may say something of others.
pub(super) async fn payloads<R: Shelf + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    found: &[Seen],
) -> Result<(), StoreError> {
    let Some(work) = &mut erasure.work else { return Ok(()) };
    work.waits |= found.iter().any(|row| row.number == 0);
    let keys: Vec<i64> = found.iter().map(|row| row.key).collect();
    if !keys.is_empty() {
        let delete = Statement::of(work.account, sql::NO_PAYLOADS).keys(keys);
        erasure.counts.payloads += rows.run(delete).await?;
    }
    if work.from > work.to {
        (work.step, work.from, work.to) = (Step::Changes, 0, 0);
    }
    Ok(())
}

/// Changes that name them lose their contents; their hashes, and so the chain and every cursor, stay.
pub(super) async fn changes<R: Shelf + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    found: &[Seen],
) -> Result<(), StoreError> {
    let Some(work) = &mut erasure.work else { return Ok(()) };
    let keys: Vec<i64> = found.iter().map(|row| row.key).collect();
    if !keys.is_empty() {
        let blank = Statement::of(work.account, sql::BLANK).keys(keys);
        erasure.counts.changes += rows.run(blank).await?;
    }
    if work.from > work.to {
        (work.step, work.from, work.to) = (Step::Words, 0, 0);
    }
    Ok(())
}
