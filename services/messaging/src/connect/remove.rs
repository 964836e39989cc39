//! Removing an account.

use channel_domain::AccountId;
use channel_domain::account::Connection;
use channel_domain::fact::UpstreamStatus;
use channel_runtime::identity::Identity;
use channel_store::erase::Erasure;
use channel_store::outbox::AccountNews;
use channel_store::reads::AccountRow;
use channel_unipile::upstream::UpstreamError;

use super::{Answer, Connections, Shared, codes, count, is_in};

impl Connections {
    /// Removes an account from UniPile. What is stored here stays, unless it is to be erased.
    ///
    /// # Errors
    ///
    /// As the contract says of `RemoveAccount`.
    pub async fn remove(
        &self,
        caller: &Identity,
        account: &AccountId,
        erase: bool,
    ) -> Answer<(AccountRow, Option<Erasure>)> {
        let row = self.shared.seen(caller, account).await?;
        if erase {
            let (row, erasure) = self.shared.remove_for_good(row, &caller.subject).await?;
            return Ok((row, Some(erasure)));
        }
        if is_in(&row, Connection::Deleted) {
            return Ok((row, None));
        }
        self.shared.delete(account).await?.map_err(|error| codes::fault(&error))?;
        Ok((self.shared.row(account).await?, None))
    }
}

impl Shared {
    /// Deletes an account at UniPile and notes it here. What is gone there already is deleted.
    pub(super) async fn delete(&self, account: &AccountId) -> Answer<Result<(), UpstreamError>> {
        match self.upstream()?.delete_account(account).await {
            Err(error) if !error.is_not_found() => return Ok(Err(error)),
            Ok(()) | Err(_) => {}
        }
        let status = Some(UpstreamStatus::Deleted);
        self.learn(account, AccountNews { asked_at: self.now(), status, phone: None }).await?;
        count("removed");
        tracing::info!(account = account.as_str(), "an account was removed");
        Ok(Ok(()))
    }
}
