//! Opening accounts: their rows in `account_head` are locked first, by ascending key.

use super::sent::row_sent;
use super::together::Together;
use super::{column, json, tried};
use crate::decode::{self, ACCOUNT, get, log_end};
use crate::error::sorted;
use channel_domain::Micros;
use channel_domain::account::Account;
use channel_domain::ids::{AccountId, TenantId};
use channel_store::StoreError;
use channel_store::intake::Adoption;
use channel_store::rows::OpenAccount;
use const_format::concatcp;
use sqlx::postgres::PgConnection;

/// Who waited for a lock reads what its last holder has committed: of both tables, as both rows are locked.
/// `has_sent` may be from before the wait. That does no harm: what asks for it is an own message, and one that
/// was sent from here turns up only after its request, which begins with a commit.
const LOCK: &str = concatcp!(
    "SELECT ",
    ACCOUNT,
    ", h.head, h.head_tag, h.next_key, EXISTS (SELECT 1 FROM outbox o \
       WHERE o.account_key = a.account_key AND o.phase IN (2, 3, 5, 6)) AS has_sent, EXISTS (SELECT 1 FROM erasure_marks e \
           WHERE e.account_key = a.account_key) AS has_marks FROM accounts a JOIN account_head h \
       ON h.account_key = a.account_key WHERE a.id = ANY($1) "
);
const IN_ORDER: &str = "ORDER BY h.account_key FOR NO KEY UPDATE OF h, a";

/// Locks nothing unless all are there: creating the missing ones while holding locks could meet somebody
/// who does the same the other way round.
const LOCK_ALL: &str = concatcp!(
    LOCK,
    "AND (SELECT count(*) FROM accounts WHERE id = ANY($1)) = cardinality($1) ",
    IN_ORDER
);
const LOCK_KNOWN: &str = concatcp!(LOCK, IN_ORDER);

/// Locks accounts and reads them. Unknown ones are created for whoever claims them, else for the adopting tenant,
/// or left out.
pub(super) async fn accounts(
    connection: &mut PgConnection,
    ids: &[AccountId],
    adoption: &Adoption,
    now: Micros,
) -> Result<Vec<OpenAccount>, StoreError> {
    let ids = column(ids, AccountId::as_str);
    let mut open = lock(connection, LOCK_ALL, &ids).await?;
    if open.is_empty() {
        create(connection, &ids, adoption, now).await?;
        open = lock(connection, LOCK_KNOWN, &ids).await?;
    }
    Ok(open)
}

async fn lock(
    connection: &mut PgConnection,
    statement: &'static str,
    ids: &[&str],
) -> Result<Vec<OpenAccount>, StoreError> {
    let rows = sqlx::query(statement).bind(ids).fetch_all(connection).await.map_err(sorted)?;
    let open = |row| {
        let (account, head) = (decode::account(row)?, log_end(row)?);
        let (next_key, has_sent) = (get(row, "next_key")?, get(row, "has_sent")?);
        let has_marks = get(row, "has_marks")?;
        Ok(OpenAccount { account, head, next_key, has_sent, has_marks })
    };
    rows.iter().map(open).collect()
}

/// What is told late of an account that was erased does not bring it back. In the order of the ids everywhere, so that two who create the same ones wait for each other one way
/// round only.
const CREATE: &str = "WITH fresh AS (INSERT INTO accounts \
      (id, tenant, own_name, reports, connection, created_at, rev) \
      SELECT u.id, coalesce(c.tenant, $2), c.own_name, '[]', 0, $3, 0 FROM unnest($1::text[]) AS u (id) \
      LEFT JOIN account_claims c ON c.id = u.id WHERE coalesce(c.tenant, $2) IS NOT NULL \
        AND (c.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = u.id AND e.kind = 2)) \
      ORDER BY u.id \
      ON CONFLICT (id) DO NOTHING RETURNING account_key) \
    INSERT INTO account_head (account_key) SELECT account_key FROM fresh ORDER BY account_key";

async fn create(
    connection: &mut PgConnection,
    ids: &[&str],
    adoption: &Adoption,
    now: Micros,
) -> Result<(), StoreError> {
    let adopting = match adoption {
        Adoption::By(tenant) => Some(tenant),
        Adoption::Nobody => None,
    };
    if let Some(tenant) = adopting {
        new_tenant(connection, tenant, now).await?;
    }
    sqlx::query(CREATE)
        .bind(ids)
        .bind(adopting.map(TenantId::as_str))
        .bind(now.0)
        .execute(connection)
        .await
        .map_err(sorted)?;
    Ok(())
}

/// Makes sure that there is a tenant.
pub(crate) async fn new_tenant(
    connection: &mut PgConnection,
    tenant: &TenantId,
    now: Micros,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO tenants (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(tenant.as_str())
        .bind(now.0)
        .execute(connection)
        .await
        .map_err(sorted)?;
    Ok(())
}

const UPDATE: &str = "UPDATE accounts a SET tenant = u.tenant, own_name = u.own_name, phone = u.phone, \
      phone_at = u.phone_at, phone_inbox = u.phone_inbox, reports = u.reports::jsonb, \
      connection = u.connection, rev = u.rev \
    FROM unnest($1::account_row_named[]) AS u WHERE a.account_key = u.account_key";

row_sent!(
    "account_row_named",
    struct Updated<'r> {
        account_key: i64,
        tenant: &'r str,
        own_name: Option<&'r str>,
        phone: Option<&'r str>,
        phone_at: Option<i64>,
        phone_inbox: Option<i64>,
        reports: String,
        connection: i16,
        rev: i64,
    }
);

impl<'r> TryFrom<&'r Account> for Updated<'r> {
    type Error = StoreError;

    fn try_from(account: &'r Account) -> Result<Self, StoreError> {
        let phone = account.phone.as_ref();
        Ok(Self {
            account_key: account.key,
            tenant: account.tenant.as_str(),
            own_name: account.own_name.as_deref(),
            phone: phone.map(|(phone, _)| phone.as_str()),
            phone_at: phone.map(|(_, since)| since.at.0),
            phone_inbox: phone.map(|(_, since)| since.inbox),
            reports: json(&account.reports)?,
            connection: account.connection().0 as i16,
            rev: account.rev.cast_signed(),
        })
    }
}

/// Writes accounts that are open.
pub(super) fn update(together: &mut Together, accounts: &[Account]) -> Result<(), StoreError> {
    together.part(UPDATE, tried::<_, Updated<'_>>(accounts)?);
    Ok(())
}
