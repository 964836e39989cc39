//! Configuration: defaults, then a file, then the environment, then flags; the later wins.
//!
//! Keys are paths (`server.listen`). The environment spells them `CHANNEL_SERVER__LISTEN`. A key
//! that nobody reads is refused by name. A string key `x` has a twin `x_file`, accepted from the
//! file and the environment, that names a file to read the value from; in
//! the same layer it wins over the key itself.

mod error;
mod layer;
mod print;
mod secret;
mod sections;
mod sources;
#[cfg(test)]
mod tests;

pub use error::{ConfigError, Problem};
pub use print::print;
pub use secret::Secret;
pub use sections::{AdminConfig, AuthConfig, LogFormat, ServerConfig, TelemetryConfig, TlsConfig};
pub use sources::{PREFIX, Sources};
