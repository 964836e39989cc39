use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Client, StatusCode, Url, redirect};
use secrecy::ExposeSecret as _;

use super::DeliveryConfig;
use crate::config::ConfigError;

/// Sends bodies to one receiver over kept connections.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    client: Client,
    url: Url,
}

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The receiver answered with this status.
    Status(StatusCode),
    /// There was no answer: refused, cut off, or too late.
    Nothing,
}

impl Receiver {
    pub(super) fn new(config: &DeliveryConfig) -> Result<Self, ConfigError> {
        let url = Url::parse(&config.target_url).ok().filter(Url::has_host).ok_or(ConfigError {
            field: "delivery.target_url",
            rule: "an http or https address",
        })?;
        let client = Client::builder()
            .default_headers(headers(config)?)
            .timeout(config.timeout())
            // Only a literal 200 counts, so a redirect is a failure like any other.
            .redirect(redirect::Policy::none())
            // The receiver is the one named, whatever the environment says.
            .no_proxy()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(config.concurrency)
            .build()
            .map_err(|_| ConfigError { field: "delivery", rule: "usable by an HTTP client" })?;
        Ok(Self { client, url })
    }

    pub(super) async fn post(&self, body: Bytes) -> Answer {
        let Ok(mut response) = self.client.post(self.url.clone()).body(body).send().await else {
            return Answer::Nothing;
        };
        let status = response.status();
        // A connection is kept only when its answer was read to the end; what it says is of no
        // interest, and the status already counts.
        while let Ok(Some(_)) = response.chunk().await {}
        Answer::Status(status)
    }
}

/// The headers captured with real deliveries. The content type is wrong on purpose: it is what
/// UniPile sends although the body is JSON.
fn headers(config: &DeliveryConfig) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static("axios/1.7.7"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain, */*"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    if let Some(secret) = &config.secret_value {
        let (name, mut value) = secret_header(&config.secret_header, secret.expose_secret())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn secret_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let name = name
        .parse()
        .map_err(|_| ConfigError { field: "delivery.secret_header", rule: "a header name" })?;
    let value = value
        .parse()
        .map_err(|_| ConfigError { field: "delivery.secret_value", rule: "a header value" })?;
    Ok((name, value))
}
