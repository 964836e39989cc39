//! The upstream: UniPile's API v1, its webhooks and its client.
//!
//! | module | what it holds |
//! |---|---|
//! | [`v1::webhook`] | what UniPile pushes: a tolerant parser of webhook bodies |
//! | [`hosts`] | which generation of the API a base URL belongs to |
//!
//! API v2 has other paths, payloads and signatures; it gets a module beside [`v1`] when it is built.

mod digest;
pub mod hosts;
pub mod v1;

pub use digest::digest;
