//! Rows into states. A row that makes no sense is an error that says where it is.

use crate::error::{nonsense, sorted};
use channel_domain::account::Account;
use channel_domain::attendee::Attendee;
use channel_domain::chat::{Chat, ChatKind, Counterparty};
use channel_domain::direction::Direction;
use channel_domain::fact::{Attachment, SystemEvent};
use channel_domain::ids::MessageId;
use channel_domain::message::{Content, Edit, Message, Moment, Origin, Reaction, Status};
use channel_domain::send::{Action, Job, Phase, Stage};
use channel_domain::{Micros, SortKey, Stamp};
use channel_store::StoreError;
use channel_store::log::{Entity, Head, LogRow, Op, Position};
use channel_store::rows::{Standing, Unsettled};
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Type};
use uuid::Uuid;

/// The columns of an account, from `accounts a`.
pub(crate) const ACCOUNT: &str = "a.account_key, a.id, a.tenant, a.own_name, a.phone, a.phone_at, a.phone_inbox, a.reports, a.complete_up_to, a.created_at, a.rev";

/// The columns of a person, from `attendees a`.
pub(crate) const ATTENDEE: &str =
    "a.account_key, a.attendee_key, a.id, a.is_self, a.claims, a.ties, a.picture, a.rev";

/// The columns of a chat, from `chats c` and its counterparty `attendees p`.
pub(crate) const CHAT: &str = "c.account_key, c.chat_key, c.id, c.provider_id, c.kind, c.own_name, \
    c.labels, c.subject, c.subject_at, c.subject_inbox, c.counterparty_key, c.counterparty_at, \
    c.counterparty_inbox, c.pinned, c.pinned_at, c.pinned_inbox, c.archived, c.muted_until, \
    c.read_only, c.read_up_to, c.unread, c.last, c.place, c.rev, p.id AS person_id, \
    p.name AS person_name, p.phone AS person_phone, c.complete_up_to, c.members_rev, c.picture, coalesce(p.picture, p.ties->'joined'->'picture') AS person_picture";

/// The columns of a message, from `messages m`, its chat `c` and its writer `s`.
pub(crate) const MESSAGE: &str = "m.account_key, m.message_key, m.id, m.upstream_id, m.provider_id, \
    m.chat_key, c.id AS chat_id, m.sender_key, s.id AS sender_id, m.outgoing, m.origin, m.text, \
    m.is_event, m.event_number, m.hidden, m.forwarded, m.quoted, m.content_at, m.content_inbox, \
    m.sent_at, m.arrived_at, m.arrived_inbox, m.status, m.delivered_claimed, m.delivered_arrived, \
    m.read_claimed, m.read_arrived, m.edit_text, m.edit_at, m.edit_inbox, m.deleted_at, m.files, \
    m.reactions, m.sending, m.rev";

/// The columns of a message in the outbox, from `outbox o` and its chat `c`.
pub(crate) const JOB: &str = "o.account_key, o.message_key, o.id, o.chat_key, c.id AS chat_id, o.request, \
    o.hash, o.phase, o.attempts, o.refusals, o.probes, o.next_at, o.expires_at, o.started_at, \
    o.failure, o.rev";

/// A value of a row.
pub(crate) fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(column).map_err(sorted)
}

pub(crate) fn json<T: DeserializeOwned>(
    table: &'static str,
    key: i64,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| nonsense(table, key, "a JSON column cannot be read"))
}

/// Reads a JSON column that may be empty.
pub(crate) fn part<T: DeserializeOwned>(
    row: &SqliteRow,
    table: &'static str,
    key: i64,
    column: &str,
) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = get(row, column)?;
    text.map(|text| json(table, key, text)).transpose()
}

fn stamp(row: &SqliteRow, at: &str, inbox: &str) -> Result<Option<Stamp>, StoreError> {
    let at: Option<i64> = get(row, at)?;
    let inbox: Option<i64> = get(row, inbox)?;
    Ok(at.zip(inbox).map(|(at, inbox)| Stamp { at: Micros(at), inbox }))
}

fn certain(row: &SqliteRow, at: &str, inbox: &str) -> Result<Stamp, StoreError> {
    Ok(stamp(row, at, inbox)?.unwrap_or_default())
}

pub(crate) fn micros(row: &SqliteRow, column: &str) -> Result<Option<Micros>, StoreError> {
    Ok(get::<Option<i64>>(row, column)?.map(Micros))
}

/// A log number as it is stored.
pub(crate) const fn seq(number: i64) -> u64 {
    number.cast_unsigned()
}

/// A tag as it is stored.
pub(crate) fn tag(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

pub(crate) fn account(row: &SqliteRow) -> Result<Account, StoreError> {
    let key = get(row, "account_key")?;
    let phone: Option<String> = get(row, "phone")?;
    Ok(Account {
        key,
        id: get::<String>(row, "id")?.into(),
        tenant: get::<String>(row, "tenant")?.into(),
        own_name: get(row, "own_name")?,
        phone: phone.zip(stamp(row, "phone_at", "phone_inbox")?),
        reports: json("accounts", key, get(row, "reports")?)?,
        complete_up_to: micros(row, "complete_up_to")?,
        created_at: Micros(get(row, "created_at")?),
        rev: seq(get(row, "rev")?),
    })
}

pub(crate) fn head(row: &SqliteRow) -> Result<Head, StoreError> {
    Ok(Head {
        account_key: get(row, "account_key")?,
        head: Position { seq: seq(get(row, "head")?), tag: tag(get(row, "head_tag")?) },
        floor: Position { seq: seq(get(row, "floor")?), tag: tag(get(row, "floor_tag")?) },
    })
}

pub(crate) fn attendee(row: &SqliteRow) -> Result<Attendee, StoreError> {
    let key = get(row, "attendee_key")?;
    Ok(Attendee {
        key,
        id: get::<String>(row, "id")?.into(),
        is_self: get(row, "is_self")?,
        claims: json("attendees", key, get(row, "claims")?)?,
        picture: part(row, "attendees", key, "picture")?,
        ties: part(row, "attendees", key, "ties")?.unwrap_or_default(),
        rev: seq(get(row, "rev")?),
    })
}

pub(crate) fn chat(row: &SqliteRow) -> Result<Chat, StoreError> {
    let key = get(row, "chat_key")?;
    let bad = |what| nonsense("chats", key, what);
    let subject: Option<String> = get(row, "subject")?;
    let last: Option<&str> = get(row, "last")?;
    Ok(Chat {
        key,
        id: get::<String>(row, "id")?.into(),
        provider_id: get(row, "provider_id")?,
        kind: ChatKind::from_number(get(row, "kind")?).ok_or_else(|| bad("kind"))?,
        own_name: get(row, "own_name")?,
        labels: part(row, "chats", key, "labels")?.unwrap_or_default(),
        subject: subject.zip(stamp(row, "subject_at", "subject_inbox")?),
        counterparty: counterparty(row)?,
        pinned: (get(row, "pinned")?, certain(row, "pinned_at", "pinned_inbox")?),
        archived: get(row, "archived")?,
        muted_until: micros(row, "muted_until")?,
        read_only: get(row, "read_only")?,
        read_up_to: Micros(get(row, "read_up_to")?),
        unread: get(row, "unread")?,
        last: last.map(|text| json("chats", key, text)).transpose()?,
        order: SortKey::from_bytes(get(row, "place")?).ok_or_else(|| bad("place"))?,
        picture: part(row, "chats", key, "picture")?,
        complete_up_to: micros(row, "complete_up_to")?,
        members_rev: seq(get(row, "members_rev")?),
        rev: seq(get(row, "rev")?),
    })
}

/// Where somebody stands whom facts show in a chat.
pub(crate) fn unsettled(row: &SqliteRow) -> Result<Unsettled, StoreError> {
    let left = micros(row, "left_at")?;
    Ok(Unsettled {
        chat_key: get(row, "chat_key")?,
        attendee_key: get(row, "attendee_key")?,
        standing: stamp(row, "since_at", "since_inbox")?.map(|since| Standing { since, left }),
    })
}

fn counterparty(row: &SqliteRow) -> Result<Option<Counterparty>, StoreError> {
    let key: Option<i64> = get(row, "counterparty_key")?;
    let id: Option<String> = get(row, "person_id")?;
    let Some((key, id)) = key.zip(id) else {
        return Ok(None);
    };
    Ok(Some(Counterparty {
        key,
        id: id.into(),
        since: certain(row, "counterparty_at", "counterparty_inbox")?,
        name: get(row, "person_name")?,
        phone: get(row, "person_phone")?,
        picture: part(row, "attendees", key, "person_picture")?,
    }))
}

/// A message without its attachments and reactions, and how many of each it has.
pub(crate) fn message(row: &SqliteRow) -> Result<(Message, i64, i64), StoreError> {
    let key = get(row, "message_key")?;
    let bad = |what| nonsense("messages", key, what);
    let sender: Option<String> = get(row, "sender_id")?;
    let outgoing: bool = get(row, "outgoing")?;
    let message = Message {
        key,
        id: MessageId(get::<Uuid>(row, "id")?),
        upstream_id: get::<Option<String>>(row, "upstream_id")?.map(Into::into),
        provider_id: get(row, "provider_id")?,
        chat_key: get(row, "chat_key")?,
        chat: get::<String>(row, "chat_id")?.into(),
        sender_key: get(row, "sender_key")?,
        sender: sender.map(Into::into),
        direction: if outgoing { Direction::Out } else { Direction::In },
        origin: Origin::from_number(get(row, "origin")?).ok_or_else(|| bad("origin"))?,
        content: content(row, key)?,
        content_stamp: certain(row, "content_at", "content_inbox")?,
        sent_at: Micros(get(row, "sent_at")?),
        arrived: certain(row, "arrived_at", "arrived_inbox")?,
        status: Status::from_rank(get(row, "status")?).ok_or_else(|| bad("status"))?,
        delivered: moment(row, "delivered_claimed", "delivered_arrived")?,
        read: moment(row, "read_claimed", "read_arrived")?,
        edit: edit(row)?,
        deleted_at: micros(row, "deleted_at")?,
        reactions: Vec::new(),
        sending: part(row, "messages", key, "sending")?,
        mentioned: Vec::new(),
        rev: seq(get(row, "rev")?),
    };
    Ok((message, get(row, "files")?, get(row, "reactions")?))
}

fn content(row: &SqliteRow, key: i64) -> Result<Content, StoreError> {
    let quoted: Option<&str> = get(row, "quoted")?;
    let is_event: bool = get(row, "is_event")?;
    let number: Option<i32> = get(row, "event_number")?;
    Ok(Content {
        text: get(row, "text")?,
        attachments: Vec::new(),
        event: is_event.then_some(SystemEvent { number }),
        hidden: get(row, "hidden")?,
        forwarded: get(row, "forwarded")?,
        quoted: quoted.map(|text| json("messages", key, text)).transpose()?,
    })
}

fn moment(row: &SqliteRow, claimed: &str, arrived: &str) -> Result<Option<Moment>, StoreError> {
    let claimed = micros(row, claimed)?;
    Ok(micros(row, arrived)?.map(|arrived| Moment { claimed, arrived }))
}

fn edit(row: &SqliteRow) -> Result<Option<Edit>, StoreError> {
    let text: Option<String> = get(row, "edit_text")?;
    Ok(stamp(row, "edit_at", "edit_inbox")?.map(|stamp| Edit { text, stamp }))
}

pub(crate) fn attachment(row: &SqliteRow) -> Result<Attachment, StoreError> {
    let key: i64 = get(row, "message_key")?;
    let kind: String = get(row, "kind")?;
    let kind =
        serde_json::from_value(kind.into()).map_err(|_| nonsense("attachments", key, "kind"))?;
    let size: Option<i64> = get(row, "size")?;
    let fetch = get::<Option<&str>>(row, "fetched")?.map(serde_json::from_str);
    Ok(Attachment {
        id: get(row, "id")?,
        kind,
        mime: get(row, "mime")?,
        size: size.map(i64::cast_unsigned),
        name: get(row, "name")?,
        width: get(row, "width")?,
        height: get(row, "height")?,
        duration_seconds: get(row, "duration_seconds")?,
        unavailable: get(row, "unavailable")?,
        fetch: fetch.transpose().map_err(|_| nonsense("attachments", key, "fetched"))?,
    })
}

/// A reaction, from `reactions r` and its author `a`.
pub(crate) fn reaction(row: &SqliteRow) -> Result<Reaction, StoreError> {
    Ok(Reaction {
        actor_key: get(row, "actor_key")?,
        actor: get::<String>(row, "actor_id")?.into(),
        is_self: get(row, "actor_is_self")?,
        emoji: get(row, "emoji")?,
        stamp: certain(row, "at", "inbox")?,
    })
}

/// An action, from `actions`.
pub(crate) fn action(row: &SqliteRow) -> Result<Action, StoreError> {
    let key = get(row, "action_key")?;
    let bad = |what| nonsense("actions", key, what);
    let hash: &[u8] = get(row, "hash")?;
    Ok(Action {
        key,
        id: get(row, "id")?,
        chat_key: get(row, "chat_key")?,
        message_key: get(row, "message_key")?,
        act: json("actions", key, get(row, "act")?)?,
        before: json("actions", key, get(row, "before")?)?,
        stamp: certain(row, "at", "inbox")?,
        hash: hash.try_into().map_err(|_| bad("hash"))?,
        stage: Stage::from_number(get(row, "stage")?).ok_or_else(|| bad("stage"))?,
        attempts: get(row, "attempts")?,
        refusals: get(row, "refusals")?,
        next_at: Micros(get(row, "next_at")?),
        expires_at: Micros(get(row, "expires_at")?),
        failure: part(row, "actions", key, "failure")?,
    })
}

/// A message of the outbox.
pub(crate) fn job(row: &SqliteRow) -> Result<Job, StoreError> {
    let key = get(row, "message_key")?;
    let bad = |what| nonsense("outbox", key, what);
    let hash: &[u8] = get(row, "hash")?;
    Ok(Job {
        key,
        id: MessageId(get::<Uuid>(row, "id")?),
        chat_key: get(row, "chat_key")?,
        chat: get::<String>(row, "chat_id")?.into(),
        request: json("outbox", key, get(row, "request")?)?,
        hash: hash.try_into().map_err(|_| bad("hash"))?,
        phase: Phase::from_number(get(row, "phase")?).ok_or_else(|| bad("phase"))?,
        attempts: get(row, "attempts")?,
        refusals: get(row, "refusals")?,
        probes: get(row, "probes")?,
        next_at: Micros(get(row, "next_at")?),
        expires_at: Micros(get(row, "expires_at")?),
        started_at: micros(row, "started_at")?,
        failure: part(row, "outbox", key, "failure")?,
        rev: seq(get(row, "rev")?),
    })
}

pub(crate) fn log_row(row: &SqliteRow) -> Result<LogRow, StoreError> {
    let number: i64 = get(row, "seq")?;
    let bad = |what| nonsense("change_log", number, what);
    Ok(LogRow {
        account_key: get(row, "account_key")?,
        seq: seq(number),
        tag: tag(get(row, "tag")?),
        body_hash: get(row, "body_hash")?,
        unit_end: get(row, "unit_end")?,
        op: Op::from_number(get(row, "op")?).ok_or_else(|| bad("op"))?,
        entity: Entity::from_number(get(row, "entity")?).ok_or_else(|| bad("entity"))?,
        entity_id: get(row, "entity_id")?,
        at: Micros(get(row, "at")?),
        body: get(row, "body")?,
        trace: get(row, "trace")?,
    })
}
