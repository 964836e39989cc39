//! Makes tokens, for the demo, the command line, and calls from role to role.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};

use super::Identity;
use super::token::{Audience, Claims};
use super::verify::{AuthError, checked_secret};
use crate::clock::Clock;
use crate::config::{AuthConfig, Secret};

/// Signs tokens with the current secret (HS256).
#[derive(Clone)]
pub struct TokenIssuer {
    key: EncodingKey,
    issuer: Option<String>,
    audience: Option<String>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenIssuer")
    }
}

impl TokenIssuer {
    /// Takes the secret, issuer and audience that a [`TokenVerifier`](super::TokenVerifier) of
    /// the same section accepts.
    ///
    /// # Errors
    ///
    /// When the secret is too short.
    pub fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Result<Self, AuthError> {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Self {
            key: EncodingKey::from_secret(checked_secret(&config.secret)?),
            issuer: set(&config.issuer),
            audience: set(&config.audience),
            clock,
        })
    }

    /// Signs a token that ends after `valid_for`; the identity's own end is not used.
    ///
    /// # Errors
    ///
    /// When signing fails.
    pub fn mint(&self, identity: &Identity, valid_for: Duration) -> Result<Secret, AuthError> {
        let now = self.clock.now_micros().div_euclid(1_000_000);
        let claims = Claims {
            sub: identity.subject.to_string(),
            tenant: identity.tenant.to_string(),
            role: identity.role,
            accounts: identity.accounts.as_deref().cloned(),
            exp: now.saturating_add_unsigned(valid_for.as_secs()),
            nbf: None,
            iss: self.issuer.clone(),
            aud: self.audience.clone().map(Audience::One),
        };
        let token =
            encode(&Header::default(), &claims, &self.key).map_err(|_| AuthError::Signing)?;
        Ok(Secret::new(token))
    }
}
