//! Which database, and opening it as the program does.

use channel_store::Store;
use channel_store_postgres::{PostgresConfig, PostgresStore};
use channel_store_sqlite::{Options, SqliteStore};
use std::path::Path;
use std::sync::Arc;

/// A database by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Postgres, Self::Sqlite];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite (FULL)",
        }
    }
}

/// Opens `postgres://…` or a folder for SQLite.
pub(crate) async fn open(place: &str, connections: u32) -> anyhow::Result<Arc<dyn Store>> {
    if place.starts_with("postgres://") {
        let config = PostgresConfig { max_connections: connections, ..PostgresConfig::new(place) };
        return Ok(PostgresStore::connect(config).await?);
    }
    Ok(Arc::new(SqliteStore::open(Path::new(place), Options::default()).await?))
}
