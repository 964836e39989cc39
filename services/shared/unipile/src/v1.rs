//! API v1: `https://apiN.unipile.com:PORT/api/v1`.

pub mod webhook;
mod wire;
