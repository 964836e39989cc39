//! Whether a code was scanned.

use channel_domain::AccountId;
use channel_domain::account::Connection;
use channel_domain::fact::UpstreamStatus;
use channel_store::reads::AccountRow;
use channel_unipile::upstream::UpstreamError;
use tokio::time::Instant;

use super::{ASK, Attempt, Next, failed, told};
use crate::connect::step::{LinkReason, LinkStep};
use crate::connect::{Answer, is_in};
use crate::dispatch::account_news;

impl Attempt {
    /// Asks UniPile for the account, ever less often. Not to know it is normal before a code is scanned.
    /// Returns one that runs.
    pub(super) async fn ask(&mut self) -> Answer<Option<AccountId>> {
        let wait = ASK.0.saturating_mul(1 << self.asked.min(4)).min(ASK.1);
        (self.ask_at, self.asked) = (Instant::now() + wait, self.asked + 1);
        let upstream = self.shared.upstream()?;
        let asked: Vec<AccountId> = match &self.linked {
            Some(account) => vec![account.clone()],
            None => self.shown.iter().rev().take(2).cloned().collect(),
        };
        let mut running = None;
        for account in asked {
            let asked_at = self.shared.now();
            let answer = upstream.account(&account).await;
            self.is_unknown = answer.as_ref().is_err_and(UpstreamError::is_not_found);
            self.is_away = answer.is_err() && !self.is_unknown;
            match answer {
                // One that waits for its scan may be listed: it has no number, and does not run.
                Ok(state) if state.is_running() || state.phone.is_some() => {
                    let runs = state.is_running();
                    self.shared.learn(&account, account_news(state, asked_at)).await?;
                    running = running.or_else(|| runs.then_some(account));
                }
                Ok(_) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => tracing::debug!(error = %error, "an account could not be asked for"),
            }
        }
        Ok(running)
    }

    /// Looks into the database for what webhooks and answers told.
    pub(super) async fn look(&mut self) -> Answer<Next> {
        if let Some(account) = self.linked.clone() {
            return self.settle(&account).await;
        }
        for (age, account) in self.shown.clone().into_iter().rev().enumerate() {
            let Some(row) = self.shared.store.account(&account).await? else { continue };
            let is_new = self.before.is_none_or(|before| before != told(&row));
            if is_new && is_linked(&row) {
                return self.link(account).await;
            }
            let refused =
                is_in(&row, Connection::CreationFailed) || is_in(&row, Connection::Deleted);
            // What becomes of an older code does not matter while a newer one is shown.
            if is_new && refused && age == 0 {
                return Ok(failed(LinkReason::Refused.because("WhatsApp did not link the phone.")));
            }
        }
        Ok(Next::Wait)
    }

    pub(super) async fn link(&mut self, account: AccountId) -> Answer<Next> {
        self.linked = Some(account.clone());
        let now = Instant::now();
        (self.deadline, self.ask_at, self.asked) = (now + self.shared.config.link_finish(), now, 0);
        self.tell(LinkStep::Accepted(account.clone())).await;
        self.ask().await?;
        self.settle(&account).await
    }
}

/// Whether a phone has linked: UniPile says so by one of these words, or the account runs.
fn is_linked(row: &AccountRow) -> bool {
    let word = row.record.connection_word.as_deref();
    let told = [UpstreamStatus::CreationSuccess, UpstreamStatus::Reconnected];
    is_in(row, Connection::Ok) || told.iter().any(|told| word == Some(told.as_wire()))
}
