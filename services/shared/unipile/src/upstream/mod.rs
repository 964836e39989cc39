//! What the product asks of UniPile, in its own words. Each generation of the API implements it:
//! [`crate::v1::client::Client`] today, one of API v2 beside it later.
//!
//! Every call names the account it is about, also where API v1 would not need it: one API key reaches all
//! accounts, so an answer about another account is refused; API v2 wants it in the path; and failures are
//! counted for each account apart.
//!
//! Reads may be tried several times. Everything that changes something at UniPile is sent at most once:
//! [`UpstreamError::class`] says whether it may have happened.

mod accounts;
mod attendees;
mod chats;
mod class;
mod error;
mod file;
mod messages;
mod paging;
mod reason;
mod webhooks;

pub use accounts::{
    Account, Accounts, ConnectOptions, Connecting, HistoryLimit, HostedLink, HostedPurpose, Proxy,
    Source, Step, SyncLimit, SyncState,
};
pub use attendees::{Attendee, Attendees, Profile};
pub use chats::{Chat, ChatAction, ChatQuery, ChatReference, Chats, StartChat, Started};
pub use class::{Class, Kind};
pub use error::{ConnectStep, Failure, Refusal, Unreadable, UpstreamError};
pub use file::{Download, FileStream, OpenFile, OutgoingFile};
pub use messages::{
    MessageQuery, MessageState, Messages, Outgoing, ReactionState, SeenBy, SendMessage, Sent,
};
pub use paging::{Cursor, PAGE_MAX, Page, Paging, Walk, WalkError, pages};
pub use reason::Reason;
pub use webhooks::{Webhook, WebhookHeader, WebhookSettings, WebhookSource, Webhooks};

/// All of UniPile.
pub trait Upstream: Accounts + Chats + Messages + Attendees + Webhooks {}

impl<U: Accounts + Chats + Messages + Attendees + Webhooks> Upstream for U {}

/// How every call ends.
pub type Answer<T> = Result<T, UpstreamError>;
