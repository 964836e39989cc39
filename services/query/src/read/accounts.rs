//! Accounts.

use super::{AtLeast, Queries};
use crate::error::QueryError;
use crate::page::{Binding, Page, Paging, cut};
use channel_domain::AccountId;
use channel_runtime::identity::Identity;
use channel_store::reads::AccountRow;

impl Queries {
    /// The accounts that the caller may see, by id.
    ///
    /// # Errors
    ///
    /// A bad token, an unreached position, or the store's errors.
    pub async fn accounts(
        &self,
        caller: &Identity,
        paging: &Paging,
        at_least: &AtLeast,
    ) -> Result<Page<AccountRow>, QueryError> {
        let binding = Binding::new("ListAccounts", &caller.tenant);
        let after = self.place(&binding, &paging.token, |bytes| String::from_utf8(bytes).ok())?;
        let mut rows = self.scope(caller, &[], at_least).await?;
        if let Some(after) = after {
            rows.retain(|account| account.record.id > after);
        }
        let more = cut(&mut rows, paging.size);
        let next =
            self.next(&binding, more, rows.last(), |last| last.record.id.clone().into_bytes());
        let accounts = rows.clone();
        Ok(Page { rows, next, accounts })
    }

    /// One account.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, an unreached position, or the store's errors.
    pub async fn account(
        &self,
        caller: &Identity,
        id: &AccountId,
        at_least: u64,
    ) -> Result<AccountRow, QueryError> {
        self.one(caller, id, at_least).await
    }

    /// Opens a token; `None` for the first page.
    pub(super) fn place<T>(
        &self,
        binding: &Binding,
        token: &str,
        read: impl FnOnce(Vec<u8>) -> Option<T>,
    ) -> Result<Option<T>, QueryError> {
        if token.is_empty() {
            return Ok(None);
        }
        let place = read(self.tokens.open(binding, token)?);
        place.map(Some).ok_or_else(QueryError::page_token)
    }

    /// The token of the page after `last`; empty unless there is `more`.
    pub(super) fn next<T>(
        &self,
        binding: &Binding,
        more: bool,
        last: Option<&T>,
        place: impl FnOnce(&T) -> Vec<u8>,
    ) -> String {
        let last = last.filter(|_| more);
        last.map(|last| self.tokens.seal(binding, &place(last))).unwrap_or_default()
    }
}
