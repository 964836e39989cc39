//! What every role runs on: configuration, telemetry, supervision, servers, identity, faults.
//!
//! Nothing here knows what the product does: no message, no account row, no contract. A role
//! hands its own sections, services and descriptor bytes in.
//!
//! - [`config`]: defaults, then a file, then the environment, then flags; strict, printable
//! - [`telemetry`]: logs, traces, the metrics recorder
//! - [`supervise`]: named tasks with a declared meaning of failure, and an orderly end
//! - [`server`]: gRPC over one visible stack of layers; [`deadline`], [`identity`] are two of them
//! - [`admin`]: liveness, readiness and metrics for machines; [`pulse`]: whether the database answers
//! - [`fault`]: one table from what went wrong to gRPC and HTTP
//! - [`clock`] and [`http`]: the time, and the only door to the outside

pub mod admin;
pub mod clock;
pub mod config;
pub mod deadline;
pub mod fault;
pub mod http;
pub mod identity;
pub mod pulse;
pub mod server;
#[cfg(test)]
mod silence;
pub mod supervise;
pub mod telemetry;
