//! Why a webhook was not taken.

use std::time::Duration;

use channel_runtime::fault::{Fault, Kind};

/// Why a webhook was not taken: it is not stored, and the sender should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The secret, or the secret part of the path, is missing or wrong.
    #[error("the webhook's secret is missing or wrong")]
    SecretWrong,
    /// There is no such hosted link, it has ended, or it was used: which, is not told.
    #[error("there is no such link")]
    LinkUnknown,
    /// The report of a hosted link makes no sense, or is about another account than the link.
    #[error("the report makes no sense")]
    NoticeUnreadable,
    /// The body is larger than the limit.
    #[error("the body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The body ended before its announced end.
    #[error("the body broke off")]
    BodyInterrupted,
    /// The body did not come in time.
    #[error("the body did not come in time")]
    BodyTimeout,
    /// Too many webhooks wait already.
    #[error("too many webhooks wait to be stored")]
    Full {
        /// When to come again.
        retry_after: Duration,
    },
    /// The store did not answer in time.
    #[error("the webhook could not be stored in time")]
    StoreAway {
        /// When to come again.
        retry_after: Duration,
    },
    /// The store refused it even as mere bytes.
    #[error("the webhook could not be stored")]
    NotStored {
        /// When to come again.
        retry_after: Duration,
    },
    /// This process is ending.
    #[error("the process is ending")]
    ShuttingDown {
        /// When to come again.
        retry_after: Duration,
    },
}

impl Fault for Refusal {
    fn kind(&self) -> Kind {
        match *self {
            Self::SecretWrong => Kind::Forbidden,
            Self::LinkUnknown => Kind::NotFound,
            Self::TooLarge { .. } | Self::BodyInterrupted | Self::NoticeUnreadable => Kind::Invalid,
            Self::BodyTimeout => Kind::Deadline,
            Self::Full { retry_after } => Kind::Throttled { retry_after: Some(retry_after) },
            Self::StoreAway { retry_after } | Self::ShuttingDown { retry_after } => {
                Kind::Unavailable { retry_after: Some(retry_after) }
            }
            Self::NotStored { .. } => Kind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::SecretWrong => "WEBHOOK_SECRET_WRONG",
            Self::LinkUnknown => "HOSTED_LINK_UNKNOWN",
            Self::NoticeUnreadable => "HOSTED_REPORT_UNREADABLE",
            Self::TooLarge { .. } => "BODY_TOO_LARGE",
            Self::BodyInterrupted => "BODY_INTERRUPTED",
            Self::BodyTimeout => "BODY_TIMEOUT",
            Self::Full { .. } => "INTAKE_FULL",
            Self::StoreAway { .. } => "STORE_UNAVAILABLE",
            Self::NotStored { .. } => "NOT_STORED",
            Self::ShuttingDown { .. } => "SHUTTING_DOWN",
        }
    }
}

impl Refusal {
    /// When the sender should come again, if that is of use.
    #[must_use]
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match *self {
            Self::Full { retry_after }
            | Self::StoreAway { retry_after }
            | Self::NotStored { retry_after }
            | Self::ShuttingDown { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

/// A store's error on its way to a caller.
#[derive(Debug, thiserror::Error)]
#[error("the store did not answer: {0}")]
pub(crate) struct StoreFault(#[from] pub(crate) channel_store::StoreError);

impl Fault for StoreFault {
    fn kind(&self) -> Kind {
        if self.0.is_temporary() { Kind::Unavailable { retry_after: None } } else { Kind::Internal }
    }

    fn reason(&self) -> &'static str {
        self.0.reason()
    }
}
