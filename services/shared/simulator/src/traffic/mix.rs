use serde::{Deserialize, Serialize};

/// How often each kind of event occurs, as weights against each other. What cannot happen right
/// now (a receipt with nothing under way) becomes a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// The next line of a conversation, from either side.
    pub text: u32,
    /// A picture.
    pub image: u32,
    /// A film.
    pub video: u32,
    /// A voice note.
    pub voice: u32,
    /// A file.
    pub document: u32,
    /// A file that can no longer be had.
    pub media_unavailable: u32,
    /// The next line, quoting an earlier message.
    pub reply: u32,
    /// The next line, marked as forwarded.
    pub forwarded: u32,
    /// Content that UniPile cannot carry.
    pub unsupported: u32,
    /// A missed call.
    pub call: u32,
    /// A change in a group.
    pub system: u32,
    /// A notice that UniPile does not know.
    pub unknown_notice: u32,
    /// An own message reaches the recipient.
    pub delivered: u32,
    /// An own message is read.
    pub read: u32,
    /// A new text for a recent message.
    pub edited: u32,
    /// A recent message is deleted.
    pub deleted: u32,
    /// A reaction to a recent message.
    pub reaction: u32,
    /// A reaction is taken back.
    pub reaction_removed: u32,
    /// An account's state, in the documented shape.
    pub account_status: u32,
    /// An account's state, in the flat shape.
    pub account_status_flat: u32,
}

/// What people do on an ordinary day.
impl Default for Mix {
    fn default() -> Self {
        Self {
            text: 480,
            image: 22,
            video: 6,
            voice: 14,
            document: 10,
            media_unavailable: 2,
            reply: 28,
            forwarded: 6,
            unsupported: 3,
            call: 5,
            system: 4,
            unknown_notice: 1,
            delivered: 190,
            read: 160,
            edited: 14,
            deleted: 5,
            reaction: 44,
            reaction_removed: 4,
            account_status: 2,
            account_status_flat: 1,
        }
    }
}

/// One step of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Text,
    Image,
    Video,
    Voice,
    Document,
    MediaUnavailable,
    Reply,
    Forwarded,
    Unsupported,
    Call,
    System,
    UnknownNotice,
    Delivered,
    Read,
    Edited,
    Deleted,
    Reaction,
    ReactionRemoved,
    AccountStatus,
    AccountStatusFlat,
}

impl Mix {
    /// All weights zero, to set those that are wanted.
    #[must_use]
    pub fn none() -> Self {
        Self {
            text: 0,
            image: 0,
            video: 0,
            voice: 0,
            document: 0,
            media_unavailable: 0,
            reply: 0,
            forwarded: 0,
            unsupported: 0,
            call: 0,
            system: 0,
            unknown_notice: 0,
            delivered: 0,
            read: 0,
            edited: 0,
            deleted: 0,
            reaction: 0,
            reaction_removed: 0,
            account_status: 0,
            account_status_flat: 0,
        }
    }

    /// Texts only.
    #[must_use]
    pub fn texts() -> Self {
        Self { text: 1, ..Self::none() }
    }

    pub(crate) fn is_possible(&self) -> bool {
        self.table().iter().any(|(_, weight)| *weight > 0)
    }

    pub(super) fn table(&self) -> [(Action, u32); 20] {
        [
            (Action::Text, self.text),
            (Action::Image, self.image),
            (Action::Video, self.video),
            (Action::Voice, self.voice),
            (Action::Document, self.document),
            (Action::MediaUnavailable, self.media_unavailable),
            (Action::Reply, self.reply),
            (Action::Forwarded, self.forwarded),
            (Action::Unsupported, self.unsupported),
            (Action::Call, self.call),
            (Action::System, self.system),
            (Action::UnknownNotice, self.unknown_notice),
            (Action::Delivered, self.delivered),
            (Action::Read, self.read),
            (Action::Edited, self.edited),
            (Action::Deleted, self.deleted),
            (Action::Reaction, self.reaction),
            (Action::ReactionRemoved, self.reaction_removed),
            (Action::AccountStatus, self.account_status),
            (Action::AccountStatusFlat, self.account_status_flat),
        ]
    }
}
