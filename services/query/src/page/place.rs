//! The places that tokens carry.

use channel_domain::SortKey;
use channel_store::reads::ChatPlace;

/// Which way a conversation is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Towards {
    /// Older messages.
    Older,
    /// Newer messages.
    Newer,
}

impl Towards {
    pub(crate) const fn back(self) -> Self {
        match self {
            Self::Older => Self::Newer,
            Self::Newer => Self::Older,
        }
    }
}

/// After which row a merged list of chats goes on. Lists are ordered by place, then by account, both
/// falling, then by what the store orders by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChatsPlace {
    pub(crate) order: SortKey,
    pub(crate) account_key: i64,
    pub(crate) chat_key: i64,
}

impl ChatsPlace {
    /// Where one account's own list goes on: behind the row itself, behind all rows of the same place
    /// (when their turn has passed), or before them.
    pub(crate) fn within(self, account_key: i64) -> ChatPlace {
        let key = match account_key.cmp(&self.account_key) {
            std::cmp::Ordering::Equal => self.chat_key,
            std::cmp::Ordering::Greater => i64::MIN,
            std::cmp::Ordering::Less => i64::MAX,
        };
        (self.order, key)
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let keys = [self.account_key.to_be_bytes(), self.chat_key.to_be_bytes()];
        [self.order.as_bytes().as_slice(), keys.as_flattened()].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (order, rest) = bytes.split_at_checked(SortKey::LEN)?;
        let (account, chat) = rest.split_at_checked(8)?;
        Some(Self {
            order: SortKey::from_bytes(order)?,
            account_key: number(account)?,
            chat_key: number(chat)?,
        })
    }
}

/// After which row a merged list of found messages goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SearchPlace {
    pub(crate) order: SortKey,
    pub(crate) account_key: i64,
}

impl SearchPlace {
    /// Older than which key one account's own hits go on. A key is unique within its account only, so
    /// an account whose turn at this key is still to come goes on with the key itself.
    pub(crate) fn within(self, account_key: i64) -> SortKey {
        if account_key < self.account_key { next(&self.order) } else { self.order }
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let key = self.account_key.to_be_bytes();
        [self.order.as_bytes().as_slice(), &key].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (order, account) = bytes.split_at_checked(SortKey::LEN)?;
        Some(Self { order: SortKey::from_bytes(order)?, account_key: number(account)? })
    }
}

/// From where, and which way, a conversation is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessagesPlace {
    pub(crate) towards: Towards,
    pub(crate) key: SortKey,
    pub(crate) inclusive: bool,
}

impl MessagesPlace {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let towards = u8::from(self.towards == Towards::Newer);
        let head = [towards, u8::from(self.inclusive)];
        [&head, self.key.as_bytes().as_slice()].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, key) = bytes.split_at_checked(2)?;
        let towards = match head[0] {
            0 => Towards::Older,
            1 => Towards::Newer,
            _ => return None,
        };
        Some(Self { towards, key: SortKey::from_bytes(key)?, inclusive: head[1] == 1 })
    }
}

/// After which person a list over accounts goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttendeePlace {
    pub(crate) account_id: String,
    pub(crate) attendee_key: i64,
}

impl AttendeePlace {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let key = self.attendee_key.to_be_bytes();
        [&key, self.account_id.as_bytes()].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, id) = bytes.split_at_checked(8)?;
        Some(Self { account_id: String::from_utf8(id.to_vec()).ok()?, attendee_key: number(key)? })
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

/// The key right after this one.
fn next(key: &SortKey) -> SortKey {
    let mut bytes = *key.as_bytes();
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return SortKey::from_bytes(&bytes).unwrap_or(SortKey::MAX);
        }
    }
    SortKey::MAX
}
