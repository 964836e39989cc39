//! Small pictures of images: whether there is one, and why not.

use super::StoredFile;
use crate::picture::picture_type;
use serde::{Deserialize, Serialize};

/// What the bytes are is no image that small pictures are made of.
pub const NOT_AN_IMAGE: &str = "THUMBNAIL_NOT_AN_IMAGE";
/// Decoding the image would take more pixels or memory than is allowed.
pub const TOO_LARGE: &str = "THUMBNAIL_TOO_LARGE";
/// The image cannot be decoded.
pub const BROKEN: &str = "THUMBNAIL_BROKEN";
/// The image is not where it was stored.
pub const ORIGINAL_LOST: &str = "THUMBNAIL_ORIGINAL_LOST";
/// Whoever tried ended before the picture was made, several times.
pub const GIVEN_UP: &str = "THUMBNAIL_GIVEN_UP";

/// There will be none. For reasons that only a later program knows.
const NONE: &str = "THUMBNAIL_NONE";

/// The reason as one of those above.
#[must_use]
pub fn known(reason: &str) -> &'static str {
    let all = [NOT_AN_IMAGE, TOO_LARGE, BROKEN, ORIGINAL_LOST, GIVEN_UP];
    all.into_iter().find(|known| *known == reason).unwrap_or(NONE)
}

/// What came of making a small picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thumbnail {
    /// It is here.
    Made(Small),
    /// There will be none.
    None {
        /// Stable reason. A later program may know more of them.
        reason: String,
    },
}

/// A small picture. Its bytes lie beside those of the original, under the original's hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Small {
    /// SHA-256 of its bytes in hexadecimal digits.
    pub sha256: String,
    /// How many bytes.
    pub size: u64,
    /// Its media type.
    pub mime: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pixels of the original as it is to be shown: turned as its camera says.
    pub full_width: u32,
    /// The same.
    pub full_height: u32,
}

impl Thumbnail {
    /// None, for this reason.
    #[must_use]
    pub fn none(reason: &str) -> Self {
        Self::None { reason: reason.to_owned() }
    }

    /// For metrics.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Made(_) => "made",
            Self::None { reason } => match known(reason) {
                TOO_LARGE => "too_large",
                BROKEN => "broken",
                ORIGINAL_LOST => "original_lost",
                GIVEN_UP => "given_up",
                _ => "none",
            },
        }
    }
}

impl From<Small> for Thumbnail {
    fn from(small: Small) -> Self {
        Self::Made(small)
    }
}

impl StoredFile {
    /// Whether a small picture can be made of it, by what its bytes show.
    #[must_use]
    pub fn is_image(&self) -> bool {
        picture_type(self.mime.as_deref()).is_some()
    }
}

/// Why a stored file has no small picture, as a stable reason; `None`: it has one, or may still get one.
#[must_use]
pub fn why_none<'a>(mime: Option<&str>, told: Option<&'a str>) -> Option<&'a str> {
    told.or_else(|| picture_type(mime).is_none().then_some(NOT_AN_IMAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_bytes_show_decides_whether_a_small_picture_may_come() {
        assert_eq!(why_none(Some("image/webp"), None), None);
        assert_eq!(why_none(Some("image/webp"), Some(BROKEN)), Some(BROKEN));
        for mime in [None, Some("video/mp4"), Some("image/svg+xml"), Some("image/avif")] {
            assert_eq!(why_none(mime, None), Some(NOT_AN_IMAGE), "{mime:?}");
        }
    }

    #[test]
    fn a_file_that_an_older_program_stored_is_read_and_written_as_before() {
        let old = r#"{"sha256":"ab","size":7,"mime":"image/png"}"#;
        let stored: StoredFile = serde_json::from_str(old).unwrap();
        assert!(stored.thumbnail.is_none() && stored.is_image());
        assert_eq!(serde_json::to_string(&stored).unwrap(), old);
    }
}
