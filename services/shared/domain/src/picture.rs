//! Pictures of people and groups: what may be one, and how a look for one ended.

use crate::ids::{AttendeeId, ChatId};
use crate::media::StoredFile;

/// Most bytes of a picture.
pub const MOST_BYTES: u64 = 1024 * 1024;

/// What a browser shows, and runs nothing of.
const SHOWN: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/// Whose picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A person.
    Attendee(AttendeeId),
    /// A group.
    Chat(ChatId),
}

impl Subject {
    /// Its id upstream.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Attendee(id) => id.as_str(),
            Self::Chat(id) => id.as_str(),
        }
    }
}

/// How a look for a picture ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// It is here.
    Stored(StoredFile),
    /// There is none.
    Absent,
    /// What came is no picture, or too large. What was here before stays.
    Unfit {
        /// Stable reason.
        reason: String,
    },
    /// Nothing is known. What was here before stays.
    Failed {
        /// Stable reason.
        reason: String,
    },
}

impl Look {
    /// The stored number; 1 is that nobody has looked yet.
    #[must_use]
    pub const fn number(&self) -> i16 {
        match self {
            Self::Stored(_) => 2,
            Self::Absent => 3,
            Self::Unfit { .. } => 4,
            Self::Failed { .. } => 5,
        }
    }

    /// A stable reason, where there is something to explain.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Stored(_) | Self::Absent => None,
            Self::Unfit { reason } | Self::Failed { reason } => Some(reason),
        }
    }

    /// What is shown from now on; `None`: what was.
    #[must_use]
    pub const fn shown(&self) -> Option<Option<&StoredFile>> {
        match self {
            Self::Stored(stored) => Some(Some(stored)),
            Self::Absent => Some(None),
            Self::Unfit { .. } | Self::Failed { .. } => None,
        }
    }
}

/// The media type of a picture by what its bytes show; `None` if they show none.
#[must_use]
pub fn picture_type(shown_by_bytes: Option<&str>) -> Option<&'static str> {
    SHOWN.into_iter().find(|known| Some(*known) == shown_by_bytes)
}

/// Whether a link names another picture than before. WhatsApp signs its links anew every few days, behind the `?`:
/// that alone is no other picture.
#[must_use]
pub fn names_another(before: Option<&str>, now: Option<&str>) -> bool {
    let place = |link: &str| link.split(['?', '#']).next().unwrap_or_default().to_owned();
    now.is_some() && before.map(place) != now.map(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_pictures() {
        assert_eq!(picture_type(Some("image/webp")), Some("image/webp"));
        for other in [None, Some("text/html"), Some("image/svg+xml"), Some("video/mp4")] {
            assert_eq!(picture_type(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_new_signature_is_no_new_picture() {
        let link = Some("https://pps.whatsapp.net/v/1_n.jpg?oh=1&oe=2");
        assert!(!names_another(link, Some("https://pps.whatsapp.net/v/1_n.jpg?oh=3")));
        assert!(names_another(link, Some("https://pps.whatsapp.net/v/2_n.jpg?oh=1")));
        assert!(names_another(None, link));
        assert!(!names_another(link, None), "nobody says that it went");
        assert!(!names_another(None, None));
    }

    #[test]
    fn only_a_certain_answer_changes_what_is_shown() {
        let reason = || "BROKEN".to_owned();
        assert_eq!(Look::Absent.shown(), Some(None));
        assert_eq!(Look::Unfit { reason: reason() }.shown(), None);
        assert_eq!(Look::Failed { reason: reason() }.shown(), None);
    }
}
