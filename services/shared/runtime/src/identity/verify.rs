//! Checks tokens.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::token::{Claims, Identity};
use crate::clock::Clock;
use crate::config::{AuthConfig, Secret};
use crate::fault::{Fault, Kind};

/// RFC 7518 §3.2 asks HS256 keys to be at least as long as the hash.
const LEAST_SECRET_BYTES: usize = 32;

/// Authentication is not set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// A secret is too short to be one.
    #[error("`auth.secret` and `auth.previous_secret` must have at least 32 bytes")]
    SecretTooShort,
    /// A token cannot be signed.
    #[error("the token cannot be signed")]
    Signing,
}

/// A caller could not be identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is no `authorization: Bearer …`.
    #[error("a bearer token is required")]
    Missing,
    /// It is not a token of ours, for reasons that an attacker need not know.
    #[error("the bearer token is not valid")]
    Invalid,
    /// It was one.
    #[error("the bearer token has expired")]
    Expired,
}

impl Fault for TokenError {
    fn kind(&self) -> Kind {
        Kind::Unauthenticated
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Invalid => "TOKEN_INVALID",
            Self::Expired => "TOKEN_EXPIRED",
        }
    }
}

/// One key that tokens may be signed with. A key fixes its algorithm: a token never chooses.
struct VerifyingKey {
    algorithm: Algorithm,
    /// Must equal the token's `kid` when both have one.
    id: Option<String>,
    key: DecodingKey,
}

impl VerifyingKey {
    fn hs256(secret: &Secret) -> Result<Self, AuthError> {
        let key = DecodingKey::from_secret(checked_secret(secret)?);
        Ok(Self { algorithm: Algorithm::HS256, id: None, key })
    }

    fn fits(&self, header: &jsonwebtoken::Header) -> bool {
        let same_id = match (&self.id, &header.kid) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        self.algorithm == header.alg && same_id
    }
}

/// Turns a token into an [`Identity`].
pub struct TokenVerifier {
    keys: Vec<VerifyingKey>,
    issuer: Option<String>,
    audience: Option<String>,
    leeway_seconds: i64,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl TokenVerifier {
    /// Accepts tokens signed with the current secret and, when set, the previous one.
    ///
    /// # Errors
    ///
    /// When a secret is too short.
    pub fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Result<Self, AuthError> {
        let mut keys = vec![VerifyingKey::hs256(&config.secret)?];
        if !config.previous_secret.is_empty() {
            keys.push(VerifyingKey::hs256(&config.previous_secret)?);
        }
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Self {
            keys,
            issuer: set(&config.issuer),
            audience: set(&config.audience),
            leeway_seconds: i64::from(config.leeway_seconds),
            clock,
        })
    }

    /// Verifies a token.
    ///
    /// # Errors
    ///
    /// [`TokenError::Expired`] when only its time is over, [`TokenError::Invalid`] otherwise.
    pub fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        let mut fitting = self.keys.iter().filter(|key| key.fits(&header));
        let claims = fitting.find_map(|key| signed_by(key, token)).ok_or(TokenError::Invalid)?;
        self.check(&claims)?;
        Ok(Identity {
            subject: claims.sub.into(),
            tenant: claims.tenant.into(),
            role: claims.role,
            accounts: claims.accounts.map(Arc::new),
            expires_at: claims.exp.saturating_mul(1_000_000),
        })
    }

    fn check(&self, claims: &Claims) -> Result<(), TokenError> {
        let issued = self.issuer.is_none() || self.issuer == claims.iss;
        let meant = self.audience.as_ref().is_none_or(|audience| {
            claims.aud.as_ref().is_some_and(|named| named.contains(audience))
        });
        let now = self.clock.now_micros().div_euclid(1_000_000);
        let begun = claims.nbf.is_none_or(|nbf| nbf.saturating_sub(self.leeway_seconds) <= now);
        if !(issued && meant && begun) {
            return Err(TokenError::Invalid);
        }
        if claims.exp.saturating_add(self.leeway_seconds) <= now {
            return Err(TokenError::Expired);
        }
        Ok(())
    }
}

/// Checks the signature only: times are judged by our clock, names by our rules.
fn signed_by(key: &VerifyingKey, token: &str) -> Option<Claims> {
    let mut rules = Validation::new(key.algorithm);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    decode::<Claims>(token, &key.key, &rules).ok().map(|data| data.claims)
}

pub(super) fn checked_secret(secret: &Secret) -> Result<&[u8], AuthError> {
    let bytes = secret.expose().as_bytes();
    if bytes.len() < LEAST_SECRET_BYTES { Err(AuthError::SecretTooShort) } else { Ok(bytes) }
}
