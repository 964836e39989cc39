//! The journal of files that are fetched: one row for each file of a message, from when it is wanted to its end.
//!
//! What a try ends with reaches the message, its log and the journal in one transaction
//! ([`crate::outbox::Command::EndFetch`]); everything before that is the journal's alone.

use crate::error::StoreError;
use async_trait::async_trait;
use channel_domain::fact::AttachmentKind;
use channel_domain::ids::{AccountId, UpstreamMessageId};
use channel_domain::media::Fetch;
use channel_domain::time::Micros;

/// Which file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileId {
    /// UniPile's id of its message.
    pub message: UpstreamMessageId,
    /// UniPile's id of the file, unique within the message.
    pub attachment: String,
}

/// A file that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueFetch {
    /// The account.
    pub account: AccountId,
    /// Key of the account.
    pub account_key: i64,
    /// The file.
    pub file: FileId,
    /// What it is.
    pub kind: AttachmentKind,
    /// Bytes, as claimed.
    pub size: Option<u64>,
    /// Tries so far. The number of the last one tells its end from an older one's.
    pub attempts: u32,
    /// How many of them counted.
    pub failures: u32,
    /// When it is due; of one that is under way, when its lease ends.
    pub at: Micros,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchEnd {
    /// The file.
    pub file: FileId,
    /// The number of the try.
    pub attempt: u32,
    /// What the file's state is now.
    pub fetch: Fetch,
    /// When it is tried again, if it is.
    pub next_at: Option<Micros>,
    /// Whether the try counts.
    pub counts: bool,
}

/// What of a journal's row decides whether an end is still wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchRow {
    /// The number of the last try.
    pub attempts: u32,
    /// Whether it still waits for an end.
    pub is_open: bool,
}

/// The journal.
#[async_trait]
pub trait Media: Send + Sync {
    /// Enters the files that facts left to be fetched: each that its message names and that can be had, once. One that
    /// could not be had before is tried again. Returns how many messages were looked at.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn enter_fetches(&self, limit: usize) -> Result<u64, StoreError>;

    /// Files whose end is open, the longest due first, also those that are due later, of accounts that are
    /// connected as far as is known. Accounts in `but` are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn due_fetches(
        &self,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<DueFetch>, StoreError>;

    /// Begins a try: nobody else does before `until`. False if somebody else was faster.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn begin_fetch(&self, due: &DueFetch, until: Micros) -> Result<bool, StoreError>;

    /// The try with this number is still under way. False if it is not any more.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn renew_fetch(
        &self,
        account_key: i64,
        file: &FileId,
        attempt: u32,
        until: Micros,
    ) -> Result<bool, StoreError>;
}
