//! Sends and synchronises through UniPile's API.
//!
//! | part | what it does |
//! |---|---|
//! | [`grpc`] | translates the contract's calls, and decides nothing |
//! | [`Outgoing`] | checks a command and puts it into the outbox |
//! | [`Connections`] | connects accounts, connects them again, removes them |
//! | [`Dispatcher`] | takes what is due out of the outbox, calls UniPile, and notes how it ended |
//! | [`Importer`] | reads history in and repairs gaps |
//! | [`Eraser`] | erases contacts and accounts, and bytes that nothing names |
//! | [`Retention`] | deletes what is old |
//! | [`Fetcher`] | fetches the files of messages into the folder or bucket where they stay |
//! | [`Miniatures`] | makes small pictures of stored images |
//! | [`Portraits`] | looks for the pictures of people and groups, and puts them there too |
//!
//! The state of sending is in the database alone, so any number of processes may do both. What the outbox
//! promises is in `channel_domain::send`.

mod config;
mod connect;
mod dispatch;
mod erase;
mod error;
pub mod grpc;
mod media;
mod news;
mod outgoing;
mod subscriptions;
mod sync;
mod uploads;

pub use config::MessagingConfig;
pub use connect::{
    Confirmer, Connections, HostedAsk, HostedMade, LinkFailure, LinkReason, LinkStep, Method,
    Remover, Run, Steps,
};
pub use dispatch::Dispatcher;
pub use erase::{Eraser, Retention, RetentionConfig};
pub use error::MessagingError;
pub use media::{Fetcher, Miniatures, Portraits};
pub use outgoing::{Ask, Outgoing};
pub use subscriptions::{Subscription, Subscriptions};
pub use sync::Importer;
