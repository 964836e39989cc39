//! Appending to the log, and asking for work.

use super::sent::row_sent;
use super::together::Together;
use channel_domain::Micros;
use channel_store::log::LogRow;
use channel_store::rows::{HeadWrite, Owned, Work};

/// Asking for the same twice is asking once; but whoever is at it must see that it was asked for again.
const WORK: &str = "INSERT INTO work_items (account_key, kind, subject, created_at, due_at) \
    SELECT account_key, kind, subject, created_at, created_at FROM unnest($1::work_item_row[]) \
    ON CONFLICT (account_key, kind, subject) DO UPDATE SET attempts = 0, \
      created_at = greatest(excluded.created_at, work_items.created_at + 1), \
      due_at = least(excluded.due_at, work_items.due_at)";

row_sent!(
    "work_item_row",
    struct WorkRow<'r> {
        account_key: i64,
        kind: i16,
        subject: &'r str,
        created_at: i64,
    }
);

/// Asks for work.
pub(super) fn work(together: &mut Together, rows: &[Owned<Work>], now: Micros) {
    let rows = rows.iter().map(|Owned { account_key, row }| WorkRow {
        account_key: *account_key,
        kind: row.kind as i16,
        subject: &row.subject,
        created_at: now.0,
    });
    together.part(WORK, rows);
}

const APPEND: &str = "INSERT INTO change_log (account_key, seq, tag, body_hash, unit_end, op, entity, \
      entity_id, at, body, trace) \
    SELECT account_key, seq, tag, body_hash, unit_end, op, entity, entity_id, at, body, trace \
    FROM unnest($1::change_log_row[])";

row_sent!(
    "change_log_row",
    struct Change<'r> {
        account_key: i64,
        seq: i64,
        tag: i64,
        body_hash: i64,
        unit_end: bool,
        op: i16,
        entity: i16,
        entity_id: &'r str,
        at: i64,
        body: Option<&'r [u8]>,
        trace: Option<&'r str>,
    }
);

impl<'r> From<&'r LogRow> for Change<'r> {
    fn from(row: &'r LogRow) -> Self {
        Self {
            account_key: row.account_key,
            seq: row.seq.cast_signed(),
            tag: i64::from(row.tag),
            body_hash: row.body_hash,
            unit_end: row.unit_end,
            op: row.op as i16,
            entity: row.entity as i16,
            entity_id: &row.entity_id,
            at: row.at.0,
            body: row.body.as_deref(),
            trace: row.trace.as_deref(),
        }
    }
}

const HEADS: &str = "UPDATE account_head h SET head = u.head, head_tag = u.head_tag, \
      next_key = u.next_key, heard_at = greatest(h.heard_at, u.heard_at) \
    FROM unnest($1::account_head_row[]) AS u WHERE h.account_key = u.account_key";

row_sent!(
    "account_head_row",
    struct End {
        account_key: i64,
        head: i64,
        head_tag: i64,
        next_key: i64,
        heard_at: Option<i64>,
    }
);

impl From<&HeadWrite> for End {
    fn from(write: &HeadWrite) -> Self {
        // An account that was opened, but of which no payload spoke in the end, was not heard of.
        let heard_at = (write.heard_at.0 != i64::MIN).then_some(write.heard_at.0);
        Self {
            account_key: write.account_key,
            head: write.head.seq.cast_signed(),
            head_tag: i64::from(write.head.tag),
            next_key: write.next_key,
            heard_at,
        }
    }
}

/// Appends to logs and writes their ends.
pub(super) fn append(together: &mut Together, rows: &[LogRow], heads: &[HeadWrite]) {
    together.part(APPEND, rows.iter().map(Change::from));
    together.part(HEADS, heads.iter().map(End::from));
}
