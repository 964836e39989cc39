//! A gRPC server: services in, one visible stack around them, an orderly end.

mod accept;
mod first_bytes;
mod health;
mod reflection;
mod stack;
#[cfg(test)]
mod tests;
mod tls;

pub use accept::{Transport, serve_http};
pub use first_bytes::FirstBytes;
pub use health::Health;
pub use reflection::{Reflection, reflection};
pub use stack::{GrpcServer, GrpcStack, OPEN_PATHS, ServerError};
pub use tls::{TlsError, tls_config};
