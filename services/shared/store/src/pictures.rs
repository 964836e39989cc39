//! The journal of pictures: one row for each person or group whose picture is wanted.
//!
//! A projection enters whoever is seen; messaging looks, one account's newest first. What a look ends with reaches
//! the person or chat, its log and the journal in one transaction ([`crate::outbox::Command::EndLook`]).

use crate::error::StoreError;
use async_trait::async_trait;
use channel_domain::ids::AccountId;
use channel_domain::picture::{Look, Subject};
use channel_domain::time::Micros;

/// Whoever was not seen for so long before a look is looked for again only once they are seen, in microseconds. People
/// are noted as seen once a day.
pub const SEEN_LATELY: i64 = 24 * 3_600_000_000;

/// A person or group that was seen. Noting the same twice is noting it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureWanted {
    /// Key of the person or chat.
    pub key: i64,
    /// It is a chat.
    pub is_chat: bool,
    /// When they were seen.
    pub seen_at: Micros,
    /// They have another picture now, whatever is here.
    pub changed: bool,
}

/// A look that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLook {
    /// The account.
    pub account: AccountId,
    /// Key of the account.
    pub account_key: i64,
    /// Key of the person or chat.
    pub key: i64,
    /// Whose picture.
    pub of: Subject,
    /// Looks so far. The number of the last one tells its end from an older one's.
    pub attempts: u32,
    /// How many of them failed in a row, and counted.
    pub failures: u32,
    /// When it is due; of one that is under way, when its lease ends. Of a first look it lies before 1970, the more so
    /// the later the subject was seen.
    pub at: Micros,
}

/// How a look ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookEnd {
    /// Key of the person or chat.
    pub key: i64,
    /// Whose picture.
    pub of: Subject,
    /// The number of the look.
    pub attempt: u32,
    /// What it came to.
    pub look: Look,
    /// When it is tried again, if it has to be.
    pub next_at: Option<Micros>,
    /// Whether the failure counts.
    pub counts: bool,
    /// When it ended.
    pub at: Micros,
    /// When the picture is old.
    pub refresh_at: Micros,
}

/// The journal.
#[async_trait]
pub trait Pictures: Send + Sync {
    /// Of each account that is connected, as far as is known, the look that is due first, also if it is due later. A
    /// first look comes before others, the last seen before those seen earlier. Accounts in `but` are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn due_looks(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueLook>, StoreError>;

    /// Begins a look: nobody else does before `until`. False if somebody else was faster.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn begin_look(&self, due: &DueLook, until: Micros) -> Result<bool, StoreError>;

    /// The look with this number is still under way. False if it is not any more.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn renew_look(
        &self,
        account_key: i64,
        key: i64,
        attempt: u32,
        until: Micros,
    ) -> Result<bool, StoreError>;
}
