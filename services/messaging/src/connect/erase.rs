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
        let ask = self.shared.contact(caller, account, attendees, id);
        self.shared.erase(ask).await
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
    fn contact(
        &self,
        caller: &Identity,
        account: &AccountId,
        attendees: Vec<AttendeeId>,
        id: Uuid,
    ) -> ErasureAsk {
        ErasureAsk {
            id,
            account: account.clone(),
            tenant: TenantId::new(&*caller.tenant),
            whom: Whom::Contact(attendees),
            by: caller.subject.to_string(),
            at: self.now(),
            removal: None,
        }
    }

    /// Asks for an erasure of an account that the asker may see.
    pub(super) async fn erase(&self, ask: ErasureAsk) -> Answer<Erasure> {
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
