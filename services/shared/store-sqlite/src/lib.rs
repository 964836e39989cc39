//! The embedded store: SQLite with one writer.
//!
//! One process owns the folder, which a lock file says. Inside it one task owns the one connection that
//! writes ([`writer`]); everything that waits to be written goes into its next commit, each piece in a
//! savepoint of its own. Readers have connections of their own and never wait for the writer.
//!
//! `synchronous = FULL`: what a method has returned is on disk.

mod claims;
mod decode;
mod erase;
mod error;
mod find;
mod hosted;
mod inbox;
mod intake;
mod log;
mod media;
mod messages;
mod open;
mod outbox;
mod pictures;
mod reads;
mod reindex;
mod rows;
mod search;
mod sql;
mod sync;
mod thumbnails;
mod uploads;
mod write;
mod writer;

pub use open::{Options, SqliteStore};
