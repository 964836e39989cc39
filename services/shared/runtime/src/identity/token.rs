//! What a token says.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes messages.
    Agent,
    /// Does everything inside its tenant.
    Admin,
    /// Runs the product: quarantine, replay and status over all tenants, and no conversations.
    Operator,
    /// Another part of the product, such as the one that delivers webhooks.
    Service,
}

impl Role {
    /// Whether this role may do what `needed` may: viewer < agent < admin; operator and service
    /// stand apart.
    #[must_use]
    pub fn includes(self, needed: Self) -> bool {
        match (self.rank(), needed.rank()) {
            (Some(has), Some(needs)) => has >= needs,
            _ => self == needed,
        }
    }

    fn rank(self) -> Option<u8> {
        match self {
            Self::Viewer => Some(0),
            Self::Agent => Some(1),
            Self::Admin => Some(2),
            Self::Operator | Self::Service => None,
        }
    }

    /// The name in tokens and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Agent => "agent",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A verified caller. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who, as the issuer names them.
    pub subject: Arc<str>,
    /// Whose objects they may see.
    pub tenant: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// The only accounts they may see; `None` means all of the tenant's.
    pub accounts: Option<Arc<BTreeSet<String>>>,
    /// When the token ends, in microseconds since 1970 (UTC). Streams end with it.
    pub expires_at: i64,
}

impl Identity {
    /// Whether an account of `tenant` is visible to this caller. Grants are the store's to check.
    #[must_use]
    pub fn may_see(&self, tenant: &str, account_id: &str) -> bool {
        let named = self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account_id));
        *self.tenant == *tenant && named
    }
}

/// The claims of a token of ours.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    #[serde(default)]
    pub(super) tenant: String,
    pub(super) role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) accounts: Option<BTreeSet<String>>,
    /// Seconds since 1970.
    pub(super) exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nbf: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) aud: Option<Audience>,
}

/// RFC 7519 allows one audience or a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    pub(super) fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}
