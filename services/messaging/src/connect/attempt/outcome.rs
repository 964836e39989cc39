//! How an attempt ends once a phone has linked.

use channel_domain::account::Connection;
use channel_domain::{AccountId, TenantId, jid};
use channel_store::reads::AccountRow;
use tokio::time::Instant;

use super::{Attempt, Next, failed};
use crate::connect::step::{LinkFailure, LinkReason, LinkStep};
use crate::connect::{Answer, Purpose, is_in};

/// Who asks for what nobody asked for.
const ITSELF: &str = "channel";

impl Attempt {
    /// Ends the attempt once the account runs and its number is known, or when that takes too long: it is there.
    pub(super) async fn settle(&mut self, account: &AccountId) -> Answer<Next> {
        let is_late = Instant::now() >= self.deadline;
        // An account that UniPile made at once may not be heard of yet.
        let Some(row) = self.shared.store.account(account).await? else {
            let unheard =
                LinkReason::UpstreamUnavailable.because("Nothing is heard of the account.");
            return Ok(if is_late { failed(unheard) } else { Next::Wait });
        };
        if is_in(&row, Connection::CreationFailed) || is_in(&row, Connection::Deleted) {
            return Ok(failed(LinkReason::Refused.because("The account was removed again.")));
        }
        let known = is_in(&row, Connection::Ok) && row.record.phone.is_some();
        if !known && !is_late {
            return Ok(Next::Wait);
        }
        // Nobody waits for a callback to be confirmed: UniPile is asked again rather than believed without its number.
        if !known && self.is_confirmed_only && self.is_away {
            let away = LinkReason::UpstreamUnavailable.because("UniPile does not answer.");
            return Ok(failed(away));
        }
        let problem = match &self.purpose {
            Purpose::New { tenant, .. } => self.not_wanted(&row, tenant.clone()).await?,
            Purpose::Again { .. } => self.other_number(&row).await,
        };
        if let Some(failure) = problem {
            return Ok(failed(failure));
        }
        tracing::info!(account = account.as_str(), "an account was connected");
        Ok(Next::End(LinkStep::Completed(Box::new(self.shared.row(account).await?))))
    }

    /// A second account of a number would double its history: it goes again, with what it told.
    async fn not_wanted(
        &mut self,
        row: &AccountRow,
        tenant: TenantId,
    ) -> Answer<Option<LinkFailure>> {
        let account = AccountId::new(row.record.id.as_str());
        if row.tenant != tenant {
            let detail = "The account belongs to somebody else already.";
            return Ok(Some(LinkReason::AlreadyConnected.because(detail)));
        }
        let Some(phone) = &row.record.phone else { return Ok(None) };
        let Some(taken) = self.shared.taken(&tenant, phone, &account).await? else {
            return Ok(None);
        };
        if row.record.created_at < self.began_at.0 {
            return Ok(Some(taken));
        }
        let (_, erasure) = self.shared.remove_for_good(row.clone(), ITSELF).await?;
        if erasure.removal.is_none() {
            return Ok(Some(taken));
        }
        let detail =
            format!("{} The new account {account} goes once UniPile answers.", taken.detail);
        Ok(Some(LinkFailure { detail, ..taken }))
    }

    /// Another number than before: UniPile tells the present one, the database the first one.
    async fn other_number(&self, row: &AccountRow) -> Option<LinkFailure> {
        let account = AccountId::new(row.record.id.as_str());
        let state = self.shared.upstream().ok()?.account(&account).await.ok()?;
        let told = jid::phone_from_digits(state.phone.as_deref()?)?;
        let known = row.record.phone.as_ref()?;
        let detail = "Another number was scanned. Reconnect with the phone of this account.";
        (told != *known).then(|| LinkReason::WrongAccount.because(detail))
    }
}
