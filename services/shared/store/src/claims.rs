//! Whose the accounts are that are being connected, before anything is known of them.

use crate::error::StoreError;
use async_trait::async_trait;
use channel_domain::ids::{AccountId, TenantId};
use channel_domain::time::Micros;
use uuid::Uuid;

/// How long a claim is kept that nobody withdraws, in microseconds: longer than any attempt to connect.
pub const CLAIM_KEPT: i64 = 86_400_000_000;

/// An attempt to connect an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who will own it.
    pub tenant: TenantId,
    /// What it is called here.
    pub name: Option<String>,
    /// The attempt. A newer one takes an older one's place.
    pub attempt: Uuid,
    /// When it began.
    pub at: Micros,
}

/// Claiming accounts that are being connected. Whatever is first heard of a claimed account makes it the
/// claim's tenant's; an account that is there already stays whose it is.
#[async_trait]
pub trait Claims: Send + Sync {
    /// Claims an account, in the place of an earlier claim. Payloads that were held because nobody owned it are
    /// due. Claims older than [`CLAIM_KEPT`] go.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn claim(&self, account: &AccountId, claim: &Claim) -> Result<(), StoreError>;

    /// Who claims an account.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn claimed(&self, account: &AccountId) -> Result<Option<Claim>, StoreError>;

    /// Withdraws the claim of an attempt, unless a newer one took its place.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn unclaim(&self, account: &AccountId, attempt: Uuid) -> Result<(), StoreError>;
}
