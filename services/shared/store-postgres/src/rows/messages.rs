//! Writing messages.

use super::sent::row_sent;
use super::together::Together;
use super::{json, tried};
use channel_domain::direction::Direction;
use channel_domain::ids::UpstreamMessageId;
use channel_domain::message::Moment;
use channel_store::StoreError;
use channel_store::rows::{Gone, MessageWrite, Owned};
use uuid::Uuid;

/// What a message is keyed and ordered by seldom changes, and an update that leaves it touches no index. Only
/// one that was sent from here gets its id, and may get another time, later.
const MESSAGES: &str = "INSERT INTO messages ( \
      account_key, message_key, id, upstream_id, provider_id, chat_key, sender_key, outgoing, \
      origin, text, is_event, event_number, hidden, forwarded, quoted, content_at, \
      content_inbox, sent_at, arrived_at, arrived_inbox, status, delivered_claimed, \
      delivered_arrived, read_claimed, read_arrived, edit_text, edit_at, edit_inbox, \
      deleted_at, counts, files, reactions, sending, place, rev) \
    SELECT account_key, message_key, id, upstream_id, provider_id, chat_key, sender_key, outgoing, \
      origin, text, is_event, event_number, hidden, forwarded, quoted::jsonb, content_at, \
      content_inbox, sent_at, arrived_at, arrived_inbox, status, delivered_claimed, \
      delivered_arrived, read_claimed, read_arrived, edit_text, edit_at, edit_inbox, \
      deleted_at, counts, files, reactions, sending::jsonb, place, rev \
    FROM unnest($1::message_row_2[]) \
    ON CONFLICT (account_key, message_key) DO UPDATE SET \
      chat_key = excluded.chat_key, sender_key = excluded.sender_key, \
      upstream_id = excluded.upstream_id, provider_id = excluded.provider_id, text = \
      excluded.text, is_event = excluded.is_event, event_number = excluded.event_number, \
      hidden = excluded.hidden, forwarded = excluded.forwarded, quoted = excluded.quoted, \
      content_at = excluded.content_at, content_inbox = excluded.content_inbox, status = \
      excluded.status, delivered_claimed = excluded.delivered_claimed, delivered_arrived = \
      excluded.delivered_arrived, read_claimed = excluded.read_claimed, read_arrived = \
      excluded.read_arrived, edit_text = excluded.edit_text, edit_at = excluded.edit_at, \
      edit_inbox = excluded.edit_inbox, deleted_at = excluded.deleted_at, counts = \
      excluded.counts, files = excluded.files, reactions = excluded.reactions, rev = \
      excluded.rev, sending = excluded.sending, sent_at = excluded.sent_at, place = excluded.place";

row_sent!(
    "message_row_2",
    struct MessageRow<'r> {
        account_key: i64,
        message_key: i64,
        id: Uuid,
        upstream_id: Option<&'r str>,
        provider_id: Option<&'r str>,
        chat_key: i64,
        sender_key: Option<i64>,
        outgoing: bool,
        origin: i16,
        text: Option<&'r str>,
        is_event: bool,
        event_number: Option<i32>,
        hidden: bool,
        forwarded: bool,
        quoted: Option<String>,
        content_at: i64,
        content_inbox: i64,
        sent_at: i64,
        arrived_at: i64,
        arrived_inbox: i64,
        status: i16,
        delivered_claimed: Option<i64>,
        delivered_arrived: Option<i64>,
        read_claimed: Option<i64>,
        read_arrived: Option<i64>,
        edit_text: Option<&'r str>,
        edit_at: Option<i64>,
        edit_inbox: Option<i64>,
        deleted_at: Option<i64>,
        counts: bool,
        files: i32,
        reactions: i32,
        sending: Option<String>,
        place: Vec<u8>,
        rev: i64,
    }
);

impl<'r> TryFrom<&'r Owned<MessageWrite>> for MessageRow<'r> {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &'r Owned<MessageWrite>) -> Result<Self, StoreError> {
        let message = &row.message;
        let (content, edit) = (&message.content, message.edit.as_ref());
        Ok(Self {
            account_key: *account_key,
            message_key: message.key,
            id: message.id.0,
            upstream_id: message.upstream_id.as_ref().map(UpstreamMessageId::as_str),
            provider_id: message.provider_id.as_deref(),
            chat_key: message.chat_key,
            sender_key: message.sender_key,
            outgoing: message.direction == Direction::Out,
            origin: message.origin as i16,
            text: content.text.as_deref(),
            is_event: content.event.is_some(),
            event_number: content.event.and_then(|event| event.number),
            hidden: content.hidden,
            forwarded: content.forwarded,
            quoted: content.quoted.as_ref().map(json).transpose()?,
            content_at: message.content_stamp.at.0,
            content_inbox: message.content_stamp.inbox,
            sent_at: message.sent_at.0,
            arrived_at: message.arrived.at.0,
            arrived_inbox: message.arrived.inbox,
            status: message.status.rank(),
            delivered_claimed: claimed(message.delivered),
            delivered_arrived: message.delivered.map(|moment| moment.arrived.0),
            read_claimed: claimed(message.read),
            read_arrived: message.read.map(|moment| moment.arrived.0),
            edit_text: edit.and_then(|edit| edit.text.as_deref()),
            edit_at: edit.map(|edit| edit.stamp.at.0),
            edit_inbox: edit.map(|edit| edit.stamp.inbox),
            deleted_at: message.deleted_at.map(|at| at.0),
            counts: message.counts_as_unread(),
            files: count(content.attachments.len()),
            reactions: count(message.reactions.len()),
            sending: message.sending.as_ref().map(json).transpose()?,
            place: message.sort_key().as_bytes().to_vec(),
            rev: message.rev.cast_signed(),
        })
    }
}

const GONE: [&str; 5] = [
    "DELETE FROM messages t USING unnest($1::key_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.message_key = w.message_key",
    "DELETE FROM message_words t USING unnest($1::key_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.message_key = w.message_key",
    "DELETE FROM attachments t USING unnest($1::key_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.message_key = w.message_key",
    "DELETE FROM reactions t USING unnest($1::key_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.message_key = w.message_key",
    "DELETE FROM message_versions t USING unnest($1::key_row[]) AS w \
     WHERE t.account_key = w.account_key AND t.message_key = w.message_key",
];

row_sent!(
    "key_row",
    struct KeyRow {
        account_key: i64,
        message_key: i64,
    }
);

impl KeyRow {
    pub(super) const fn new(account_key: i64, message_key: i64) -> Self {
        Self { account_key, message_key }
    }
}

/// Removes messages that turned out to be others, before those take their ids.
pub(super) fn gone(together: &mut Together, rows: &[Owned<Gone>]) {
    for table in GONE {
        let keys = rows.iter().map(|gone| KeyRow::new(gone.account_key, gone.row.message.key));
        together.part(table, keys);
    }
}

/// Writes messages.
pub(super) fn messages(
    together: &mut Together,
    rows: &[Owned<MessageWrite>],
) -> Result<(), StoreError> {
    together.part(MESSAGES, tried::<_, MessageRow<'_>>(rows)?);
    Ok(())
}

fn claimed(moment: Option<Moment>) -> Option<i64> {
    Some(moment?.claimed?.0)
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
