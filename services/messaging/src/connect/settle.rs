//! Making sure that the account is the one that was meant, and the only one of its number.

use channel_domain::account::Connection;
use channel_domain::{AccountId, TenantId, jid};
use channel_store::StoreError;
use channel_store::reads::AccountRow;
use channel_unipile::upstream::{Account, Paging, UpstreamError};

use super::step::{LinkFailure, LinkReason};
use super::{Answer, Shared, is_in};

/// Most pages of accounts that are looked through for a number.
const MOST_PAGES: usize = 50;

/// What to do about a number that has an account.
const ADVICE: &str = "Reconnect it if its session is gone; remove it to connect the number anew.";

impl Shared {
    /// Whether a number has another account of the tenant.
    pub(super) async fn taken_here(
        &self,
        tenant: &TenantId,
        phone: &str,
        but: Option<&AccountId>,
    ) -> Result<Option<LinkFailure>, StoreError> {
        let is_other = |row: &&AccountRow| {
            let gone = is_in(row, Connection::Deleted) || is_in(row, Connection::CreationFailed);
            row.record.phone.as_deref() == Some(phone)
                && but.is_none_or(|but| row.record.id != but.as_str())
                && !gone
        };
        let accounts = self.store.accounts(tenant).await?;
        Ok(accounts.iter().find(is_other).map(|row| named(&row.record.id)))
    }

    /// Whether a number has another account: of the tenant, or at UniPile.
    pub(super) async fn taken(
        &self,
        tenant: &TenantId,
        phone: &str,
        account: &AccountId,
    ) -> Answer<Option<LinkFailure>> {
        if let Some(taken) = self.taken_here(tenant, phone, Some(account)).await? {
            return Ok(Some(taken));
        }
        let other = match self.listed(phone, account).await {
            Ok(other) => other,
            Err(error) => {
                tracing::warn!(error = %error, "UniPile's accounts could not be looked through");
                None
            }
        };
        let Some(other) = other else { return Ok(None) };
        let own = self.store.account(&other).await?.is_some_and(|row| row.tenant == *tenant);
        Ok(Some(if own { named(other.as_str()) } else { elsewhere() }))
    }

    /// The account at UniPile that has a number, other than this one.
    async fn listed(
        &self,
        phone: &str,
        but: &AccountId,
    ) -> Result<Option<AccountId>, UpstreamError> {
        let Some(upstream) = &self.upstream else { return Ok(None) };
        let mut paging = Paging { cursor: None, limit: 100 };
        for _ in 0..MOST_PAGES {
            let page = upstream.accounts(&paging).await?;
            let other = page.items.into_iter().find(|it| it.id != *but && has(it, phone));
            paging.cursor = page.next;
            if other.is_some() || paging.cursor.is_none() {
                return Ok(other.map(|it| it.id));
            }
        }
        Ok(None)
    }
}

fn has(account: &Account, phone: &str) -> bool {
    account.phone.as_deref().and_then(jid::phone_from_digits).as_deref() == Some(phone)
}

fn named(account: &str) -> LinkFailure {
    LinkReason::AlreadyConnected
        .because(format!("The number has the account {account} already. {ADVICE}"))
}

/// Whose it is, is nobody's business.
fn elsewhere() -> LinkFailure {
    LinkReason::AlreadyConnected
        .because("The number is connected already, by an account that is not yours.")
}
