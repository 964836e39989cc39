//! What can go wrong in a store.

use std::error::Error;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is shutting down; the same call may work later.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Another transaction was in the way; the same call may work at once.
    #[error("the transaction met another one")]
    Contended(#[source] Box<dyn Error + Send + Sync>),
    /// The database refused a statement: a constraint, a type, a full disk.
    #[error("the database refused a statement")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// A stored row makes no sense.
    #[error("row {row} of {table} makes no sense: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// Which row, by its key.
        row: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether waiting may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Contended(_) | Self::Closed)
    }

    /// The reason that callers can match on.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) | Self::Closed => "STORE_UNAVAILABLE",
            Self::Contended(_) => "STORE_CONTENDED",
            Self::Refused(_) => "STORE_REFUSED",
            Self::Inconsistent { .. } => "STORE_INCONSISTENT",
        }
    }
}
