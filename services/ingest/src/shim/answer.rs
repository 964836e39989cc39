//! What the sender hears: a status, a stable reason, and nothing of what it sent.

use axum::Json;
use axum::response::{IntoResponse, Response};
use channel_runtime::fault::{Fault, Kind, http_status};
use channel_store::intake::Verdict;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::counters::outcome_name;
use crate::error::Refusal;

pub(super) fn of(taken: Result<Verdict, Refusal>) -> Response {
    match taken {
        Ok(verdict) => stored(&verdict),
        Err(refusal) => refused(&refusal),
    }
}

/// To a report of a sign-in page.
pub(super) fn noted(taken: Result<(), Refusal>) -> Response {
    match taken {
        Ok(()) => (StatusCode::OK, Json(json!({}))).into_response(),
        Err(refusal) => refused(&refusal),
    }
}

fn stored(verdict: &Verdict) -> Response {
    let body = json!({
        "outcome": outcome_name(verdict.outcome),
        "reason": verdict.reason,
    });
    (StatusCode::OK, Json(body)).into_response()
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::SecretWrong => StatusCode::UNAUTHORIZED,
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        Refusal::LinkUnknown => http_status(Kind::NotFound),
        Refusal::BodyInterrupted | Refusal::NoticeUnreadable => http_status(Kind::Invalid),
        Refusal::Full { .. }
        | Refusal::StoreAway { .. }
        | Refusal::NotStored { .. }
        | Refusal::ShuttingDown { .. } => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = problem(status, refusal.reason(), &refusal.to_string());
    if let Some(wait) = refusal.retry_after() {
        let seconds = HeaderValue::from(wait.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

pub(super) async fn not_allowed() -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    problem(status, "METHOD_NOT_ALLOWED", "webhooks come by POST")
}

pub(super) async fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", "nothing is served here")
}

/// RFC 9457, with the reason beside it.
fn problem(status: StatusCode, reason: &str, detail: &str) -> Response {
    let body = json!({
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "reason": reason,
        "detail": detail,
    });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, body.to_string()).into_response()
}
