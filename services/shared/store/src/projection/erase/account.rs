//! Erasing an account: first what makes it one, then every table.

use super::sql;
use crate::erase::{AccountTable, Erasure, Shelf, Statement, Step};
use crate::error::StoreError;
use crate::log::Moved;
use crate::rows::Rows;
use channel_domain::time::Micros;

/// How many rows of a table a piece deletes, and how many messages.
const ROWS: i64 = 300;
const MESSAGES: i64 = 100;
/// Over how many payloads a piece goes.
const PAYLOADS: i64 = 500;

/// The account is gone for everybody: whoever reads its log is told that there is none.
pub(super) async fn begin<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
    now: Micros,
) -> Result<Vec<Moved>, StoreError> {
    let id = erasure.account.clone();
    // Whoever writes to it has ended by then.
    rows.open(std::slice::from_ref(&id), &crate::intake::Adoption::Nobody, now).await?;
    let Some(work) = &mut erasure.work else { return Ok(vec![]) };
    for sql in sql::ACCOUNT {
        rows.run(Statement::of(work.account, sql).texts([id.to_string()])).await?;
    }
    (work.step, work.from) = (Step::Tables, 0);
    Ok(vec![])
}

/// Deletes some rows of the first table that has any.
pub(super) async fn tables<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
) -> Result<(), StoreError> {
    let Some(work) = &mut erasure.work else { return Ok(()) };
    let key = work.account;
    let mut gone = files(rows, key).await?;
    if gone == 0 {
        gone = messages(rows, key).await?;
        erasure.counts.messages += gone;
    }
    if gone == 0 {
        for table in rows.account_tables().await? {
            gone = some(rows, key, &table).await?;
            if gone > 0 {
                break;
            }
        }
    }
    erasure.counts.rows += gone;
    if gone == 0 {
        (work.step, work.from, work.to) = (Step::Payloads, 0, 0);
    }
    Ok(())
}

/// Entries of the journal of files; the bytes are looked at later.
async fn files<R: Shelf + ?Sized>(rows: &mut R, key: i64) -> Result<u64, StoreError> {
    let some = Statement::of(key, sql::SOME_FILES).between(0, ROWS);
    let hashes: Vec<_> = rows.look(some).await?.into_iter().filter_map(|row| row.text).collect();
    if hashes.is_empty() {
        return Ok(0);
    }
    rows.run(Statement::of(key, sql::SWEEP_FILES).texts(hashes.clone())).await?;
    let mut gone = 0;
    for sql in sql::NO_FETCHES {
        gone += rows.run(Statement::of(key, sql).texts(hashes.clone())).await?;
    }
    Ok(gone)
}

async fn messages<R: Shelf + ?Sized>(rows: &mut R, key: i64) -> Result<u64, StoreError> {
    let some = Statement::of(key, sql::SOME_MESSAGES).between(0, MESSAGES);
    let keys: Vec<i64> = rows.look(some).await?.iter().map(|row| row.key).collect();
    if keys.is_empty() {
        return Ok(0);
    }
    rows.forget_words(key, &keys).await?;
    rows.run(Statement::of(key, sql::MESSAGES).keys(keys)).await
}

async fn some<R: Shelf + ?Sized>(
    rows: &mut R,
    key: i64,
    (table, columns): &AccountTable,
) -> Result<u64, StoreError> {
    let columns: Vec<_> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let columns = columns.join(", ");
    // Names out of the database's own catalogue.
    let delete = format!(
        "DELETE FROM \"{table}\" WHERE account_key = $1 AND ({columns}) IN \
         (SELECT {columns} FROM \"{table}\" WHERE account_key = $1 LIMIT $5)"
    );
    rows.run(Statement::of(key, delete).between(0, ROWS)).await
}

/// Payloads have no index by account: all of them are gone over, in pieces.
pub(super) async fn payloads<R: Rows + ?Sized>(
    rows: &mut R,
    erasure: &mut Erasure,
) -> Result<(), StoreError> {
    let id = erasure.account.to_string();
    let Some(work) = &mut erasure.work else { return Ok(()) };
    let to = (work.from + PAYLOADS).min(work.to + 1);
    let delete = Statement::of(work.account, sql::NO_PAYLOADS_AT_ALL).texts([id]);
    erasure.counts.payloads += rows.run(delete.between(work.from, to)).await?;
    work.from = to;
    if work.from > work.to {
        (work.step, work.from) = (Step::Words, 0);
    }
    Ok(())
}
