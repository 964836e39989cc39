//! What the parts of a world are called.

use super::{AccountStatus, Content};

/// Which account of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AccountKey(pub(crate) usize);

/// Which chat of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ChatKey(pub(crate) usize);

/// Which message: its chat, and its number in the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MessageKey {
    pub(crate) chat: ChatKey,
    pub(crate) number: u64,
}

/// Which person, as one account knows people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Who(pub(crate) usize);

impl Who {
    /// The person whose account it is.
    pub(crate) const OWNER: Self = Self(0);
}

/// A message to be posted.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) sender: Who,
    pub(crate) content: Content,
    pub(crate) quoted: Option<MessageKey>,
    pub(crate) forwarded: bool,
    /// Sent by a program rather than from a phone; WhatsApp's ids tell.
    pub(crate) linked_device: bool,
}

impl Draft {
    pub(crate) fn new(sender: Who, content: Content) -> Self {
        Self { sender, content, quoted: None, forwarded: false, linked_device: false }
    }
}

/// Something that happened, and that UniPile would tell of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    Posted(MessageKey),
    Delivered(MessageKey),
    /// Somebody read an own message.
    Read(MessageKey),
    /// The owner read somebody else's message.
    Seen(MessageKey),
    Edited(MessageKey),
    Deleted(MessageKey),
    Reacted {
        message: MessageKey,
        by: Who,
        removed: bool,
    },
    Status {
        account: AccountKey,
        status: AccountStatus,
        flat: bool,
    },
}
