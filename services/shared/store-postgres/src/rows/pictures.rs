//! Noting whose pictures are wanted.

use super::sent::row_sent;
use super::together::Together;
use channel_store::pictures::PictureWanted;
use channel_store::rows::Owned;

/// Whoever was looked for is looked for again once the picture is old, or another one is told of. What is read of the past
/// shows nobody anew.
const WANT: &str = "INSERT INTO pictures AS p (account_key, subject_key, is_chat, state, attempts, failures, \
      seen_at, changed, due_at) \
    SELECT account_key, subject_key, is_chat, 1, 0, 0, seen_at, changed, -seen_at \
    FROM unnest($1::picture_row[]) \
    ON CONFLICT (account_key, subject_key) DO UPDATE SET \
      seen_at = greatest(p.seen_at, excluded.seen_at), changed = p.changed OR excluded.changed, \
      due_at = CASE \
        WHEN excluded.changed OR p.due_at <= 0 THEN least(p.due_at, excluded.due_at) \
        WHEN excluded.seen_at > p.seen_at THEN coalesce(p.due_at, p.refresh_at) \
        ELSE p.due_at END";

row_sent!(
    "picture_row",
    struct PictureRow {
        account_key: i64,
        subject_key: i64,
        is_chat: bool,
        seen_at: i64,
        changed: bool,
    }
);

/// Notes who was seen.
pub(super) fn want(together: &mut Together, rows: &[Owned<PictureWanted>]) {
    let rows = rows.iter().map(|Owned { account_key, row }| PictureRow {
        account_key: *account_key,
        subject_key: row.key,
        is_chat: row.is_chat,
        seen_at: row.seen_at.0,
        changed: row.changed,
    });
    together.part(WANT, rows);
}
