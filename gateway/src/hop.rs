//! Headers that speak of one connection only, and are not passed on (RFC 9110, section 7.6.1).

use http::{HeaderMap, HeaderName, header};

/// Known ones, whether or not `connection` names them.
const KNOWN: [HeaderName; 9] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Removes them, and those that `connection` names.
pub(crate) fn strip(headers: &mut HeaderMap) {
    for name in named(headers).iter().chain(&KNOWN) {
        headers.remove(name);
    }
}

fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter();
    let names = values.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    names.filter_map(|name| name.trim().parse().ok()).collect()
}
