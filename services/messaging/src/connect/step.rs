//! What whoever connects an account gets to see.

use channel_domain::{AccountId, Micros};
use channel_store::reads::AccountRow;
use secrecy::SecretString;

/// One step on the way to a connected account.
#[derive(Debug)]
pub enum LinkStep {
    /// Show this as a QR code, and no former one.
    Qr {
        /// What it says: a secret.
        payload: SecretString,
        /// When another one follows.
        expires_at: Micros,
    },
    /// Show this code, and no former one.
    Pairing {
        /// The code: a secret.
        code: SecretString,
        /// When another one follows.
        expires_at: Micros,
    },
    /// The phone has linked.
    Accepted(AccountId),
    /// The account is connected.
    Completed(Box<AccountRow>),
    /// It could not be connected.
    Failed(LinkFailure),
}

/// Why an account could not be connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFailure {
    /// The reason.
    pub reason: LinkReason,
    /// For people; names no number and no code.
    pub detail: String,
}

/// Why an account could not be connected, as the contract lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkReason {
    /// Nobody scanned.
    CodeExpired,
    /// UniPile or WhatsApp refused.
    Refused,
    /// A newer attempt began.
    Superseded,
    /// Another number was scanned.
    WrongAccount,
    /// The number has an account.
    AlreadyConnected,
    /// UniPile does not answer.
    UpstreamUnavailable,
}

impl LinkReason {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CodeExpired => "CODE_EXPIRED",
            Self::Refused => "REFUSED",
            Self::Superseded => "SUPERSEDED",
            Self::WrongAccount => "WRONG_ACCOUNT",
            Self::AlreadyConnected => "ALREADY_CONNECTED",
            Self::UpstreamUnavailable => "UPSTREAM_UNAVAILABLE",
        }
    }

    /// The reason with a stable name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::CodeExpired,
            Self::Refused,
            Self::Superseded,
            Self::WrongAccount,
            Self::AlreadyConnected,
            Self::UpstreamUnavailable,
        ];
        all.into_iter().find(|reason| reason.name() == name)
    }

    pub(super) fn because(self, detail: impl Into<String>) -> LinkFailure {
        LinkFailure { reason: self, detail: detail.into() }
    }
}
