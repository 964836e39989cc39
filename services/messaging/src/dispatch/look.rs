//! Looking for a message whose request ended without an answer.
//!
//! This is no polling for new messages: it happens three times for a message that may have been sent, and only
//! in its own chat. What UniPile answers is kept like everything else that it says.

use std::time::Duration;

use channel_domain::Micros;
use channel_domain::fact::Fact;
use channel_domain::send::is_provisional;
use channel_store::StoreError;
use channel_store::outbox::{Command, Due};
use channel_unipile::upstream::{MessageQuery, MessageState, Paging};

use super::Shared;

/// How far UniPile's clock may be behind ours, in microseconds.
const SKEW: i64 = 120_000_000;
/// How many of the newest messages are looked at.
const NEWEST: u16 = 50;
/// When to look again where UniPile could not be asked.
const AGAIN: Duration = Duration::from_secs(10);

impl Shared {
    /// Looks into the chat of an uncertain message. The projection knows it when it sees it.
    pub(super) async fn look(&self, due: &Due) -> Result<(), StoreError> {
        let since = due.started_at.map(|at| Micros(at.0.saturating_sub(SKEW)));
        let query = MessageQuery {
            after: since,
            paging: Paging { cursor: None, limit: NEWEST },
            ..MessageQuery::default()
        };
        // Nobody knows yet what a chat that was started is called.
        let page = if is_provisional(&due.chat) {
            self.upstream.messages(&due.account, &query).await
        } else {
            self.upstream.chat_messages(&due.account, &due.chat, &query).await
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                tracing::info!(error = %error, "an uncertain message could not be looked for");
                let wait = error.retry_after().unwrap_or(AGAIN).max(AGAIN);
                self.command(&due.account, Command::LookAgain(due.message, wait)).await?;
                return Ok(());
            }
        };
        // Oldest first, as webhooks would have told it.
        let facts = page.items.iter().rev().flat_map(own).collect();
        self.command(&due.account, Command::Learn(facts)).await?;
        self.command(&due.account, Command::Looked(due.message)).await?;
        Ok(())
    }
}

/// What is said of messages of the account's owner. Those of others come by webhook.
fn own(state: &MessageState) -> Vec<Fact> {
    let is_own = state.received.is_sender == Some(true);
    if is_own { state.facts(&[]) } else { Vec::new() }
}
