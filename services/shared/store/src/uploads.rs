//! Files to be sent: taken in pieces, kept until the message that carries them has left.
//!
//! They lie in the database, so that any process may send what another one took in.

use crate::error::StoreError;
use async_trait::async_trait;
use bytes::Bytes;
use channel_domain::fact::AttachmentKind;
use channel_domain::time::Micros;
use uuid::Uuid;

/// A file that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: Uuid,
    /// Its name for the recipient.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// What it will be sent as.
    pub kind: AttachmentKind,
    /// Bytes.
    pub size: u64,
    /// When it is dropped.
    pub expires_at: Micros,
}

/// Keeping files.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Keeps the next piece of a file. Pieces are numbered from 0.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn add_piece(
        &self,
        account_key: i64,
        id: Uuid,
        position: u32,
        bytes: Bytes,
        expires_at: Micros,
    ) -> Result<(), StoreError>;

    /// Notes that a file is complete. Only then it can be read.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn complete_upload(&self, account_key: i64, upload: &Upload) -> Result<(), StoreError>;

    /// A file that is complete. With `keep_until` it stays at least so long.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn upload(
        &self,
        account_key: i64,
        id: Uuid,
        keep_until: Option<Micros>,
    ) -> Result<Option<Upload>, StoreError>;

    /// A piece of a file; `None` after the last one.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn piece(
        &self,
        account_key: i64,
        id: Uuid,
        position: u32,
    ) -> Result<Option<Bytes>, StoreError>;

    /// Drops files that have expired, complete or not. Returns how many.
    ///
    /// # Errors
    ///
    /// When nothing was deleted.
    async fn prune_uploads(&self, now: Micros, limit: usize) -> Result<u64, StoreError>;
}
