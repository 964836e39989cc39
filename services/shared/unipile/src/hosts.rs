//! Base URLs, and which generation of UniPile's API they lead to.
//!
//! API v1 has a host and often a port for each customer (`https://api1.unipile.com:13111`), which UniPile
//! calls the DSN; API v2 has `api.unipile.com` for all. Keys and accounts of one do not work on the other.

use http::Uri;
use http::uri::Authority;
use std::fmt;

/// A base URL of API v1 without a path, such as `https://api1.unipile.com:13111`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    at_unipile: bool,
}

impl BaseUrl {
    /// Scheme, host and port; no slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether it is UniPile's own host rather than a simulator or a proxy.
    #[must_use]
    pub const fn is_at_unipile(&self) -> bool {
        self.at_unipile
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// Why a base URL cannot be used. No message repeats the URL, which may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It cannot be read.
    #[error("the base URL of UniPile is no URL; expected one like https://api1.unipile.com:13111")]
    Malformed,
    /// It leads to API v2.
    #[error(
        "the base URL of UniPile leads to its API v2 (api.unipile.com), which is not supported yet: \
         use the DSN of API v1 from dashboard.unipile.com, like https://api1.unipile.com:13111"
    )]
    V2,
    /// It has another scheme than `https` or `http`.
    #[error("the base URL of UniPile must begin with https://")]
    Scheme,
    /// It would send the API key in clear text to UniPile.
    #[error(
        "the base URL of UniPile must begin with https://: the API key would travel unencrypted"
    )]
    ClearText,
    /// It holds a user name or a password.
    #[error("the base URL of UniPile must not hold a user name or a password")]
    Credentials,
    /// It has a path other than `/api/v1`, or a query.
    #[error("the base URL of UniPile must end after the host and port")]
    Path,
}

impl BaseUrlError {
    /// The stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "BASE_URL_MALFORMED",
            Self::V2 => "BASE_URL_V2",
            Self::Scheme => "BASE_URL_SCHEME",
            Self::ClearText => "BASE_URL_CLEAR_TEXT",
            Self::Credentials => "BASE_URL_CREDENTIALS",
            Self::Path => "BASE_URL_PATH",
        }
    }
}

/// Checks a base URL as an operator writes it: with or without `https://` (a DSN has none), a slash or
/// `/api/v1` at the end. Any host other than UniPile's is let through, for simulators and proxies.
///
/// # Errors
///
/// If it leads to API v2, is unreadable or unsafe; see [`BaseUrlError`].
///
/// # Examples
///
/// ```
/// use channel_unipile::hosts::{BaseUrlError, check_base_url};
/// assert_eq!(
///     check_base_url("api1.unipile.com:13111")?.as_str(),
///     "https://api1.unipile.com:13111",
/// );
/// assert_eq!(check_base_url("https://api.unipile.com"), Err(BaseUrlError::V2));
/// # Ok::<(), BaseUrlError>(())
/// ```
pub fn check_base_url(url: &str) -> Result<BaseUrl, BaseUrlError> {
    let url = url.trim();
    let uri = absolute(url)?;
    let authority = uri.authority().ok_or(BaseUrlError::Malformed)?;
    let host = host(authority)?;
    let at_unipile = host == "unipile.com" || host.ends_with(".unipile.com");
    let path = uri.path().trim_end_matches('/');
    if host == "api.unipile.com" || at_unipile && (path == "/v2" || path.starts_with("/v2/")) {
        return Err(BaseUrlError::V2);
    }
    let scheme = scheme(&uri, at_unipile)?;
    if !matches!(path, "" | "/api/v1") || uri.query().is_some() || url.contains('#') {
        return Err(BaseUrlError::Path);
    }
    let port = authority.port().map(|port| format!(":{port}"));
    Ok(BaseUrl { origin: format!("{scheme}://{host}{}", port.unwrap_or_default()), at_unipile })
}

fn absolute(url: &str) -> Result<Uri, BaseUrlError> {
    let uri = if url.contains("://") { url.parse() } else { format!("https://{url}").parse() };
    uri.map_err(|_| BaseUrlError::Malformed)
}

fn scheme(uri: &Uri, at_unipile: bool) -> Result<&str, BaseUrlError> {
    match uri.scheme_str() {
        Some("http") if at_unipile => Err(BaseUrlError::ClearText),
        Some(scheme @ ("https" | "http")) => Ok(scheme),
        _ => Err(BaseUrlError::Scheme),
    }
}

/// The host in lower case, without the dot that may end a full name.
fn host(authority: &Authority) -> Result<String, BaseUrlError> {
    if authority.as_str().contains('@') {
        return Err(BaseUrlError::Credentials);
    }
    // `port_u16` is none for a missing port and for an impossible one.
    let rest = authority.as_str().strip_prefix(authority.host());
    if authority.host().is_empty() || rest != Some("") && authority.port_u16().is_none() {
        return Err(BaseUrlError::Malformed);
    }
    let host = authority.host().to_ascii_lowercase();
    Ok(host.strip_suffix('.').unwrap_or(&host).to_owned())
}
