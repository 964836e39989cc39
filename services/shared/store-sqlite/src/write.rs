//! Writing what a projection decided.

use crate::error::{nonsense, sorted};
use crate::search;
use crate::sql::{Query, Rowwise};
use channel_domain::account::Account;
use channel_domain::attendee::Attendee;
use channel_domain::chat::Chat;
use channel_domain::direction::Direction;
use channel_domain::ids::{AccountId, TenantId, UpstreamMessageId};
use channel_domain::message::Moment;
use channel_domain::{Micros, Stamp, search as words};
use channel_store::StoreError;
use channel_store::log::LogRow;
use channel_store::rows::{
    HeadWrite, InboxRow, InboxUpdate, Link, Member, MessageWrite, Owned, Parked, Version, Work,
    Writes,
};
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use std::collections::HashMap;

/// Writes everything, parents before children.
pub(crate) async fn all(c: &mut SqliteConnection, writes: &Writes) -> Result<(), StoreError> {
    let search_ids = search::ids(c, &writes.messages).await?;
    INBOX.execute(c, &writes.inbox, inbox).await?;
    for update in &writes.inbox_updates {
        inbox_update(c, update).await?;
    }
    ACCOUNTS.execute(c, &json_rows(&writes.accounts, |a| &a.reports)?, account).await?;
    ATTENDEES.execute(c, &json_rows(&writes.attendees, |a| &a.row.claims)?, attendee).await?;
    CHATS.execute(c, &json_rows(&writes.chats, |chat| &chat.row.last)?, chat).await?;
    LINKS.execute(c, &writes.links, link).await?;
    MEMBERS.execute(c, &writes.members, member).await?;
    let messages = json_rows(&writes.messages, |m| &m.row.message.content.quoted)?;
    MESSAGES.execute(c, &messages, |query, row| message(query, row, &search_ids)).await?;
    search::write(c, &writes.messages, &search_ids).await?;
    children(c, &writes.messages).await?;
    VERSIONS.execute(c, &writes.versions, version).await?;
    PARKED.execute(c, &json_rows(&writes.parked, |parked| &parked.fact)?, parked).await?;
    UNPARKED.execute(c, &writes.unparked, unparked).await?;
    WORK.execute(c, &writes.work, work).await?;
    LOG.execute(c, &writes.log, log).await?;
    HEADS.execute(c, &writes.heads, head).await
}

/// A row with one of its parts as JSON.
struct WithJson<'w, T> {
    row: &'w T,
    json: String,
}

fn json_rows<'w, T, P: Serialize + 'w>(
    rows: &'w [T],
    part: impl Fn(&'w T) -> &'w P,
) -> Result<Vec<WithJson<'w, T>>, StoreError> {
    let unwritable = |_| nonsense("a new row", "", "it cannot be written as JSON");
    rows.iter()
        .map(|row| {
            Ok(WithJson { row, json: serde_json::to_string(part(row)).map_err(unwritable)? })
        })
        .collect()
}

fn number(seq: u64) -> i64 {
    seq.cast_signed()
}

fn stamp(query: Query<'_>, stamp: Stamp) -> Query<'_> {
    query.bind(stamp.at.0).bind(stamp.inbox)
}

fn maybe_stamp(query: Query<'_>, stamp: Option<Stamp>) -> Query<'_> {
    query.bind(stamp.map(|stamp| stamp.at.0)).bind(stamp.map(|stamp| stamp.inbox))
}

/// Creates an account with an empty log.
pub(crate) async fn new_account(
    c: &mut SqliteConnection,
    id: &AccountId,
    tenant: &TenantId,
    now: Micros,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO tenants (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(tenant.as_str())
        .bind(now.0)
        .execute(&mut *c)
        .await
        .map_err(sorted)?;
    let key: i64 = sqlx::query_scalar(
        "INSERT INTO accounts (id, tenant, reports, connection, created_at, rev) \
         VALUES (?, ?, '[]', 0, ?, 0) RETURNING account_key",
    )
    .bind(id.as_str())
    .bind(tenant.as_str())
    .bind(now.0)
    .fetch_one(&mut *c)
    .await
    .map_err(sorted)?;
    sqlx::query("INSERT INTO account_head (account_key) VALUES (?)")
        .bind(key)
        .execute(c)
        .await
        .map_err(sorted)?;
    Ok(())
}

const INBOX: Rowwise = Rowwise {
    head: "INSERT INTO webhook_inbox (id, received_at, account_key, account, headers, body, state, \
           reason, detail, next_at, trace) VALUES",
    columns: 11,
    tail: "",
};

fn inbox<'q>(query: Query<'q>, row: &'q InboxRow) -> Query<'q> {
    query
        .bind(row.stamp.inbox)
        .bind(row.stamp.at.0)
        .bind(row.account_key)
        .bind(row.account.as_ref().map(AccountId::as_str))
        .bind(&row.headers)
        .bind(&row.body[..])
        .bind(row.outcome as i16)
        .bind(row.reason)
        .bind(&row.detail)
        .bind(row.next_at.map(|at| at.0))
        .bind(&row.trace)
}

async fn inbox_update(c: &mut SqliteConnection, update: &InboxUpdate) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_inbox SET state = ?, reason = ?, detail = ?, next_at = NULL, \
         account_key = coalesce(?, account_key), attempts = attempts + 1 WHERE id = ?",
    )
    .bind(update.outcome as i16)
    .bind(update.reason)
    .bind(&update.detail)
    .bind(update.account_key)
    .bind(update.inbox)
    .execute(c)
    .await
    .map_err(sorted)?;
    Ok(())
}

const ACCOUNTS: Rowwise = Rowwise {
    head: "INSERT INTO accounts (account_key, id, tenant, phone, phone_at, phone_inbox, reports, \
           connection, created_at, rev) VALUES",
    columns: 10,
    tail: "ON CONFLICT (account_key) DO UPDATE SET tenant = excluded.tenant, \
           phone = excluded.phone, phone_at = excluded.phone_at, \
           phone_inbox = excluded.phone_inbox, reports = excluded.reports, \
           connection = excluded.connection, rev = excluded.rev",
};

fn account<'q>(query: Query<'q>, row: &'q WithJson<'_, Account>) -> Query<'q> {
    let account = row.row;
    let phone = account.phone.as_ref();
    let query = query.bind(account.key).bind(account.id.as_str()).bind(account.tenant.as_str());
    maybe_stamp(query.bind(phone.map(|(phone, _)| phone)), phone.map(|(_, since)| *since))
        .bind(&row.json)
        .bind(account.connection().0 as i16)
        .bind(account.created_at.0)
        .bind(number(account.rev))
}

const ATTENDEES: Rowwise = Rowwise {
    head: "INSERT INTO attendees (account_key, attendee_key, id, is_self, name, phone, claims, \
           words, rev) VALUES",
    columns: 9,
    tail: "ON CONFLICT (account_key, attendee_key) DO UPDATE SET is_self = excluded.is_self, \
           name = excluded.name, phone = excluded.phone, claims = excluded.claims, \
           words = excluded.words, rev = excluded.rev",
};

fn attendee<'q>(query: Query<'q>, row: &'q WithJson<'_, Owned<Attendee>>) -> Query<'q> {
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

/// Words for filtering a list: each with a blank before it, so that `% word%` finds beginnings.
fn listed_words<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.flat_map(words::words).fold(String::new(), |listed, word| listed + " " + &word)
}

const CHATS: Rowwise = Rowwise {
    head: "INSERT INTO chats (account_key, chat_key, id, provider_id, kind, own_name, subject, \
           subject_at, subject_inbox, counterparty_key, counterparty_at, counterparty_inbox, \
           pinned, pinned_at, pinned_inbox, archived, muted_until, read_only, read_up_to, unread, \
           last, place, words, rev) VALUES",
    columns: 24,
    tail: "ON CONFLICT (account_key, chat_key) DO UPDATE SET provider_id = excluded.provider_id, \
           kind = excluded.kind, own_name = excluded.own_name, subject = excluded.subject, \
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

fn chat<'q>(query: Query<'q>, row: &'q WithJson<'_, Owned<Chat>>) -> Query<'q> {
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

const LINKS: Rowwise = Rowwise {
    head: "INSERT INTO person_links (account_key, kind, value, attendee_key, since_at, since_inbox) \
           VALUES",
    columns: 6,
    tail: "ON CONFLICT (account_key, kind, value, attendee_key) DO UPDATE SET \
           since_at = excluded.since_at, since_inbox = excluded.since_inbox \
           WHERE (excluded.since_at, excluded.since_inbox) < (since_at, since_inbox)",
};

fn link<'q>(query: Query<'q>, row: &'q Owned<Link>) -> Query<'q> {
    let link = &row.row;
    let query = query
        .bind(row.account_key)
        .bind(format!("{:?}", link.kind).to_lowercase())
        .bind(&link.value)
        .bind(link.attendee_key);
    stamp(query, link.since)
}

const MEMBERS: Rowwise = Rowwise {
    head: "INSERT INTO chat_attendees (account_key, chat_key, attendee_key, since_at, since_inbox) \
           VALUES",
    columns: 5,
    tail: "ON CONFLICT (account_key, chat_key, attendee_key) DO UPDATE SET \
           since_at = excluded.since_at, since_inbox = excluded.since_inbox \
           WHERE (excluded.since_at, excluded.since_inbox) < (since_at, since_inbox)",
};

fn member<'q>(query: Query<'q>, row: &'q Owned<Member>) -> Query<'q> {
    let query = query.bind(row.account_key).bind(row.row.chat_key).bind(row.row.attendee_key);
    stamp(query, row.row.since)
}

const MESSAGES: Rowwise = Rowwise {
    head: "INSERT INTO messages (account_key, message_key, id, upstream_id, provider_id, chat_key, \
           sender_key, outgoing, origin, text, is_event, event_number, hidden, forwarded, quoted, \
           content_at, content_inbox, sent_at, arrived_at, arrived_inbox, status, \
           delivered_claimed, delivered_arrived, read_claimed, read_arrived, edit_text, edit_at, \
           edit_inbox, deleted_at, counts, files, reactions, place, search_id, rev) VALUES",
    columns: 35,
    tail: "ON CONFLICT (account_key, message_key) DO UPDATE SET \
           upstream_id = excluded.upstream_id, provider_id = excluded.provider_id, \
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
           search_id = coalesce(messages.search_id, excluded.search_id), rev = excluded.rev",
};

fn message<'q>(
    query: Query<'q>,
    row: &'q WithJson<'_, Owned<MessageWrite>>,
    search_ids: &HashMap<(i64, i64), i64>,
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
        .bind(&message.sort_key().as_bytes()[..])
        .bind(search_ids.get(&(row.row.account_key, message.key)).copied())
        .bind(number(message.rev))
}

fn moment(query: Query<'_>, moment: Option<Moment>) -> Query<'_> {
    let claimed = moment.and_then(|moment| moment.claimed).map(|at| at.0);
    query.bind(claimed).bind(moment.map(|moment| moment.arrived.0))
}

const NO_FILES: Rowwise = Rowwise {
    head: "DELETE FROM attachments WHERE (account_key, message_key) IN (VALUES",
    columns: 2,
    tail: ")",
};

const FILES: Rowwise = Rowwise {
    head: "INSERT INTO attachments (account_key, message_key, position, id, kind, mime, size, name, \
           width, height, duration_seconds, unavailable) VALUES",
    columns: 12,
    tail: "",
};

const REACTIONS: Rowwise = Rowwise {
    head: "INSERT INTO reactions (account_key, message_key, actor_key, emoji, at, inbox) VALUES",
    columns: 6,
    tail: "ON CONFLICT (account_key, message_key, actor_key) DO UPDATE SET \
           emoji = excluded.emoji, at = excluded.at, inbox = excluded.inbox",
};

/// Writes the attachments and reactions of messages whose own changed.
async fn children(
    c: &mut SqliteConnection,
    messages: &[Owned<MessageWrite>],
) -> Result<(), StoreError> {
    let with_files: Vec<_> = messages.iter().filter(|owned| owned.row.files).collect();
    NO_FILES
        .execute(c, &with_files, |q, owned| q.bind(owned.account_key).bind(owned.row.message.key))
        .await?;
    let files: Vec<_> = with_files
        .iter()
        .flat_map(|owned| {
            let files = owned.row.message.content.attachments.iter().zip(0_i64..);
            files.map(|(file, position)| (owned.account_key, owned.row.message.key, position, file))
        })
        .collect();
    FILES
        .execute(c, &files, |query, (account, message, position, file)| {
            query
                .bind(account)
                .bind(message)
                .bind(position)
                .bind(&file.id)
                .bind(
                    serde_json::to_value(file.kind).ok().and_then(|k| k.as_str().map(String::from)),
                )
                .bind(&file.mime)
                .bind(file.size.map(u64::cast_signed))
                .bind(&file.name)
                .bind(file.width)
                .bind(file.height)
                .bind(file.duration_seconds)
                .bind(file.unavailable)
        })
        .await?;
    let reactions: Vec<_> = messages
        .iter()
        .filter(|owned| owned.row.reactions)
        .flat_map(|owned| {
            let reactions = owned.row.message.reactions.iter();
            reactions.map(|reaction| (owned.account_key, owned.row.message.key, reaction))
        })
        .collect();
    REACTIONS
        .execute(c, &reactions, |query, (account, message, reaction)| {
            let query = query.bind(account).bind(message).bind(reaction.actor_key);
            stamp(query.bind(&reaction.emoji), reaction.stamp)
        })
        .await
}

const VERSIONS: Rowwise = Rowwise {
    head: "INSERT INTO message_versions (account_key, message_key, at, inbox, text) VALUES",
    columns: 5,
    tail: "ON CONFLICT DO NOTHING",
};

fn version<'q>(query: Query<'q>, row: &'q Owned<Version>) -> Query<'q> {
    stamp(query.bind(row.account_key).bind(row.row.message_key), row.row.stamp).bind(&row.row.text)
}

const PARKED: Rowwise = Rowwise {
    head: "INSERT INTO parked_facts (account_key, upstream_id, at, inbox, fact) VALUES",
    columns: 5,
    tail: "ON CONFLICT DO NOTHING",
};

fn parked<'q>(query: Query<'q>, row: &'q WithJson<'_, Parked>) -> Query<'q> {
    let query = query.bind(row.row.account_key).bind(row.row.message.as_str());
    stamp(query, row.row.stamp).bind(&row.json)
}

const UNPARKED: Rowwise = Rowwise {
    head: "DELETE FROM parked_facts WHERE (account_key, upstream_id) IN (VALUES",
    columns: 2,
    tail: ")",
};

fn unparked<'q>(query: Query<'q>, row: &'q Owned<UpstreamMessageId>) -> Query<'q> {
    query.bind(row.account_key).bind(row.row.as_str())
}

const WORK: Rowwise = Rowwise {
    head: "INSERT INTO work_items (account_key, kind, subject, created_at, due_at) \
           SELECT column1, column2, column3, unixepoch() * 1000000, unixepoch() * 1000000 \
           FROM (VALUES",
    columns: 3,
    tail: ") WHERE true ON CONFLICT DO NOTHING",
};

fn work<'q>(query: Query<'q>, row: &'q Owned<Work>) -> Query<'q> {
    query.bind(row.account_key).bind(row.row.kind as i16).bind(&row.row.subject)
}

const LOG: Rowwise = Rowwise {
    head: "INSERT INTO change_log (account_key, seq, tag, body_hash, unit_end, op, entity, \
           entity_id, at, body, trace) VALUES",
    columns: 11,
    tail: "",
};

fn log<'q>(query: Query<'q>, row: &'q LogRow) -> Query<'q> {
    query
        .bind(row.account_key)
        .bind(number(row.seq))
        .bind(i64::from(row.tag))
        .bind(row.body_hash)
        .bind(row.unit_end)
        .bind(row.op as i16)
        .bind(row.entity as i16)
        .bind(&row.entity_id)
        .bind(row.at.0)
        .bind(row.body.as_deref())
        .bind(&row.trace)
}

const HEADS: Rowwise = Rowwise {
    head: "INSERT INTO account_head (account_key, head, head_tag, next_key, heard_at) VALUES",
    columns: 5,
    tail: "ON CONFLICT (account_key) DO UPDATE SET head = excluded.head, \
           head_tag = excluded.head_tag, next_key = excluded.next_key, \
           heard_at = max(coalesce(heard_at, excluded.heard_at), excluded.heard_at)",
};

fn head<'q>(query: Query<'q>, row: &'q HeadWrite) -> Query<'q> {
    query
        .bind(row.account_key)
        .bind(number(row.head.seq))
        .bind(i64::from(row.head.tag))
        .bind(row.next_key)
        .bind(row.heard_at.0)
}
