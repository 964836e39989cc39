//! Writing chats and people.

use super::sent::row_sent;
use super::together::Together;
use super::{column, json, tried};
use crate::decode::{self, ATTENDEE, owned};
use crate::error::sorted;
use channel_domain::attendee::{Attendee, ClaimKind, joining};
use channel_domain::chat::Chat;
use channel_domain::search;
use channel_store::StoreError;
use channel_store::rows::{Link, Member, Owned, Shown, Unsettled};
use const_format::concatcp;
use sqlx::postgres::PgConnection;

const ATTENDEES: &str = "INSERT INTO attendees (account_key, attendee_key, id, is_self, name, phone, \
      claims, ties, words, rev) \
    SELECT account_key, attendee_key, id, is_self, name, phone, claims::jsonb, ties::jsonb, words, rev \
    FROM unnest($1::attendee_row_2[]) \
    ON CONFLICT (account_key, attendee_key) DO UPDATE SET is_self = excluded.is_self, \
      name = excluded.name, phone = excluded.phone, claims = excluded.claims, \
      ties = excluded.ties, words = excluded.words, rev = excluded.rev";

row_sent!(
    "attendee_row_2",
    struct AttendeeRow<'r> {
        account_key: i64,
        attendee_key: i64,
        id: &'r str,
        is_self: bool,
        name: Option<&'r str>,
        phone: Option<&'r str>,
        claims: String,
        ties: Option<String>,
        words: String,
        rev: i64,
    }
);

impl<'r> TryFrom<&'r Owned<Attendee>> for AttendeeRow<'r> {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &'r Owned<Attendee>) -> Result<Self, StoreError> {
        let (name, phone) = (row.name(), row.phone());
        Ok(Self {
            account_key: *account_key,
            attendee_key: row.key,
            id: row.id.as_str(),
            is_self: row.is_self,
            name,
            phone,
            claims: json(&row.claims)?,
            ties: row.ties.known().map(json).transpose()?,
            words: listed_words([name, phone].into_iter().flatten()),
            rev: row.rev.cast_signed(),
        })
    }
}

/// Writes people.
pub(super) fn attendees(
    together: &mut Together,
    rows: &[Owned<Attendee>],
) -> Result<(), StoreError> {
    together.part(ATTENDEES, tried::<_, AttendeeRow<'_>>(rows)?);
    Ok(())
}

/// Words for filtering a list: each with a blank before it, so that ` word` finds beginnings.
fn listed_words<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.flat_map(search::words).flat_map(|word| [" ".to_owned(), word]).collect()
}

const CHATS: &str = "INSERT INTO chats (account_key, chat_key, id, provider_id, kind, own_name, labels, subject, \
      subject_at, subject_inbox, counterparty_key, counterparty_at, counterparty_inbox, pinned, \
      pinned_at, pinned_inbox, archived, muted_until, read_only, read_up_to, unread, last, place, \
      words, rev) \
    SELECT account_key, chat_key, id, provider_id, kind, own_name, labels::jsonb, subject, subject_at, subject_inbox, \
      counterparty_key, counterparty_at, counterparty_inbox, pinned, pinned_at, pinned_inbox, \
      archived, muted_until, read_only, read_up_to, unread, last::jsonb, place, words, rev \
    FROM unnest($1::chat_row_2[]) \
    ON CONFLICT (account_key, chat_key) DO UPDATE SET id = excluded.id, \
      provider_id = excluded.provider_id, kind = excluded.kind, own_name = excluded.own_name, labels = excluded.labels, subject = excluded.subject, \
      subject_at = excluded.subject_at, subject_inbox = excluded.subject_inbox, \
      counterparty_key = excluded.counterparty_key, counterparty_at = excluded.counterparty_at, \
      counterparty_inbox = excluded.counterparty_inbox, pinned = excluded.pinned, \
      pinned_at = excluded.pinned_at, pinned_inbox = excluded.pinned_inbox, \
      archived = excluded.archived, muted_until = excluded.muted_until, \
      read_only = excluded.read_only, read_up_to = excluded.read_up_to, unread = excluded.unread, \
      last = excluded.last, place = excluded.place, words = excluded.words, rev = excluded.rev";

row_sent!(
    "chat_row_2",
    struct ChatRow<'r> {
        account_key: i64,
        chat_key: i64,
        id: &'r str,
        provider_id: Option<&'r str>,
        kind: i16,
        own_name: Option<&'r str>,
        labels: Option<String>,
        subject: Option<&'r str>,
        subject_at: Option<i64>,
        subject_inbox: Option<i64>,
        counterparty_key: Option<i64>,
        counterparty_at: Option<i64>,
        counterparty_inbox: Option<i64>,
        pinned: bool,
        pinned_at: i64,
        pinned_inbox: i64,
        archived: bool,
        muted_until: Option<i64>,
        read_only: bool,
        read_up_to: i64,
        unread: i32,
        last: Option<String>,
        place: &'r [u8],
        words: String,
        rev: i64,
    }
);

impl<'r> TryFrom<&'r Owned<Chat>> for ChatRow<'r> {
    type Error = StoreError;

    fn try_from(Owned { account_key, row }: &'r Owned<Chat>) -> Result<Self, StoreError> {
        let (subject, person) = (row.subject.as_ref(), row.counterparty.as_ref());
        let (pinned, pinned_since) = row.pinned;
        Ok(Self {
            account_key: *account_key,
            chat_key: row.key,
            id: row.id.as_str(),
            provider_id: row.provider_id.as_deref(),
            kind: row.kind as i16,
            own_name: row.own_name.as_deref(),
            labels: (!row.labels.is_empty()).then(|| json(&row.labels)).transpose()?,
            subject: subject.map(|(text, _)| text.as_str()),
            subject_at: subject.map(|(_, since)| since.at.0),
            subject_inbox: subject.map(|(_, since)| since.inbox),
            counterparty_key: person.map(|person| person.key),
            counterparty_at: person.map(|person| person.since.at.0),
            counterparty_inbox: person.map(|person| person.since.inbox),
            pinned,
            pinned_at: pinned_since.at.0,
            pinned_inbox: pinned_since.inbox,
            archived: row.archived,
            muted_until: row.muted_until.map(|until| until.0),
            read_only: row.read_only,
            read_up_to: row.read_up_to.0,
            unread: row.unread.cast_signed(),
            last: row.last.as_ref().map(json).transpose()?,
            place: row.order.as_bytes(),
            words: title_words(row),
            rev: row.rev.cast_signed(),
        })
    }
}

/// Writes chats.
pub(super) fn chats(together: &mut Together, rows: &[Owned<Chat>]) -> Result<(), StoreError> {
    together.part(CHATS, tried::<_, ChatRow<'_>>(rows)?);
    Ok(())
}

fn title_words(chat: &Chat) -> String {
    let (title, _) = chat.title();
    let phone = chat.counterparty.as_ref().and_then(|person| person.phone.as_deref());
    listed_words([title.as_str()].into_iter().chain(phone))
}

/// The earliest of several facts counts, in one batch as over time.
const LINKS: &str = "INSERT INTO person_links AS l (account_key, kind, value, attendee_key, since_at, \
      since_inbox, source) \
    SELECT DISTINCT ON (account_key, kind, value, attendee_key) * \
    FROM unnest($1::person_link_row_2[]) \
    ORDER BY account_key, kind, value, attendee_key, since_at, since_inbox \
    ON CONFLICT (account_key, kind, value, attendee_key) DO UPDATE SET \
      since_at = excluded.since_at, since_inbox = excluded.since_inbox, source = excluded.source \
      WHERE (excluded.since_at, excluded.since_inbox) < (l.since_at, l.since_inbox)";

row_sent!(
    "person_link_row_2",
    struct LinkRow<'r> {
        account_key: i64,
        kind: &'static str,
        value: &'r str,
        attendee_key: i64,
        since_at: i64,
        since_inbox: i64,
        source: i16,
    }
);

impl<'r> From<&'r Owned<Link>> for LinkRow<'r> {
    fn from(Owned { account_key, row }: &'r Owned<Link>) -> Self {
        Self {
            account_key: *account_key,
            kind: row.kind.as_str(),
            value: &row.value,
            attendee_key: row.attendee_key,
            since_at: row.since.at.0,
            since_inbox: row.since.inbox,
            source: row.source as i16,
        }
    }
}

/// Notes dated claims that identifiers name people.
pub(super) fn links(together: &mut Together, rows: &[Owned<Link>]) {
    together.part(LINKS, rows.iter().map(LinkRow::from));
}

const NAMED: &str = concatcp!(
    "SELECT DISTINCT ON (a.account_key, a.attendee_key) ",
    ATTENDEE,
    " FROM unnest($1::bigint[], $2::text[], $3::text[]) AS w(account_key, kind, value) \
      CROSS JOIN LATERAL (SELECT k.attendee_key FROM person_links k WHERE k.account_key = w.account_key \
        AND k.kind = w.kind AND k.value = w.value ORDER BY k.attendee_key LIMIT $4) l \
      JOIN attendees a ON a.account_key = w.account_key AND a.attendee_key = l.attendee_key"
);

/// Loads people by identifiers that name them.
pub(super) async fn named(
    connection: &mut PgConnection,
    wanted: &[(i64, ClaimKind, String)],
) -> Result<Vec<Owned<Attendee>>, StoreError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(NAMED)
        .bind(column(wanted, |(account, ..)| *account))
        .bind(column(wanted, |(_, kind, _)| kind.as_str()))
        .bind(column(wanted, |(.., value)| value.as_str()))
        .bind(i64::try_from(joining::MOST + 1).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    rows.iter().map(|row| owned(row, decode::attendee)).collect()
}

const PRESENT: &str = "SELECT attendee_key FROM chat_attendees \
    WHERE account_key = $1 AND chat_key = $2 AND left_at IS NULL";

/// Loads who is in a chat.
pub(super) async fn present(
    connection: &mut PgConnection,
    account: i64,
    chat: i64,
) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar(PRESENT).bind(account).bind(chat).fetch_all(connection).await.map_err(sorted)
}

const UNSETTLED: &str = "SELECT u.account_key, u.chat_key, u.attendee_key, k.since_at, k.since_inbox, k.left_at \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
      AS u(account_key, chat_key, attendee_key, since_at, since_inbox) \
    LEFT JOIN chat_attendees k ON k.account_key = u.account_key AND k.chat_key = u.chat_key \
      AND k.attendee_key = u.attendee_key \
    WHERE k.account_key IS NULL OR k.left_at IS NOT NULL \
      OR (k.since_at, k.since_inbox) > (u.since_at, u.since_inbox)";

/// Loads whoever of these is not simply in the chat.
pub(super) async fn unsettled(
    connection: &mut PgConnection,
    shown: &[Owned<Shown>],
) -> Result<Vec<Owned<Unsettled>>, StoreError> {
    let rows = sqlx::query(UNSETTLED)
        .bind(column(shown, |it| it.account_key))
        .bind(column(shown, |it| it.row.chat_key))
        .bind(column(shown, |it| it.row.attendee_key))
        .bind(column(shown, |it| it.row.since.at.0))
        .bind(column(shown, |it| it.row.since.inbox))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    rows.iter().map(|row| owned(row, decode::unsettled)).collect()
}

const TOLD: &str = "UPDATE chats c SET members_rev = u.rev FROM unnest($1::members_told_row[]) AS u \
    WHERE c.account_key = u.account_key AND c.chat_key = u.chat_key";

row_sent!(
    "members_told_row",
    struct ToldRow {
        account_key: i64,
        chat_key: i64,
        rev: i64,
    }
);

/// Notes with which event it was told that the members of chats changed; once the chats themselves are written.
pub(super) fn members_told(together: &mut Together, rows: &[Owned<(i64, u64)>]) {
    let told = rows.iter().map(|Owned { account_key, row: (chat_key, rev) }| ToldRow {
        account_key: *account_key,
        chat_key: *chat_key,
        rev: rev.cast_signed(),
    });
    together.part(TOLD, told);
}

/// Most messages of a group show members who are known: those are left out before they are locked and
/// written for nothing. The account's lock makes looking first safe.
const MEMBERS: &str = "INSERT INTO chat_attendees AS m (account_key, chat_key, attendee_key, since_at, \
      since_inbox, left_at) \
    SELECT u.account_key, u.chat_key, u.attendee_key, u.since_at, u.since_inbox, \
      CASE WHEN u.left_at IS NOT NULL THEN u.left_at WHEN k.left_at >= u.seen_at THEN k.left_at END \
    FROM unnest($1::chat_attendee_row_2[]) AS u \
    LEFT JOIN chat_attendees k ON k.account_key = u.account_key AND k.chat_key = u.chat_key \
      AND k.attendee_key = u.attendee_key \
    WHERE k.account_key IS NULL OR (k.since_at, k.since_inbox) > (u.since_at, u.since_inbox) \
      OR u.left_at IS NOT NULL OR k.left_at < u.seen_at \
    ON CONFLICT (account_key, chat_key, attendee_key) DO UPDATE SET \
      since_at = least(m.since_at, excluded.since_at), \
      since_inbox = CASE WHEN (excluded.since_at, excluded.since_inbox) < (m.since_at, m.since_inbox) \
        THEN excluded.since_inbox ELSE m.since_inbox END, \
      left_at = excluded.left_at";

row_sent!(
    "chat_attendee_row_2",
    struct MemberRow {
        account_key: i64,
        chat_key: i64,
        attendee_key: i64,
        since_at: i64,
        since_inbox: i64,
        seen_at: i64,
        left_at: Option<i64>,
    }
);

impl From<&Owned<Member>> for MemberRow {
    fn from(Owned { account_key, row }: &Owned<Member>) -> Self {
        Self {
            account_key: *account_key,
            chat_key: row.chat_key,
            attendee_key: row.attendee_key,
            since_at: row.since.at.0,
            since_inbox: row.since.inbox,
            seen_at: row.seen.0,
            left_at: row.left.map(|left| left.0),
        }
    }
}

/// Notes who is in which chat.
pub(super) fn members(together: &mut Together, rows: &[Owned<Member>]) {
    together.part(MEMBERS, rows.iter().map(MemberRow::from));
}
