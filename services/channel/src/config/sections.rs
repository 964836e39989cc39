//! The sections that belong to the program itself. `channel.default.toml` says what each key means.

use std::path::PathBuf;

use channel_runtime::config::Secret;
use serde::{Deserialize, Serialize};

/// Where everything is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreConfig {
    pub(crate) kind: StoreKind,
    pub(crate) path: PathBuf,
    pub(crate) url: Secret,
    pub(crate) migrate: bool,
    pub(crate) tenant: String,
    pub(crate) sqlite: SqliteConfig,
    pub(crate) postgres: PostgresConfig,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            kind: StoreKind::Sqlite,
            path: PathBuf::from("./data"),
            url: Secret::default(),
            migrate: true,
            tenant: "default".to_owned(),
            sqlite: SqliteConfig::default(),
            postgres: PostgresConfig::default(),
        }
    }
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

/// What only SQLite has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqliteConfig {
    pub(crate) readers: u32,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self { readers: 4 }
    }
}

/// What only PostgreSQL has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostgresConfig {
    pub(crate) max_connections: u32,
    pub(crate) acquire_timeout_seconds: u32,
    pub(crate) statement_timeout_seconds: u32,
    pub(crate) lock_timeout_seconds: u32,
    pub(crate) promotion: Promotion,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout_seconds: 10,
            statement_timeout_seconds: 20,
            lock_timeout_seconds: 10,
            promotion: Promotion::Void,
        }
    }
}

/// What a promoted standby means for cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Promotion {
    Void,
    Keep,
}

/// The upstream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnipileConfig {
    pub(crate) dsn: String,
    pub(crate) api_key: Secret,
    pub(crate) timeout_seconds: u32,
    pub(crate) public_url: String,
    pub(crate) webhook_check_seconds: u32,
}

impl Default for UnipileConfig {
    fn default() -> Self {
        Self {
            dsn: String::new(),
            api_key: Secret::default(),
            timeout_seconds: 30,
            public_url: String::new(),
            webhook_check_seconds: 900,
        }
    }
}

/// The simulator in the upstream's place.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoConfig {
    pub(crate) enabled: bool,
    pub(crate) seed: u64,
    pub(crate) contacts: usize,
    pub(crate) groups: usize,
    pub(crate) history: u64,
    pub(crate) rate_per_second: f64,
}

impl Default for DemoConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            seed: 2026,
            contacts: 9,
            groups: 3,
            history: 90,
            rate_per_second: 0.5,
        }
    }
}
