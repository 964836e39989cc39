//! Types and rules of the channel: ids, facts, merge rules, direction, people.
//!
//! Nothing here does IO, reads a clock or rolls dice: given the same facts, every function gives the
//! same answer on every database. The rules are *order-free*: a fact may come late, early or twice, and
//! the state that remains is the same. Each rule says beside it why that holds.
//!
//! | module | what it decides |
//! |---|---|
//! | [`fact`] | what UniPile told us, already parsed, not yet judged |
//! | [`direction`] | whether a message came in or went out, and nothing else |
//! | [`people`] | who took part, and nothing else |
//! | [`message`], [`chat`], [`attendee`], [`account`] | the state of each, and how facts merge into it |
//! | [`send`] | where a message sent from here stands, what may come next, how fast |
//! | [`media`] | how far a file's bytes are, what of it is fetched, what of it is safe to show |
//! | [`mentions`] | how people are named in texts |
//! | [`names`] | what a chat or a person is called on screen |
//! | [`search`] | how text is normalised for searching, and how snippets are cut |

pub mod account;
pub mod attendee;
pub mod chat;
pub mod direction;
pub mod fact;
pub mod ids;
pub mod jid;
pub mod marks;
pub mod media;
pub mod mentions;
pub mod message;
pub mod names;
pub mod people;
pub mod picture;
pub mod preview;
pub mod search;
pub mod send;
pub mod sort_key;
pub mod sync;
pub mod time;

pub use ids::{AccountId, AttendeeId, ChatId, MessageId, TenantId, UpstreamMessageId};
pub use sort_key::SortKey;
pub use time::{Micros, Stamp};
