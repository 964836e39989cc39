//! From a fault to a gRPC status with `google.rpc` details.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::{Fault, FieldErrors, Kind};

/// The `domain` of every `ErrorInfo` we write.
pub const DOMAIN: &str = "channel";

/// Details travel in a header; peers refuse headers over some kilobytes.
const MOST_VIOLATIONS: usize = 32;
const MOST_TEXT: usize = 200;
const MOST_MESSAGE: usize = 1_000;

/// Answers a caller: code, message, reason, retry delay, bad fields. A [`Kind::Internal`] is
/// logged with its causes and answered without them.
#[must_use]
pub fn to_status(fault: &dyn Fault) -> Status {
    let kind = fault.kind();
    if kind == Kind::Internal {
        tracing::error!(reason = fault.reason(), error = fault as &dyn Error, "request failed");
        return hidden();
    }
    let metadata: HashMap<String, String> =
        fault.metadata().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut details = ErrorDetails::with_error_info(fault.reason(), DOMAIN, metadata);
    if let Some(delay) = kind.retry_after() {
        details.set_retry_info(Some(delay));
    }
    for violation in fault.violations().iter().take(MOST_VIOLATIONS) {
        details.add_bad_request_violation(
            cut(&violation.field, MOST_TEXT),
            cut(&violation.description, MOST_TEXT),
        );
    }
    Status::with_error_details(kind.code(), cut(&fault.to_string(), MOST_MESSAGE), details)
}

fn hidden() -> Status {
    let details = ErrorDetails::with_error_info("INTERNAL", DOMAIN, HashMap::new());
    Status::with_error_details(Kind::Internal.code(), "internal error", details)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// A status made on the spot, for refusals that have no error type.
pub(crate) fn refusal(kind: Kind, reason: &str, message: &str) -> Status {
    refusal_with(kind, reason, message, HashMap::new())
}

/// Like [`refusal`], with facts.
pub(crate) fn refusal_with(
    kind: Kind,
    reason: &str,
    message: &str,
    metadata: HashMap<String, String>,
) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(kind.code(), message, details)
}

/// A status as the end of a response whose headers are gone already.
#[must_use]
pub fn trailers_of(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(3);
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", HeaderValue::from(status.code() as i32));
    }
    trailers
}

/// The reason in a status of ours, for clients and tests.
#[must_use]
pub fn reason_of(status: &Status) -> Option<String> {
    Some(status.get_details_error_info()?.reason)
}

/// The retry delay in a status.
#[must_use]
pub fn retry_after_of(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// The bad fields in a status, as (field, description).
#[must_use]
pub fn violations_of(status: &Status) -> Vec<(String, String)> {
    let pair = |violation: FieldViolation| (violation.field, violation.description);
    let request = status.get_details_bad_request();
    request.map(|it| it.field_violations.into_iter().map(pair).collect()).unwrap_or_default()
}

impl From<FieldErrors> for Status {
    fn from(errors: FieldErrors) -> Self {
        to_status(&errors)
    }
}
