//! What a store promises, and the one projection that every backend runs.
//!
//! A backend moves rows; it knows no rule. The rules are in `channel-domain`, and [`projection`] applies
//! them to rows that a backend has loaded and hands back the rows to write. So SQLite and PostgreSQL
//! cannot come to differ in what a fact means.
//!
//! | part | promise |
//! |---|---|
//! | [`Claims`] | an account that is being connected finds its owner |
//! | [`HostedLinks`] | a link to UniPile's sign-in page is used once, and what it connected is confirmed |
//! | [`Intake`] | webhooks become durable, and visible, in one transaction for many |
//! | [`Outbox`] | what is sent leaves once, in order, and its end is known or told to be unknown |
//! | [`Uploads`] | files to be sent are there for whoever sends |
//! | [`Syncs`] | history is read in once, gaps are repaired, and how far that came is known |
//! | [`Erasures`] | a contact or an account is forgotten to the last byte, and does not come back from the past |
//! | [`Media`] | every file of a message is fetched to an end, by one at a time |
//! | [`Pictures`] | pictures of people and groups are looked for, and again once they are old |
//! | [`Thumbnails`] | every stored image gets one small picture, or a reason why not |
//! | [`Reads`] | lists and single objects, from the local database only |
//! | [`ChangeLog`] | a dense, chained sequence of changes for each account |
//!
//! One method is one transaction. To add a backend: implement [`rows::Rows`] and these traits, and
//! pass the conformance suite (feature `conformance`).

pub mod claims;
pub mod erase;
pub mod error;
pub mod hosted;
pub mod intake;
pub mod log;
pub mod media;
pub mod outbox;
pub mod pictures;
pub mod projection;
pub mod reads;
pub mod record;
pub mod rows;
pub mod sync;
pub mod thumbnails;
pub mod uploads;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use claims::Claims;
pub use erase::Erasures;
pub use error::StoreError;
pub use hosted::HostedLinks;
pub use intake::Intake;
pub use log::ChangeLog;
pub use media::Media;
pub use outbox::Outbox;
pub use pictures::Pictures;
pub use reads::Reads;
pub use sync::Syncs;
pub use thumbnails::Thumbnails;
pub use uploads::Uploads;

/// A whole store.
pub trait Store:
    Intake
    + Reads
    + ChangeLog
    + Outbox
    + Uploads
    + Media
    + Pictures
    + Thumbnails
    + Syncs
    + Claims
    + HostedLinks
    + Erasures
{
}

impl<T> Store for T where
    T: Intake
        + Reads
        + ChangeLog
        + Outbox
        + Uploads
        + Media
        + Pictures
        + Thumbnails
        + Syncs
        + Claims
        + HostedLinks
        + Erasures
{
}
