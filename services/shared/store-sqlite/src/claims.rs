//! Whose the accounts are that are being connected.

use crate::decode::get;
use crate::error::sorted;
use crate::open::SqliteStore;
use crate::write;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::claims::{CLAIM_KEPT, Claim, Claims};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

pub(crate) const FORGET: &str = "DELETE FROM account_claims WHERE at < ?";
const CLAIM: &str = "INSERT INTO account_claims (id, tenant, own_name, attempt, at) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, own_name = excluded.own_name, \
      attempt = excluded.attempt, at = excluded.at";
/// What was held is due.
pub(crate) const HELD: &str = "UPDATE webhook_inbox SET state = 0, reason = 'ACCOUNT_CLAIMED', next_at = ? \
    WHERE state = 4 AND account = ?";
const ONE: &str = "SELECT tenant, own_name, attempt, at FROM account_claims WHERE id = ?";
pub(crate) const UNCLAIM: &str = "DELETE FROM account_claims WHERE id = ? AND attempt = ?";

#[async_trait]
impl Claims for SqliteStore {
    async fn claim(&self, account: &AccountId, claim: &Claim) -> Result<(), StoreError> {
        let (account, claim) = (account.clone(), claim.clone());
        self.writer.write(move |c| Box::pin(async move { keep(c, &account, &claim).await })).await
    }

    async fn claimed(&self, account: &AccountId) -> Result<Option<Claim>, StoreError> {
        let one = sqlx::query(ONE).bind(account.as_str()).fetch_optional(&self.readers).await;
        one.map_err(sorted)?.as_ref().map(claim).transpose()
    }

    async fn unclaim(&self, account: &AccountId, attempt: Uuid) -> Result<(), StoreError> {
        let account = account.clone();
        self.writer
            .write(move |c| {
                Box::pin(async move {
                    let unclaim = sqlx::query(UNCLAIM).bind(account.as_str()).bind(attempt);
                    unclaim.execute(c).await.map(drop).map_err(sorted)
                })
            })
            .await
    }
}

async fn keep(
    c: &mut SqliteConnection,
    account: &AccountId,
    claim: &Claim,
) -> Result<(), StoreError> {
    let Claim { tenant, name, attempt, at } = claim;
    write::new_tenant(c, tenant, *at).await?;
    let old = sqlx::query(FORGET).bind(at.0 - CLAIM_KEPT);
    old.execute(&mut *c).await.map_err(sorted)?;
    let claim = sqlx::query(CLAIM).bind(account.as_str()).bind(tenant.as_str());
    let claim = claim.bind(name.as_deref()).bind(*attempt).bind(at.0);
    claim.execute(&mut *c).await.map_err(sorted)?;
    let held = sqlx::query(HELD).bind(at.0).bind(account.as_str());
    held.execute(c).await.map(drop).map_err(sorted)
}

/// The claim on an account that is not there yet, for whoever makes it.
pub(crate) async fn of(
    c: &mut SqliteConnection,
    account: &AccountId,
) -> Result<Option<Claim>, StoreError> {
    let one = sqlx::query(ONE).bind(account.as_str()).fetch_optional(c).await;
    one.map_err(sorted)?.as_ref().map(claim).transpose()
}

fn claim(row: &SqliteRow) -> Result<Claim, StoreError> {
    Ok(Claim {
        tenant: get::<String>(row, "tenant")?.into(),
        name: get(row, "own_name")?,
        attempt: get(row, "attempt")?,
        at: Micros(get(row, "at")?),
    })
}
