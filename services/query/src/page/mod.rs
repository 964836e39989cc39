//! Paging by place, never by number: a page begins after the last row of the one before.

mod binding;
mod merge;
mod place;
#[cfg(test)]
mod tests;
mod token;

pub use binding::Binding;
pub(crate) use merge::merged;
pub use place::Towards;
pub(crate) use place::{AttendeePlace, ChatsPlace, MessagesPlace, SearchPlace};
pub use token::{PageTokens, TOKEN_KEY_LENGTH};

use channel_store::reads::AccountRow;

/// How much of a list is wanted, and from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// Most rows in the answer.
    pub size: usize,
    /// The token of the page before; empty for the first page.
    pub token: String,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Asks for the next page; empty when there is none.
    pub next: String,
    /// The accounts that were read, as they were just before.
    pub accounts: Vec<AccountRow>,
}

/// Cuts one row more than a page holds off again; true when there was one.
pub(crate) fn cut<T>(rows: &mut Vec<T>, size: usize) -> bool {
    let more = rows.len() > size;
    rows.truncate(size);
    more
}
