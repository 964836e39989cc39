//! What a batch needs to know before anything else, in one round trip.

use super::column;
use crate::decode::{self, get, json};
use crate::error::{nonsense, sorted};
use channel_domain::attendee::Attendee;
use channel_domain::ids::{AttendeeId, UpstreamMessageId};
use channel_domain::{Micros, Stamp};
use channel_store::StoreError;
use channel_store::intake::Digest;
use channel_store::rows::{Asked, Known, Owned, Parked};
use sqlx::postgres::{PgConnection, PgRow};
use std::collections::HashSet;

/// Rows of four kinds share their columns, which are named as an attendee's. A digest that is noted is one
/// that was new.
const EVERYTHING: &str = "WITH noted AS (INSERT INTO webhook_dedupe (account_key, digest, first_at) \
      SELECT account_key, digest, $3 FROM unnest($1::bigint[], $2::bytea[]) AS u(account_key, digest) \
      ON CONFLICT DO NOTHING RETURNING account_key, digest) \
    SELECT 1 AS what, account_key, NULL::bigint AS attendee_key, NULL::text AS id, \
      NULL::boolean AS is_self, NULL::text AS claims, NULL::text AS ties, NULL::text AS picture, \
      NULL::bigint AS rev, digest FROM noted \
    UNION ALL SELECT 2, NULL, nextval('webhook_inbox_ids'), NULL, NULL, NULL, NULL, NULL, NULL, NULL \
      FROM generate_series(1, $4::bigint) \
    UNION ALL SELECT 3, f.account_key, f.inbox, f.upstream_id, NULL, f.fact::text, NULL, NULL, f.at, NULL \
      FROM unnest($5::bigint[], $6::text[]) AS w(account_key, id) \
      JOIN parked_facts f ON f.account_key = w.account_key AND f.upstream_id = w.id \
    UNION ALL SELECT 4, a.account_key, a.attendee_key, a.id, a.is_self, a.claims::text, a.ties::text, \
        a.picture::text, a.rev, NULL \
      FROM unnest($7::bigint[], $8::text[]) AS w(account_key, id) \
      JOIN attendees a ON a.account_key = w.account_key AND a.id = w.id";

/// Looks up everything but messages.
pub(super) async fn everything(
    connection: &mut PgConnection,
    asked: &Asked,
    now: Micros,
) -> Result<Known, StoreError> {
    let Asked { digests, parked, attendees, .. } = asked;
    let rows = sqlx::query(EVERYTHING)
        .bind(column(digests, |(account, _)| *account))
        .bind(column(digests, |(_, digest)| &digest[..]))
        .bind(now.0)
        .bind(i64::try_from(asked.inbox_ids).unwrap_or(i64::MAX))
        .bind(column(parked, |(account, _)| *account))
        .bind(column(parked, |(_, id): &(i64, UpstreamMessageId)| id.as_str()))
        .bind(column(attendees, |(account, _)| *account))
        .bind(column(attendees, |(_, id): &(i64, AttendeeId)| id.as_str()))
        .fetch_all(connection)
        .await
        .map_err(sorted)?;
    sort_out(&rows, digests)
}

fn sort_out(rows: &[PgRow], digests: &[(i64, Digest)]) -> Result<Known, StoreError> {
    let mut known = Known::default();
    let mut noted: HashSet<(i64, &[u8])> = HashSet::new();
    for row in rows {
        match get::<i32>(row, "what")? {
            1 => {
                noted.insert((get(row, "account_key")?, get(row, "digest")?));
            }
            2 => known.inbox_ids.push(get(row, "attendee_key")?),
            3 => known.parked.push(parked(row)?),
            4 => known.attendees.push(attendee(row)?),
            other => return Err(nonsense("what was looked up", other, "its kind")),
        }
    }
    known.inbox_ids.sort_unstable();
    let is_noted = |(account, digest): &(i64, Digest)| noted.contains(&(*account, &digest[..]));
    known.fresh = digests.iter().map(is_noted).collect();
    Ok(known)
}

fn parked(row: &PgRow) -> Result<Parked, StoreError> {
    let inbox = get(row, "attendee_key")?;
    Ok(Parked {
        account_key: get(row, "account_key")?,
        message: get::<String>(row, "id")?.into(),
        stamp: Stamp { at: Micros(get(row, "rev")?), inbox },
        fact: json("parked_facts", inbox, get(row, "claims")?)?,
    })
}

fn attendee(row: &PgRow) -> Result<Owned<Attendee>, StoreError> {
    decode::owned(row, decode::attendee)
}
