//! The public door: gRPC-Web, native gRPC and the webhook address on one port.
//!
//! A request passes, from the outside in: the connection ([`server`]), the paths that are not gRPC
//! ([`webhook`], [`upload`], [`download`], and the place kept for REST and the user interface), CORS ([`cors`]), gRPC-Web
//! translation, the deadline ([`channel_runtime::deadline`]), the caller's token
//! ([`channel_runtime::identity`]), the list of public methods ([`methods`]) and the proxy
//! ([`proxy`]), which hands it to a service of this process or to a remote one ([`remote`]).
//!
//! **Invariant:** nothing here knows a message or a method body, [`upload`] and [`download`] apart; a service is a path prefix.
//! **Invariant:** a service hears of no call without a valid token, health, reflection and links to files apart.
//! **Invariant:** every refusal of a gRPC call is a gRPC status with a stable reason, framed for
//! the caller's protocol and carrying CORS headers.
//! **Invariant:** a reader that does not read can hold up nobody but itself.

mod backoff;
mod calls;
pub mod config;
mod connection;
pub mod cors;
pub mod download;
mod error;
mod front;
mod gateway;
mod guard;
mod hop;
pub mod methods;
pub mod proxy;
mod refusal;
pub mod remote;
mod request;
pub mod server;
mod socket;
mod status;
mod tls;
pub mod upload;
pub mod webhook;

pub use config::GatewayConfig;
pub use error::GatewayError;
pub use gateway::{Gateway, LocalServices};
pub use server::Shutdown;
