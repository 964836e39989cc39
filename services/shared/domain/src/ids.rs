//! Ids. Each is a type of its own, so that a chat id cannot stand where an account id belongs.

use crate::jid;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the id as it is written upstream.
            pub fn new(id: impl Into<Box<str>>) -> Self {
                Self(id.into())
            }

            /// The id as it is written upstream.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self::new(id)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// One connected WhatsApp number; UniPile's account id, which is its public id too.
    AccountId
);
text_id!(
    /// One conversation; UniPile's chat id, which is its public id too.
    ChatId
);
text_id!(
    /// One person as one account sees them; UniPile's attendee id, which is its public id too.
    AttendeeId
);
text_id!(
    /// UniPile's id of a message: an attribute of ours, unknown until UniPile has accepted a send.
    UpstreamMessageId
);
text_id!(
    /// Who owns accounts. Another tenant's objects do not exist for a caller.
    TenantId
);

/// Our own id of a message: public, stable, made by the client for a sent one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub Uuid);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// How an id begins that was made here, of somebody whom UniPile did not name.
const MADE_HERE: &str = "jid:";

impl AttendeeId {
    /// An id for somebody of whom only WhatsApp's own id is known.
    #[must_use]
    pub fn made_of(provider_id: &str) -> Self {
        Self::new(format!("{MADE_HERE}{provider_id}"))
    }

    /// How well this id names somebody, the least being the best: UniPile's own, then one made of a privacy id, then
    /// one made of anything else, since a number may be given to somebody else.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self.as_str().strip_prefix(MADE_HERE) {
            None => 0,
            Some(made_of) if jid::is_lid(made_of) => 1,
            Some(_) => 2,
        }
    }

    /// Whether UniPile did not give this id.
    #[must_use]
    pub fn is_made_here(&self) -> bool {
        self.as_str().starts_with(MADE_HERE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_id_names_somebody_best_and_a_number_worst() {
        let ids = ["att-1", "jid:900000000000002@lid", "jid:15550100002@s.whatsapp.net"];
        assert_eq!(ids.map(|id| AttendeeId::from(id).rank()), [0, 1, 2]);
    }
}
