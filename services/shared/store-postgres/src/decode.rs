//! Rows into states. A row that makes no sense is an error that says where it is.

use crate::error::{nonsense, sorted};
use channel_domain::account::Account;
use channel_domain::attendee::Attendee;
use channel_domain::chat::{Chat, ChatKind, Counterparty};
use channel_domain::direction::Direction;
use channel_domain::fact::{Attachment, SystemEvent};
use channel_domain::ids::MessageId;
use channel_domain::mentions::Known;
use channel_domain::message::{Content, Edit, Message, Moment, Origin, Reaction, Status};
use channel_domain::send::{Action, Job, Phase, Stage};
use channel_domain::{Micros, SortKey, Stamp};
use channel_store::StoreError;
use channel_store::log::{Entity, Head, LogRow, Op, Position};
use channel_store::rows::{Owned, Standing, Unsettled};
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Decode, Row, Type};
use uuid::Uuid;

/// The columns of an account, from `accounts a`.
pub(crate) const ACCOUNT: &str = "a.account_key, a.id, a.tenant, a.own_name, a.phone, a.phone_at, \
    a.phone_inbox, a.reports::text AS reports, a.complete_up_to, a.created_at, a.rev";

/// The columns of a person, from `attendees a`.
pub(crate) const ATTENDEE: &str = "a.account_key, a.attendee_key, a.id, a.is_self, a.claims::text AS claims, \
    a.ties::text AS ties, a.picture::text AS picture, a.rev";

/// The columns of a chat, from `chats c` and its counterparty `attendees p`.
pub(crate) const CHAT: &str = "c.account_key, c.chat_key, c.id, c.provider_id, c.kind, c.own_name, \
    c.labels::text AS labels, c.subject, c.subject_at, c.subject_inbox, c.counterparty_key, c.counterparty_at, \
    c.counterparty_inbox, c.pinned, c.pinned_at, c.pinned_inbox, c.archived, c.muted_until, \
    c.read_only, c.read_up_to, c.unread, c.last::text AS last, c.place, c.rev, p.id AS person_id, \
    p.name AS person_name, p.phone AS person_phone, c.complete_up_to, c.members_rev, c.picture::text AS picture, \
    coalesce(p.picture, p.ties->'joined'->'picture')::text AS person_picture";

/// The columns of a message, from `messages m`, its chat `c` and its writer `s`. Its files and reactions
/// come with it, in the same snapshot; they are looked for only where it has any.
pub(crate) const MESSAGE: &str = "m.account_key, m.message_key, m.id, m.upstream_id, m.provider_id, \
    m.chat_key, c.id AS chat_id, m.sender_key, s.id AS sender_id, m.outgoing, m.origin, m.text, \
    m.is_event, m.event_number, m.hidden, m.forwarded, m.quoted::text AS quoted, m.content_at, \
    m.content_inbox, m.sent_at, m.arrived_at, m.arrived_inbox, m.status, m.delivered_claimed, \
    m.delivered_arrived, m.read_claimed, m.read_arrived, m.edit_text, m.edit_at, m.edit_inbox, \
    m.deleted_at, m.sending::text AS sending, m.rev, \
    CASE WHEN m.files > 0 THEN (SELECT json_agg(f ORDER BY f.position) FROM attachments f \
      WHERE f.account_key = m.account_key AND f.message_key = m.message_key)::text END AS files, \
    CASE WHEN m.reactions > 0 THEN (SELECT json_agg(json_build_array(r.actor_key, a.id, a.is_self, r.emoji, \
        r.at, r.inbox) ORDER BY r.at, r.inbox, r.actor_key) \
      FROM reactions r JOIN attendees a ON a.account_key = r.account_key \
        AND a.attendee_key = r.actor_key \
      WHERE r.account_key = m.account_key AND r.message_key = m.message_key)::text END AS reactions, \
    CASE WHEN concat(m.text, m.edit_text, m.quoted->>'text') LIKE '%{{%' THEN \
      (SELECT json_agg(json_build_array(t.id, a.id, a.name, a.phone)) FROM (SELECT DISTINCT g[1] AS id \
          FROM regexp_matches(concat_ws(' ', m.text, m.edit_text, m.quoted->>'text'), \
            '\\{\\{(\\d+@(?:lid|s\\.whatsapp\\.net))\\}\\}', 'g') g) t \
        JOIN LATERAL (SELECT l.attendee_key FROM person_links l WHERE l.account_key = m.account_key \
          AND (l.kind, l.value) = (CASE WHEN t.id LIKE '%@lid' THEN 'lid' ELSE 'phone' END, \
            CASE WHEN t.id LIKE '%@lid' THEN t.id ELSE '+' || split_part(t.id, '@', 1) END) \
          ORDER BY l.attendee_key LIMIT 1) l ON true \
        JOIN attendees a ON a.account_key = m.account_key \
          AND a.attendee_key = l.attendee_key)::text END AS mentioned";

/// Where a message's chat and writer come from.
pub(crate) const MESSAGE_JOINS: &str = " JOIN chats c ON c.account_key = m.account_key \
    AND c.chat_key = m.chat_key LEFT JOIN attendees s ON s.account_key = m.account_key \
    AND s.attendee_key = m.sender_key ";

/// Where a chat's counterparty comes from.
pub(crate) const CHAT_JOINS: &str = " LEFT JOIN attendees p ON p.account_key = c.account_key \
    AND p.attendee_key = c.counterparty_key ";

/// A value of a row.
pub(crate) fn get<'r, T>(row: &'r PgRow, column: &str) -> Result<T, StoreError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(sorted)
}

/// Reads a JSON column.
pub(crate) fn json<T: DeserializeOwned>(
    table: &'static str,
    key: i64,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| nonsense(table, key, "a JSON column cannot be read"))
}

/// Reads a JSON column that may be empty.
pub(crate) fn part<T: DeserializeOwned>(
    row: &PgRow,
    table: &'static str,
    key: i64,
    column: &str,
) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = get(row, column)?;
    text.map(|text| json(table, key, text)).transpose()
}

/// A count or number that is never negative, as it is stored.
pub(crate) const fn number(stored: i64) -> u64 {
    stored.cast_unsigned()
}

/// A row with its account.
pub(crate) fn owned<T>(
    row: &PgRow,
    decode: impl Fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Owned<T>, StoreError> {
    Ok(Owned { account_key: get(row, "account_key")?, row: decode(row)? })
}

pub(crate) fn stamp(row: &PgRow, at: &str, inbox: &str) -> Result<Option<Stamp>, StoreError> {
    let at: Option<i64> = get(row, at)?;
    let inbox: Option<i64> = get(row, inbox)?;
    Ok(at.zip(inbox).map(|(at, inbox)| Stamp { at: Micros(at), inbox }))
}

fn certain(row: &PgRow, at: &str, inbox: &str) -> Result<Stamp, StoreError> {
    Ok(stamp(row, at, inbox)?.unwrap_or_default())
}

pub(crate) fn micros(row: &PgRow, column: &str) -> Result<Option<Micros>, StoreError> {
    Ok(get::<Option<i64>>(row, column)?.map(Micros))
}

fn position(row: &PgRow, seq: &str, tag: &str) -> Result<Position, StoreError> {
    let (seq, tag): (i64, i64) = (get(row, seq)?, get(row, tag)?);
    Ok(Position {
        seq: number(seq),
        tag: u32::try_from(tag).map_err(|_| nonsense("account_head", seq, "tag"))?,
    })
}

/// The end of a log, from `account_head`.
pub(crate) fn log_end(row: &PgRow) -> Result<Position, StoreError> {
    position(row, "head", "head_tag")
}

pub(crate) fn head(row: &PgRow) -> Result<Head, StoreError> {
    Ok(Head {
        account_key: get(row, "account_key")?,
        head: log_end(row)?,
        floor: position(row, "floor", "floor_tag")?,
    })
}

pub(crate) fn account(row: &PgRow) -> Result<Account, StoreError> {
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
        rev: number(get(row, "rev")?),
    })
}

pub(crate) fn attendee(row: &PgRow) -> Result<Attendee, StoreError> {
    let key = get(row, "attendee_key")?;
    Ok(Attendee {
        key,
        id: get::<String>(row, "id")?.into(),
        is_self: get(row, "is_self")?,
        claims: json("attendees", key, get(row, "claims")?)?,
        picture: part(row, "attendees", key, "picture")?,
        ties: part(row, "attendees", key, "ties")?.unwrap_or_default(),
        rev: number(get(row, "rev")?),
    })
}

pub(crate) fn chat(row: &PgRow) -> Result<Chat, StoreError> {
    let key = get(row, "chat_key")?;
    let bad = |what| nonsense("chats", key, what);
    let subject: Option<String> = get(row, "subject")?;
    let last: Option<&str> = get(row, "last")?;
    let unread: i32 = get(row, "unread")?;
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
        unread: u32::try_from(unread).map_err(|_| bad("unread"))?,
        last: last.map(|text| json("chats", key, text)).transpose()?,
        order: SortKey::from_bytes(get(row, "place")?).ok_or_else(|| bad("place"))?,
        picture: part(row, "chats", key, "picture")?,
        complete_up_to: micros(row, "complete_up_to")?,
        members_rev: number(get(row, "members_rev")?),
        rev: number(get(row, "rev")?),
    })
}

/// Where somebody stands whom facts show in a chat.
pub(crate) fn unsettled(row: &PgRow) -> Result<Unsettled, StoreError> {
    let left = micros(row, "left_at")?;
    Ok(Unsettled {
        chat_key: get(row, "chat_key")?,
        attendee_key: get(row, "attendee_key")?,
        standing: stamp(row, "since_at", "since_inbox")?.map(|since| Standing { since, left }),
    })
}

fn counterparty(row: &PgRow) -> Result<Option<Counterparty>, StoreError> {
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

pub(crate) fn message(row: &PgRow) -> Result<Message, StoreError> {
    let key = get(row, "message_key")?;
    let bad = |what| nonsense("messages", key, what);
    Ok(Message {
        key,
        id: MessageId(get::<Uuid>(row, "id")?),
        upstream_id: get::<Option<String>>(row, "upstream_id")?.map(Into::into),
        provider_id: get(row, "provider_id")?,
        chat_key: get(row, "chat_key")?,
        chat: get::<String>(row, "chat_id")?.into(),
        sender_key: get(row, "sender_key")?,
        sender: get::<Option<String>>(row, "sender_id")?.map(Into::into),
        direction: if get(row, "outgoing")? { Direction::Out } else { Direction::In },
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
        reactions: reactions(row, key)?,
        sending: part(row, "messages", key, "sending")?,
        mentioned: mentioned(row, key)?,
        rev: number(get(row, "rev")?),
    })
}

fn content(row: &PgRow, key: i64) -> Result<Content, StoreError> {
    let quoted: Option<&str> = get(row, "quoted")?;
    let is_event: bool = get(row, "is_event")?;
    let number: Option<i32> = get(row, "event_number")?;
    let files: Option<&str> = get(row, "files")?;
    // Each file is a whole row of its table as JSON: of the same names as the fields of the state.
    let files = files.map(|text| json::<Vec<Attachment>>("attachments", key, text));
    Ok(Content {
        text: get(row, "text")?,
        attachments: files.transpose()?.unwrap_or_default(),
        event: is_event.then_some(SystemEvent { number }),
        hidden: get(row, "hidden")?,
        forwarded: get(row, "forwarded")?,
        quoted: quoted.map(|text| json("messages", key, text)).transpose()?,
    })
}

type StoredMention = (String, String, Option<String>, Option<String>);

fn mentioned(row: &PgRow, key: i64) -> Result<Vec<Known>, StoreError> {
    let stored: Option<Vec<StoredMention>> = part(row, "messages", key, "mentioned")?;
    let known = |(id, attendee, name, phone): StoredMention| Known {
        id,
        attendee: attendee.into(),
        name,
        phone,
    };
    Ok(stored.unwrap_or_default().into_iter().map(known).collect())
}

type StoredReaction = (i64, String, bool, Option<String>, i64, i64);

fn reactions(row: &PgRow, key: i64) -> Result<Vec<Reaction>, StoreError> {
    let Some(text) = get::<Option<&str>>(row, "reactions")? else {
        return Ok(Vec::new());
    };
    let stored: Vec<StoredReaction> = json("reactions", key, text)?;
    let reaction = |(actor_key, actor, is_self, emoji, at, inbox): StoredReaction| Reaction {
        actor_key,
        actor: actor.into(),
        is_self,
        emoji,
        stamp: Stamp { at: Micros(at), inbox },
    };
    Ok(stored.into_iter().map(reaction).collect())
}

fn moment(row: &PgRow, claimed: &str, arrived: &str) -> Result<Option<Moment>, StoreError> {
    let claimed = micros(row, claimed)?;
    Ok(micros(row, arrived)?.map(|arrived| Moment { claimed, arrived }))
}

fn edit(row: &PgRow) -> Result<Option<Edit>, StoreError> {
    let text: Option<String> = get(row, "edit_text")?;
    Ok(stamp(row, "edit_at", "edit_inbox")?.map(|stamp| Edit { text, stamp }))
}

/// The columns of a message in the outbox, from `outbox o` and its chat `c`.
pub(crate) const JOB: &str = "o.account_key, o.message_key, o.id, o.chat_key, c.id AS chat_id, \
    o.request::text AS request, o.hash, o.phase, o.attempts, o.refusals, o.probes, o.next_at, \
    o.expires_at, o.started_at, o.failure::text AS failure, o.rev";

/// The columns of an action, from `actions x`.
pub(crate) const ACTION: &str = "x.account_key, x.action_key, x.id, x.chat_key, x.message_key, \
    x.act::text AS act, x.before::text AS before, x.at, x.inbox, x.hash, x.stage, x.attempts, \
    x.refusals, x.next_at, x.expires_at, x.failure::text AS failure";

/// An action.
pub(crate) fn action(row: &PgRow) -> Result<Action, StoreError> {
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
        attempts: get::<i32>(row, "attempts")?.cast_unsigned(),
        refusals: get::<i32>(row, "refusals")?.cast_unsigned(),
        next_at: Micros(get(row, "next_at")?),
        expires_at: Micros(get(row, "expires_at")?),
        failure: part(row, "actions", key, "failure")?,
    })
}

/// A message of the outbox.
pub(crate) fn job(row: &PgRow) -> Result<Job, StoreError> {
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
        attempts: get::<i32>(row, "attempts")?.cast_unsigned(),
        refusals: get::<i32>(row, "refusals")?.cast_unsigned(),
        probes: get::<i32>(row, "probes")?.cast_unsigned(),
        next_at: Micros(get(row, "next_at")?),
        expires_at: Micros(get(row, "expires_at")?),
        started_at: micros(row, "started_at")?,
        failure: part(row, "outbox", key, "failure")?,
        rev: number(get(row, "rev")?),
    })
}

pub(crate) fn log_row(row: &PgRow) -> Result<LogRow, StoreError> {
    let seq: i64 = get(row, "seq")?;
    let tag: i64 = get(row, "tag")?;
    let bad = |what| nonsense("change_log", seq, what);
    Ok(LogRow {
        account_key: get(row, "account_key")?,
        seq: number(seq),
        tag: u32::try_from(tag).map_err(|_| bad("tag"))?,
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
