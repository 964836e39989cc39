//! Accounts that are connected, connected again, and removed.

mod again;
mod hosted;
mod new;
mod remove;
mod stage;
