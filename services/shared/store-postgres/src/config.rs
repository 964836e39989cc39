//! How to connect.

use channel_store::intake::Adoption;
use std::fmt;
use std::time::Duration;

/// What to do with old cursors when the server turns out to be a promoted standby.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Promotion {
    /// The last commits may be lost: every cursor becomes void.
    #[default]
    Void,
    /// Replication is synchronous, nothing is lost: cursors stay good.
    Keep,
}

/// How to connect to PostgreSQL.
///
/// The server must be reached directly or through a pooler in session mode: the store prepares
/// statements, sets session parameters and listens for notifications.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://user:password@host/database?sslmode=…`; may hold a password, so it is never shown.
    pub url: String,
    /// Connections at most, beside two for notifications and one that asks for an answer. A quarter of them, at least one, only writes,
    /// so that no flood of reads can hold up what must be stored.
    pub max_connections: u32,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take; the server stops it then.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// Apply pending migrations; otherwise refuse to open with any.
    pub migrate: bool,
    /// Who owns accounts that were never seen before.
    pub adoption: Adoption,
    /// What a promoted standby means for cursors.
    pub promotion: Promotion,
}

impl PostgresConfig {
    /// The default settings for a database.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(20),
            lock_timeout: Duration::from_secs(10),
            migrate: true,
            adoption: Adoption::By("default".into()),
            promotion: Promotion::Void,
        }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("url", &"[hidden]")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("migrate", &self.migrate)
            .field("adoption", &self.adoption)
            .field("promotion", &self.promotion)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_never_shows_its_password() {
        let config = PostgresConfig::new("postgres://channel:s3cret@db/channel");
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
