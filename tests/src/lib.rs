//! What scenarios are made of: the real program as a process, clients that speak its contracts, watchers
//! that keep what they saw, and validators over that.

#![expect(clippy::missing_errors_doc, reason = "an error here is a test that fails with its text")]

pub mod chance;
pub mod client;
pub mod command;
pub mod durable;
pub mod history;
pub mod long;
pub mod program;
pub mod traffic;
pub mod truth;
pub mod twins;
pub mod until;
pub mod upstream;
pub mod watcher;
