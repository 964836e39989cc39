//! What of the database exists for a caller.

use super::{AtLeast, Found, Queries, of_each};
use crate::error::QueryError;
use channel_domain::{AccountId, ChatId, TenantId};
use channel_runtime::identity::Identity;
use channel_store::reads::AccountRow;
use channel_store::record::ChatRecord;
use channel_store::{Store, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Where one object is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// In this account, or in all that the caller may see.
    pub account: Option<AccountId>,
    /// The account's position that the answer must include.
    pub at_least: u64,
}

impl Queries {
    /// The accounts that exist for the caller, by id.
    pub(super) async fn visible(&self, caller: &Identity) -> Result<Vec<AccountRow>, QueryError> {
        let tenant = TenantId::new(&*caller.tenant);
        let mut accounts = self.store.accounts(&tenant).await?;
        accounts.retain(|it| caller.may_see(it.tenant.as_str(), &it.record.id));
        accounts.sort_by(|a, b| a.record.id.cmp(&b.record.id));
        Ok(accounts)
    }

    /// The named accounts, or all that exist for the caller; as they are once `at_least` is reached.
    pub(super) async fn scope(
        &self,
        caller: &Identity,
        named: &[AccountId],
        at_least: &AtLeast,
    ) -> Result<Vec<AccountRow>, QueryError> {
        let mut accounts = self.visible(caller).await?;
        let wanted = behind(&accounts, at_least)?;
        if !wanted.is_empty() {
            self.reach(&wanted).await?;
            accounts = self.visible(caller).await?;
        }
        if named.is_empty() {
            return Ok(accounts);
        }
        let named: BTreeSet<&str> = named.iter().map(AccountId::as_str).collect();
        accounts.retain(|account| named.contains(account.record.id.as_str()));
        if accounts.len() < named.len() {
            return Err(QueryError::AccountNotFound);
        }
        Ok(accounts)
    }

    /// One account, if it exists for the caller, once it includes the number `at_least`.
    pub(super) async fn one(
        &self,
        caller: &Identity,
        id: &AccountId,
        at_least: u64,
    ) -> Result<AccountRow, QueryError> {
        let account = self.seen(caller, id).await?;
        if account.head.seq >= at_least {
            return Ok(account);
        }
        self.reach(&HashMap::from([(account.key, at_least)])).await?;
        self.seen(caller, id).await
    }

    async fn seen(&self, caller: &Identity, id: &AccountId) -> Result<AccountRow, QueryError> {
        let account = self.store.account(id).await?;
        account
            .filter(|it| caller.may_see(it.tenant.as_str(), &it.record.id))
            .ok_or(QueryError::AccountNotFound)
    }

    /// Finds one object in the target's account, or in all accounts, where it must be unique.
    pub(super) async fn locate<T, F>(
        &self,
        caller: &Identity,
        target: &Target,
        missing: QueryError,
        find: impl Fn(Arc<dyn Store>, i64) -> F,
    ) -> Result<Found<T>, QueryError>
    where
        F: Future<Output = Result<Option<T>, StoreError>>,
    {
        let find = |key| find(Arc::clone(&self.store), key);
        if let Some(id) = &target.account {
            let account = self.one(caller, id, target.at_least).await?;
            let row = find(account.key).await?.ok_or(missing)?;
            return Ok(Found { account, row });
        }
        let accounts = self.visible(caller).await?;
        let Some((account, row)) = only(&accounts, of_each(&accounts, &find).await?)? else {
            return Err(missing);
        };
        if account.head.seq >= target.at_least {
            let account = account.clone();
            return Ok(Found { account, row });
        }
        let id = AccountId::new(account.record.id.as_str());
        let account = self.one(caller, &id, target.at_least).await?;
        let row = find(account.key).await?.ok_or(missing)?;
        Ok(Found { account, row })
    }

    /// Narrows accounts to the one that has a chat.
    pub(super) async fn narrow_to_chat(
        &self,
        accounts: Vec<AccountRow>,
        chat: Option<&ChatId>,
    ) -> Result<Vec<AccountRow>, QueryError> {
        let Some(chat) = chat else {
            return Ok(accounts);
        };
        let find = |key| find_chat(Arc::clone(&self.store), key, chat.clone());
        let found = only(&accounts, of_each(&accounts, find).await?)?;
        let (account, _) = found.ok_or(QueryError::ChatNotFound)?;
        Ok(vec![account.clone()])
    }
}

pub(super) async fn find_chat(
    store: Arc<dyn Store>,
    account_key: i64,
    chat: ChatId,
) -> Result<Option<ChatRecord>, StoreError> {
    store.chat(account_key, &chat).await
}

/// The accounts that have not come as far as asked for.
fn behind(accounts: &[AccountRow], at_least: &AtLeast) -> Result<HashMap<i64, u64>, QueryError> {
    let mut wanted = HashMap::new();
    for (id, seq) in at_least {
        let account = accounts.iter().find(|it| it.record.id == id.as_str());
        let account = account.ok_or(QueryError::AccountNotFound)?;
        if account.head.seq < *seq {
            let asked = wanted.entry(account.key).or_insert(*seq);
            *asked = (*asked).max(*seq);
        }
    }
    Ok(wanted)
}

/// The one account that knows an object.
fn only<T>(
    accounts: &[AccountRow],
    found: Vec<(i64, Option<T>)>,
) -> Result<Option<(&AccountRow, T)>, QueryError> {
    let mut known =
        accounts.iter().zip(found).filter_map(|(account, (_, row))| Some((account, row?)));
    let first = known.next();
    if known.next().is_some() {
        return Err(QueryError::AccountRequired);
    }
    Ok(first)
}
