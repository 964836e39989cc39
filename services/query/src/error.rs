//! Why a question was not answered.

use channel_media::MediaError;
use channel_runtime::fault::{Fault, FieldErrors, Kind, Violation};
use channel_runtime::supervise::Interrupted;
use channel_store::StoreError;
use std::time::Duration;

/// How long to wait before asking again for a position that is not here yet.
const SOON: Duration = Duration::from_millis(500);

/// How long to wait before asking again for a file that is on its way.
const FETCHED_SOON: Duration = Duration::from_secs(2);

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Fields of the request are wrong.
    #[error(transparent)]
    Fields(#[from] FieldErrors),
    /// No such account, or none that the caller may know of.
    #[error("no such account")]
    AccountNotFound,
    /// No such chat in the accounts asked for.
    #[error("no such chat")]
    ChatNotFound,
    /// No such message in the accounts or the chat asked for.
    #[error("no such message")]
    MessageNotFound,
    /// No such person in the accounts asked for.
    #[error("no such attendee")]
    AttendeeNotFound,
    /// No such file of the message.
    #[error("no such attachment")]
    AttachmentNotFound,
    /// The source does not have the file.
    #[error("the source does not have the attachment")]
    AttachmentUnavailable,
    /// The file is on its way.
    #[error("the attachment is not here yet")]
    AttachmentPending,
    /// The file is larger than is kept here.
    #[error("the attachment is larger than is kept here")]
    AttachmentTooLarge,
    /// The configuration leaves such files out.
    #[error("the configuration leaves such attachments out")]
    AttachmentLeftOut,
    /// A text that is no link of ours.
    #[error("the link is not valid")]
    LinkInvalid,
    /// A link whose time is over.
    #[error("the link has expired")]
    LinkExpired,
    /// The small picture may still come.
    #[error("the small picture is not here yet")]
    ThumbnailPending,
    /// The file has no small picture, for this reason.
    #[error("the attachment has no small picture")]
    NoThumbnail(&'static str),
    /// No picture is stored.
    #[error("no picture is stored")]
    PictureNotFound,
    /// The bytes cannot be read where they lie.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The id is known in several accounts.
    #[error("the id is known in several accounts; name one")]
    AccountRequired,
    /// The events asked for are not here yet.
    #[error("the position asked for is not reached yet")]
    PositionNotReached,
    /// The contract has it, this version does not.
    #[error("not built yet")]
    NotBuilt,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was lost.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl QueryError {
    /// A page token that is forged, damaged, or of another question.
    #[must_use]
    pub fn page_token() -> Self {
        let mut errors = FieldErrors::with_reason("PAGE_TOKEN_INVALID");
        errors.add("page_token", "must come from an answer to the same question");
        Self::Fields(errors)
    }
}

impl Fault for QueryError {
    fn kind(&self) -> Kind {
        match self {
            Self::Fields(_) | Self::AccountRequired => Kind::Invalid,
            Self::AccountNotFound
            | Self::ChatNotFound
            | Self::MessageNotFound
            | Self::AttendeeNotFound
            | Self::AttachmentNotFound
            | Self::AttachmentUnavailable
            | Self::NoThumbnail(_)
            | Self::PictureNotFound => Kind::NotFound,
            Self::AttachmentTooLarge | Self::AttachmentLeftOut => Kind::FailedPrecondition,
            Self::AttachmentPending | Self::ThumbnailPending => {
                Kind::Unavailable { retry_after: Some(FETCHED_SOON) }
            }
            Self::Media(error) if error.is_temporary() => Kind::Unavailable { retry_after: None },
            Self::PositionNotReached => Kind::Unavailable { retry_after: Some(SOON) },
            Self::LinkInvalid | Self::LinkExpired => Kind::Unauthenticated,
            Self::NotBuilt => Kind::Unimplemented,
            Self::Store(error) if error.is_temporary() => Kind::Unavailable { retry_after: None },
            Self::Store(_) | Self::Media(_) | Self::Interrupted(_) => Kind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Fields(errors) => errors.reason(),
            Self::AccountNotFound => "ACCOUNT_NOT_FOUND",
            Self::ChatNotFound => "CHAT_NOT_FOUND",
            Self::MessageNotFound => "MESSAGE_NOT_FOUND",
            Self::AttendeeNotFound => "ATTENDEE_NOT_FOUND",
            Self::AttachmentNotFound => "ATTACHMENT_NOT_FOUND",
            Self::AttachmentUnavailable => "ATTACHMENT_UNAVAILABLE",
            Self::AttachmentPending => "ATTACHMENT_PENDING",
            Self::AttachmentTooLarge => "ATTACHMENT_TOO_LARGE",
            Self::AttachmentLeftOut => "ATTACHMENT_LEFT_OUT",
            Self::LinkInvalid => "LINK_INVALID",
            Self::LinkExpired => "LINK_EXPIRED",
            Self::ThumbnailPending => "THUMBNAIL_PENDING",
            Self::NoThumbnail(reason) => reason,
            Self::PictureNotFound => "PICTURE_NOT_FOUND",
            Self::Media(error) => error.reason(),
            Self::AccountRequired => "ACCOUNT_REQUIRED",
            Self::PositionNotReached => "POSITION_NOT_REACHED",
            Self::NotBuilt => "NOT_BUILT",
            Self::Store(error) => error.reason(),
            Self::Interrupted(_) => "INTERRUPTED",
        }
    }

    fn violations(&self) -> &[Violation] {
        match self {
            Self::Fields(errors) => errors.violations(),
            _ => &[],
        }
    }
}
