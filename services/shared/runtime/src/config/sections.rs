//! The sections that belong to the runtime. Roles define their own; the binary composes them.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Problem, Secret};

/// Logs and traces.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// What is logged, in the syntax of `tracing`'s `EnvFilter`: `info,channel_ingest=debug`.
    pub log_filter: String,
    /// How a log line looks.
    pub log_format: LogFormat,
    /// Where traces go by OTLP over gRPC, such as `http://127.0.0.1:4317`; empty means nowhere.
    pub otlp_endpoint: String,
    /// The share of new traces that is kept, 0.0 to 1.0. A caller's own decision is honoured.
    pub trace_sample_ratio: f64,
    /// Names this process among its replicas; empty means unnamed.
    pub service_instance: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_filter: "info".to_owned(),
            log_format: LogFormat::Text,
            otlp_endpoint: String::new(),
            trace_sample_ratio: 1.0,
            service_instance: String::new(),
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// How callers prove who they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// The HS256 secret that tokens are signed with, at least 32 bytes.
    pub secret: Secret,
    /// The secret before it, still accepted while callers change over; empty means none.
    pub previous_secret: Secret,
    /// The `iss` that a token must carry; empty means any.
    pub issuer: String,
    /// The `aud` that a token must carry; empty means any.
    pub audience: String,
    /// How far clocks may disagree.
    pub leeway_seconds: u32,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            secret: Secret::default(),
            previous_secret: Secret::default(),
            issuer: String::new(),
            audience: String::new(),
            leeway_seconds: 30,
        }
    }
}

/// One listening gRPC server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS; without files the server speaks plain text.
    pub tls: TlsConfig,
    /// The deadline of a unary call whose caller names none.
    pub unary_timeout_seconds: u32,
    /// The longest deadline that a unary caller may name.
    pub unary_timeout_max_seconds: u32,
    /// Connections at once; more wait in the system's queue.
    pub max_connections: usize,
    /// Calls and streams at once on one connection.
    pub max_concurrent_streams: u32,
    /// Bytes that a caller may send ahead on one stream.
    pub stream_window_bytes: u32,
    /// Bytes that a caller may send ahead on one connection.
    pub connection_window_bytes: u32,
    /// Bytes that wait in memory for one slow reader before its stream is no longer asked.
    pub stream_send_buffer_bytes: usize,
    /// How often a silent connection is pinged.
    pub keepalive_seconds: u32,
    /// How long a ping may stay unanswered before the connection is dropped.
    pub keepalive_timeout_seconds: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: TlsConfig::default(),
            unary_timeout_seconds: 30,
            unary_timeout_max_seconds: 120,
            max_connections: 10_000,
            max_concurrent_streams: 1_000,
            stream_window_bytes: 64 * 1024,
            connection_window_bytes: 4 * 1024 * 1024,
            stream_send_buffer_bytes: 64 * 1024,
            keepalive_seconds: 20,
            keepalive_timeout_seconds: 20,
        }
    }
}

/// The largest flow-control window that HTTP/2 allows (RFC 9113, section 6.9.1).
const LARGEST_WINDOW_BYTES: u64 = (1 << 31) - 1;

impl ServerConfig {
    /// Refuses what no server can work with: without a place, or without time, nothing is ever
    /// answered; a ping each moment is a flood; HTTP/2 has no windows beyond its largest.
    ///
    /// # Errors
    ///
    /// Names every key that is not usable.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rules = [
            ("unary_timeout_seconds", self.unary_timeout_seconds.into(), u64::MAX),
            ("unary_timeout_max_seconds", self.unary_timeout_max_seconds.into(), u64::MAX),
            ("max_connections", self.max_connections as u64, u64::MAX),
            ("max_concurrent_streams", self.max_concurrent_streams.into(), u64::MAX),
            ("stream_window_bytes", self.stream_window_bytes.into(), LARGEST_WINDOW_BYTES),
            ("connection_window_bytes", self.connection_window_bytes.into(), LARGEST_WINDOW_BYTES),
            ("stream_send_buffer_bytes", self.stream_send_buffer_bytes as u64, u32::MAX.into()),
            ("keepalive_seconds", self.keepalive_seconds.into(), u64::MAX),
            ("keepalive_timeout_seconds", self.keepalive_timeout_seconds.into(), u64::MAX),
        ];
        let broken = rules.into_iter().filter(|(_, value, most)| !(1..=*most).contains(value));
        let problems: Vec<Problem> = broken
            .map(|(key, value, most)| Problem {
                key: format!("server.{key}"),
                reason: match value {
                    0 => "must be greater than zero".to_owned(),
                    _ => format!("must be at most {most}"),
                },
                origin: String::new(),
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::Refused(problems)) }
    }
}

/// A server's certificate.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the chain, leaf first; empty means no TLS.
    pub cert_file: PathBuf,
    /// PEM file with the private key; empty means no TLS.
    pub key_file: PathBuf,
}

impl TlsConfig {
    /// Whether TLS is asked for.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.cert_file.as_os_str().is_empty() || !self.key_file.as_os_str().is_empty()
    }
}

/// The HTTP server for machines: liveness, readiness, metrics.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// Where it listens; keep it off public networks.
    pub listen: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }
}
