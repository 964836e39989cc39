//! Errors as UniPile answers them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::mishap::Refusal;

/// An error body.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    status: u16,
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// `kind` is the part of the type after `errors/`.
    pub(crate) fn new(status: StatusCode, kind: &str) -> Self {
        let mut title = kind.replace('_', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self {
            title,
            detail: None,
            kind: format!("errors/{kind}"),
            status: status.as_u16(),
            retry_after: None,
        }
    }

    pub(crate) fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(crate) fn missing_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "missing_credentials")
    }

    pub(crate) fn disconnected() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "disconnected_account")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "resource_not_found")
    }

    /// A parameter has a wrong value.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameters").because(detail)
    }

    /// A parameter is not there.
    pub(crate) fn missing(name: &str) -> Self {
        let detail = format!("{name} is required");
        Self::new(StatusCode::BAD_REQUEST, "missing_parameters").because(detail)
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request").because(detail)
    }

    pub(crate) fn media_type(wanted: &str) -> Self {
        let problem = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
        problem.because(format!("expected {wanted}"))
    }

    /// Understood, and not possible.
    pub(crate) fn unprocessable(kind: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, kind)
    }

    pub(crate) fn forbidden(kind: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, kind)
    }

    pub(crate) fn not_implemented() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "feature_not_implemented")
    }

    /// One that was ordered.
    pub(crate) fn ordered(refusal: &Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = refusal.error.as_deref().unwrap_or(usual(status));
        Self { retry_after: refusal.retry_after, ..Self::new(status, kind) }
    }
}

/// The commonest type of a status.
fn usual(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "invalid_parameters",
        401 => "disconnected_account",
        403 => "insufficient_permissions",
        404 => "resource_not_found",
        408 | 504 => "request_timeout",
        409 => "already_exists",
        415 => "unsupported_media_type",
        422 => "unprocessable_entity",
        425 => "auth_in_progress",
        429 => "too_many_requests",
        500 => "provider_error",
        501 => "feature_not_implemented",
        502 => "proxy_error",
        503 => "service_unavailable",
        _ => "unexpected_error",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
