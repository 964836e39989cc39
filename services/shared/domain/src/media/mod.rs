//! Files that belong to messages: how far their bytes are, and what of them is safe to show.

mod names;
mod policy;
pub mod thumbnail;
mod types;

pub use names::{content_disposition, safe_name};
pub use policy::{Policy, Setback, wait_after};
pub use thumbnail::{Small, Thumbnail};
pub use types::{is_shown_inline, safe_type};

use serde::{Deserialize, Serialize};

/// How a try to fetch a file ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Fetch {
    /// The last try failed; another follows.
    Retrying {
        /// Stable reason.
        reason: String,
    },
    /// The bytes are here.
    Stored(StoredFile),
    /// The source does not have it. Final.
    Unavailable {
        /// Stable reason.
        reason: String,
    },
    /// Larger than is kept here. Final.
    TooLarge,
    /// Left out by the configuration. Final.
    Skipped,
}

/// Where the bytes of a file are, and what they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// SHA-256 of the bytes in hexadecimal digits: the name of the object.
    pub sha256: String,
    /// How many bytes.
    pub size: u64,
    /// The media type that the bytes themselves show; `None` where they show none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// What came of making a small picture; `None`: nobody has tried yet, or it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<Thumbnail>,
}

impl Fetch {
    /// The stored number of its state; 1 is pending.
    #[must_use]
    pub const fn number(&self) -> i16 {
        match self {
            Self::Stored(_) => 2,
            Self::Retrying { .. } => 3,
            Self::Unavailable { .. } => 4,
            Self::TooLarge => 5,
            Self::Skipped => 6,
        }
    }

    /// A stable reason, where there is something to explain.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Stored(_) => None,
            Self::Retrying { reason } | Self::Unavailable { reason } => Some(reason),
            Self::TooLarge => Some("TOO_LARGE"),
            Self::Skipped => Some("LEFT_OUT"),
        }
    }

    /// Where the bytes are, if they are here.
    #[must_use]
    pub const fn stored(&self) -> Option<&StoredFile> {
        match self {
            Self::Stored(stored) => Some(stored),
            _ => None,
        }
    }
}
