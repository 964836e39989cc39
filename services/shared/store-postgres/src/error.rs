//! What PostgreSQL's errors mean to callers. The only place that knows SQLSTATEs.

use channel_store::StoreError;
use sqlx::postgres::PgDatabaseError;
use std::error::Error;
use std::fmt;

/// An error that the server reported, without the parts (detail, context) that quote stored values.
#[derive(Debug)]
struct Refusal {
    state: String,
    message: String,
    constraint: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.state)?;
        match &self.constraint {
            Some(constraint) => write!(f, ", constraint {constraint}"),
            None => Ok(()),
        }
    }
}

impl Error for Refusal {}

/// The connection broke while it was in use: another one may work at once.
#[derive(Debug)]
struct Lost(Box<dyn Error + Send + Sync>);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection broke: {}", self.0)
    }
}

impl Error for Lost {}

/// Sorts an error of the driver.
pub(crate) fn sorted(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolClosed => StoreError::Closed,
        sqlx::Error::Io(error) => lost(Box::new(error)),
        sqlx::Error::Tls(error) => lost(error),
        sqlx::Error::Database(error) => match error.try_downcast::<PgDatabaseError>() {
            Ok(error) => reported(&error),
            Err(error) => StoreError::Refused(error.message().to_owned().into()),
        },
        error @ (sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed) => {
            StoreError::Unavailable(Box::new(error))
        }
        error => StoreError::Refused(Box::new(error)),
    }
}

fn lost(error: Box<dyn Error + Send + Sync>) -> StoreError {
    StoreError::Unavailable(Box::new(Lost(error)))
}

fn reported(error: &PgDatabaseError) -> StoreError {
    let refusal = Box::new(Refusal {
        state: error.code().to_owned(),
        message: error.message().to_owned(),
        constraint: error.constraint().map(ToOwned::to_owned),
    });
    match Meaning::of(error.code()) {
        Meaning::Contended => StoreError::Contended(refusal),
        Meaning::Lost => lost(refusal),
        Meaning::Unavailable => StoreError::Unavailable(refusal),
        Meaning::Refused => StoreError::Refused(refusal),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Contended,
    Lost,
    Unavailable,
    Refused,
}

impl Meaning {
    /// What a SQLSTATE means. See PostgreSQL's manual, appendix A.
    fn of(state: &str) -> Self {
        match state {
            // Serialization failure, deadlock, a lock not granted in time.
            "40001" | "40P01" | "55P03" => Self::Contended,
            // Terminated by an administrator or a crash; the session was idle for too long.
            "57P01" | "57P02" | "57P05" | "25P03" => Self::Lost,
            // Starting up or shutting down, statement timeout, a standby.
            "57P03" | "57014" | "25006" => Self::Unavailable,
            // Too little of something (connections, memory, disk), or an error of the system: it may pass,
            // and no statement is to blame.
            _ if state.starts_with("53") || state.starts_with("58") => Self::Unavailable,
            // Connection exceptions.
            _ if state.starts_with("08") => Self::Lost,
            _ => Self::Refused,
        }
    }
}

/// Whether the same transaction may work at once on another connection.
pub(crate) fn worth_repeating(error: &StoreError) -> bool {
    match error {
        StoreError::Contended(_) => true,
        StoreError::Unavailable(source) => source.is::<Lost>(),
        _ => false,
    }
}

/// A row that makes no sense.
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers have keys and counts at hand, not references to them"
)]
pub(crate) fn nonsense(table: &'static str, row: impl ToString, what: &'static str) -> StoreError {
    StoreError::Inconsistent { table, row: row.to_string(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_means_what_a_caller_can_do_about_it() {
        let cases = [
            ("40001", Meaning::Contended),
            ("40P01", Meaning::Contended),
            ("57P01", Meaning::Lost),
            ("08006", Meaning::Lost),
            ("57P03", Meaning::Unavailable),
            ("57014", Meaning::Unavailable),
            ("25006", Meaning::Unavailable),
            ("23505", Meaning::Refused),
            ("22P02", Meaning::Refused),
            ("53100", Meaning::Unavailable),
            ("58030", Meaning::Unavailable),
            ("XX000", Meaning::Refused),
        ];
        for (state, meaning) in cases {
            assert_eq!(Meaning::of(state), meaning, "{state}");
        }
    }

    #[test]
    fn only_a_broken_connection_and_a_conflict_are_worth_repeating() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(worth_repeating(&sorted(broken.into())));
        assert!(worth_repeating(&StoreError::Contended("deadlock".into())));
        assert!(!worth_repeating(&sorted(sqlx::Error::PoolTimedOut)));
        assert!(!worth_repeating(&sorted(sqlx::Error::RowNotFound)));
        assert!(!worth_repeating(&sorted(sqlx::Error::PoolClosed)));
    }
}
