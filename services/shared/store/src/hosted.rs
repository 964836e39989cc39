//! Links to UniPile's own sign-in page: each is used once, by a callback that nothing but its token vouches for,
//! and then confirmed by asking UniPile.

use crate::error::StoreError;
use async_trait::async_trait;
use channel_domain::ids::{AccountId, TenantId};
use channel_domain::time::Micros;
use uuid::Uuid;

/// How long a link is kept after its end, in microseconds, so that its outcome can be told.
pub const LINK_KEPT: i64 = 86_400_000_000;

/// The SHA-256 of a token. The token itself is never stored.
pub type TokenHash = [u8; 32];

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedLink {
    /// Its id, which is no secret.
    pub id: Uuid,
    /// Who made it, and will own a new account.
    pub tenant: TenantId,
    /// What a new account is called here.
    pub name: Option<String>,
    /// The account to connect again; a new one otherwise.
    pub account: Option<AccountId>,
    /// When it was made.
    pub made_at: Micros,
    /// When its token ends.
    pub expires_at: Micros,
}

/// What a callback did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// The account is going to be confirmed; of a new one the link's tenant is the claimant, unless somebody else was
    /// first.
    Taken,
    /// There is no such link, it has ended, or it was used before: which of them, nobody is told.
    Unknown,
    /// The link is for another account. Nothing was changed.
    OtherAccount,
}

/// A used link that is to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLink {
    /// The link.
    pub link: HostedLink,
    /// The account that the callback named.
    pub told: AccountId,
    /// Tries so far that ended without an outcome.
    pub attempts: u32,
    /// When it is due; it tells one try from another.
    pub at: Micros,
}

/// How a link ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEnd {
    /// Stable reason of a failure; `None`: the account is connected.
    pub reason: Option<String>,
    /// For people.
    pub detail: String,
}

/// Where a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// The link.
    pub link: HostedLink,
    /// The account that the callback named; `None`: nobody has signed in yet.
    pub told: Option<AccountId>,
    /// How it ended.
    pub end: Option<LinkEnd>,
}

/// Links to UniPile's sign-in page.
#[async_trait]
pub trait HostedLinks: Send + Sync {
    /// Keeps a new link under the hash of its token. Those that ended more than [`LINK_KEPT`] ago go.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn keep_link(&self, link: &HostedLink, token: &TokenHash) -> Result<(), StoreError>;

    /// Whether a token can be used.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn is_link_open(&self, token: &TokenHash, now: Micros) -> Result<bool, StoreError>;

    /// Uses a link, which UniPile says has connected this account. One that nobody has and nobody claims is claimed for
    /// the link's tenant, and what was held of it is due; whatever is anybody's already stays theirs.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn use_link(
        &self,
        token: &TokenHash,
        account: &AccountId,
        now: Micros,
    ) -> Result<Used, StoreError>;

    /// Used links that are to be confirmed by `until`, the longest due first.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn due_links(&self, until: Micros, limit: usize) -> Result<Vec<DueLink>, StoreError>;

    /// Puts a link off, for whoever confirms it or until it is tried again. Returns when it is due now, which the
    /// next step needs; `None` when somebody else was faster.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn put_link_off(
        &self,
        due: &DueLink,
        until: Micros,
    ) -> Result<Option<DueLink>, StoreError>;

    /// Ends a link. Its claim goes, and what is still held of an account that is there is due. False when somebody
    /// else was faster.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn end_link(&self, due: &DueLink, end: &LinkEnd, now: Micros)
    -> Result<bool, StoreError>;

    /// Where a link stands.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn link(&self, id: Uuid) -> Result<Option<LinkState>, StoreError>;
}
