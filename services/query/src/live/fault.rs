//! Why a stream was not opened.

use channel_runtime::fault::{Fault, FieldErrors, Kind, Violation};
use channel_runtime::supervise::Interrupted;
use channel_store::StoreError;
use std::time::Duration;

/// Why a stream was not opened, or a poll not answered.
#[derive(Debug, thiserror::Error)]
pub enum LiveFault {
    /// Fields of the request are wrong.
    #[error(transparent)]
    Fields(#[from] FieldErrors),
    /// There are too many streams already, or too many new ones.
    #[error("too many streams")]
    Exhausted {
        /// Which limit: `user`, `process` or `rate`.
        limit: &'static str,
        /// How long to wait.
        retry_after: Duration,
    },
    /// The server stops.
    #[error("the server is shutting down")]
    ShuttingDown {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was lost.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl LiveFault {
    /// The limit that was reached, for metrics.
    pub(super) const fn limit(&self) -> &'static str {
        match self {
            Self::Exhausted { limit, .. } => limit,
            _ => "shutdown",
        }
    }
}

impl Fault for LiveFault {
    fn kind(&self) -> Kind {
        match self {
            Self::Fields(_) => Kind::Invalid,
            Self::Exhausted { retry_after, .. } => {
                Kind::Throttled { retry_after: Some(*retry_after) }
            }
            Self::ShuttingDown { retry_after } => {
                Kind::Unavailable { retry_after: Some(*retry_after) }
            }
            Self::Store(error) if error.is_temporary() => Kind::Unavailable { retry_after: None },
            Self::Store(_) | Self::Interrupted(_) => Kind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Fields(errors) => errors.reason(),
            Self::Exhausted { .. } => "STREAMS_EXHAUSTED",
            Self::ShuttingDown { .. } => "SHUTTING_DOWN",
            Self::Store(error) => error.reason(),
            Self::Interrupted(_) => "INTERRUPTED",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Exhausted { limit, .. } => vec![("limit", (*limit).to_owned())],
            _ => Vec::new(),
        }
    }

    fn violations(&self) -> &[Violation] {
        match self {
            Self::Fields(errors) => errors.violations(),
            _ => &[],
        }
    }
}
