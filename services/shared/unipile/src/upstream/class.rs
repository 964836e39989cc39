//! What a failure means for whoever has to decide what happens next.

use std::time::Duration;

/// Whether UniPile may have done what was asked.
///
/// | what happened | class |
/// |---|---|
/// | connection refused, DNS, TLS, breaker open, our own file unreadable | certain |
/// | 400, 401, 403, 404, 415, 422, 429 and every other 4xx but 408 and 409 | certain |
/// | redirect (301, 302, 307, 308) | certain |
/// | every 5xx, 408, 409, any other status | uncertain |
/// | timeout, or connection lost, once bytes may have left | uncertain |
/// | 2xx whose body cannot be read | uncertain |
///
/// A send whose outcome is uncertain must never be repeated blindly: its echo, or a look into the chat,
/// settles it. For a read the class does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Surely nothing was done.
    Certain(Kind),
    /// It may have been done.
    Uncertain,
}

/// What would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Time: the same request may work later.
    Temporary,
    /// Nothing: the same request will be refused again.
    Permanent,
    /// The owner of the account has to scan a QR code.
    Reconnect,
    /// The operator has to change something: the API key, the address, the subscription.
    Configuration,
    /// Waiting, and sending less.
    RateLimited {
        /// How long UniPile asks to wait, if it says so; at most a day.
        retry_after: Option<Duration>,
    },
    /// WhatsApp restricts the number: nothing may be sent from this account until that is lifted.
    Restricted,
}

impl Kind {
    /// The stable name, for storage and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Temporary => "TEMPORARY",
            Self::Permanent => "PERMANENT",
            Self::Reconnect => "RECONNECT",
            Self::Configuration => "CONFIGURATION",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Restricted => "RESTRICTED",
        }
    }

    /// What a refusal with this status means when its type says nothing.
    pub(super) const fn of_status(status: u16) -> Self {
        match status {
            401 | 402 | 407 => Self::Configuration,
            429 => Self::RateLimited { retry_after: None },
            408 | 409 | 423 | 425 | 500 | 502..=599 => Self::Temporary,
            _ => Self::Permanent,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Temporary => "UniPile or WhatsApp cannot do it right now.",
            Self::Permanent => "UniPile refused it.",
            Self::Reconnect => {
                "The number is disconnected from WhatsApp. Its owner has to scan a new QR code."
            }
            Self::Configuration => "UniPile is not set up correctly. An administrator has to look.",
            Self::RateLimited { .. } => "WhatsApp asks this number to slow down.",
            Self::Restricted => "WhatsApp has restricted this number.",
        }
    }
}
