//! Sends and synchronises through UniPile's API.
//!
//! | part | what it does |
//! |---|---|
//! | [`grpc`] | translates the contract's calls, and decides nothing |
//! | [`Outgoing`] | checks a command and puts it into the outbox |
//! | [`Dispatcher`] | takes what is due out of the outbox, calls UniPile, and notes how it ended |
//! | [`Fetcher`] | fetches the files of messages into the folder or bucket where they stay |
//!
//! The state of sending is in the database alone, so any number of processes may do both. What the outbox
//! promises is in `channel_domain::send`. Calls of the contract that are not built check who calls, and answer
//! UNIMPLEMENTED with the reason `NOT_BUILT`.

mod config;
mod dispatch;
mod error;
pub mod grpc;
mod media;
mod outgoing;
mod subscriptions;
mod uploads;

pub use config::MessagingConfig;
pub use dispatch::Dispatcher;
pub use error::MessagingError;
pub use media::Fetcher;
pub use outgoing::{Ask, Outgoing};
pub use subscriptions::{Subscription, Subscriptions};
