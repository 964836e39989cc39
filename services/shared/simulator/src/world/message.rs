use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Who;

/// How far a message has come. Ordered: it only ever rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// Inbound: it is here, and that is all there is to say.
    Received,
    /// Own message, accepted by WhatsApp.
    Sent,
    /// Own message, on the recipient's phone.
    Delivered,
    /// Own message, read by at least one recipient.
    Read,
}

/// What kind of file an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Image,
    Video,
    Voice,
    /// Sound that was not spoken into the phone.
    Audio,
    Document,
}

/// A file sent with a message. The bytes are not kept, only what describes them.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub(crate) id: Arc<str>,
    pub(crate) media: Media,
    pub(crate) bytes: u64,
    pub(crate) name: Option<Cow<'static, str>>,
    /// What the sender said it is, where that is not what the kind implies.
    pub(crate) mimetype: Option<Arc<str>>,
    pub(crate) unavailable: bool,
}

impl Attachment {
    pub(crate) fn mimetype(&self) -> &str {
        if let Some(said) = &self.mimetype {
            return said;
        }
        match self.media {
            Media::Image => "image/jpeg",
            Media::Video => "video/mp4",
            Media::Voice => "audio/ogg; codecs=opus",
            Media::Audio => "audio/mpeg",
            Media::Document => "application/pdf",
        }
    }
}

/// What a message says.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Text(String),
    Media {
        attachments: Vec<Attachment>,
        caption: Option<String>,
    },
    /// A line that the system wrote: calls, group changes. The number is UniPile's `event_type`.
    Notice {
        event_type: u8,
        text: Option<String>,
    },
    /// What UniPile cannot carry (locations, polls, contacts) comes as nothing at all.
    Empty,
}

impl Content {
    /// Text, caption or notice, as UniPile's `message` has it.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Media { attachments, caption } => {
                let is_document = |a: &Attachment| a.media == Media::Document;
                // Documents without a caption were captured with an empty text, not with null.
                let empty = attachments.first().is_some_and(is_document).then_some("");
                caption.as_deref().or(empty)
            }
            Self::Notice { text, .. } => text.as_deref(),
            Self::Empty => None,
        }
    }

    pub(crate) fn attachments(&self) -> &[Attachment] {
        match self {
            Self::Media { attachments, .. } => attachments,
            _ => &[],
        }
    }

    /// Puts another text or caption in place of the one there is.
    pub(crate) fn set_text(&mut self, text: String) {
        match self {
            Self::Media { caption, .. } => *caption = Some(text),
            other => *other = Self::Text(text),
        }
    }
}

/// The message that another one replies to, as it was then.
#[derive(Debug, Clone)]
pub(crate) struct Quote {
    pub(crate) provider_id: String,
    pub(crate) sender_id: String,
    pub(crate) text: Option<String>,
}

/// One message and all that became of it.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: Arc<str>,
    pub(crate) provider_id: String,
    pub(crate) sender: Who,
    pub(crate) sent_at: Timestamp,
    pub(crate) content: Content,
    pub(crate) quoted: Option<Quote>,
    pub(crate) forwarded: bool,
    pub(crate) receipt: Receipt,
    pub(crate) edited: bool,
    pub(crate) deleted: bool,
    /// One per person, in the order in which they were given.
    pub(crate) reactions: Vec<(Who, Arc<str>)>,
    /// Place among all messages that the world has posted; 0 for those of before.
    pub(crate) order: u64,
}

impl Message {
    pub(crate) fn new(
        id: Arc<str>,
        provider_id: String,
        sender: Who,
        sent_at: Timestamp,
        content: Content,
    ) -> Self {
        let receipt = if sender == Who::OWNER { Receipt::Sent } else { Receipt::Received };
        Self {
            id,
            provider_id,
            sender,
            sent_at,
            content,
            quoted: None,
            forwarded: false,
            receipt,
            edited: false,
            deleted: false,
            reactions: Vec::new(),
            order: 0,
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        self.sender == Who::OWNER
    }

    pub(crate) fn is_notice(&self) -> bool {
        matches!(self.content, Content::Notice { .. })
    }
}
