//! From the store's records to the contract's types.
//!
//! The store keeps numbers of `channel-domain`; the contract has enums of its own. `kinds` maps one to the
//! other, variant by variant, so that a new variant does not compile until it has a place on the wire. What
//! a record does not know stays at the contract's "not known".

mod account;
mod attendee;
mod change;
mod chat;
mod kinds;
mod message;
mod send;
mod sync;
#[cfg(test)]
mod tests;
mod time;

pub use account::{account, freshness};
pub use attendee::{attendee, identifier};
pub use change::change;
pub use chat::chat;
pub use kinds::attachment as attachment_kind;
pub use message::{attachment, fetch_state, message, why_no_thumbnail};
pub use send::send_state;
pub use sync::sync_progress;
pub use time::{micros, timestamp};

use channel_store::record::StoredRecord;
use std::fmt::Write as _;

/// What clients tell pictures apart by.
fn picture_etag(picture: Option<&StoredRecord>) -> String {
    picture.map(|picture| picture.sha256.clone()).unwrap_or_default()
}

/// An order key as lowercase hexadecimal digits, which sort like the bytes.
#[must_use]
pub fn sort_key(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
