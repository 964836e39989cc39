//! Links to UniPile's sign-in page.

use crate::claims::{FORGET, HELD, UNCLAIM};
use crate::decode::{get, micros};
use crate::error::{nonsense, sorted};
use crate::open::SqliteStore;
use crate::write::new_tenant;
use async_trait::async_trait;
use channel_domain::Micros;
use channel_domain::ids::AccountId;
use channel_store::StoreError;
use channel_store::claims::CLAIM_KEPT;
use channel_store::hosted::{
    DueLink, HostedLink, HostedLinks, LINK_KEPT, LinkEnd, LinkState, TokenHash, Used,
};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

const PRUNE: &str = "DELETE FROM hosted_links WHERE expires_at < ?1 AND due_at IS NULL";
const KEEP: &str = "INSERT INTO hosted_links (id, token, tenant, own_name, account, made_at, expires_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const IS_OPEN: &str = "SELECT EXISTS (SELECT 1 FROM hosted_links \
    WHERE token = ?1 AND told IS NULL AND expires_at > ?2)";
const OPEN: &str =
    "SELECT * FROM hosted_links WHERE token = ?1 AND told IS NULL AND expires_at > ?2";
/// Nobody's claim is taken, and no account changes hands.
const CLAIM: &str = "INSERT INTO account_claims (id, tenant, own_name, attempt, at) \
    SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = ?1) \
    ON CONFLICT (id) DO NOTHING";
const USE: &str = "UPDATE hosted_links SET told = ?2, due_at = ?3 WHERE id = ?1";
const DUE: &str = "SELECT * FROM hosted_links WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2";
const PUT_OFF: &str =
    "UPDATE hosted_links SET due_at = ?3, attempts = ?4 WHERE id = ?1 AND due_at = ?2";
const END: &str =
    "UPDATE hosted_links SET due_at = NULL, reason = ?3, detail = ?4 WHERE id = ?1 AND due_at = ?2";
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?1)";
const ONE: &str = "SELECT * FROM hosted_links WHERE id = ?1";

#[async_trait]
impl HostedLinks for SqliteStore {
    async fn keep_link(&self, link: &HostedLink, token: &TokenHash) -> Result<(), StoreError> {
        let (link, token) = (link.clone(), *token);
        self.writer.write(move |c| Box::pin(async move { keep(c, &link, token).await })).await
    }

    async fn is_link_open(&self, token: &TokenHash, now: Micros) -> Result<bool, StoreError> {
        let open = sqlx::query_scalar(IS_OPEN).bind(&token[..]).bind(now.0);
        open.fetch_one(&self.readers).await.map_err(sorted)
    }

    async fn use_link(
        &self,
        token: &TokenHash,
        account: &AccountId,
        now: Micros,
    ) -> Result<Used, StoreError> {
        let (token, account) = (*token, account.clone());
        self.writer
            .write(move |c| Box::pin(async move { used(c, token, &account, now).await }))
            .await
    }

    async fn due_links(&self, until: Micros, limit: usize) -> Result<Vec<DueLink>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = sqlx::query(DUE).bind(until.0).bind(limit).fetch_all(&self.readers).await;
        rows.map_err(sorted)?.iter().map(due).collect()
    }

    async fn put_link_off(
        &self,
        due: &DueLink,
        until: Micros,
    ) -> Result<Option<DueLink>, StoreError> {
        let due = due.clone();
        self.writer
            .write(move |c| {
                Box::pin(async move {
                    let put = sqlx::query(PUT_OFF).bind(due.link.id).bind(due.at.0).bind(until.0);
                    let put = put.bind(due.attempts).execute(c).await.map_err(sorted)?;
                    let is_ours = put.rows_affected() == 1;
                    Ok(is_ours.then_some(DueLink { at: until, ..due }))
                })
            })
            .await
    }

    async fn end_link(
        &self,
        due: &DueLink,
        end: &LinkEnd,
        now: Micros,
    ) -> Result<bool, StoreError> {
        let (due, end) = (due.clone(), end.clone());
        self.writer.write(move |c| Box::pin(async move { ended(c, &due, &end, now).await })).await
    }

    async fn link(&self, id: Uuid) -> Result<Option<LinkState>, StoreError> {
        let one = sqlx::query(ONE).bind(id).fetch_optional(&self.readers).await;
        one.map_err(sorted)?.as_ref().map(state).transpose()
    }
}

async fn keep(
    c: &mut SqliteConnection,
    link: &HostedLink,
    token: TokenHash,
) -> Result<(), StoreError> {
    let old = sqlx::query(PRUNE).bind(link.made_at.0 - LINK_KEPT);
    old.execute(&mut *c).await.map_err(sorted)?;
    let keep = sqlx::query(KEEP).bind(link.id).bind(&token[..]).bind(link.tenant.as_str());
    let keep = keep.bind(link.name.as_deref()).bind(link.account.as_ref().map(AccountId::as_str));
    let keep = keep.bind(link.made_at.0).bind(link.expires_at.0);
    keep.execute(c).await.map(drop).map_err(sorted)
}

async fn used(
    c: &mut SqliteConnection,
    token: TokenHash,
    account: &AccountId,
    now: Micros,
) -> Result<Used, StoreError> {
    let open = sqlx::query(OPEN).bind(&token[..]).bind(now.0);
    let open = open.fetch_optional(&mut *c).await.map_err(sorted)?;
    let Some(row) = open else { return Ok(Used::Unknown) };
    let link = link(&row)?;
    match &link.account {
        Some(known) if known != account => return Ok(Used::OtherAccount),
        Some(_) => {}
        None => claim(c, &link, account, now).await?,
    }
    let mark = sqlx::query(USE).bind(link.id).bind(account.as_str()).bind(now.0);
    mark.execute(c).await.map_err(sorted)?;
    Ok(Used::Taken)
}

async fn claim(
    c: &mut SqliteConnection,
    link: &HostedLink,
    account: &AccountId,
    now: Micros,
) -> Result<(), StoreError> {
    new_tenant(c, &link.tenant, now).await?;
    let old = sqlx::query(FORGET).bind(now.0 - CLAIM_KEPT);
    old.execute(&mut *c).await.map_err(sorted)?;
    let claim = sqlx::query(CLAIM).bind(account.as_str()).bind(link.tenant.as_str());
    let claim = claim.bind(link.name.as_deref()).bind(link.id).bind(now.0);
    let claim = claim.execute(&mut *c).await.map_err(sorted)?;
    if claim.rows_affected() == 1 {
        let held = sqlx::query(HELD).bind(now.0).bind(account.as_str());
        held.execute(c).await.map_err(sorted)?;
    }
    Ok(())
}

async fn ended(
    c: &mut SqliteConnection,
    due: &DueLink,
    end: &LinkEnd,
    now: Micros,
) -> Result<bool, StoreError> {
    let mark = sqlx::query(END).bind(due.link.id).bind(due.at.0);
    let mark = mark.bind(end.reason.as_deref().unwrap_or_default()).bind(&end.detail);
    if mark.execute(&mut *c).await.map_err(sorted)?.rows_affected() != 1 {
        return Ok(false);
    }
    let unclaim = sqlx::query(UNCLAIM).bind(due.told.as_str()).bind(due.link.id);
    unclaim.execute(&mut *c).await.map_err(sorted)?;
    let is_there = sqlx::query_scalar(IS_THERE).bind(due.told.as_str());
    if is_there.fetch_one(&mut *c).await.map_err(sorted)? {
        // What came in the very moment of the callback may have been held all the same.
        let held = sqlx::query(HELD).bind(now.0).bind(due.told.as_str());
        held.execute(c).await.map_err(sorted)?;
    }
    Ok(true)
}

fn link(row: &SqliteRow) -> Result<HostedLink, StoreError> {
    Ok(HostedLink {
        id: get(row, "id")?,
        tenant: get::<String>(row, "tenant")?.into(),
        name: get(row, "own_name")?,
        account: get::<Option<String>>(row, "account")?.map(Into::into),
        made_at: Micros(get(row, "made_at")?),
        expires_at: Micros(get(row, "expires_at")?),
    })
}

fn state(row: &SqliteRow) -> Result<LinkState, StoreError> {
    let told = get::<Option<String>>(row, "told")?.map(Into::into);
    let end = get::<Option<String>>(row, "reason")?.map(|reason| LinkEnd {
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        detail: String::new(),
    });
    let detail = get::<Option<String>>(row, "detail")?.unwrap_or_default();
    Ok(LinkState { link: link(row)?, told, end: end.map(|end| LinkEnd { detail, ..end }) })
}

fn due(row: &SqliteRow) -> Result<DueLink, StoreError> {
    let link = link(row)?;
    let incomplete = || nonsense("hosted_links", link.id, "due, and names no account");
    Ok(DueLink {
        told: get::<Option<String>>(row, "told")?.map(Into::into).ok_or_else(incomplete)?,
        attempts: get(row, "attempts")?,
        at: micros(row, "due_at")?.ok_or_else(incomplete)?,
        link,
    })
}
