//! Writing chats and people.

use super::together::Together;
use super::{column, json_column};
use channel_domain::attendee::{Attendee, ClaimKind};
use channel_domain::chat::{Chat, Counterparty};
use channel_domain::search;
use channel_store::StoreError;
use channel_store::rows::{Link, Member, Owned};

const ATTENDEES: &str = "INSERT INTO attendees (account_key, attendee_key, id, is_self, name, phone, \
      claims, words, rev) \
    SELECT account_key, attendee_key, id, is_self, name, phone, claims::jsonb, words, rev \
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[], $5::text[], $6::text[], \
        $7::text[], $8::text[], $9::bigint[]) \
      AS u(account_key, attendee_key, id, is_self, name, phone, claims, words, rev) \
    ON CONFLICT (account_key, attendee_key) DO UPDATE SET is_self = excluded.is_self, \
      name = excluded.name, phone = excluded.phone, claims = excluded.claims, \
      words = excluded.words, rev = excluded.rev";

/// Writes people.
pub(super) fn attendees(
    together: &mut Together,
    rows: &[Owned<Attendee>],
) -> Result<(), StoreError> {
    let words = |attendee: &Attendee| {
        let named = [attendee.name(), attendee.phone()];
        listed_words(named.into_iter().flatten())
    };
    together
        .part(ATTENDEES, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| owned.row.key))
        .bind(column(rows, |owned| owned.row.id.as_str()))
        .bind(column(rows, |owned| owned.row.is_self))
        .bind(column(rows, |owned| owned.row.name()))
        .bind(column(rows, |owned| owned.row.phone()))
        .bind(json_column(rows, |owned| Some(&owned.row.claims))?)
        .bind(column(rows, |owned| words(&owned.row)))
        .bind(column(rows, |owned| owned.row.rev.cast_signed()));
    Ok(())
}

/// Words for filtering a list: each with a blank before it, so that ` word` finds beginnings.
fn listed_words<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.flat_map(search::words).flat_map(|word| [" ".to_owned(), word]).collect()
}

const CHATS: &str = "INSERT INTO chats (account_key, chat_key, id, provider_id, kind, own_name, subject, \
      subject_at, subject_inbox, counterparty_key, counterparty_at, counterparty_inbox, pinned, \
      pinned_at, pinned_inbox, archived, muted_until, read_only, read_up_to, unread, last, place, \
      words, rev) \
    SELECT account_key, chat_key, id, provider_id, kind, own_name, subject, subject_at, subject_inbox, \
      counterparty_key, counterparty_at, counterparty_inbox, pinned, pinned_at, pinned_inbox, \
      archived, muted_until, read_only, read_up_to, unread, last::jsonb, place, words, rev \
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::text[], \
        $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], \
        $13::boolean[], $14::bigint[], $15::bigint[], $16::boolean[], $17::bigint[], $18::boolean[], \
        $19::bigint[], $20::integer[], $21::text[], $22::bytea[], $23::text[], $24::bigint[]) \
      AS u(account_key, chat_key, id, provider_id, kind, own_name, subject, subject_at, subject_inbox, \
        counterparty_key, counterparty_at, counterparty_inbox, pinned, pinned_at, pinned_inbox, \
        archived, muted_until, read_only, read_up_to, unread, last, place, words, rev) \
    ON CONFLICT (account_key, chat_key) DO UPDATE SET provider_id = excluded.provider_id, \
      kind = excluded.kind, own_name = excluded.own_name, subject = excluded.subject, \
      subject_at = excluded.subject_at, subject_inbox = excluded.subject_inbox, \
      counterparty_key = excluded.counterparty_key, counterparty_at = excluded.counterparty_at, \
      counterparty_inbox = excluded.counterparty_inbox, pinned = excluded.pinned, \
      pinned_at = excluded.pinned_at, pinned_inbox = excluded.pinned_inbox, \
      archived = excluded.archived, muted_until = excluded.muted_until, \
      read_only = excluded.read_only, read_up_to = excluded.read_up_to, unread = excluded.unread, \
      last = excluded.last, place = excluded.place, words = excluded.words, rev = excluded.rev";

/// Writes chats.
pub(super) fn chats(together: &mut Together, rows: &[Owned<Chat>]) -> Result<(), StoreError> {
    let subject = |owned: &Owned<Chat>| owned.row.subject.as_ref().map(|(_, since)| *since);
    together
        .part(CHATS, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| owned.row.key))
        .bind(column(rows, |owned| owned.row.id.as_str()))
        .bind(column(rows, |owned| owned.row.provider_id.as_deref()))
        .bind(column(rows, |owned| owned.row.kind as i16))
        .bind(column(rows, |owned| owned.row.own_name.as_deref()))
        .bind(column(rows, |owned| owned.row.subject.as_ref().map(|(text, _)| text.as_str())))
        .bind(column(rows, |owned| subject(owned).map(|since| since.at.0)))
        .bind(column(rows, |owned| subject(owned).map(|since| since.inbox)))
        .bind(column(rows, |owned| person(owned).map(|person| person.key)))
        .bind(column(rows, |owned| person(owned).map(|person| person.since.at.0)))
        .bind(column(rows, |owned| person(owned).map(|person| person.since.inbox)))
        .bind(column(rows, |owned| owned.row.pinned.0))
        .bind(column(rows, |owned| owned.row.pinned.1.at.0))
        .bind(column(rows, |owned| owned.row.pinned.1.inbox))
        .bind(column(rows, |owned| owned.row.archived))
        .bind(column(rows, |owned| owned.row.muted_until.map(|until| until.0)))
        .bind(column(rows, |owned| owned.row.read_only))
        .bind(column(rows, |owned| owned.row.read_up_to.0))
        .bind(column(rows, |owned| owned.row.unread.cast_signed()))
        .bind(json_column(rows, |owned| owned.row.last.as_ref())?)
        .bind(column(rows, |owned| &owned.row.order.as_bytes()[..]))
        .bind(column(rows, title_words))
        .bind(column(rows, |owned| owned.row.rev.cast_signed()));
    Ok(())
}

fn person(owned: &Owned<Chat>) -> Option<&Counterparty> {
    owned.row.counterparty.as_ref()
}

fn title_words(owned: &Owned<Chat>) -> String {
    let (title, _) = owned.row.title();
    let phone = person(owned).and_then(|person| person.phone.as_deref());
    listed_words([title.as_str()].into_iter().chain(phone))
}

/// The earliest of several facts counts, in one batch as over time.
const LINKS: &str = "INSERT INTO person_links AS l (account_key, kind, value, attendee_key, since_at, \
      since_inbox) \
    SELECT DISTINCT ON (account_key, kind, value, attendee_key) * \
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) \
      AS u(account_key, kind, value, attendee_key, since_at, since_inbox) \
    ORDER BY account_key, kind, value, attendee_key, since_at, since_inbox \
    ON CONFLICT (account_key, kind, value, attendee_key) DO UPDATE SET \
      since_at = excluded.since_at, since_inbox = excluded.since_inbox \
      WHERE (excluded.since_at, excluded.since_inbox) < (l.since_at, l.since_inbox)";

/// Notes dated claims that identifiers name people.
pub(super) fn links(together: &mut Together, rows: &[Owned<Link>]) {
    together
        .part(LINKS, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| identifier(owned.row.kind)))
        .bind(column(rows, |owned| owned.row.value.as_str()))
        .bind(column(rows, |owned| owned.row.attendee_key))
        .bind(column(rows, |owned| owned.row.since.at.0))
        .bind(column(rows, |owned| owned.row.since.inbox));
}

const fn identifier(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Name => "name",
        ClaimKind::Phone => "phone",
        ClaimKind::Lid => "lid",
        ClaimKind::ProviderId => "providerid",
        ClaimKind::ProfileUrl => "profileurl",
        ClaimKind::PictureUrl => "pictureurl",
    }
}

/// Most messages of a group show members who are known: those are left out before they are locked and
/// written for nothing. The account's lock makes looking first safe.
const MEMBERS: &str = "INSERT INTO chat_attendees AS m (account_key, chat_key, attendee_key, since_at, \
      since_inbox) \
    SELECT u.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
      AS u(account_key, chat_key, attendee_key, since_at, since_inbox) \
    WHERE NOT EXISTS (SELECT FROM chat_attendees k WHERE k.account_key = u.account_key \
      AND k.chat_key = u.chat_key AND k.attendee_key = u.attendee_key \
      AND (k.since_at, k.since_inbox) <= (u.since_at, u.since_inbox)) \
    ON CONFLICT (account_key, chat_key, attendee_key) DO UPDATE SET \
      since_at = excluded.since_at, since_inbox = excluded.since_inbox";

/// Notes who is in which chat.
pub(super) fn members(together: &mut Together, rows: &[Owned<Member>]) {
    together
        .part(MEMBERS, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| owned.row.chat_key))
        .bind(column(rows, |owned| owned.row.attendee_key))
        .bind(column(rows, |owned| owned.row.since.at.0))
        .bind(column(rows, |owned| owned.row.since.inbox));
}
