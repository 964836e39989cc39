//! Chats.

use super::{WithJson, listed_words, maybe_stamp, number, stamp};
use crate::sql::{Query, Rowwise};
use channel_domain::chat::Chat;
use channel_store::rows::Owned;

pub(super) const CHATS: Rowwise = Rowwise {
    head: "INSERT INTO chats (account_key, chat_key, id, provider_id, kind, own_name, labels, subject, \
           subject_at, subject_inbox, counterparty_key, counterparty_at, counterparty_inbox, \
           pinned, pinned_at, pinned_inbox, archived, muted_until, read_only, read_up_to, unread, \
           last, place, words, rev) VALUES",
    columns: 25,
    tail: "ON CONFLICT (account_key, chat_key) DO UPDATE SET id = excluded.id, \
           provider_id = excluded.provider_id, \
           kind = excluded.kind, own_name = excluded.own_name, labels = excluded.labels, subject = excluded.subject, \
           subject_at = excluded.subject_at, subject_inbox = excluded.subject_inbox, \
           counterparty_key = excluded.counterparty_key, \
           counterparty_at = excluded.counterparty_at, \
           counterparty_inbox = excluded.counterparty_inbox, pinned = excluded.pinned, \
           pinned_at = excluded.pinned_at, pinned_inbox = excluded.pinned_inbox, \
           archived = excluded.archived, muted_until = excluded.muted_until, \
           read_only = excluded.read_only, read_up_to = excluded.read_up_to, \
           unread = excluded.unread, last = excluded.last, place = excluded.place, \
           words = excluded.words, rev = excluded.rev",
};

pub(super) fn chat<'q>(query: Query<'q>, row: &'q WithJson<'_, Owned<Chat>>) -> Query<'q> {
    let chat = &row.row.row;
    let (title, _) = chat.title();
    let person = chat.counterparty.as_ref();
    let phone = person.and_then(|person| person.phone.as_deref());
    let query = query
        .bind(row.row.account_key)
        .bind(chat.key)
        .bind(chat.id.as_str())
        .bind(&chat.provider_id)
        .bind(chat.kind as i16)
        .bind(&chat.own_name)
        .bind((!chat.labels.is_empty()).then(|| super::outbox::json(&chat.labels)).flatten())
        .bind(chat.subject.as_ref().map(|(subject, _)| subject));
    let query = maybe_stamp(query, chat.subject.as_ref().map(|(_, since)| *since));
    let query = query.bind(person.map(|person| person.key));
    let query = maybe_stamp(query, person.map(|person| person.since)).bind(chat.pinned.0);
    stamp(query, chat.pinned.1)
        .bind(chat.archived)
        .bind(chat.muted_until.map(|at| at.0))
        .bind(chat.read_only)
        .bind(chat.read_up_to.0)
        .bind(chat.unread)
        .bind(chat.last.as_ref().map(|_| &row.json))
        .bind(&chat.order.as_bytes()[..])
        .bind(listed_words([title.as_str()].into_iter().chain(phone)))
        .bind(number(chat.rev))
}
