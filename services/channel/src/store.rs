//! The database that the configuration names.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use channel_domain::ids::TenantId;
use channel_store::intake::Adoption;
use channel_store::{Store, StoreError};
use channel_store_postgres::{PostgresConfig, PostgresStore};
use channel_store_sqlite::{Options, SqliteStore};

use crate::config::{Promotion, StoreConfig, StoreKind};
use crate::keys;

/// An open store.
#[derive(Clone)]
pub(crate) enum Opened {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Opened {
    /// Opens it, migrated if the configuration allows.
    pub(crate) async fn open(config: &StoreConfig) -> anyhow::Result<Self> {
        let opened = match config.kind {
            StoreKind::Sqlite => {
                keys::private_folder(&config.path)?;
                let store = SqliteStore::open(&config.path, sqlite_options(config)).await;
                store.map(|store| Self::Sqlite(Arc::new(store)))
            }
            StoreKind::Postgres => {
                PostgresStore::connect(postgres_config(config)).await.map(Self::Postgres)
            }
        };
        opened.map_err(anyhow::Error::from).context("cannot open the store")
    }

    /// The store, whichever it is.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Postgres(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// Asks the database whether it is there, beside all work.
    pub(crate) async fn answers(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.answers().await,
            Self::Postgres(store) => store.answers().await,
        }
    }

    /// Lets what is under way end, and closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// The migrations that this program has and the database lacks.
pub(crate) async fn pending(config: &StoreConfig) -> Result<Vec<String>, StoreError> {
    match config.kind {
        StoreKind::Sqlite => SqliteStore::pending_migrations(&config.path).await,
        StoreKind::Postgres => PostgresStore::pending(&postgres_config(config)).await,
    }
}

fn adoption(config: &StoreConfig) -> Adoption {
    match config.tenant.as_str() {
        "" => Adoption::Nobody,
        tenant => Adoption::By(TenantId::from(tenant)),
    }
}

fn sqlite_options(config: &StoreConfig) -> Options {
    Options { readers: config.sqlite.readers, migrate: config.migrate, adoption: adoption(config) }
}

fn postgres_config(config: &StoreConfig) -> PostgresConfig {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let postgres = &config.postgres;
    PostgresConfig {
        max_connections: postgres.max_connections,
        acquire_timeout: seconds(postgres.acquire_timeout_seconds),
        statement_timeout: seconds(postgres.statement_timeout_seconds),
        lock_timeout: seconds(postgres.lock_timeout_seconds),
        migrate: config.migrate,
        adoption: adoption(config),
        promotion: match postgres.promotion {
            Promotion::Void => channel_store_postgres::Promotion::Void,
            Promotion::Keep => channel_store_postgres::Promotion::Keep,
        },
        ..PostgresConfig::new(config.url.expose())
    }
}
