//! The rules that go across sections, and what follows from them.

use std::path::PathBuf;

use channel_messaging::Subscription;
use channel_runtime::config::ConfigError;
use channel_unipile::hosts::{BaseUrl, check_base_url};

use tonic::codegen::http::Uri;

use super::{Config, StoreKind};
use crate::roles::WEBHOOK_PATH;

/// What webhooks come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// The real one.
    UniPile(BaseUrl),
    /// The simulator in this process.
    Demo,
    /// Whoever knows the address and the secret.
    None,
}

impl Config {
    /// The folder of files.
    pub(crate) fn media_folder(&self) -> PathBuf {
        let named = Some(&self.media.path).filter(|path| !path.as_os_str().is_empty());
        named.cloned().unwrap_or_else(|| self.store.path.join("media"))
    }

    /// What webhooks come from, when all roles are in one process.
    pub(crate) fn upstream(&self) -> Result<Upstream, ConfigError> {
        if let Some(base_url) = self.unipile_base_url()? {
            return Ok(Upstream::UniPile(base_url));
        }
        if !self.demo.enabled {
            return Ok(Upstream::None);
        }
        if self.gateway.listen.ip().is_loopback() {
            return Ok(Upstream::Demo);
        }
        Err(ConfigError::invalid(
            "gateway.listen",
            "the demo listens on loopback only; set UNIPILE_DSN and UNIPILE_API_KEY, or \
             `demo.enabled = false` to start without an upstream",
        ))
    }

    /// The base URL of UniPile; none when no credentials are given.
    pub(crate) fn unipile_base_url(&self) -> Result<Option<BaseUrl>, ConfigError> {
        let unipile = &self.unipile;
        match (unipile.dsn.is_empty(), unipile.api_key.is_empty()) {
            (true, true) => Ok(None),
            (true, false) => Err(missing("unipile.dsn", "UNIPILE_DSN")),
            (false, true) => Err(missing("unipile.api_key", "UNIPILE_API_KEY")),
            (false, false) => check_base_url(&unipile.dsn)
                .map(Some)
                .map_err(|error| ConfigError::invalid("unipile.dsn", error.to_string())),
        }
    }

    /// The webhooks that UniPile is to push to; `None` if somebody else looks after them. While secrets change over,
    /// the next one is told.
    pub(crate) fn subscription(&self) -> Result<Option<Subscription>, ConfigError> {
        let Some(origin) = self.public_origin()? else { return Ok(None) };
        let ingest = &self.ingest;
        let next = Some(&ingest.webhook_secret_next).filter(|secret| !secret.is_empty());
        let secret = next.unwrap_or(&ingest.webhook_secret);
        if secret.is_empty() {
            let reason = "webhooks are made with `ingest.webhook_secret`, which is not set";
            return Err(ConfigError::invalid("unipile.public_url", reason));
        }
        Ok(Some(Subscription {
            url: format!("{origin}{WEBHOOK_PATH}{}", ingest.path_token.expose()),
            header: ingest.secret_header.clone(),
            secret: secret.expose().into(),
        }))
    }

    /// Where UniPile reaches the gateway; `None` if nobody said.
    pub(crate) fn public_origin(&self) -> Result<Option<&str>, ConfigError> {
        let public = &self.unipile.public_url;
        if public.is_empty() {
            return Ok(None);
        }
        let reason = "must be http:// or https:// and a host, without a path";
        let wrong = || ConfigError::invalid("unipile.public_url", reason);
        origin(public).map(Some).ok_or_else(wrong)
    }

    /// Refuses a store that processes cannot share.
    pub(crate) fn require_shared_store(&self) -> Result<(), ConfigError> {
        if self.store.kind == StoreKind::Sqlite {
            return Err(ConfigError::invalid(
                "store.kind",
                "a role in a process of its own needs \"postgres\": SQLite belongs to one process \
                 (`channel` without a role runs all of them in one)",
            ));
        }
        self.check_store()
    }

    /// Refuses a store that cannot be opened.
    pub(crate) fn check_store(&self) -> Result<(), ConfigError> {
        if self.store.kind == StoreKind::Postgres && self.store.url.is_empty() {
            let reason = "\"postgres\" needs a URL; CHANNEL_STORE__URL_FILE names a file with it";
            return Err(ConfigError::invalid("store.url", reason));
        }
        Ok(())
    }

    /// Refuses to verify tokens without a secret that all processes share.
    pub(crate) fn require_auth_secret(&self) -> Result<(), ConfigError> {
        if self.auth.secret.is_empty() {
            let reason = "a role in a process of its own needs the secret that all of them share; \
                          CHANNEL_AUTH__SECRET_FILE names a file with it";
            return Err(ConfigError::invalid("auth.secret", reason));
        }
        Ok(())
    }

    /// Refuses a gateway that would have to serve what it does not have.
    pub(crate) fn require_upstreams(&self) -> Result<(), ConfigError> {
        let urls = &self.gateway.upstreams;
        let all = [
            ("query", &urls.query),
            ("messaging", &urls.messaging),
            ("ingest", &urls.ingest),
            ("webhook", &urls.webhook),
        ];
        match all.into_iter().find(|(_, url)| url.is_empty()) {
            None => Ok(()),
            Some((name, _)) => Err(ConfigError::invalid(
                format!("gateway.upstreams.{name}"),
                "a gateway in a process of its own needs the URL of every service",
            )),
        }
    }
}

/// A URL without a path, and without the slash that may stand for none.
fn origin(url: &str) -> Option<&str> {
    let origin = url.strip_suffix('/').unwrap_or(url);
    let uri: Uri = origin.parse().ok()?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = uri.path_and_query().is_none_or(|path| path == "/");
    (known && uri.authority().is_some() && bare).then_some(origin)
}

fn missing(key: &str, variable: &str) -> ConfigError {
    let reason = format!("the DSN and the API key go together; set {variable} too");
    ConfigError::invalid(key, reason)
}
