//! Asking for erasures.

use channel_domain::{AccountId, AttendeeId, TenantId};
use channel_runtime::identity::Identity;
use channel_store::erase::{self, Asked, Deed, Deeds, Erasure, ErasureAsk, Whom};
use uuid::Uuid;

use super::{Answer, Connections, Shared};
use crate::error::MessagingError;

impl Connections {
    /// Asks for a contact to be erased.
    ///
    /// # Errors
    ///
    /// As the contract says of `EraseContact`.
    pub async fn erase_contact(
        &self,
        caller: &Identity,
        account: &AccountId,
        attendees: Vec<AttendeeId>,
        id: Uuid,
    ) -> Answer<Erasure> {
        self.shared.seen(caller, account).await?;
        self.shared.erase(caller, account, Whom::Contact(attendees), id).await
    }

    /// How an erasure stands, of an account that is or was the caller's.
    ///
    /// # Errors
    ///
    /// As the contract says of `GetErasure`.
    pub async fn erasure(&self, caller: &Identity, id: Uuid) -> Answer<Erasure> {
        let found = erase::find(&*self.shared.store, id).await?;
        let seen = found.filter(|it| caller.may_see(it.tenant.as_str(), it.account.as_str()));
        seen.ok_or(MessagingError::ErasureNotFound)
    }
}

impl Shared {
    /// Asks for an erasure of an account that the caller may see.
    pub(super) async fn erase(
        &self,
        caller: &Identity,
        account: &AccountId,
        whom: Whom,
        id: Uuid,
    ) -> Answer<Erasure> {
        let ask = ErasureAsk {
            id,
            account: account.clone(),
            tenant: TenantId::new(&*caller.tenant),
            whom,
            by: caller.subject.to_string(),
            at: self.now(),
        };
        let Deeds::Asked(asked) = self.store.deed(Deed::Ask(Box::new(ask))).await? else {
            return Err(MessagingError::ErasureNotFound);
        };
        match asked {
            Asked::Taken(erasure) => {
                self.erasing.notify_one();
                Ok(*erasure)
            }
            Asked::AccountUnknown => Err(MessagingError::AccountNotFound),
            Asked::AttendeeUnknown(_) => Err(MessagingError::AttendeeNotFound),
            Asked::Owner(_) => Err(MessagingError::AttendeeIsOwner),
            Asked::IdReused => Err(MessagingError::IdReused),
        }
    }
}
