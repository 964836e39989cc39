//! The wire's far end: POSTs every webhook as UniPile does, and keeps the books.

mod client;
mod config;
mod deliverer;
mod ledger;
mod retry;

pub(crate) use client::Destination;
pub use config::DeliveryConfig;
pub(crate) use deliverer::Deliverer;
pub use ledger::{Counts, Entry, Ledger, Outcome};
