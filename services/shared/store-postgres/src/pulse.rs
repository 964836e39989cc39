//! Whether the database answers.

use crate::error::sorted;
use channel_store::StoreError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};
use std::fmt;
use tokio::sync::Mutex;

/// Costs the server next to nothing.
const QUESTION: &str = "SELECT 1";

/// Asks on a connection of its own, so that a store with much to do does not look like one that is away.
pub(crate) struct Pulse {
    options: PgConnectOptions,
    connection: Mutex<Option<PgConnection>>,
}

/// The options hold a password.
impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulse").finish_non_exhaustive()
    }
}

impl Pulse {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self { options, connection: Mutex::new(None) }
    }

    pub(crate) async fn ask(&self) -> Result<(), StoreError> {
        let mut kept = self.connection.lock().await;
        // Taken out: one whose answer nobody waited for must not be asked again.
        if let Some(mut connection) = kept.take()
            && answers(&mut connection).await.is_ok()
        {
            *kept = Some(connection);
            return Ok(());
        }
        // A connection that broke says nothing about the database of now.
        let mut connection = self.options.connect().await.map_err(sorted)?;
        answers(&mut connection).await?;
        *kept = Some(connection);
        Ok(())
    }

    pub(crate) async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            // What cannot be closed is gone.
            let _ = connection.close().await;
        }
    }
}

async fn answers(connection: &mut PgConnection) -> Result<(), StoreError> {
    connection.execute(QUESTION).await.map(drop).map_err(sorted)
}
