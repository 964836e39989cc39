//! People, and where they are.

use super::{WithJson, listed_words, number, stamp};
use crate::sql::{Query, Rowwise};
use channel_domain::attendee::Attendee;
use channel_store::rows::{Link, Member, Owned};

pub(super) const ATTENDEES: Rowwise = Rowwise {
    head: "INSERT INTO attendees (account_key, attendee_key, id, is_self, name, phone, claims, \
           words, rev) VALUES",
    columns: 9,
    tail: "ON CONFLICT (account_key, attendee_key) DO UPDATE SET is_self = excluded.is_self, \
           name = excluded.name, phone = excluded.phone, claims = excluded.claims, \
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
        .bind(listed_words(named))
        .bind(number(attendee.rev))
}

pub(super) const LINKS: Rowwise = Rowwise {
    head: "INSERT INTO person_links (account_key, kind, value, attendee_key, since_at, since_inbox) \
           VALUES",
    columns: 6,
    tail: "ON CONFLICT (account_key, kind, value, attendee_key) DO UPDATE SET \
           since_at = excluded.since_at, since_inbox = excluded.since_inbox \
           WHERE (excluded.since_at, excluded.since_inbox) < (since_at, since_inbox)",
};

pub(super) fn link<'q>(query: Query<'q>, row: &'q Owned<Link>) -> Query<'q> {
    let link = &row.row;
    let query = query
        .bind(row.account_key)
        .bind(link.kind.as_str())
        .bind(&link.value)
        .bind(link.attendee_key);
    stamp(query, link.since)
}

pub(super) const MEMBERS: Rowwise = Rowwise {
    head: "INSERT INTO chat_attendees (account_key, chat_key, attendee_key, since_at, since_inbox) \
           VALUES",
    columns: 5,
    tail: "ON CONFLICT (account_key, chat_key, attendee_key) DO UPDATE SET \
           since_at = excluded.since_at, since_inbox = excluded.since_inbox \
           WHERE (excluded.since_at, excluded.since_inbox) < (since_at, since_inbox)",
};

pub(super) fn member<'q>(query: Query<'q>, row: &'q Owned<Member>) -> Query<'q> {
    let query = query.bind(row.account_key).bind(row.row.chat_key).bind(row.row.attendee_key);
    stamp(query, row.row.since)
}
