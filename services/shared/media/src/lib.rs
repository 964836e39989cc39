//! Where the bytes of files lie: a folder of this machine, or a bucket of an S3 service.
//!
//! A file is named after the SHA-256 of its bytes, so the same bytes lie there once, whoever sent them, and what lies
//! under a name never changes. It is written as a whole or not at all: what can be read is complete.
//!
//! The small picture of an image lies beside it, under the image's hash, and goes with it.
//!
//! Messaging stores, query reads; apart from each other they share the folder or the bucket.

mod config;
mod error;
mod objects;
mod spool;
#[cfg(feature = "testing")]
pub mod testing;
mod thumbnail;

pub use config::{MediaConfig, MediaStoreKind, PicturesConfig, S3Config, ThumbnailsConfig};
pub use error::MediaError;
pub use objects::{Objects, Put, Reading};
pub use spool::{Received, Spool};
pub use thumbnail::{is_beyond, small_picture};
