//! The journal of small pictures: one row for each image whose small picture is being made, or was.
//!
//! Which files are still to be looked at is in their rows of the journal of files. Bytes that are the same have one
//! small picture; each message that has them is told of it by itself ([`crate::outbox::Command::ShowThumbnail`]).

use crate::error::StoreError;
use crate::media::FileId;
use async_trait::async_trait;
use channel_domain::ids::AccountId;
use channel_domain::media::{StoredFile, Thumbnail};
use channel_domain::time::Micros;

/// A stored file that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueThumbnail {
    /// The account.
    pub account: AccountId,
    /// Key of the account.
    pub account_key: i64,
    /// The file.
    pub file: FileId,
    /// Its bytes; `None`: its message does not name them any more.
    pub stored: Option<StoredFile>,
    /// Tries so far to make a small picture of these bytes. The number of the last one tells its end from an older
    /// one's.
    pub attempts: u32,
    /// What came of them, if they have ended.
    pub made: Option<Thumbnail>,
}

/// What a message is told of a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbnailShown {
    /// The file.
    pub file: FileId,
    /// SHA-256 of the bytes that the small picture is of.
    pub sha256: String,
    /// What came of making it.
    pub thumbnail: Thumbnail,
}

/// The journal.
#[async_trait]
pub trait Thumbnails: Send + Sync {
    /// Stored files that are to be looked at: the ones just stored before those of older programs. Those whose small
    /// picture somebody is making, or that have to wait, are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn due_thumbnails(
        &self,
        now: Micros,
        limit: usize,
    ) -> Result<Vec<DueThumbnail>, StoreError>;

    /// These files have no small picture to be made of, and are not due again.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn pass_thumbnails(&self, files: &[DueThumbnail]) -> Result<(), StoreError>;

    /// Begins a try: nobody else does before `until`. False if somebody else was faster.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn begin_thumbnail(
        &self,
        sha256: &str,
        attempts: u32,
        now: Micros,
        until: Micros,
    ) -> Result<bool, StoreError>;

    /// The try with this number is still under way, until then at least. If it does not count, it has ended without
    /// an answer, and nobody tries again before. False if it is not under way any more.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn hold_thumbnail(
        &self,
        sha256: &str,
        attempt: u32,
        until: Micros,
        counts: bool,
    ) -> Result<bool, StoreError>;

    /// The try with this number has ended. False if it was not under way any more.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn end_thumbnail(
        &self,
        sha256: &str,
        attempt: u32,
        made: &Thumbnail,
    ) -> Result<bool, StoreError>;
}
