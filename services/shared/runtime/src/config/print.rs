//! Shows a configuration as it was understood.

use serde::Serialize;

use super::ConfigError;

/// Writes a configuration as TOML. Every [`Secret`](super::Secret) in it stays hidden.
///
/// # Errors
///
/// When a value has no TOML form, such as a map with keys that are not text.
pub fn print<T: Serialize>(config: &T) -> Result<String, ConfigError> {
    toml::to_string_pretty(config).map_err(|error| ConfigError::Unprintable(error.to_string()))
}
