//! Which headers are kept beside a body.

use http::HeaderMap;
use serde_json::{Map, Value};

/// A list of the good ones, so that no secret is ever among them, whatever its header is called.
const KEPT: [&str; 3] = ["content-type", "user-agent", "x-request-id"];
const MOST_BYTES: usize = 256;

/// As a JSON object.
pub(crate) fn worth_keeping(headers: &HeaderMap) -> String {
    let kept = KEPT.iter().filter_map(|name| {
        let value = headers.get(*name)?.as_bytes();
        let value = String::from_utf8_lossy(&value[..value.len().min(MOST_BYTES)]);
        Some(((*name).to_owned(), Value::String(value.into_owned())))
    });
    Value::Object(kept.collect::<Map<_, _>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_headers_are_kept_and_cut() {
        let mut headers = HeaderMap::new();
        headers.insert("unipile-auth", "secret".parse().unwrap());
        headers.insert("authorization", "secret".parse().unwrap());
        headers.insert("content-type", "text/plain".parse().unwrap());
        headers.insert("user-agent", "a".repeat(500).parse().unwrap());
        let kept = worth_keeping(&headers);
        let kept: Map<String, Value> = serde_json::from_str(&kept).unwrap();
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["content-type", "user-agent"]);
        assert_eq!(kept["user-agent"].as_str().unwrap().len(), MOST_BYTES);
    }
}
