//! The upstream: UniPile's API v1, its webhooks and its client.
//!
//! | module | what it holds |
//! |---|---|
//! | [`upstream`] | what the product asks of UniPile, whatever the generation of its API |
//! | [`v1::client`] | the same over API v1 |
//! | [`v1::webhook`] | what UniPile pushes: a tolerant parser of webhook bodies |
//! | [`breaker`] | leaves UniPile alone while it fails |
//! | [`hosts`] | which generation of the API a base URL belongs to |
//!
//! API v2 has other paths, payloads and signatures; it gets a module beside [`v1`] when it is built.

#[cfg(feature = "client")]
pub mod breaker;
mod digest;
pub mod hosts;
#[cfg(feature = "client")]
pub mod upstream;
pub mod v1;

pub use digest::digest;
