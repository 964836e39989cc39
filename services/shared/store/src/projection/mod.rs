//! Applying facts: one projection for every backend.
//!
//! ```text
//! payloads ─▶ engine ─ opens accounts, loads rows ─▶ Book ─ applies facts, numbers changes ─▶ Writes
//! ```
//!
//! [`engine`] is the order of steps inside a transaction; [`book`] holds one account's rows while facts
//! are applied to them; [`apply`] is what each fact does. Only the engine touches the database.

mod apply;
mod book;
mod emit;
mod engine;
mod load;

pub use engine::{Unit, UnitSource, keep, project};
