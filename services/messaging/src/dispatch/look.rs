//! Looking for a message whose request ended without an answer.
//!
//! This is no polling for new messages: it happens three times for a message that may have been sent, and only
//! in its own chat. What UniPile answers is kept like everything else that it says.

use std::collections::HashMap;
use std::time::Duration;

use channel_domain::fact::Person;
use channel_domain::send::is_provisional;
use channel_domain::{AccountId, ChatId, Micros};
use channel_store::StoreError;
use channel_store::outbox::{Command, Due};
use channel_unipile::upstream::{Answer, MessageQuery, MessageState, Paging, UpstreamError};

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
            Err(error) => return self.look_again(due, &error).await,
        };
        let mut own: Vec<_> = page.items.into_iter().filter(is_own).collect();
        if is_provisional(&due.chat)
            && let Err(error) = self.name_people(&due.account, &mut own).await
        {
            return self.look_again(due, &error).await;
        }
        // Oldest first, as webhooks would have told it.
        let facts = own.iter().rev().flat_map(|state| state.facts(&[])).collect();
        self.command(&due.account, Command::Learn(facts)).await?;
        self.command(&due.account, Command::Looked(due.message)).await?;
        Ok(())
    }

    async fn look_again(&self, due: &Due, error: &UpstreamError) -> Result<(), StoreError> {
        tracing::info!(error = %error, "an uncertain message could not be looked for");
        let wait = error.retry_after().unwrap_or(AGAIN).max(AGAIN);
        self.command(&due.account, Command::LookAgain(due.message, wait)).await.map(drop)
    }

    /// A chat that was started is known by its people, and messages name theirs at best by WhatsApp's id,
    /// which need not be the one that the chat was started by.
    async fn name_people(&self, account: &AccountId, own: &mut [MessageState]) -> Answer<()> {
        let mut known: HashMap<ChatId, Vec<Person>> = HashMap::new();
        for MessageState { received, .. } in own {
            if !received.attendees.is_empty() {
                continue;
            }
            let chat = &received.chat.id;
            if !known.contains_key(chat) {
                let people = self.others(account, chat).await?;
                known.insert(chat.clone(), people);
            }
            received.attendees.clone_from(&known[chat]);
        }
        Ok(())
    }

    async fn others(&self, account: &AccountId, chat: &ChatId) -> Answer<Vec<Person>> {
        let everybody = match self.upstream.chat_attendees(account, chat).await {
            Ok(page) => page.items,
            // The chat is gone again.
            Err(error) if error.is_not_found() => vec![],
            Err(error) => return Err(error),
        };
        let others = everybody.into_iter().filter(|person| person.is_self != Some(true));
        Ok(others.map(|other| other.person).collect())
    }
}

/// Messages of others come by webhook.
fn is_own(state: &MessageState) -> bool {
    state.received.is_sender == Some(true)
}
