//! Files to be sent: taken in, checked, kept until they have left.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use channel_domain::fact::{Attachment, AttachmentKind};
use channel_domain::{AccountId, Micros};
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_store::Store;
use channel_store::uploads::Upload;
use channel_unipile::upstream::{FileStream, OpenFile, OutgoingFile};
use futures::stream;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::MessagingError;
use crate::outgoing::Outgoing;

/// How long a file is kept that nobody has sent yet, in microseconds.
const KEPT: i64 = 86_400_000_000;
/// Most bytes of a piece, as the contract has it.
pub(crate) const PIECE: usize = 1024 * 1024;
/// Most bytes of a name.
const MOST_NAME: usize = 255;

/// What a client says of a file.
#[derive(Debug, Clone)]
pub(crate) struct Announced {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) mime: String,
    /// Bytes; 0: not known.
    pub(crate) size: u64,
    /// SHA-256; empty: not checked.
    pub(crate) hash: Vec<u8>,
    pub(crate) voice: bool,
}

/// A file that comes in.
pub(crate) struct Incoming {
    store: Arc<dyn Store>,
    account_key: i64,
    announced: Announced,
    id: Uuid,
    expires_at: Micros,
    limit: u64,
    pieces: u32,
    size: u64,
    hash: Sha256,
    begins: Vec<u8>,
}

/// Refuses a file for a reason of its own.
fn refused(reason: &'static str, field: &str, rule: impl Into<String>) -> MessagingError {
    let mut errors = FieldErrors::with_reason(reason);
    errors.add(field, rule);
    errors.into()
}

impl Outgoing {
    /// Begins to take a file in.
    pub(crate) async fn receive(
        &self,
        caller: &Identity,
        announced: Announced,
    ) -> Result<Incoming, MessagingError> {
        let account_key = self.account(caller, &announced.account).await?;
        let limit = self.config().attachment_limit_bytes;
        if announced.size > limit {
            return Err(too_large(limit));
        }
        let name_fits = announced.name.len() <= MOST_NAME;
        if !name_fits || announced.name.chars().any(|c| c.is_control() || "/\\".contains(c)) {
            let rule = "must be at most 255 bytes, without a path";
            return Err(FieldErrors::of("header.file_name", rule).into());
        }
        Ok(Incoming {
            store: self.store(),
            account_key,
            announced,
            id: Uuid::now_v7(),
            expires_at: Micros(self.now().0.saturating_add(KEPT)),
            limit,
            pieces: 0,
            size: 0,
            hash: Sha256::new(),
            begins: Vec::new(),
        })
    }

    /// The files of a message, which stay until it has left. At most one voice message, alone.
    pub(crate) async fn files(
        &self,
        account_key: i64,
        wanted: &[(Uuid, bool)],
        until: Micros,
    ) -> Result<Vec<Attachment>, MessagingError> {
        let mut files = Vec::with_capacity(wanted.len());
        for (id, voice) in wanted {
            let kept = self.store().upload(account_key, *id, Some(until)).await?;
            let upload = kept.ok_or(MessagingError::UploadNotFound)?;
            let is_sound = matches!(upload.kind, AttachmentKind::Audio | AttachmentKind::Voice);
            if *voice && !is_sound {
                let rule = "only sound can be a voice message";
                return Err(FieldErrors::of("content.attachments.voice", rule).into());
            }
            let kind = if *voice { AttachmentKind::Voice } else { upload.kind };
            files.push(Attachment {
                id: upload.id.to_string(),
                kind,
                mime: Some(upload.mime),
                size: Some(upload.size),
                name: Some(upload.name),
                ..Attachment::default()
            });
        }
        Ok(files)
    }
}

fn too_large(limit: u64) -> MessagingError {
    refused("UPLOAD_TOO_LARGE", "header.size_bytes", format!("must be at most {limit} bytes"))
}

impl Incoming {
    /// Takes the next bytes.
    pub(crate) async fn add(&mut self, bytes: Bytes) -> Result<(), MessagingError> {
        if bytes.len() > PIECE {
            return Err(FieldErrors::of("chunk", "must be at most 1 MiB").into());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > self.limit {
            return Err(too_large(self.limit));
        }
        self.hash.update(&bytes);
        if self.begins.is_empty() {
            self.begins = bytes[..bytes.len().min(512)].to_vec();
        }
        let (key, id, position) = (self.account_key, self.id, self.pieces);
        self.store.add_piece(key, id, position, bytes, self.expires_at).await?;
        self.pieces += 1;
        Ok(())
    }

    /// Checks the whole, and makes it ready to be sent.
    pub(crate) async fn finish(self) -> Result<Upload, MessagingError> {
        let Announced { name, mime, size, hash, voice, .. } = self.announced;
        if self.size == 0 || size > 0 && size != self.size {
            let rule = format!("must be what was sent, which is {} bytes", self.size);
            return Err(refused("UPLOAD_SIZE_WRONG", "header.size_bytes", rule));
        }
        if !hash.is_empty() && hash[..] != self.hash.finalize()[..] {
            return Err(refused("UPLOAD_HASH_WRONG", "header.sha256", "must be that of the bytes"));
        }
        let mime = kind_of(&mime, &self.begins)?;
        let kind = AttachmentKind::of_mime(&mime);
        let kind =
            if voice && kind == AttachmentKind::Audio { AttachmentKind::Voice } else { kind };
        let name = if name.is_empty() { "file".to_owned() } else { name };
        let (id, size, expires_at) = (self.id, self.size, self.expires_at);
        let upload = Upload { id, name, mime, kind, size, expires_at };
        self.store.complete_upload(self.account_key, &upload).await?;
        Ok(upload)
    }
}

/// The media type: the one announced, unless the bytes are plainly something else.
fn kind_of(announced: &str, begins: &[u8]) -> Result<String, MessagingError> {
    let found = infer::get(begins).map(|found| found.mime_type());
    let announced = announced.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if announced.is_empty() {
        return Ok(found.unwrap_or("application/octet-stream").to_owned());
    }
    // Only what is shown has to be what it says: a picture, sound, a film. Sound and film share containers.
    let family = |mime: &str| match AttachmentKind::of_mime(mime) {
        AttachmentKind::Video => AttachmentKind::Audio,
        kind => kind,
    };
    let shown = family(&announced) != AttachmentKind::Document;
    match found {
        Some(found) if shown && family(found) != family(&announced) => {
            let rule = format!("is {announced}, and the bytes are {found}");
            Err(refused("UPLOAD_TYPE_WRONG", "header.mime_type", rule))
        }
        _ => Ok(announced),
    }
}

/// A file that is kept, to be read piece by piece.
struct Kept {
    store: Arc<dyn Store>,
    account_key: i64,
    id: Uuid,
}

#[tonic::async_trait]
impl OpenFile for Kept {
    async fn open(&self) -> io::Result<FileStream> {
        let (store, account_key, id) = (Arc::clone(&self.store), self.account_key, self.id);
        Ok(Box::pin(stream::try_unfold(0, move |position| {
            let store = Arc::clone(&store);
            async move {
                let piece = store.piece(account_key, id, position).await;
                let piece = piece.map_err(io::Error::other)?;
                Ok(piece.map(|bytes| (bytes, position + 1)))
            }
        })))
    }
}

/// A file of a message, ready to be sent.
pub(crate) fn outgoing(
    store: Arc<dyn Store>,
    account_key: i64,
    file: &Attachment,
) -> Option<OutgoingFile> {
    Some(OutgoingFile {
        name: file.name.clone().unwrap_or_default(),
        mime: file.mime.clone().unwrap_or_default(),
        length: file.size?,
        source: Arc::new(Kept { store, account_key, id: Uuid::parse_str(&file.id).ok()? }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_must_be_one_and_a_document_may_be_anything() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert_eq!(kind_of("", png).unwrap(), "image/png");
        assert_eq!(kind_of("", b"some words").unwrap(), "application/octet-stream");
        assert_eq!(kind_of("image/jpeg", png).unwrap(), "image/jpeg");
        assert_eq!(kind_of("Text/Plain; charset=utf-8", b"some words").unwrap(), "text/plain");
        assert_eq!(kind_of("application/pdf", png).unwrap(), "application/pdf");
        assert!(kind_of("image/png", b"%PDF-1.7 and so on").is_err());
        assert!(kind_of("audio/ogg", png).is_err());
    }
}
