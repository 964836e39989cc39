//! API v1: `https://apiN.unipile.com:PORT/api/v1`.

#[cfg(feature = "client")]
pub mod client;
pub mod hosted;
pub mod webhook;
mod wire;
