//! Pictures of people and chats.

use super::{Queries, Target};
use crate::error::QueryError;
use channel_domain::media::StoredFile;
use channel_domain::picture::{MOST_BYTES, Subject, picture_type};
use channel_runtime::identity::Identity;

/// Whose picture.
#[derive(Debug, Clone)]
pub struct PictureAsk {
    /// Where they are looked for.
    pub target: Target,
    /// Whose.
    pub of: Subject,
    /// The tag of the copy at hand; empty: none.
    pub if_none_match: String,
}

/// A picture that is here.
#[derive(Debug, Clone)]
pub struct PictureFound {
    /// Its bytes.
    pub stored: StoredFile,
    /// Its media type.
    pub mime: &'static str,
    /// The copy at hand is still right.
    pub not_modified: bool,
}

impl Queries {
    /// Finds a picture and where its bytes are.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` of account, person, chat or picture, several accounts that know the id, or the store's errors.
    pub async fn picture(
        &self,
        caller: &Identity,
        ask: &PictureAsk,
    ) -> Result<PictureFound, QueryError> {
        let picture = match &ask.of {
            Subject::Attendee(id) => self.attendee(caller, &ask.target, id).await?.row.picture,
            Subject::Chat(id) => self.chat(caller, &ask.target, id).await?.row.picture,
        };
        let stored = picture.filter(|stored| stored.size <= MOST_BYTES);
        let stored = stored.ok_or(QueryError::PictureNotFound)?;
        let mime = picture_type(stored.mime.as_deref()).ok_or(QueryError::PictureNotFound)?;
        let not_modified = stored.sha256 == ask.if_none_match;
        let stored = StoredFile {
            sha256: stored.sha256,
            size: stored.size,
            mime: stored.mime,
            thumbnail: None,
        };
        Ok(PictureFound { stored, mime, not_modified })
    }
}
