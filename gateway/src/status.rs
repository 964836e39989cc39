//! The gateway's own gRPC answers, each with a stable reason.

use std::{collections::HashMap, time::Duration};

use channel_runtime::fault::DOMAIN;
use http::Response;
use tonic::{Code, Status, body::Body};
use tonic_types::{ErrorDetails, StatusExt};

use crate::methods::{Owner, Refused};

/// When a client should come back after an upstream was away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

fn refusal(code: Code, message: &str, reason: &str, about: &[(&str, &str)]) -> Status {
    let metadata: HashMap<String, String> =
        about.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    if matches!(code, Code::Unavailable | Code::ResourceExhausted) {
        details.set_retry_info(Some(RETRY_AFTER));
    }
    Status::with_error_details(code, message, details)
}

/// The path leads to nothing public.
pub(crate) fn refused(refused: Refused) -> Status {
    match refused {
        Refused::UnknownService => {
            refusal(Code::Unimplemented, "no such service", "SERVICE_UNKNOWN", &[])
        }
        Refused::NotPublic => {
            refusal(Code::Unimplemented, "this method is not served here", "METHOD_NOT_PUBLIC", &[])
        }
    }
}

/// No connection to the service: the call has surely not been made.
pub(crate) fn unreachable(owner: Owner) -> Status {
    refusal(
        Code::Unavailable,
        "the service cannot be reached",
        "UPSTREAM_UNREACHABLE",
        &[("upstream", owner.name())],
    )
}

/// The connection broke: the call may have been carried out.
pub(crate) fn interrupted(owner: Owner) -> Status {
    refusal(
        Code::Unavailable,
        "the connection to the service was lost",
        "UPSTREAM_INTERRUPTED",
        &[("upstream", owner.name())],
    )
}

/// Something answered that is not a gRPC server; the code follows the gRPC specification's
/// mapping of HTTP statuses ("HTTP to gRPC Status Code Mapping").
pub(crate) fn not_grpc(owner: Owner, http: http::StatusCode) -> Status {
    let code = match http.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    refusal(
        code,
        "the service did not answer in gRPC",
        "UPSTREAM_NOT_GRPC",
        &[("upstream", owner.name()), ("http_status", http.as_str())],
    )
}

/// Every place on the connections to the service is taken.
pub(crate) fn full(owner: Owner) -> Status {
    refusal(
        Code::ResourceExhausted,
        "too many calls to the service are open",
        "GATEWAY_CALLS_EXHAUSTED",
        &[("upstream", owner.name())],
    )
}

/// The reader has not read for too long.
pub(crate) fn reader_stuck() -> Status {
    refusal(Code::Aborted, "the response was not read", "READER_STUCK", &[])
}

/// A response that is nothing but a status.
pub(crate) fn response(status: Status) -> Response<Body> {
    status.into_http()
}
