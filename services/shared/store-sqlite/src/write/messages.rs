//! Messages and the facts that wait for them.

use super::{WithJson, maybe_stamp, number, stamp};
use crate::search;
use crate::sql::{Query, Rowwise};
use channel_domain::direction::Direction;
use channel_domain::ids::UpstreamMessageId;
use channel_domain::message::Moment;
use channel_store::rows::{MessageWrite, Owned, Parked, Version};

pub(super) const MESSAGES: Rowwise = Rowwise {
    head: "INSERT INTO messages (account_key, message_key, id, upstream_id, provider_id, chat_key, \
           sender_key, outgoing, origin, text, is_event, event_number, hidden, forwarded, quoted, \
           content_at, content_inbox, sent_at, arrived_at, arrived_inbox, status, \
           delivered_claimed, delivered_arrived, read_claimed, read_arrived, edit_text, edit_at, \
           edit_inbox, deleted_at, counts, files, reactions, sending, place, search_id, rev) \
           VALUES",
    columns: 36,
    tail: "ON CONFLICT (account_key, message_key) DO UPDATE SET \
           chat_key = excluded.chat_key, sender_key = excluded.sender_key, upstream_id = excluded.upstream_id, \
           provider_id = excluded.provider_id, \
           text = excluded.text, is_event = excluded.is_event, \
           event_number = excluded.event_number, hidden = excluded.hidden, \
           forwarded = excluded.forwarded, quoted = excluded.quoted, \
           content_at = excluded.content_at, content_inbox = excluded.content_inbox, \
           status = excluded.status, delivered_claimed = excluded.delivered_claimed, \
           delivered_arrived = excluded.delivered_arrived, \
           read_claimed = excluded.read_claimed, read_arrived = excluded.read_arrived, \
           edit_text = excluded.edit_text, edit_at = excluded.edit_at, \
           edit_inbox = excluded.edit_inbox, deleted_at = excluded.deleted_at, \
           counts = excluded.counts, files = excluded.files, reactions = excluded.reactions, \
           sending = excluded.sending, sent_at = excluded.sent_at, place = excluded.place, \
           search_id = excluded.search_id, rev = excluded.rev",
};

pub(super) fn message<'q>(
    query: Query<'q>,
    row: &'q WithJson<'_, Owned<MessageWrite>>,
) -> Query<'q> {
    let message = &row.row.row.message;
    let content = &message.content;
    let query = query
        .bind(row.row.account_key)
        .bind(message.key)
        .bind(message.id.0)
        .bind(message.upstream_id.as_ref().map(UpstreamMessageId::as_str))
        .bind(&message.provider_id)
        .bind(message.chat_key)
        .bind(message.sender_key)
        .bind(message.direction == Direction::Out)
        .bind(message.origin as i16)
        .bind(&content.text)
        .bind(content.event.is_some())
        .bind(content.event.and_then(|event| event.number))
        .bind(content.hidden)
        .bind(content.forwarded)
        .bind(content.quoted.as_ref().map(|_| &row.json));
    let query = stamp(query, message.content_stamp).bind(message.sent_at.0);
    let query = stamp(query, message.arrived).bind(message.status.rank());
    let query = moment(moment(query, message.delivered), message.read);
    let edit = message.edit.as_ref();
    let query = query.bind(edit.and_then(|edit| edit.text.as_deref()));
    maybe_stamp(query, edit.map(|edit| edit.stamp))
        .bind(message.deleted_at.map(|at| at.0))
        .bind(message.counts_as_unread())
        .bind(i64::try_from(content.attachments.len()).unwrap_or(i64::MAX))
        .bind(i64::try_from(message.reactions.len()).unwrap_or(i64::MAX))
        .bind(message.sending.as_ref().and_then(super::outbox::json))
        .bind(&message.sort_key().as_bytes()[..])
        .bind(search::id(message))
        .bind(number(message.rev))
}

pub(super) fn moment(query: Query<'_>, moment: Option<Moment>) -> Query<'_> {
    let claimed = moment.and_then(|moment| moment.claimed).map(|at| at.0);
    query.bind(claimed).bind(moment.map(|moment| moment.arrived.0))
}

pub(super) const VERSIONS: Rowwise = Rowwise {
    head: "INSERT INTO message_versions (account_key, message_key, at, inbox, text) VALUES",
    columns: 5,
    tail: "ON CONFLICT DO NOTHING",
};

pub(super) fn version<'q>(query: Query<'q>, row: &'q Owned<Version>) -> Query<'q> {
    stamp(query.bind(row.account_key).bind(row.row.message_key), row.row.stamp).bind(&row.row.text)
}

pub(super) const PARKED: Rowwise = Rowwise {
    head: "INSERT INTO parked_facts (account_key, upstream_id, at, inbox, fact) VALUES",
    columns: 5,
    tail: "ON CONFLICT DO NOTHING",
};

pub(super) fn parked<'q>(query: Query<'q>, row: &'q WithJson<'_, Parked>) -> Query<'q> {
    let query = query.bind(row.row.account_key).bind(row.row.message.as_str());
    stamp(query, row.row.stamp).bind(&row.json)
}

pub(super) const UNPARKED: Rowwise = Rowwise {
    head: "DELETE FROM parked_facts WHERE (account_key, upstream_id) IN (VALUES",
    columns: 2,
    tail: ")",
};

pub(super) fn unparked<'q>(query: Query<'q>, row: &'q Owned<UpstreamMessageId>) -> Query<'q> {
    query.bind(row.account_key).bind(row.row.as_str())
}
