//! Sends and synchronises through UniPile's API.
//!
//! The whole contract is served. Of its calls none is built yet: each checks who calls and what they may
//! do, and then answers UNIMPLEMENTED with the reason `NOT_BUILT`, as the contract promises of calls that
//! this version lacks.

mod error;
pub mod grpc;

pub use error::MessagingError;
