//! The gateway's section of the configuration.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::GatewayError;

/// The largest flow-control window that HTTP/2 allows (RFC 9113, section 6.9.1).
const MAX_WINDOW_BYTES: u64 = (1 << 31) - 1;

/// Where the gateway listens, whom it lets in, and what it forwards to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// The public address, for HTTP/1.1 and HTTP/2 alike.
    pub listen: SocketAddr,
    /// Open connections; beyond it new ones wait unaccepted.
    pub max_connections: usize,
    /// Concurrent calls on one HTTP/2 connection.
    pub max_streams_per_connection: u32,
    /// How long a client may take for its TLS handshake, and again for the head of a request.
    pub header_read_timeout_seconds: u64,
    /// How often an HTTP/2 client is pinged.
    pub keepalive_interval_seconds: u64,
    /// How long the answer to a ping may take before the connection is closed.
    pub keepalive_timeout_seconds: u64,
    /// The deadline of a unary call that names none, and the time in which a stream must begin.
    pub response_timeout_seconds: u64,
    /// How long open connections may go on after the gateway was told to stop.
    pub shutdown_grace_seconds: u64,
    /// Which web pages may call.
    pub cors: CorsConfig,
    /// Certificate and key; without them the gateway speaks plain text.
    pub tls: Option<TlsConfig>,
    /// The webhook address.
    pub webhook: WebhookConfig,
    /// Where the services are.
    pub upstreams: UpstreamsConfig,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_connections: 10_000,
            max_streams_per_connection: 1024,
            header_read_timeout_seconds: 10,
            keepalive_interval_seconds: 20,
            keepalive_timeout_seconds: 20,
            response_timeout_seconds: 60,
            shutdown_grace_seconds: 25,
            cors: CorsConfig::default(),
            tls: None,
            webhook: WebhookConfig::default(),
            upstreams: UpstreamsConfig::default(),
        }
    }
}

/// Which web pages may call the gateway from a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// Exact origins, as in `https://inbox.example.com`; none by default. `*` allows every page
    /// and must stand alone.
    pub allowed_origins: Vec<String>,
    /// How long a browser may remember the answer to a preflight.
    pub max_age_seconds: u64,
}

impl Default for CorsConfig {
    fn default() -> Self {
        Self { allowed_origins: Vec::new(), max_age_seconds: 7200 }
    }
}

/// The files that TLS needs, both PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain, the server's own certificate first.
    pub cert_file: PathBuf,
    /// The private key of the first certificate.
    pub key_file: PathBuf,
}

/// Limits of the webhook address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// The largest body that is forwarded.
    pub max_body_bytes: usize,
    /// How long ingest may take to answer; `UniPile` itself waits 30 s (its webhook documentation).
    pub timeout_seconds: u64,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { max_body_bytes: 1024 * 1024, timeout_seconds: 28 }
    }
}

/// Where each service is: an `http://` or `https://` URL, or empty for this process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamsConfig {
    /// `QueryService`.
    pub query: String,
    /// `MessagingService`.
    pub messaging: String,
    /// The public methods of `IngestService`.
    pub ingest: String,
    /// Ingest's HTTP shim, to which webhooks are forwarded.
    pub webhook: String,
    /// Certificates (PEM) to trust for `https://` instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The connections to each remote service.
    pub pool: PoolConfig,
}

/// The connections to one remote service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// Connections that carry streams. Unary calls have one of their own.
    pub stream_connections: usize,
    /// Calls on one connection at a time, at most. The remote server must allow as many.
    pub streams_per_connection: u32,
    /// What a call may have in flight towards a reader that does not read.
    pub stream_window_bytes: u32,
    /// How long a response may go unread before its call is cut off.
    pub stuck_reader_timeout_seconds: u64,
    /// How long connecting may take.
    pub connect_timeout_ms: u64,
    /// How often the remote service is pinged.
    pub keepalive_interval_seconds: u64,
    /// How long the answer to a ping may take before the connection is given up.
    pub keepalive_timeout_seconds: u64,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            stream_connections: 8,
            streams_per_connection: 2500,
            stream_window_bytes: 64 * 1024,
            stuck_reader_timeout_seconds: 60,
            connect_timeout_ms: 3000,
            keepalive_interval_seconds: 20,
            keepalive_timeout_seconds: 20,
        }
    }
}

impl PoolConfig {
    /// The connection window: room for every call's whole window, so that calls nobody reads can
    /// not use up what the others need.
    ///
    /// # Errors
    ///
    /// When HTTP/2 has no window of that size.
    pub fn connection_window_bytes(&self) -> Result<u32, GatewayError> {
        let needed = u64::from(self.streams_per_connection) * u64::from(self.stream_window_bytes);
        if needed > MAX_WINDOW_BYTES {
            let problem = "streams_per_connection times stream_window_bytes exceeds 2 GiB";
            return Err(GatewayError::config("upstreams.pool", &problem));
        }
        u32::try_from(needed).map_err(|e| GatewayError::config("upstreams.pool", &e))
    }
}

impl GatewayConfig {
    /// Refuses what no gateway can work with.
    ///
    /// # Errors
    ///
    /// Names the first key that is not usable.
    pub fn validate(&self) -> Result<(), GatewayError> {
        let pool = &self.upstreams.pool;
        let positive = [
            ("max_connections", self.max_connections as u64),
            ("max_streams_per_connection", u64::from(self.max_streams_per_connection)),
            ("header_read_timeout_seconds", self.header_read_timeout_seconds),
            ("keepalive_interval_seconds", self.keepalive_interval_seconds),
            ("keepalive_timeout_seconds", self.keepalive_timeout_seconds),
            ("response_timeout_seconds", self.response_timeout_seconds),
            ("webhook.max_body_bytes", self.webhook.max_body_bytes as u64),
            ("webhook.timeout_seconds", self.webhook.timeout_seconds),
            ("upstreams.pool.stream_connections", pool.stream_connections as u64),
            ("upstreams.pool.streams_per_connection", u64::from(pool.streams_per_connection)),
            ("upstreams.pool.stuck_reader_timeout_seconds", pool.stuck_reader_timeout_seconds),
            ("upstreams.pool.connect_timeout_ms", pool.connect_timeout_ms),
            ("upstreams.pool.keepalive_interval_seconds", pool.keepalive_interval_seconds),
            ("upstreams.pool.keepalive_timeout_seconds", pool.keepalive_timeout_seconds),
        ];
        if let Some((field, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(GatewayError::config(field, &"must be greater than zero"));
        }
        if pool.stream_window_bytes < 16 * 1024 {
            let field = "upstreams.pool.stream_window_bytes";
            return Err(GatewayError::config(field, &"must be at least 16384"));
        }
        pool.connection_window_bytes().map(drop)
    }

    pub(crate) fn header_read_timeout(&self) -> Duration {
        Duration::from_secs(self.header_read_timeout_seconds)
    }

    pub(crate) fn response_timeout(&self) -> Duration {
        Duration::from_secs(self.response_timeout_seconds)
    }
}
