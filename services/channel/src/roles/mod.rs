//! Each role, put together from its parts.
//!
//! A role adds its service to a [`GrpcServer`], so that the same code serves it on a port of its own or
//! behind the gateway of the same process.

pub(crate) mod all;
pub(crate) mod apart;
mod bucket;
pub(crate) mod demo;
pub(crate) mod gateway;
pub(crate) mod ingest;
pub(crate) mod messaging;
pub(crate) mod query;

use std::sync::Arc;

use channel_query::grpc::LINKED_PATH;
use channel_runtime::clock::Clock;
use channel_runtime::config::{AuthConfig, ServerConfig};
use channel_runtime::identity::{AuthError, IdentityLayer, TokenVerifier};
use channel_runtime::server::{GrpcServer, OPEN_PATHS};

/// Where UniPile's webhooks are received; the path token may follow.
pub(crate) const WEBHOOK_PATH: &str = "/api/v1/webhooks/unipile/";

/// Knows the callers of every door of a process. Health and reflection hold no one's data, and are open; a link to a
/// file stands in for a token.
fn identity(auth: &AuthConfig, clock: Arc<dyn Clock>) -> Result<IdentityLayer, AuthError> {
    let verifier = Arc::new(TokenVerifier::new(auth, clock)?);
    Ok(IdentityLayer::new(verifier).leave_open(OPEN_PATHS.into_iter().chain([LINKED_PATH])))
}

/// A server that knows its callers and describes the contracts, without services yet.
fn server(config: ServerConfig, identity: IdentityLayer) -> GrpcServer {
    GrpcServer::new(config, identity).describe(channel_proto::FILE_DESCRIPTOR_SET)
}
