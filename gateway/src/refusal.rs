//! What a call was refused with, for whoever speaks plain HTTP: a status, and JSON with the stable reason.

use axum::{Json, body::Body, response::IntoResponse};
use channel_runtime::fault::{http_status_of_code, reason_of, retry_after_of, violations_of};
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use tonic::Status;

/// Why nothing was done.
#[derive(Debug, Serialize)]
struct Refused<'a> {
    reason: String,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
}

/// What is wrong with a field.
#[derive(Debug, Serialize)]
struct Field {
    field: String,
    rule: String,
}

/// By the call's own reason and code.
pub(crate) fn refused(status: &Status) -> Response<Body> {
    let reason = reason_of(status).unwrap_or_else(|| "INTERNAL".to_owned());
    refused_as(http_status_of_code(status.code()), reason, status)
}

/// By another reason and code.
pub(crate) fn refused_as(code: StatusCode, reason: String, status: &Status) -> Response<Body> {
    let field = |(field, rule)| Field { field, rule };
    let fields = violations_of(status).into_iter().map(field).collect();
    let mut answer =
        (code, Json(Refused { reason, message: status.message(), fields })).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait) = retry_after_of(status) {
        headers.insert(header::RETRY_AFTER, wait.as_secs().max(1).into());
    }
    if code == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}
