//! The client of API v1.
//!
//! | file | what it decides |
//! |---|---|
//! | `route` | the paths, and what may be tried again |
//! | `call` | one call: address, query, body |
//! | `exchange` | sending it: breaker, limits, spans, metrics |
//! | `answer`, `failure` | what came back, and what went wrong |
//! | `retry` | when a read is tried again |
//! | `form` | multipart bodies |
//! | `read` | from UniPile's objects to ours |
//! | `accounts` … `webhooks` | the calls themselves |
//!
//! Metrics, by `route` (method and template) and `outcome` (`ok` or [`UpstreamError::reason`]):
//! `channel_unipile_calls_total`, `channel_unipile_call_seconds` (until the answer was read; of a download
//! until it begins), `channel_unipile_retries_total`; by `scope`: `channel_unipile_breaker_opened_total`;
//! by `route`: `channel_unipile_items_skipped_total`.
//!
//! [`UpstreamError::reason`]: crate::upstream::UpstreamError::reason

mod accounts;
mod answer;
mod attendees;
mod call;
mod chats;
mod exchange;
mod failure;
mod form;
mod messages;
mod options;
mod read;
mod retry;
mod route;
mod webhooks;
mod when;

pub use options::{Chance, ClientError, ClientOptions};

use crate::breaker::Breakers;
use crate::hosts::BaseUrl;
use channel_runtime::clock::Clock;
use channel_runtime::http::{HttpOptions, client};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Calls one host of API v1 with one API key. Cheap to share; dropping a call's future ends the call.
pub struct Client {
    base: BaseUrl,
    key: HeaderValue,
    /// Keeps connections open between calls.
    reads: reqwest::Client,
    /// Opens a connection for each call. One that was kept may be closed by the other side in the very
    /// moment in which it is used, and then nobody knows whether the message left.
    changes: reqwest::Client,
    options: ClientOptions,
    breakers: Breakers,
    clock: Arc<dyn Clock>,
    chance: Chance,
    /// The reaction's path ends in `s` here.
    plural_reactions: AtomicBool,
}

impl Client {
    /// A client for a checked base URL. `chance` spreads the waits between attempts.
    ///
    /// # Errors
    ///
    /// If the key cannot be a header's value, or the machine's TLS roots cannot be read.
    pub fn new(
        base: BaseUrl,
        key: &SecretString,
        options: ClientOptions,
        clock: Arc<dyn Clock>,
        chance: Chance,
    ) -> Result<Self, ClientError> {
        let http = HttpOptions {
            connect_timeout: options.connect_timeout,
            timeout: options.json_timeout,
            ..HttpOptions::default()
        };
        let fresh = HttpOptions { idle_per_host: 0, ..http.clone() };
        Ok(Self {
            base,
            key: header(key)?,
            reads: client(&http).map_err(|_| ClientError::Tls)?,
            changes: client(&fresh).map_err(|_| ClientError::Tls)?,
            breakers: Breakers::new(options.breaker),
            options,
            clock,
            chance,
            plural_reactions: AtomicBool::new(false),
        })
    }
}

fn header(key: &SecretString) -> Result<HeaderValue, ClientError> {
    let key = key.expose_secret().trim();
    if key.is_empty() {
        return Err(ClientError::NoKey);
    }
    let mut value = HeaderValue::from_str(key).map_err(|_| ClientError::BadKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Shows no key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
