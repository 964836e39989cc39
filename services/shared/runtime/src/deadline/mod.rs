//! Deadlines for gRPC calls, streams included.
//!
//! tonic stops counting once the response headers are sent, and answers a late unary call with
//! CANCELLED from outside the user's layers. This layer counts to the end of the body and answers
//! `DEADLINE_EXCEEDED` from where it stands, so put it inside CORS and gRPC-Web.

mod body;
mod header;
mod layer;
mod limits;
mod methods;
#[cfg(test)]
mod tests;

pub use body::DeadlineBody;
pub use layer::{DeadlineFuture, DeadlineLayer, DeadlineService, is_grpc};
pub use limits::Limits;
pub use methods::streaming_methods;

use tokio::time::Instant;

/// When the current call ends, in its request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);

/// What a call is told whose deadline has passed; counted.
#[must_use]
pub fn exceeded() -> tonic::Status {
    metrics::counter!("channel_rpc_deadlines_exceeded_total").increment(1);
    let kind = crate::fault::Kind::Deadline;
    crate::fault::refusal(kind, "DEADLINE_EXCEEDED", "the call's deadline has passed")
}
