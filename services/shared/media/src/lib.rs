//! Where the bytes of files lie: a folder of this machine, or a bucket of an S3 service.
//!
//! A file is named after the SHA-256 of its bytes, so the same bytes lie there once, whoever sent them, and what lies
//! under a name never changes. It is written as a whole or not at all: what can be read is complete.
//!
//! Messaging stores, query reads; apart from each other they share the folder or the bucket.

mod config;
mod error;
mod objects;
mod spool;
#[cfg(feature = "testing")]
pub mod testing;

pub use config::{MediaConfig, MediaStoreKind, PicturesConfig, S3Config};
pub use error::MediaError;
pub use objects::{Objects, Put, Reading};
pub use spool::{Received, Spool};
