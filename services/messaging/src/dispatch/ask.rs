//! Asking UniPile what a webhook left open: a message again, a chat that was first seen, the account.

use std::time::Duration;

use channel_domain::account::Connection;
use channel_domain::fact::Fact;
use channel_domain::{AccountId, ChatId, Micros, UpstreamMessageId};
use channel_store::StoreError;
use channel_store::outbox::{AccountNews, ChatNews, Command, DueWork};
use channel_store::rows::WorkKind;
use channel_store::sync::{SyncOrder, SyncStep};
use channel_unipile::upstream::{Account, Answer, Chat, ChatReference, MessageState};

use super::Shared;
use crate::sync::by_itself;

/// How often a piece of work is tried before it is left.
const TRIES: u32 = 8;
/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_mins(5);

impl Shared {
    /// Asks, and keeps the answer like everything else that UniPile says.
    pub(super) async fn ask(&self, due: &DueWork) -> Result<(), StoreError> {
        // Others may try then: whoever is at it may die.
        let at = self.now().plus(self.lease);
        if !self.store.put_off(due, at).await? {
            return Ok(());
        }
        let learnt = match self.answer(due).await {
            Ok(learnt) => learnt,
            // What does not exist any more needs no answer.
            Err(error) if error.is_not_found() => vec![],
            Err(error) if due.attempts + 1 < TRIES => {
                tracing::debug!(error = %error, "UniPile could not be asked and will be again");
                let wait = Duration::from_secs(1 << due.attempts.min(16)).min(LONGEST);
                let wait = wait.max(error.retry_after().unwrap_or_default());
                let later = self.now().plus(wait);
                return self.store.put_off(&DueWork { at, ..due.clone() }, later).await.map(drop);
            }
            Err(error) => {
                tracing::warn!(error = %error, "UniPile was asked in vain");
                vec![]
            }
        };
        for command in learnt {
            self.command(&due.account, command).await?;
        }
        if due.kind == WorkKind::RefreshAccount {
            self.sync_by_itself(&due.account).await?;
        }
        self.store.work_done(due).await
    }

    async fn answer(&self, due: &DueWork) -> Answer<Vec<Command>> {
        let account = &due.account;
        Ok(match due.kind {
            WorkKind::RefreshMessage => {
                let message = UpstreamMessageId::new(due.subject.as_str());
                let state = self.upstream.message(account, &message).await?;
                vec![Command::Learn(self.facts(due, &state).await?)]
            }
            WorkKind::FetchChat => {
                let chat = ChatReference::Id(ChatId::new(due.subject.as_str()));
                vec![Command::LearnChat(Box::new(news(self.upstream.chat(account, &chat).await?)))]
            }
            WorkKind::RefreshAccount => {
                let asked_at = self.now();
                let state = self.upstream.account(account).await?;
                vec![Command::LearnAccount(account_news(state, asked_at))]
            }
            WorkKind::FetchMedia => vec![],
        })
    }

    /// An account that came back may have missed something; the history of a new one is read in.
    async fn sync_by_itself(&self, account: &AccountId) -> Result<(), StoreError> {
        let Some(known) = self.store.account(account).await? else { return Ok(()) };
        let record = known.record;
        let is_back = record.connection == Connection::Ok as i32;
        if !is_back || record.complete_up_to.is_none() && !self.imports {
            return Ok(());
        }
        // UniPile tells when it has read the history itself; it need not.
        let later = self.now().plus(self.import_wait);
        let not_before = record.complete_up_to.or(record.synced_at).is_none().then_some(later);
        let step = SyncStep::Ask(Box::new(by_itself(not_before)));
        let order = SyncOrder { account: account.clone(), step, now: self.now(), trace: None };
        self.store.sync_step(order).await.map(drop)
    }

    /// REST names who reacted by WhatsApp's id alone; the chat's people tell who that is.
    async fn facts(&self, due: &DueWork, state: &MessageState) -> Answer<Vec<Fact>> {
        let has_reactions = state.reactions.as_ref().is_some_and(|reactions| !reactions.is_empty());
        if !has_reactions {
            return Ok(state.facts(&[]));
        }
        let chat = &state.received.chat.id;
        Ok(state.facts(&self.upstream.chat_attendees(&due.account, chat).await?.items))
    }
}

/// What an account's answer tells about it.
pub(crate) fn account_news(account: Account, asked_at: Micros) -> AccountNews {
    AccountNews { asked_at, status: account.status(), phone: account.phone }
}

fn news(chat: Chat) -> ChatNews {
    let Chat { claim, active_at, archived, muted_until, read_only, .. } = chat;
    ChatNews { claim, active_at, archived, muted_until, read_only }
}
