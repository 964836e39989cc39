//! What can be asked for, one file a command.

pub(crate) mod account;
pub(crate) mod attachment;
pub(crate) mod chats;
pub(crate) mod config;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod healthcheck;
pub(crate) mod inbox;
pub(crate) mod messages;
pub(crate) mod migrate;
pub(crate) mod people;
mod place;
pub(crate) mod run;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod sync;
pub(crate) mod token;
pub(crate) mod version;
pub(crate) mod watch;

use std::net::SocketAddr;

/// Parses what is a duration for people: `24h`, `15 min`, `2 days`.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a duration, such as 24h or 30m")?;
    span.try_into().map_err(|_| "must not be negative".to_owned())
}

/// An HTTP URL of an address.
fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
