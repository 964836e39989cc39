//! Logs, traces and metrics of the process.
//!
//! Log lines are lowercase without a full stop; ids are dotted fields (`message.id`); names carry
//! their unit. Never a body, a token, a phone number or a name.

mod grpc;
mod metrics;
mod panics;
mod propagation;
mod start;
#[cfg(test)]
mod tests;

pub use grpc::{GrpcMakeSpan, GrpcTraceLayer, grpc_trace_layer};
pub use metrics::{Metrics, MetricsError};
pub use propagation::{continue_from, traceparent_of_current_span};
pub use start::{Telemetry, TelemetryError};
