//! Appending to the log, and asking for work.

use super::column;
use super::together::Together;
use channel_domain::Micros;
use channel_store::log::LogRow;
use channel_store::rows::{HeadWrite, Owned, Work};

/// Asking for the same twice is asking once.
const WORK: &str = "INSERT INTO work_items (account_key, kind, subject, created_at, due_at) \
    SELECT account_key, kind, subject, $4, $4 FROM unnest($1::bigint[], $2::smallint[], $3::text[]) \
      AS u(account_key, kind, subject) ON CONFLICT DO NOTHING";

/// Asks for work.
pub(super) fn work(together: &mut Together, rows: &[Owned<Work>], now: Micros) {
    together
        .part(WORK, rows)
        .bind(column(rows, |owned| owned.account_key))
        .bind(column(rows, |owned| owned.row.kind as i16))
        .bind(column(rows, |owned| owned.row.subject.as_str()))
        .bind(now.0);
}

const HEADS: &str = "UPDATE account_head h SET head = u.head, head_tag = u.head_tag, \
      next_key = u.next_key, heard_at = greatest(h.heard_at, u.heard_at) \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
      AS u(account_key, head, head_tag, next_key, heard_at) WHERE h.account_key = u.account_key";

const APPEND: &str = "INSERT INTO change_log (account_key, seq, tag, body_hash, unit_end, op, entity, \
      entity_id, at, body, trace) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], \
      $6::smallint[], $7::smallint[], $8::text[], $9::bigint[], $10::bytea[], $11::text[])";

/// Appends to logs and writes their ends.
pub(super) fn append(together: &mut Together, rows: &[LogRow], heads: &[HeadWrite]) {
    together
        .part(APPEND, rows)
        .bind(column(rows, |row| row.account_key))
        .bind(column(rows, |row| row.seq.cast_signed()))
        .bind(column(rows, |row| i64::from(row.tag)))
        .bind(column(rows, |row| row.body_hash))
        .bind(column(rows, |row| row.unit_end))
        .bind(column(rows, |row| row.op as i16))
        .bind(column(rows, |row| row.entity as i16))
        .bind(column(rows, |row| row.entity_id.as_str()))
        .bind(column(rows, |row| row.at.0))
        .bind(column(rows, |row| row.body.as_deref()))
        .bind(column(rows, |row| row.trace.as_deref()));
    together
        .part(HEADS, heads)
        .bind(column(heads, |head| head.account_key))
        .bind(column(heads, |head| head.head.seq.cast_signed()))
        .bind(column(heads, |head| i64::from(head.head.tag)))
        .bind(column(heads, |head| head.next_key))
        .bind(column(heads, heard_at));
}

/// An account that was opened, but of which no payload spoke in the end, was not heard of.
fn heard_at(head: &HeadWrite) -> Option<i64> {
    (head.heard_at.0 != i64::MIN).then_some(head.heard_at.0)
}
