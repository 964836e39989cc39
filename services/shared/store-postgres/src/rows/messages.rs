//! Writing messages and what hangs on them.

use super::together::Together;
use super::{column, json_column};
use channel_domain::direction::Direction;
use channel_domain::fact::Attachment;
use channel_domain::ids::UpstreamMessageId;
use channel_domain::message::{Content, Edit, Moment, Reaction};
use channel_store::StoreError;
use channel_store::rows::{MessageWrite, Owned, Parked, Version};

/// What a message is keyed and ordered by never changes, so that an update touches no index.
const MESSAGES: &str = "INSERT INTO messages ( \
      account_key, message_key, id, upstream_id, provider_id, chat_key, sender_key, outgoing, \
      origin, text, is_event, event_number, hidden, forwarded, quoted, content_at, \
      content_inbox, sent_at, arrived_at, arrived_inbox, status, delivered_claimed, \
      delivered_arrived, read_claimed, read_arrived, edit_text, edit_at, edit_inbox, \
      deleted_at, counts, files, reactions, place, rev) \
    SELECT account_key, message_key, id, upstream_id, provider_id, chat_key, sender_key, outgoing, \
      origin, text, is_event, event_number, hidden, forwarded, quoted::jsonb, content_at, \
      content_inbox, sent_at, arrived_at, arrived_inbox, status, delivered_claimed, \
      delivered_arrived, read_claimed, read_arrived, edit_text, edit_at, edit_inbox, \
      deleted_at, counts, files, reactions, place, rev \
    FROM unnest( \
      $1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], \
      $7::bigint[], $8::boolean[], $9::smallint[], $10::text[], $11::boolean[], \
      $12::integer[], $13::boolean[], $14::boolean[], $15::text[], $16::bigint[], \
      $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::smallint[], \
      $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::text[], $27::bigint[], \
      $28::bigint[], $29::bigint[], $30::boolean[], $31::integer[], $32::integer[], \
      $33::bytea[], $34::bigint[]) AS u( \
      account_key, message_key, id, upstream_id, provider_id, chat_key, sender_key, outgoing, \
      origin, text, is_event, event_number, hidden, forwarded, quoted, content_at, \
      content_inbox, sent_at, arrived_at, arrived_inbox, status, delivered_claimed, \
      delivered_arrived, read_claimed, read_arrived, edit_text, edit_at, edit_inbox, \
      deleted_at, counts, files, reactions, place, rev) \
    ON CONFLICT (account_key, message_key) DO UPDATE SET \
      upstream_id = excluded.upstream_id, provider_id = excluded.provider_id, text = \
      excluded.text, is_event = excluded.is_event, event_number = excluded.event_number, \
      hidden = excluded.hidden, forwarded = excluded.forwarded, quoted = excluded.quoted, \
      content_at = excluded.content_at, content_inbox = excluded.content_inbox, status = \
      excluded.status, delivered_claimed = excluded.delivered_claimed, delivered_arrived = \
      excluded.delivered_arrived, read_claimed = excluded.read_claimed, read_arrived = \
      excluded.read_arrived, edit_text = excluded.edit_text, edit_at = excluded.edit_at, \
      edit_inbox = excluded.edit_inbox, deleted_at = excluded.deleted_at, counts = \
      excluded.counts, files = excluded.files, reactions = excluded.reactions, rev = \
      excluded.rev";

/// Writes messages.
pub(super) fn messages(
    together: &mut Together,
    rows: &[Owned<MessageWrite>],
) -> Result<(), StoreError> {
    together
        .part(MESSAGES, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| owned.row.message.key))
        .bind(column(rows, |owned| owned.row.message.id.0))
        .bind(column(rows, |owned| {
            owned.row.message.upstream_id.as_ref().map(UpstreamMessageId::as_str)
        }))
        .bind(column(rows, |owned| owned.row.message.provider_id.as_deref()))
        .bind(column(rows, |owned| owned.row.message.chat_key))
        .bind(column(rows, |owned| owned.row.message.sender_key))
        .bind(column(rows, |owned| owned.row.message.direction == Direction::Out))
        .bind(column(rows, |owned| owned.row.message.origin as i16))
        .bind(column(rows, |owned| content(owned).text.as_deref()))
        .bind(column(rows, |owned| content(owned).event.is_some()))
        .bind(column(rows, |owned| content(owned).event.and_then(|event| event.number)))
        .bind(column(rows, |owned| content(owned).hidden))
        .bind(column(rows, |owned| content(owned).forwarded))
        .bind(json_column(rows, |owned| content(owned).quoted.as_ref())?)
        .bind(column(rows, |owned| owned.row.message.content_stamp.at.0))
        .bind(column(rows, |owned| owned.row.message.content_stamp.inbox))
        .bind(column(rows, |owned| owned.row.message.sent_at.0))
        .bind(column(rows, |owned| owned.row.message.arrived.at.0))
        .bind(column(rows, |owned| owned.row.message.arrived.inbox))
        .bind(column(rows, |owned| owned.row.message.status.rank()))
        .bind(column(rows, |owned| claimed(owned.row.message.delivered)))
        .bind(column(rows, |owned| owned.row.message.delivered.map(|moment| moment.arrived.0)))
        .bind(column(rows, |owned| claimed(owned.row.message.read)))
        .bind(column(rows, |owned| owned.row.message.read.map(|moment| moment.arrived.0)))
        .bind(column(rows, |owned| edit(owned).and_then(|edit| edit.text.as_deref())))
        .bind(column(rows, |owned| edit(owned).map(|edit| edit.stamp.at.0)))
        .bind(column(rows, |owned| edit(owned).map(|edit| edit.stamp.inbox)))
        .bind(column(rows, |owned| owned.row.message.deleted_at.map(|at| at.0)))
        .bind(column(rows, |owned| owned.row.message.counts_as_unread()))
        .bind(column(rows, |owned| count(content(owned).attachments.len())))
        .bind(column(rows, |owned| count(owned.row.message.reactions.len())))
        .bind(column(rows, |owned| owned.row.message.sort_key().as_bytes().to_vec()))
        .bind(column(rows, |owned| owned.row.message.rev.cast_signed()));
    Ok(())
}

const fn content(owned: &Owned<MessageWrite>) -> &Content {
    &owned.row.message.content
}

const fn edit(owned: &Owned<MessageWrite>) -> Option<&Edit> {
    owned.row.message.edit.as_ref()
}

fn claimed(moment: Option<Moment>) -> Option<i64> {
    Some(moment?.claimed?.0)
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Messages may have fewer files than before.
const FEWER_FILES: &str = "DELETE FROM attachments f USING unnest($1::bigint[], $2::bigint[], \
      $3::integer[]) AS w(account_key, message_key, files) WHERE f.account_key = w.account_key \
      AND f.message_key = w.message_key AND f.position >= w.files";

const FILES: &str = "INSERT INTO attachments (account_key, message_key, position, id, kind, mime, size, \
      name, width, height, duration_seconds, unavailable) \
    SELECT u.account_key, u.message_key, u.position, f.id, f.kind, f.mime, f.size, f.name, f.width, \
      f.height, f.duration_seconds, f.unavailable \
    FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[]) \
        AS u(account_key, message_key, position, file), \
      json_to_record(u.file::json) AS f(id text, kind text, mime text, size bigint, name text, \
        width bigint, height bigint, duration_seconds bigint, unavailable boolean) \
    ON CONFLICT (account_key, message_key, position) DO UPDATE SET id = excluded.id, \
      kind = excluded.kind, mime = excluded.mime, size = excluded.size, name = excluded.name, \
      width = excluded.width, height = excluded.height, \
      duration_seconds = excluded.duration_seconds, unavailable = excluded.unavailable";

/// Writes the files of messages whose files changed.
pub(super) fn files(
    together: &mut Together,
    messages: &[Owned<MessageWrite>],
) -> Result<(), StoreError> {
    let changed: Vec<_> = messages.iter().filter(|owned| owned.row.files).collect();
    let files: Vec<_> = changed
        .iter()
        .flat_map(|owned| {
            (0_i32..).zip(&content(owned).attachments).map(move |file| (*owned, file))
        })
        .map(|(owned, (position, file))| (owned, position, storable(file)))
        .collect();
    together
        .part(FEWER_FILES, &changed)
        .bind(column(&changed, |owned| owned.account_key))
        .bind(column(&changed, |owned| owned.row.message.key))
        .bind(column(&changed, |owned| count(content(owned).attachments.len())));
    together
        .part(FILES, &files)
        .bind(column(&files, |(owned, ..)| owned.account_key))
        .bind(column(&files, |(owned, ..)| owned.row.message.key))
        .bind(column(&files, |(_, position, _)| *position))
        .bind(json_column(&files, |(.., file)| Some(file))?);
    Ok(())
}

/// A sender may claim any size; the column ends at 2⁶³.
fn storable(file: &Attachment) -> Attachment {
    let largest = i64::MAX.cast_unsigned();
    Attachment { size: file.size.map(|size| size.min(largest)), ..file.clone() }
}

const REACTIONS: &str = "INSERT INTO reactions (account_key, message_key, actor_key, emoji, at, inbox) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], \
      $6::bigint[]) \
    ON CONFLICT (account_key, message_key, actor_key) DO UPDATE SET emoji = excluded.emoji, \
      at = excluded.at, inbox = excluded.inbox";

/// Writes the reactions of messages whose reactions changed.
pub(super) fn reactions(together: &mut Together, messages: &[Owned<MessageWrite>]) {
    let rows: Vec<(&Owned<MessageWrite>, &Reaction)> = messages
        .iter()
        .filter(|owned| owned.row.reactions)
        .flat_map(|owned| owned.row.message.reactions.iter().map(move |one| (owned, one)))
        .collect();
    together
        .part(REACTIONS, &rows)
        .bind(column(&rows, |(owned, _)| owned.account_key))
        .bind(column(&rows, |(owned, _)| owned.row.message.key))
        .bind(column(&rows, |(_, reaction)| reaction.actor_key))
        .bind(column(&rows, |(_, reaction)| reaction.emoji.as_deref()))
        .bind(column(&rows, |(_, reaction)| reaction.stamp.at.0))
        .bind(column(&rows, |(_, reaction)| reaction.stamp.inbox));
}

const VERSIONS: &str = "INSERT INTO message_versions (account_key, message_key, at, inbox, text) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) \
    ON CONFLICT DO NOTHING";

/// Keeps past texts.
pub(super) fn versions(together: &mut Together, rows: &[Owned<Version>]) {
    together
        .part(VERSIONS, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| owned.row.message_key))
        .bind(column(rows, |owned| owned.row.stamp.at.0))
        .bind(column(rows, |owned| owned.row.stamp.inbox))
        .bind(column(rows, |owned| owned.row.text.as_deref()));
}

const PARK: &str = "INSERT INTO parked_facts (account_key, upstream_id, at, inbox, fact) \
    SELECT account_key, upstream_id, at, inbox, fact::jsonb \
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) \
      AS u(account_key, upstream_id, at, inbox, fact) ON CONFLICT DO NOTHING";

/// Keeps facts until their message comes.
pub(super) fn park(together: &mut Together, rows: &[Parked]) -> Result<(), StoreError> {
    together
        .part(PARK, rows)
        .bind(column(rows, |parked| parked.account_key))
        .bind(column(rows, |parked| parked.message.as_str()))
        .bind(column(rows, |parked| parked.stamp.at.0))
        .bind(column(rows, |parked| parked.stamp.inbox))
        .bind(json_column(rows, |parked| Some(&parked.fact))?);
    Ok(())
}

const UNPARK: &str = "DELETE FROM parked_facts f USING unnest($1::bigint[], $2::text[]) \
      AS u(account_key, upstream_id) \
    WHERE f.account_key = u.account_key AND f.upstream_id = u.upstream_id";

/// Forgets facts whose message has come.
pub(super) fn unpark(together: &mut Together, rows: &[Owned<UpstreamMessageId>]) {
    together
        .part(UNPARK, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| owned.row.as_str()));
}
