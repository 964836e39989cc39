//! Telling other processes.

use super::{CHANNEL, Hub, Patience, Unsent, locked, payload};
use crate::connect;
use crate::error::sorted;
use channel_store::StoreError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// The shortest time between two notifications.
const PAUSE: Duration = Duration::from_millis(5);

/// Sends hints until the store closes. A failure costs other processes a delay and is tried again, then as
/// "look at all accounts".
pub(super) async fn run(hub: Arc<Hub>, options: PgConnectOptions, done: oneshot::Sender<()>) {
    let mut connection = None;
    let mut patience = Patience::new();
    loop {
        hub.wake.notified().await;
        let Unsent { moved, everything, closing } = std::mem::take(&mut *locked(&hub.unsent));
        let text = match (everything, moved.is_empty()) {
            (true, _) => Some(payload::everything(hub.sender)),
            (false, false) => Some(payload::write(hub.sender, moved)),
            (false, true) => None,
        };
        if let Some(text) = text {
            match send(&mut connection, &options, &text).await {
                Ok(()) => patience = Patience::new(),
                Err(error) if !closing => {
                    tracing::warn!(error = %error, "hints for other processes could not be sent");
                    connection = None;
                    hub.later(|unsent| unsent.everything = true);
                    patience.wait().await;
                }
                Err(_) => {}
            }
        }
        if closing {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    // Nobody waits for the end any more if the store was dropped.
    let _ = done.send(());
}

async fn send(
    connection: &mut Option<PgConnection>,
    options: &PgConnectOptions,
    text: &str,
) -> Result<(), StoreError> {
    if connection.is_none() {
        *connection = Some(connect::hinting(options).await?);
    }
    if let Some(connection) = connection {
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(text)
            .execute(connection)
            .await
            .map_err(sorted)?;
    }
    Ok(())
}
