//! What SQLite's errors mean to callers.

use channel_store::StoreError;

/// Primary result codes that waiting may cure: busy, locked, I/O error, full, cannot open.
const TEMPORARY: [i32; 5] = [5, 6, 10, 13, 14];

/// Sorts an error of the driver.
pub(crate) fn sorted(error: sqlx::Error) -> StoreError {
    let temporary = match &error {
        sqlx::Error::Database(database) => database
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            .is_some_and(|code| TEMPORARY.contains(&(code & 0xff))),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    };
    if temporary {
        StoreError::Unavailable(Box::new(error))
    } else {
        StoreError::Refused(Box::new(error))
    }
}

/// A row that makes no sense.
pub(crate) fn nonsense(
    table: &'static str,
    row: impl std::fmt::Display,
    what: &'static str,
) -> StoreError {
    StoreError::Inconsistent { table, row: row.to_string(), what }
}
