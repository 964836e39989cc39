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
    pub(super) fn new(to: Destination, config: &DeliveryConfig) -> Result<Self, ConfigError> {
        let client = Client::builder()
            .default_headers(to.headers)
            .timeout(config.timeout())
            // Only a literal 200 counts, so a redirect is a failure like any other.
            .redirect(redirect::Policy::none())
            // The receiver is the one named, whatever the environment says.
            .no_proxy()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(config.concurrency)
            .build()
            .map_err(|_| ConfigError { field: "delivery", rule: "usable by an HTTP client" })?;
        Ok(Self { client, url: to.url })
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

/// Where webhooks go, and what they carry.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    url: Url,
    headers: HeaderMap,
}

impl Destination {
    /// An address with the headers captured with real deliveries. `None` when it is no address.
    ///
    /// The content type is wrong on purpose: it is what UniPile sends although the body is JSON.
    pub(crate) fn new(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok().filter(Url::has_host)?;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("axios/1.7.7"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain, */*"));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        Some(Self { url, headers })
    }

    /// The receiver that the configuration names.
    pub(crate) fn configured(config: &DeliveryConfig) -> Result<Self, ConfigError> {
        let wrong = |field, rule| ConfigError { field, rule };
        let to = Self::new(&config.target_url)
            .ok_or(wrong("delivery.target_url", "an http or https address"))?;
        let Some(secret) = &config.secret_value else { return Ok(to) };
        let name: HeaderName = (config.secret_header.parse())
            .map_err(|_| wrong("delivery.secret_header", "a header name"))?;
        to.with_header(name.as_str(), secret.expose_secret())
            .ok_or(wrong("delivery.secret_value", "a header value"))
    }

    /// With a header on top, which takes the place of another one of its name. `None` when there can
    /// be no such header.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Option<Self> {
        let mut value: HeaderValue = value.parse().ok()?;
        value.set_sensitive(true);
        self.headers.insert(name.parse::<HeaderName>().ok()?, value);
        Some(self)
    }
}
