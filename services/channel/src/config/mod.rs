//! The whole configuration: every section of every part, from one commented file of defaults.

mod check;
mod sections;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use channel_gateway::GatewayConfig;
use channel_ingest::IngestConfig;
use channel_media::MediaConfig;
use channel_messaging::{MessagingConfig, RetentionConfig};
use channel_query::live::LiveConfig;
use channel_runtime::config::{
    AdminConfig, AuthConfig, ConfigError, ServerConfig, Sources, TelemetryConfig,
};
use serde::{Deserialize, Serialize};

pub(crate) use check::Upstream;
pub(crate) use sections::{DemoConfig, Promotion, StoreConfig, StoreKind, UnipileConfig};

/// The file that holds every key with its default, and says what it means.
pub(crate) const DEFAULTS: &str = include_str!("../../channel.default.toml");

/// Variables with the prefix that are the command line's, not keys.
pub(crate) const FLAGS: [&str; 3] = ["CHANNEL_CONFIG", "CHANNEL_SERVER", "CHANNEL_TOKEN"];

/// The whole configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) store: StoreConfig,
    pub(crate) auth: AuthConfig,
    pub(crate) unipile: UnipileConfig,
    pub(crate) demo: DemoConfig,
    pub(crate) ingest: IngestConfig,
    pub(crate) messaging: MessagingConfig,
    pub(crate) media: MediaConfig,
    pub(crate) retention: RetentionConfig,
    pub(crate) live: LiveConfig,
    pub(crate) gateway: GatewayConfig,
    pub(crate) server: ServerConfig,
    pub(crate) admin: AdminConfig,
    pub(crate) telemetry: TelemetryConfig,
}

/// Where the parts' own defaults suit tests or a part alone, the program has its own.
impl Default for Config {
    fn default() -> Self {
        Self {
            store: StoreConfig::default(),
            auth: AuthConfig::default(),
            unipile: UnipileConfig::default(),
            demo: DemoConfig::default(),
            ingest: IngestConfig::default(),
            messaging: MessagingConfig::default(),
            media: MediaConfig::default(),
            retention: RetentionConfig::default(),
            live: LiveConfig::default(),
            gateway: GatewayConfig { shutdown_grace_seconds: 15, ..GatewayConfig::default() },
            server: ServerConfig {
                listen: ([127, 0, 0, 1], 7400).into(),
                max_concurrent_streams: 2_500,
                ..ServerConfig::default()
            },
            admin: AdminConfig { listen: ([127, 0, 0, 1], 7402).into() },
            telemetry: TelemetryConfig::default(),
        }
    }
}

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ConfigArgs {
    /// Settings in TOML, over the defaults and under the environment
    #[arg(short, long, value_name = "FILE", env = "CHANNEL_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// One setting, over everything else; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    pairs: Vec<(String, String)>,
}

impl ConfigArgs {
    /// Sets a key as if by a flag.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.pairs.push((key.to_owned(), value.into()));
    }

    /// Reads all layers.
    pub(crate) fn load(&self) -> Result<Config, ConfigError> {
        self.sources().process_environment().load()
    }

    fn sources(&self) -> Sources {
        let sources = FLAGS
            .iter()
            .fold(Sources::new(DEFAULTS), |sources, flag| sources.ignore(flag))
            .alias("UNIPILE_DSN", "unipile.dsn")
            .alias("UNIPILE_API_KEY", "unipile.api_key")
            .file(self.config.as_deref());
        self.pairs.iter().fold(sources, |sources, (key, value)| sources.set(key, value))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) =
        text.split_once('=').ok_or("expected KEY=VALUE, as in gateway.listen=127.0.0.1:9000")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
