//! From a file that is open to an answer that no browser runs.

use axum::body::Body;
use channel_proto::query::v1::AttachmentHeader;
use channel_runtime::fault::FieldErrors;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tonic::Status;

use super::{conditions::quoted, select::Selected, source::Opened};
use crate::{config::CorsConfig, refusal::refused_as};

/// How long a browser may take what it has without asking. The bytes never change, but they may be erased here.
const AT_HAND: &str = "private, max-age=3600, immutable";

/// What every answer says, whatever the file is: to run nothing, guess nothing and tell nobody the address.
const GUARDS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::ACCEPT_RANGES, "bytes"),
];

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Writes answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers {
    /// Which pages may show what is served here.
    shown_in: &'static str,
}

impl Answers {
    /// Pages of another origin may show files if any may call at all: `<img>` does not say which one it is.
    pub(super) fn new(cors: &CorsConfig) -> Self {
        let shown_in = if cors.allowed_origins.is_empty() { "same-origin" } else { "cross-origin" };
        Self { shown_in }
    }

    pub(super) fn answer(self, selected: Selected) -> Response<Body> {
        let mut response = match selected {
            Selected::Whole(opened) => with_bytes(StatusCode::OK, opened),
            Selected::Part(opened) => part(opened),
            Selected::Head(opened) => head(&opened),
            Selected::NotModified(opened) => not_modified(&opened),
            Selected::NoSuchPart(opened) => no_such_part(&opened),
        };
        let headers = response.headers_mut();
        for (name, value) in GUARDS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static(self.shown_in));
        response
    }
}

fn with_bytes(status: StatusCode, opened: Opened) -> Response<Body> {
    let mut headers = about(&opened);
    headers.extend(what(&opened.header));
    headers.insert(header::CONTENT_LENGTH, opened.header.length.into());
    answered(status, headers, Body::from_stream(opened.bytes))
}

fn part(opened: Opened) -> Response<Body> {
    let (range, total) = (opened.range(), opened.header.total_bytes);
    // A part has a byte at least.
    let part = format!("bytes {}-{}/{total}", range.start, range.end.saturating_sub(1));
    let mut response = with_bytes(StatusCode::PARTIAL_CONTENT, opened);
    response.headers_mut().insert(header::CONTENT_RANGE, value(&part));
    response
}

fn head(opened: &Opened) -> Response<Body> {
    let mut headers = about(opened);
    headers.extend(what(&opened.header));
    headers.insert(header::CONTENT_LENGTH, opened.header.total_bytes.into());
    answered(StatusCode::OK, headers, Body::empty())
}

fn not_modified(opened: &Opened) -> Response<Body> {
    answered(StatusCode::NOT_MODIFIED, about(opened), Body::empty())
}

fn no_such_part(opened: &Opened) -> Response<Body> {
    let total = opened.header.total_bytes;
    let mut errors = FieldErrors::with_reason("RANGE_INVALID");
    errors.add("range", format!("must begin before {total}"));
    let reason = "RANGE_INVALID".to_owned();
    let mut response = refused_as(StatusCode::RANGE_NOT_SATISFIABLE, reason, &Status::from(errors));
    response.headers_mut().insert(header::CONTENT_RANGE, value(&format!("bytes */{total}")));
    response
}

/// What is true of the file whichever part is answered.
fn about(opened: &Opened) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, value(&quoted(&opened.header.etag)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(AT_HAND));
    if !opened.is_linked {
        // Another person at the same browser has another token, and may not read what this one may.
        headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    }
    headers
}

/// What the bytes are, as the query service judges by themselves.
fn what(header: &AttachmentHeader) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, value(&header.safe_mime_type));
    headers.insert(header::CONTENT_DISPOSITION, value(&header.content_disposition));
    headers
}

/// A header's value. What cannot be one is the safest that there is.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

fn answered(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
