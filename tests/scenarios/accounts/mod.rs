//! Accounts that are connected, connected again, and removed.

mod again;
mod new;
mod remove;
mod stage;
