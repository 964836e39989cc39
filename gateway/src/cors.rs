//! Which web pages may call, and what they may send and see.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::{GatewayError, config::CorsConfig};

const FIELD: &str = "cors.allowed_origins";

/// What a page may send.
const REQUEST_HEADERS: [HeaderName; 9] = [
    header::CONTENT_TYPE,
    header::AUTHORIZATION,
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-user-agent"),
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("traceparent"),
    header::RANGE,
    header::IF_RANGE,
    header::IF_NONE_MATCH,
];

/// What a page may see of an answer: of one that is nothing but a status, and of a file.
const RESPONSE_HEADERS: [HeaderName; 8] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    header::ACCEPT_RANGES,
    header::CONTENT_DISPOSITION,
    header::CONTENT_RANGE,
    header::ETAG,
    header::RETRY_AFTER,
];

/// The layer for this configuration. Goes outside gRPC-Web, so that errors carry it too.
///
/// # Errors
///
/// When an origin is not `scheme://host[:port]`, or `*` does not stand alone.
pub fn layer(config: &CorsConfig) -> Result<CorsLayer, GatewayError> {
    Ok(CorsLayer::new()
        .allow_origin(origins(&config.allowed_origins)?)
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers(REQUEST_HEADERS)
        .expose_headers(RESPONSE_HEADERS)
        .max_age(Duration::from_secs(config.max_age_seconds)))
}

fn origins(allowed: &[String]) -> Result<AllowOrigin, GatewayError> {
    if allowed == ["*"] {
        return Ok(Any.into());
    }
    let exact: Result<Vec<_>, _> = allowed.iter().map(|text| origin(text)).collect();
    Ok(AllowOrigin::list(exact?))
}

/// An origin as browsers send it: lower case, and never with a path.
fn origin(text: &str) -> Result<HeaderValue, GatewayError> {
    let refuse = |problem: &str| GatewayError::config(FIELD, &format!("`{text}` {problem}"));
    if text == "*" {
        return Err(refuse("must stand alone"));
    }
    let uri: Uri = text.parse().map_err(|_| refuse("is not an origin"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(refuse("must be scheme://host[:port]"));
    };
    if text != format!("{scheme}://{authority}").to_lowercase() {
        return Err(refuse("must be scheme://host[:port] in lower case, without a path"));
    }
    HeaderValue::from_str(text).map_err(|_| refuse("is not an origin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_origins_or_a_lone_star_are_accepted() {
        let accepts = |list: &[&str]| {
            let allowed_origins = list.iter().map(ToString::to_string).collect();
            let max_age_seconds = 1;
            layer(&CorsConfig { allowed_origins, max_age_seconds }).is_ok()
        };
        assert!(accepts(&[]));
        assert!(accepts(&["*"]));
        assert!(accepts(&["https://inbox.example.com", "http://localhost:5173"]));
        for bad in [
            "https://inbox.example.com/",
            "https://Inbox.example.com",
            "inbox.example.com",
            "https://*.example.com/x",
            "",
            "null",
        ] {
            assert!(!accepts(&[bad]), "{bad}");
        }
        assert!(!accepts(&["*", "https://inbox.example.com"]));
    }
}
