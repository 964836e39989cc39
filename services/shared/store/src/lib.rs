//! What a store promises, and the one projection that every backend runs.
//!
//! A backend moves rows; it knows no rule. The rules are in `channel-domain`, and [`projection`] applies
//! them to rows that a backend has loaded and hands back the rows to write. So SQLite and PostgreSQL
//! cannot come to differ in what a fact means.
//!
//! | part | promise |
//! |---|---|
//! | [`Intake`] | webhooks become durable, and visible, in one transaction for many |
//! | [`Reads`] | lists and single objects, from the local database only |
//! | [`ChangeLog`] | a dense, chained sequence of changes for each account |
//!
//! One method is one transaction. To add a backend: implement [`rows::Rows`] and the three traits, and
//! pass the conformance suite (feature `conformance`).

pub mod error;
pub mod intake;
pub mod log;
pub mod projection;
pub mod reads;
pub mod record;
pub mod rows;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use error::StoreError;
pub use intake::Intake;
pub use log::ChangeLog;
pub use reads::Reads;

/// A whole store.
pub trait Store: Intake + Reads + ChangeLog {}

impl<T: Intake + Reads + ChangeLog> Store for T {}
