//! What can go wrong in messaging.

use channel_runtime::fault::{Fault, Kind};

/// Why a call did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessagingError {
    /// The contract has the call and this version does not.
    #[error("this version cannot do that yet")]
    NotBuilt,
}

impl Fault for MessagingError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotBuilt => Kind::Unimplemented,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotBuilt => "NOT_BUILT",
        }
    }
}
