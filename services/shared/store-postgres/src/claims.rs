//! Whose the accounts are that are being connected.

use crate::PostgresStore;
use crate::decode::get;
use crate::error::sorted;
use crate::rows::new_tenant;
use crate::store::End;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::claims::{CLAIM_KEPT, Claim, Claims};
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

pub(crate) const FORGET: &str = "DELETE FROM account_claims WHERE at < $1";
const CLAIM: &str = "INSERT INTO account_claims (id, tenant, own_name, attempt, at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, own_name = excluded.own_name, \
      attempt = excluded.attempt, at = excluded.at";
/// What was held is due.
pub(crate) const HELD: &str = "UPDATE webhook_inbox SET state = 0, reason = 'ACCOUNT_CLAIMED', next_at = $2 \
    WHERE state = 4 AND account = $1";
const ONE: &str = "SELECT tenant, own_name, attempt, at FROM account_claims WHERE id = $1";
pub(crate) const UNCLAIM: &str = "DELETE FROM account_claims WHERE id = $1 AND attempt = $2";

#[async_trait]
impl Claims for PostgresStore {
    async fn claim(&self, account: &AccountId, claim: &Claim) -> Result<(), StoreError> {
        let (account, claim) = (account.clone(), claim.clone());
        self.transact(move |connection| {
            let (account, claim) = (account.clone(), claim.clone());
            Box::pin(async move {
                keep(connection, &account, &claim).await?;
                Ok(End::Commit(()))
            })
        })
        .await
    }

    async fn claimed(&self, account: &AccountId) -> Result<Option<Claim>, StoreError> {
        let one = sqlx::query(ONE).bind(account.as_str()).fetch_optional(&self.readers).await;
        one.map_err(sorted)?.as_ref().map(claim).transpose()
    }

    async fn unclaim(&self, account: &AccountId, attempt: Uuid) -> Result<(), StoreError> {
        let account = account.clone();
        self.transact(move |connection| {
            let account = account.clone();
            Box::pin(async move {
                let unclaim = sqlx::query(UNCLAIM).bind(account.as_str()).bind(attempt);
                unclaim.execute(connection).await.map_err(sorted)?;
                Ok(End::Commit(()))
            })
        })
        .await
    }
}

async fn keep(
    connection: &mut PgConnection,
    account: &AccountId,
    claim: &Claim,
) -> Result<(), StoreError> {
    let Claim { tenant, name, attempt, at } = claim;
    new_tenant(connection, tenant, *at).await?;
    let old = sqlx::query(FORGET).bind(at.0 - CLAIM_KEPT);
    old.execute(&mut *connection).await.map_err(sorted)?;
    let claim = sqlx::query(CLAIM).bind(account.as_str()).bind(tenant.as_str());
    let claim = claim.bind(name.as_deref()).bind(*attempt).bind(at.0);
    claim.execute(&mut *connection).await.map_err(sorted)?;
    let held = sqlx::query(HELD).bind(account.as_str()).bind(at.0);
    held.execute(connection).await.map(drop).map_err(sorted)
}

fn claim(row: &PgRow) -> Result<Claim, StoreError> {
    Ok(Claim {
        tenant: get::<String>(row, "tenant")?.into(),
        name: get(row, "own_name")?,
        attempt: get(row, "attempt")?,
        at: Micros(get(row, "at")?),
    })
}
