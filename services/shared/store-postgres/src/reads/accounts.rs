//! Accounts.

use super::{all, at_most_one};
use crate::decode::{self, ACCOUNT, log_end, micros};
use channel_domain::ids::{AccountId, TenantId};
use channel_store::StoreError;
use channel_store::reads::AccountRow;
use const_format::concatcp;
use sqlx::postgres::{PgPool, PgRow};

const ACCOUNTS: &str = concatcp!(
    "SELECT ",
    ACCOUNT,
    ", h.head, h.head_tag, h.heard_at FROM accounts a \
     JOIN account_head h ON h.account_key = a.account_key WHERE "
);
const OF_TENANT: &str = concatcp!(ACCOUNTS, "a.tenant = $1 ORDER BY a.id");
const ONE: &str = concatcp!(ACCOUNTS, "a.id = $1");

pub(super) async fn of_tenant(
    pool: &PgPool,
    tenant: &TenantId,
) -> Result<Vec<AccountRow>, StoreError> {
    all(pool, sqlx::query(OF_TENANT).bind(tenant.as_str()), row).await
}

pub(super) async fn one(pool: &PgPool, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
    at_most_one(pool, sqlx::query(ONE).bind(id.as_str()), row).await
}

fn row(row: &PgRow) -> Result<AccountRow, StoreError> {
    let account = decode::account(row)?;
    Ok(AccountRow {
        key: account.key,
        record: (&account).into(),
        tenant: account.tenant,
        head: log_end(row)?,
        heard_at: micros(row, "heard_at")?,
    })
}
