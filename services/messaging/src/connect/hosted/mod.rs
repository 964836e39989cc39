//! Links to UniPile's own sign-in page: made here, reported by a callback that ingest takes, confirmed here.
//!
//! | part | what it does |
//! |---|---|
//! | this one | makes a link, with a token that only UniPile gets to know |
//! | `confirm` | believes a callback once UniPile says the same when it is asked |
//! | `follow` | tells where a link stands |

mod confirm;
mod follow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channel_domain::{AccountId, Micros, TenantId};
use channel_runtime::identity::Identity;
use channel_store::hosted::{HostedLink, TokenHash};
use channel_unipile::upstream::{HostedLink as Page, HostedPurpose};
use rand::RngCore as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Answer, Connections, codes, count};
use crate::error::MessagingError;
pub use confirm::Confirmer;
pub(crate) use follow::Following;

/// How much longer than its link a token is good: who opened the page just before its end is still scanning.
const GRACE: i64 = 600_000_000;

/// A link that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostedAsk {
    /// What a new account is called here.
    pub name: Option<String>,
    /// The account to connect again; a new one otherwise.
    pub account: Option<AccountId>,
    /// Where the browser goes after success.
    pub success_url: Option<String>,
    /// Where the browser goes after failure.
    pub failure_url: Option<String>,
}

/// A link that was made.
#[derive(Debug)]
pub struct HostedMade {
    /// Its id, which is no secret.
    pub id: Uuid,
    /// The link: whoever has it may connect a phone.
    pub url: SecretString,
    /// When it ends at the latest.
    pub expires_at: Micros,
}

impl Connections {
    /// Makes a link to UniPile's sign-in page.
    ///
    /// # Errors
    ///
    /// As the contract says of `CreateHostedLink`.
    pub async fn hosted_link(&self, caller: &Identity, ask: HostedAsk) -> Answer<HostedMade> {
        let shared = &self.shared;
        let tenant = self.owner(caller, ask.account.as_ref()).await?;
        let upstream = shared.upstream()?;
        let callbacks = shared.callbacks.as_ref().ok_or(MessagingError::PublicUrlMissing)?;
        let (made_at, id) = (shared.now(), Uuid::now_v7());
        let (token, hash) = token();
        let expires_at = Micros(made_at.0.saturating_add(shared.config.hosted_link_micros()));
        let link = HostedLink {
            id,
            tenant,
            name: ask.name,
            account: ask.account.clone(),
            made_at,
            expires_at: Micros(expires_at.0.saturating_add(GRACE)),
        };
        // First: the callback may come before UniPile's answer is here.
        shared.store.keep_link(&link, &hash).await?;
        let notify = format!("{callbacks}{}", token.expose_secret());
        let page = page(id, expires_at, notify, ask.account, (ask.success_url, ask.failure_url));
        let url = upstream.hosted_link(&page).await.map_err(|error| codes::fault(&error))?;
        count("link_made");
        Ok(HostedMade { id, url: url.into(), expires_at })
    }

    /// Who will own what the link connects.
    async fn owner(&self, caller: &Identity, account: Option<&AccountId>) -> Answer<TenantId> {
        match account {
            None if caller.accounts.is_some() => Err(MessagingError::TokenLimited),
            None => Ok(TenantId::new(&*caller.tenant)),
            Some(account) => Ok(self.shared.staying(caller, account).await?.tenant),
        }
    }
}

/// What UniPile is asked for.
fn page(
    id: Uuid,
    expires_at: Micros,
    notify: String,
    account: Option<AccountId>,
    (success_url, failure_url): (Option<String>, Option<String>),
) -> Page {
    Page {
        purpose: account.map_or(HostedPurpose::Create, HostedPurpose::Reconnect),
        expires_at,
        name: Some(id.to_string()),
        notify_url: Some(notify),
        bypass_success_screen: success_url.is_some(),
        success_url,
        failure_url,
        sync_limit: None,
        disabled_options: Vec::new(),
    }
}

/// A token and what is stored of it.
fn token() -> (SecretString, TokenHash) {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    (URL_SAFE_NO_PAD.encode(bytes).into(), Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_new_and_not_what_is_stored() {
        let ((one, hash), (other, _)) = (token(), token());
        assert_ne!(one.expose_secret(), other.expose_secret());
        let bytes = URL_SAFE_NO_PAD.decode(one.expose_secret()).unwrap();
        assert_eq!(bytes.len(), 32);
        assert_eq!(TokenHash::from(Sha256::digest(&bytes)), hash);
        assert!(!format!("{one:?}").contains(one.expose_secret()));
    }
}
