//! Files of messages: whether their bytes are here, and which part of them is asked for.

use super::{Found, Queries, Target};
use crate::error::QueryError;
use channel_domain::MessageId;
use channel_domain::media::thumbnail::known;
use channel_domain::media::{
    Small, StoredFile, content_disposition, is_shown_inline, safe_name, safe_type,
};
use channel_media::{MediaError, Objects, Reading};
use channel_proto::types::v1::FetchState;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_store::record::AttachmentRecord;
use channel_wire as wire;
use std::ops::Range;

/// Which part of which file.
#[derive(Debug, Clone)]
pub struct FileAsk {
    /// Where its message is looked for.
    pub target: Target,
    /// The message.
    pub message: MessageId,
    /// The file.
    pub attachment: String,
    /// First byte.
    pub offset: u64,
    /// How many; 0: all up to the end.
    pub length: u64,
    /// The tag of the copy at hand; empty: none.
    pub if_none_match: String,
    /// The small picture is asked for, not the file itself.
    pub small: bool,
}

/// A file whose bytes are here.
#[derive(Debug, Clone)]
pub struct FileFound {
    /// Public id of its account.
    pub account: String,
    /// The file.
    pub file: AttachmentRecord,
    /// Its bytes.
    pub stored: StoredFile,
    /// Its small picture, if that is asked for.
    pub small: Option<Small>,
    /// The part that is asked for; empty if the copy at hand is still right.
    pub range: Range<u64>,
    /// The copy at hand is still right.
    pub not_modified: bool,
    /// A media type that may be served.
    pub safe_type: &'static str,
    /// A name that may be shown.
    pub safe_name: String,
}

impl FileFound {
    /// Changes when the bytes change.
    #[must_use]
    pub fn etag(&self) -> &str {
        self.small.as_ref().map_or(&self.stored.sha256, |small| &small.sha256)
    }

    /// Bytes of what is asked for.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.small.as_ref().map_or(self.stored.size, |small| small.size)
    }

    /// Reads the part that is asked for.
    ///
    /// # Errors
    ///
    /// When the bytes are not there, or not what was stored.
    pub async fn read(&self, objects: &Objects) -> Result<Reading, MediaError> {
        match &self.small {
            Some(small) => objects.read_small(&self.stored.sha256, small, self.range.clone()).await,
            None => objects.read(&self.stored, self.range.clone()).await,
        }
    }

    /// For an HTTP header.
    #[must_use]
    pub fn content_disposition(&self) -> String {
        content_disposition(is_shown_inline(self.safe_type), &self.safe_name)
    }
}

impl Queries {
    /// Finds a file of a message and where its bytes are.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` of account, message or file, why its bytes are not here, a bad range, or the store's errors.
    pub async fn file(&self, caller: &Identity, ask: &FileAsk) -> Result<FileFound, QueryError> {
        let Found { account, row } = self.message(caller, &ask.target, ask.message).await?;
        let mut files = row.attachments.into_iter();
        let file = files.find(|file| file.id == ask.attachment);
        let file = file.ok_or(QueryError::AttachmentNotFound)?;
        let stored = stored(&file)?;
        let small = if ask.small { Some(small(&file)?) } else { None };
        let mime = small.as_ref().map(|small| small.mime.as_str()).or(stored.mime.as_deref());
        let safe_type = safe_type(mime);
        // A name says what the file is; its small picture is something else.
        let name = file.name.as_deref().filter(|_| small.is_none());
        let safe_name = safe_name(name, safe_type);
        let range = 0..0;
        let account = account.record.id;
        let mut found = FileFound {
            account,
            file,
            stored,
            small,
            range,
            not_modified: false,
            safe_type,
            safe_name,
        };
        found.not_modified = found.etag() == ask.if_none_match;
        if !found.not_modified {
            found.range = part(ask, found.size())?;
        }
        Ok(found)
    }
}

/// Where the bytes are, or why they are not here.
fn stored(file: &AttachmentRecord) -> Result<StoredFile, QueryError> {
    match (wire::fetch_state(file), &file.stored) {
        (FetchState::Stored, Some(stored)) => Ok(StoredFile {
            sha256: stored.sha256.clone(),
            size: stored.size,
            mime: stored.mime.clone(),
            thumbnail: None,
        }),
        (FetchState::Unavailable, _) => Err(QueryError::AttachmentUnavailable),
        (FetchState::TooLarge, _) => Err(QueryError::AttachmentTooLarge),
        (FetchState::LeftOut, _) => Err(QueryError::AttachmentLeftOut),
        _ => Err(QueryError::AttachmentPending),
    }
}

/// The small picture, or why there is none.
fn small(file: &AttachmentRecord) -> Result<Small, QueryError> {
    let small = file.stored.as_ref().and_then(|stored| stored.small.clone());
    small.map(Into::into).ok_or_else(|| {
        wire::why_no_thumbnail(file)
            .map_or(QueryError::ThumbnailPending, |why| QueryError::NoThumbnail(known(why)))
    })
}

fn part(ask: &FileAsk, size: u64) -> Result<Range<u64>, QueryError> {
    if ask.offset > size {
        let mut errors = FieldErrors::with_reason("RANGE_INVALID");
        errors.add("offset", format!("must be at most {size}"));
        return Err(errors.into());
    }
    let end = if ask.length == 0 { size } else { ask.offset.saturating_add(ask.length).min(size) };
    Ok(ask.offset..end)
}
