//! A change log in memory that does what it is told, and a client that believes nothing.

mod bench;
mod client;
mod log;

pub(super) use bench::{Bench, Reader, quick};
pub(super) use client::Client;
pub(super) use log::FakeLog;
