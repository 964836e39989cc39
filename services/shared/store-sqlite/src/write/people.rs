//! People, and where they are.

use super::{WithJson, listed_words, number, stamp};
use crate::error::sorted;
use crate::sql::{Query, Rowwise};
use channel_domain::attendee::Attendee;
use channel_store::StoreError;
use channel_store::rows::{Link, Member, Owned};
use sqlx::sqlite::SqliteConnection;

pub(super) const ATTENDEES: Rowwise = Rowwise {
    head: "INSERT INTO attendees (account_key, attendee_key, id, is_self, name, phone, claims, \
           ties, words, rev) VALUES",
    columns: 10,
    tail: "ON CONFLICT (account_key, attendee_key) DO UPDATE SET is_self = excluded.is_self, \
           name = excluded.name, phone = excluded.phone, claims = excluded.claims, ties = excluded.ties, \
           words = excluded.words, rev = excluded.rev",
};

pub(super) fn attendee<'q>(query: Query<'q>, row: &'q WithJson<'_, Owned<Attendee>>) -> Query<'q> {
    let attendee = &row.row.row;
    let named = [attendee.name(), attendee.phone()].into_iter().flatten();
    query
        .bind(row.row.account_key)
        .bind(attendee.key)
        .bind(attendee.id.as_str())
        .bind(attendee.is_self)
        .bind(attendee.name())
        .bind(attendee.phone())
        .bind(&row.json)
        .bind(attendee.ties.known().and_then(super::outbox::json))
        .bind(listed_words(named))
        .bind(number(attendee.rev))
}

pub(super) const LINKS: Rowwise = Rowwise {
    head: "INSERT INTO person_links (account_key, kind, value, attendee_key, since_at, since_inbox, \
           source) VALUES",
    columns: 7,
    tail: "ON CONFLICT (account_key, kind, value, attendee_key) DO UPDATE SET \
           since_at = excluded.since_at, since_inbox = excluded.since_inbox, source = excluded.source \
           WHERE (excluded.since_at, excluded.since_inbox) < (since_at, since_inbox)",
};

pub(super) fn link<'q>(query: Query<'q>, row: &'q Owned<Link>) -> Query<'q> {
    let link = &row.row;
    let query = query
        .bind(row.account_key)
        .bind(link.kind.as_str())
        .bind(&link.value)
        .bind(link.attendee_key);
    stamp(query, link.since).bind(link.source as i16)
}

pub(super) const MEMBERS: Rowwise = Rowwise {
    head: "WITH u (account_key, chat_key, attendee_key, since_at, since_inbox, seen_at, left_at) AS (VALUES",
    columns: 7,
    tail: ") INSERT INTO chat_attendees (account_key, chat_key, attendee_key, since_at, since_inbox, left_at) \
           SELECT u.account_key, u.chat_key, u.attendee_key, u.since_at, u.since_inbox, \
             CASE WHEN u.left_at IS NOT NULL THEN u.left_at WHEN k.left_at >= u.seen_at THEN k.left_at END \
           FROM u LEFT JOIN chat_attendees k ON k.account_key = u.account_key \
             AND k.chat_key = u.chat_key AND k.attendee_key = u.attendee_key \
           WHERE k.account_key IS NULL OR (k.since_at, k.since_inbox) > (u.since_at, u.since_inbox) \
             OR u.left_at IS NOT NULL OR k.left_at < u.seen_at \
           ON CONFLICT (account_key, chat_key, attendee_key) DO UPDATE SET \
             since_at = min(since_at, excluded.since_at), \
             since_inbox = CASE WHEN (excluded.since_at, excluded.since_inbox) < (since_at, since_inbox) \
               THEN excluded.since_inbox ELSE since_inbox END, \
             left_at = excluded.left_at",
};

pub(super) fn member<'q>(query: Query<'q>, row: &'q Owned<Member>) -> Query<'q> {
    let Member { chat_key, attendee_key, since, seen, left } = &row.row;
    let query = query.bind(row.account_key).bind(chat_key).bind(attendee_key);
    stamp(query, *since).bind(seen.0).bind(left.map(|left| left.0))
}

/// Notes with which event it was told that the members of chats changed; once the chats themselves are written.
pub(super) async fn members_told(
    c: &mut SqliteConnection,
    rows: &[Owned<(i64, u64)>],
) -> Result<(), StoreError> {
    for Owned { account_key, row: (chat_key, rev) } in rows {
        sqlx::query("UPDATE chats SET members_rev = ? WHERE account_key = ? AND chat_key = ?")
            .bind(number(*rev))
            .bind(account_key)
            .bind(chat_key)
            .execute(&mut *c)
            .await
            .map_err(sorted)?;
    }
    Ok(())
}
