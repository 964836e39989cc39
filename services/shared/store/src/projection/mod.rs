//! Applying facts: one projection for every backend.
//!
//! ```text
//! payloads ─▶ engine ─ opens accounts, loads rows ─▶ Book ─ applies facts, numbers changes ─▶ Writes
//! ```
//!
//! [`engine`] is the order of steps inside a transaction; [`book`] holds one account's rows while facts
//! are applied to them; [`apply`] is what each fact does, [`sends`] what is sent from here; [`mod@command`]
//! carries commands out on the same book, [`sync`] steps of synchronisations; [`erase`] takes out what may not stay, and
//! [`forgotten`] keeps it out. Only the engine touches the database.

mod actions;
mod apply;
mod book;
mod command;
mod emit;
mod engine;
pub mod erase;
mod forgotten;
mod gather;
mod listing;
mod load;
mod media;
mod members;
mod persons;
mod pictures;
mod same;
mod sends;
mod start;
mod submit;
mod sync;
mod unread;

pub use command::command;
pub use engine::{Unit, UnitSource, keep, project};
pub use sync::step as sync_step;
