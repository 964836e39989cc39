//! The store for roles in processes of their own: PostgreSQL.
//!
//! The server does the sets: a batch of any size is a fixed number of statements, each with arrays for
//! parameters. What a fact means is decided by the projection of `channel-store`, never in SQL.
//!
//! | part | what it does |
//! |---|---|
//! | `store` | one method, one transaction, in a task of its own |
//! | `rows` | what the projection reads and writes |
//! | `reads`, `search` | lists and single objects, by key only |
//! | `log`, `wake` | the change log, and hints that it grew |
//! | `connect`, `schema` | what a session is told; migrations; the number of the history |
//! | `error` | what a SQLSTATE means |
//!
//! Beside its pools a store holds three connections: one that sends hints, one that listens for them, and
//! one that asks whether the database is there.

mod claims;
mod config;
mod connect;
mod decode;
mod erase;
mod error;
mod hosted;
mod inbox;
mod intake;
mod log;
mod media;
mod meters;
mod outbox;
mod pictures;
mod prune;
mod pulse;
mod reads;
mod rows;
mod schema;
mod search;
mod statistics;
mod store;
mod sync;
mod thumbnails;
mod uploads;
mod wake;

#[cfg(feature = "testing")]
pub mod testing;

pub use config::{PostgresConfig, Promotion};
pub use store::PostgresStore;
