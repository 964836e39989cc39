//! Work that facts leave.

/// Work that a fact leaves for those who may call UniPile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum WorkKind {
    /// Read a message again.
    RefreshMessage = 1,
    /// Read a chat that was first seen in a webhook.
    FetchChat = 2,
    /// Fetch a message's files.
    FetchMedia = 3,
    /// Read the account again.
    RefreshAccount = 4,
}

impl WorkKind {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::RefreshMessage,
            2 => Self::FetchChat,
            3 => Self::FetchMedia,
            4 => Self::RefreshAccount,
            _ => return None,
        })
    }
}

/// One piece of work. Asking for the same twice is asking once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Work {
    /// What to do.
    pub kind: WorkKind,
    /// With which object, by its id upstream.
    pub subject: String,
}
