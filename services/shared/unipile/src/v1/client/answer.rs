//! What came back.

use super::Client;
use super::failure::of_transport;
use super::read::Odd;
use crate::upstream::{Failure, Reason, Refusal, Unreadable};
use crate::v1::wire::document;
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::lenient;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use jiff::fmt::rfc2822;
use reqwest::Response;
use std::time::Duration;

/// The most bytes of a JSON body: 250 messages with much of WhatsApp's own data in each.
const JSON_MAX: usize = 32 * 1024 * 1024;
/// The most bytes of an error body; what is longer is none of UniPile's.
const PROBLEM_MAX: usize = 64 * 1024;
/// A `Retry-After` beyond is cut to it.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// Lets a success through, and reads why it is none.
pub(super) async fn success(client: &Client, response: Response) -> Result<Response, Failure> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let retry_after = retry_after(client, response.headers());
    // A refusal is one, even if its body breaks off.
    let body = body(response, PROBLEM_MAX).await.unwrap_or_default();
    let reason = document::read(&body, problem).flatten();
    let has_problem = reason.is_some();
    let reason = reason.unwrap_or(Reason::UNKNOWN);
    Err(Failure::Refused(Refusal { status, reason, has_problem, retry_after }))
}

/// The reason of an error body; none if it is none of UniPile's.
fn problem(node: &Node<'_>) -> Option<Reason> {
    let Node::Object(root) = node else { return None };
    let kind = root.pick(&["type"], lenient::name);
    let has_title = root.get("title").is_some();
    match kind {
        Some(kind) if has_title || kind.starts_with("errors/") => Some(Reason::from_wire(&kind)),
        _ => None,
    }
}

/// Seconds, or a date of RFC 9110.
fn retry_after(client: &Client, headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    let seconds = text.parse().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| {
        let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        let micros = at.as_microsecond().saturating_sub(client.clock.now_micros());
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
    });
    wait.map(|wait| wait.min(RETRY_AFTER_MAX))
}

/// The JSON object of a success, as `read` makes of it.
pub(super) async fn object<T>(
    response: Response,
    read: impl FnOnce(&Object<'_>) -> Result<T, Odd>,
) -> Result<T, Failure> {
    let status = response.status().as_u16();
    let unreadable = |problem| Failure::Unreadable { status, problem };
    let body = body(response, JSON_MAX).await?;
    let read = document::read(&body, |node| match node {
        Node::Object(root) => read(root),
        _ => Err(Odd::Shape("the object")),
    });
    match read {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(Odd::Shape(what))) => Err(unreadable(Unreadable::Shape(what))),
        Some(Err(Odd::Foreign)) => Err(Failure::ForeignAccount),
        None => Err(unreadable(Unreadable::NotJson)),
    }
}

async fn body(mut response: Response, limit: usize) -> Result<Bytes, Failure> {
    let status = response.status().as_u16();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| of_transport(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(Failure::Unreadable { status, problem: Unreadable::TooLong });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Takes a success for what it is, and its body for nothing: some answers are undocumented. It is read all
/// the same, so that the connection can be used again; how that ends no longer matters.
pub(super) async fn nothing(response: Response) {
    let _ = body(response, PROBLEM_MAX).await;
}
