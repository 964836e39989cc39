//! Accounts that are connected, connected again, and removed.

mod again;
mod command;
mod hosted;
mod later;
mod new;
mod removal;
mod remove;
mod stage;
