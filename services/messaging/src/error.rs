//! What can go wrong in messaging.

use std::time::Duration;

use channel_runtime::fault::{Fault, FieldErrors, Kind, Violation};
use channel_runtime::supervise::Interrupted;
use channel_store::StoreError;

/// Why a call did nothing.
#[derive(Debug, thiserror::Error)]
pub enum MessagingError {
    /// Nobody said where UniPile is.
    #[error("no upstream is configured: nothing could be sent")]
    NotConfigured,
    /// Fields of the request are wrong.
    #[error(transparent)]
    Fields(#[from] FieldErrors),
    /// No such account, or none that the caller may know of.
    #[error("no such account")]
    AccountNotFound,
    /// The account was removed.
    #[error("the account was removed")]
    AccountRemoved,
    /// The account has to be connected again first.
    #[error("the account is not connected")]
    AccountDisconnected,
    /// No such chat in the account.
    #[error("no such chat")]
    ChatNotFound,
    /// No such message in the account or chat.
    #[error("no such message")]
    MessageNotFound,
    /// WhatsApp lets nobody write there.
    #[error("nobody can write in this chat")]
    ChatReadOnly,
    /// The id was used for something else.
    #[error("the id was used for another message")]
    IdReused,
    /// The message is not at WhatsApp.
    #[error("the message was not sent")]
    MessageNotSent,
    /// The message was deleted.
    #[error("the message was deleted")]
    MessageDeleted,
    /// A file did not come whole.
    #[error("the file did not come whole")]
    UploadBroken,
    /// A file is not here, or not any more.
    #[error("a file is not here, or has expired")]
    UploadNotFound,
    /// Somebody else wrote it.
    #[error("somebody else wrote the message")]
    MessageNotOwn,
    /// It is too old to be changed.
    #[error("the message is too old to be changed")]
    EditWindowClosed,
    /// UniPile cannot do that.
    #[error("the upstream cannot do that")]
    Unsupported,
    /// It is under way or finished.
    #[error("the message is under way or finished")]
    NotQueued,
    /// It is under way, or was sent after all.
    #[error("the message is under way, or was sent after all")]
    NotResolvable,
    /// No such person in the account.
    #[error("no such attendee")]
    AttendeeNotFound,
    /// The account's owner cannot be somebody else.
    #[error("one of the two is the account's owner, the other is not")]
    AttendeeIsSelf,
    /// No WhatsApp id of a person is known.
    #[error("no WhatsApp id of this person is known")]
    Unreachable,
    /// A group of one.
    #[error("the recipients are one and the same person")]
    SamePerson,
    /// The chat is not at WhatsApp yet.
    #[error("the chat has not been started yet")]
    ChatNotStarted,
    /// No more chats may be started today.
    #[error("this account may start no more chats for now")]
    NewChatsExhausted {
        /// When it may, about.
        retry_after: Duration,
    },
    /// No such synchronisation in the account.
    #[error("no such synchronisation")]
    SyncNotFound,
    /// Too many messages wait.
    #[error("too many messages of this account wait to be sent")]
    Full {
        /// When there is room, about.
        retry_after: Duration,
    },
    /// The token is for some accounts only, and a new one is none of them.
    #[error("a token that names accounts cannot connect a new one")]
    TokenLimited,
    /// UniPile cannot reach this server.
    #[error("a link needs the address at which UniPile reaches this server: `unipile.public_url`")]
    PublicUrlMissing,
    /// No such link.
    #[error("no such hosted link")]
    HostedLinkNotFound,
    /// Codes to type are not offered.
    #[error("codes to type are switched off: `messaging.pairing_codes`")]
    PairingDisabled,
    /// A code to type needs the number.
    #[error("the account's phone number is not known")]
    PhoneUnknown,
    /// The account's owner goes with the account only.
    #[error("this attendee is the account's owner, who is erased with the account only")]
    AttendeeIsOwner,
    /// No such erasure.
    #[error("no such erasure")]
    ErasureNotFound,
    /// Another attempt to connect is under way.
    #[error("another attempt to connect is under way")]
    LinkInProgress {
        /// When to try again.
        retry_after: Duration,
    },
    /// UniPile does not answer.
    #[error("the upstream does not answer")]
    UpstreamAway {
        /// When to try again, if that is known.
        retry_after: Option<Duration>,
    },
    /// UniPile does not do it.
    #[error("the upstream refused: {advice}")]
    UpstreamRefused {
        /// Words for people.
        advice: &'static str,
    },
    /// This process ends.
    #[error("the server is stopping")]
    Stopping,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was lost.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Fault for MessagingError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unsupported => Kind::Unimplemented,
            Self::TokenLimited => Kind::Forbidden,
            Self::Fields(_) | Self::SamePerson => Kind::Invalid,
            Self::AccountNotFound
            | Self::ChatNotFound
            | Self::MessageNotFound
            | Self::SyncNotFound
            | Self::ErasureNotFound
            | Self::HostedLinkNotFound
            | Self::AttendeeNotFound => Kind::NotFound,
            Self::NotConfigured
            | Self::AccountRemoved
            | Self::AccountDisconnected
            | Self::AttendeeIsOwner
            | Self::ChatReadOnly
            | Self::MessageNotSent
            | Self::MessageDeleted
            | Self::MessageNotOwn
            | Self::UploadNotFound
            | Self::Unreachable
            | Self::AttendeeIsSelf
            | Self::ChatNotStarted
            | Self::EditWindowClosed
            | Self::NotQueued
            | Self::PairingDisabled
            | Self::PublicUrlMissing
            | Self::PhoneUnknown
            | Self::UpstreamRefused { .. }
            | Self::NotResolvable => Kind::FailedPrecondition,
            Self::UploadBroken | Self::Stopping => Kind::Unavailable { retry_after: None },
            Self::LinkInProgress { retry_after } => {
                Kind::Unavailable { retry_after: Some(*retry_after) }
            }
            Self::UpstreamAway { retry_after } => Kind::Unavailable { retry_after: *retry_after },
            Self::IdReused => Kind::Conflict,
            Self::Full { retry_after } | Self::NewChatsExhausted { retry_after } => {
                Kind::Throttled { retry_after: Some(*retry_after) }
            }
            Self::Store(error) if error.is_temporary() => Kind::Unavailable { retry_after: None },
            Self::Store(_) | Self::Interrupted(_) => Kind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotConfigured => "UPSTREAM_NOT_CONFIGURED",
            Self::Fields(errors) => errors.reason(),
            Self::AccountNotFound => "ACCOUNT_NOT_FOUND",
            Self::AccountRemoved => "ACCOUNT_REMOVED",
            Self::AccountDisconnected => "ACCOUNT_DISCONNECTED",
            Self::ChatNotFound => "CHAT_NOT_FOUND",
            Self::MessageNotFound => "MESSAGE_NOT_FOUND",
            Self::ChatReadOnly => "CHAT_READ_ONLY",
            Self::IdReused => "ID_REUSED",
            Self::MessageNotSent => "MESSAGE_NOT_SENT",
            Self::MessageDeleted => "MESSAGE_DELETED",
            Self::UploadBroken => "UPLOAD_BROKEN",
            Self::UploadNotFound => "UPLOAD_NOT_FOUND",
            Self::MessageNotOwn => "MESSAGE_NOT_OWN",
            Self::EditWindowClosed => "EDIT_WINDOW_CLOSED",
            Self::Unsupported => "UPSTREAM_UNSUPPORTED",
            Self::NotQueued => "SEND_NOT_QUEUED",
            Self::NotResolvable => "SEND_NOT_RESOLVABLE",
            Self::Full { .. } => "OUTBOX_FULL",
            Self::AttendeeNotFound => "ATTENDEE_NOT_FOUND",
            Self::AttendeeIsSelf => "ATTENDEE_IS_SELF",
            Self::Unreachable => "ATTENDEE_UNREACHABLE",
            Self::SamePerson => "RECIPIENTS_REPEATED",
            Self::ChatNotStarted => "CHAT_NOT_STARTED",
            Self::SyncNotFound => "SYNC_NOT_FOUND",
            Self::NewChatsExhausted { .. } => "NEW_CHATS_EXHAUSTED",
            Self::TokenLimited => "TOKEN_LIMITED",
            Self::PublicUrlMissing => "PUBLIC_URL_NOT_CONFIGURED",
            Self::HostedLinkNotFound => "HOSTED_LINK_NOT_FOUND",
            Self::PairingDisabled => "PAIRING_DISABLED",
            Self::PhoneUnknown => "PHONE_NUMBER_UNKNOWN",
            Self::AttendeeIsOwner => "ATTENDEE_IS_OWNER",
            Self::ErasureNotFound => "ERASURE_NOT_FOUND",
            Self::LinkInProgress { .. } => "LINK_IN_PROGRESS",
            Self::UpstreamAway { .. } => "UPSTREAM_UNAVAILABLE",
            Self::UpstreamRefused { .. } => "UPSTREAM_REFUSED",
            Self::Stopping => "SHUTTING_DOWN",
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
