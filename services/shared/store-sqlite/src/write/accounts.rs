//! Accounts and the ends of their logs.

use super::{WithJson, maybe_stamp, number};
use crate::error::sorted;
use crate::sql::{Query, Rowwise};
use channel_domain::Micros;
use channel_domain::account::Account;
use channel_domain::ids::{AccountId, TenantId};
use channel_store::StoreError;
use channel_store::log::LogRow;
use channel_store::rows::HeadWrite;
use sqlx::sqlite::SqliteConnection;

/// Makes sure that there is a tenant.
pub(crate) async fn new_tenant(
    c: &mut SqliteConnection,
    tenant: &TenantId,
    now: Micros,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO tenants (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(tenant.as_str())
        .bind(now.0)
        .execute(c)
        .await
        .map_err(sorted)?;
    Ok(())
}

/// Creates an account with an empty log.
pub(crate) async fn new_account(
    c: &mut SqliteConnection,
    id: &AccountId,
    tenant: &TenantId,
    name: Option<&str>,
    now: Micros,
) -> Result<(), StoreError> {
    new_tenant(c, tenant, now).await?;
    let key: i64 = sqlx::query_scalar(
        "INSERT INTO accounts (id, tenant, own_name, reports, connection, created_at, rev) \
         VALUES (?, ?, ?, '[]', 0, ?, 0) RETURNING account_key",
    )
    .bind(id.as_str())
    .bind(tenant.as_str())
    .bind(name)
    .bind(now.0)
    .fetch_one(&mut *c)
    .await
    .map_err(sorted)?;
    sqlx::query("INSERT INTO account_head (account_key) VALUES (?)")
        .bind(key)
        .execute(c)
        .await
        .map_err(sorted)?;
    Ok(())
}

pub(super) const ACCOUNTS: Rowwise = Rowwise {
    head: "INSERT INTO accounts (account_key, id, tenant, own_name, phone, phone_at, phone_inbox, \
           reports, connection, created_at, rev) VALUES",
    columns: 11,
    tail: "ON CONFLICT (account_key) DO UPDATE SET tenant = excluded.tenant, \
           own_name = excluded.own_name, phone = excluded.phone, phone_at = excluded.phone_at, \
           phone_inbox = excluded.phone_inbox, reports = excluded.reports, \
           connection = excluded.connection, rev = excluded.rev",
};

pub(super) fn account<'q>(query: Query<'q>, row: &'q WithJson<'_, Account>) -> Query<'q> {
    let account = row.row;
    let phone = account.phone.as_ref();
    let query = query.bind(account.key).bind(account.id.as_str()).bind(account.tenant.as_str());
    let query = query.bind(account.own_name.as_deref());
    maybe_stamp(query.bind(phone.map(|(phone, _)| phone)), phone.map(|(_, since)| *since))
        .bind(&row.json)
        .bind(account.connection().0 as i16)
        .bind(account.created_at.0)
        .bind(number(account.rev))
}

pub(super) const LOG: Rowwise = Rowwise {
    head: "INSERT INTO change_log (account_key, seq, tag, body_hash, unit_end, op, entity, \
           entity_id, at, body, trace) VALUES",
    columns: 11,
    tail: "",
};

pub(super) fn log<'q>(query: Query<'q>, row: &'q LogRow) -> Query<'q> {
    query
        .bind(row.account_key)
        .bind(number(row.seq))
        .bind(i64::from(row.tag))
        .bind(row.body_hash)
        .bind(row.unit_end)
        .bind(row.op as i16)
        .bind(row.entity as i16)
        .bind(&row.entity_id)
        .bind(row.at.0)
        .bind(row.body.as_deref())
        .bind(&row.trace)
}

pub(super) const HEADS: Rowwise = Rowwise {
    head: "INSERT INTO account_head (account_key, head, head_tag, next_key, heard_at) VALUES",
    columns: 5,
    tail: "ON CONFLICT (account_key) DO UPDATE SET head = excluded.head, \
           head_tag = excluded.head_tag, next_key = excluded.next_key, \
           heard_at = coalesce(max(heard_at, excluded.heard_at), heard_at, excluded.heard_at)",
};

pub(super) fn head<'q>(query: Query<'q>, row: &'q HeadWrite) -> Query<'q> {
    query
        .bind(row.account_key)
        .bind(number(row.head.seq))
        .bind(i64::from(row.head.tag))
        .bind(row.next_key)
        // An account that was opened, but of which no payload spoke, was not heard of.
        .bind((row.heard_at.0 != i64::MIN).then_some(row.heard_at.0))
}
