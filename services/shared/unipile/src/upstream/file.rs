//! Bytes on their way in and out, never as a whole in memory.

use super::UpstreamError;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use std::fmt;
use std::io;
use std::sync::Arc;

/// The bytes of a file to be sent.
pub type FileStream = BoxStream<'static, io::Result<Bytes>>;

/// Opens a file to be sent. A stream can be read once, so it is not the stream that is handed over, but
/// what opens it: each attempt to send opens it anew, from its beginning.
#[async_trait]
pub trait OpenFile: Send + Sync + 'static {
    /// The bytes from the beginning.
    ///
    /// # Errors
    ///
    /// If they cannot be had.
    async fn open(&self) -> io::Result<FileStream>;
}

/// A file to be sent. The media type decides what UniPile makes of it; there is no field for the kind.
#[derive(Clone)]
pub struct OutgoingFile {
    /// The name that the receiver sees. Control characters, quotes and slashes become `_`.
    pub name: String,
    /// The media type, such as `image/jpeg`; one that is none becomes `application/octet-stream`.
    pub mime: String,
    /// The exact length in bytes; another one ends the call with [`super::Failure::File`].
    pub length: u64,
    /// Where the bytes come from.
    pub source: Arc<dyn OpenFile>,
}

impl fmt::Debug for OutgoingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name: _, mime, length, source: _ } = self;
        f.debug_struct("OutgoingFile").field("mime", mime).field("length", length).finish()
    }
}

/// Bytes in memory, for small files and tests.
#[async_trait]
impl OpenFile for Bytes {
    async fn open(&self) -> io::Result<FileStream> {
        let bytes = self.clone();
        Ok(Box::pin(futures::stream::once(async { Ok(bytes) })))
    }
}

/// A file being fetched. Dropping it ends the transfer.
pub struct Download {
    /// The media type that UniPile's answer names.
    pub mime: Option<String>,
    /// The length in bytes, where the answer names it.
    pub length: Option<u64>,
    /// The bytes. After an error the stream ends, and what came is not the whole file:
    /// [`super::Failure::TooLarge`] past the limit, else a broken or late connection.
    pub body: BoxStream<'static, Result<Bytes, UpstreamError>>,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mime, length, body: _ } = self;
        f.debug_struct("Download").field("mime", mime).field("length", length).finish()
    }
}
