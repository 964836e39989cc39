//! Asking for an erasure.

use super::{sql, written};
use crate::erase::{
    Asked, Counts, Erasure, ErasureAsk, Removal, Statement, Whom, Work, mark, read,
};
use crate::error::StoreError;
use crate::intake::Adoption;
use crate::rows::Rows;
use channel_domain::ids::{AccountId, AttendeeId};

/// Stores what is asked for, unless it is stored or makes no sense.
pub(super) async fn ask<R: Rows + ?Sized>(
    rows: &mut R,
    ask: ErasureAsk,
) -> Result<Asked, StoreError> {
    if let Some(row) = rows.look(crate::erase::one(ask.id)).await?.first() {
        let known = read(row)?.0;
        let is_same = known.account == ask.account && known.is_account == is_account(&ask);
        let taken = is_same.then(|| Asked::Taken(Box::new(known)));
        return Ok(taken.unwrap_or(Asked::IdReused));
    }
    let opened = rows.open(std::slice::from_ref(&ask.account), &Adoption::Nobody, ask.at).await?;
    let Some(open) = opened.into_iter().next() else { return Ok(Asked::AccountUnknown) };
    let key = open.account.key;
    if let Whom::Contact(people) = &ask.whom
        && let Some(refused) = refuses(rows, key, &ask.account, people).await?
    {
        return Ok(refused);
    }
    if let Some(running) = same(rows, &ask).await? {
        return Ok(Asked::Taken(Box::new(running)));
    }
    let erasure = begun(&ask, key);
    let words = [erasure.id.to_string(), ask.account.to_string(), written(&erasure)?];
    let [id, account, record] = words.each_ref().map(String::as_str);
    let (sql, next_at) = match ask.removal {
        Some(until) => (sql::STORE_REMOVAL, until),
        None => (sql::STORE, ask.at),
    };
    let store = Statement::of(key, sql).between(ask.whom.number(), next_at.0);
    rows.run(store.words([id, account, record])).await?;
    Ok(Asked::Taken(Box::new(erasure)))
}

const fn is_account(ask: &ErasureAsk) -> bool {
    matches!(ask.whom, Whom::Account)
}

/// Why nobody of these can be erased, if it is so.
async fn refuses<R: Rows + ?Sized>(
    rows: &mut R,
    key: i64,
    account: &AccountId,
    people: &[AttendeeId],
) -> Result<Option<Asked>, StoreError> {
    let wanted: Vec<_> = people.iter().map(|id| (key, id.clone())).collect();
    let known = rows.attendees(&wanted).await?;
    for id in people {
        match known.iter().find(|person| person.row.id == *id) {
            Some(person) if person.row.is_self => return Ok(Some(Asked::Owner(id.clone()))),
            Some(_) => {}
            None => {
                let marks = Statement::of(key, sql::MARKS).texts([mark(account, id.as_str())]);
                if rows.look(marks).await?.is_empty() {
                    return Ok(Some(Asked::AttendeeUnknown(id.clone())));
                }
            }
        }
    }
    Ok(None)
}

/// The same erasure, if it is under way.
async fn same<R: Rows + ?Sized>(
    rows: &mut R,
    ask: &ErasureAsk,
) -> Result<Option<Erasure>, StoreError> {
    let open = Statement::of(0, sql::OPEN).between(ask.whom.number(), 0);
    for row in rows.look(open.words([ask.account.as_str()])).await? {
        let (erasure, _) = read(&row)?;
        let people = erasure.work.as_ref().map(|work| work.people.as_slice());
        match &ask.whom {
            Whom::Account => return Ok(Some(erasure)),
            Whom::Contact(asked) if people == Some(asked.as_slice()) => return Ok(Some(erasure)),
            Whom::Contact(_) => {}
        }
    }
    Ok(None)
}

fn begun(ask: &ErasureAsk, key: i64) -> Erasure {
    let people = match &ask.whom {
        Whom::Contact(people) => people.clone(),
        Whom::Account => Vec::new(),
    };
    Erasure {
        id: ask.id,
        account: ask.account.clone(),
        tenant: ask.tenant.clone(),
        is_account: is_account(ask),
        by: ask.by.clone(),
        asked_at: ask.at,
        ended_at: None,
        counts: Counts::default(),
        removal: ask.removal.map(|_| Removal::default()),
        work: Some(Work { account: key, people, ..Work::default() }),
    }
}
