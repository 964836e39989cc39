//! Tokens, good and bad.

use std::{sync::Arc, time::Duration};

use channel_runtime::{
    clock::SystemClock,
    config::{AuthConfig, Secret},
    identity::{Identity, IdentityLayer, Role, TokenIssuer, TokenVerifier},
    server::OPEN_PATHS,
};

/// A header that stands for no token at all.
pub(crate) const NOBODY: (&str, &str) = ("authorization", "");

fn config(secret: &str) -> AuthConfig {
    let secret = Secret::new(secret.repeat(32));
    AuthConfig { secret, leeway_seconds: 0, ..AuthConfig::default() }
}

/// Lets in whoever has a good token, and everybody to health and reflection, as the services do.
pub(crate) fn required() -> IdentityLayer {
    let verifier = TokenVerifier::new(&config("s"), Arc::new(SystemClock)).unwrap();
    IdentityLayer::new(Arc::new(verifier)).leave_open(OPEN_PATHS)
}

fn bearer(secret: &str, valid_for: Duration) -> String {
    let identity = Identity {
        subject: "tester".into(),
        tenant: "default".into(),
        role: Role::Agent,
        accounts: None,
        expires_at: 0,
    };
    let issuer = TokenIssuer::new(&config(secret), Arc::new(SystemClock)).unwrap();
    format!("Bearer {}", issuer.mint(&identity, valid_for).unwrap().expose())
}

pub(crate) fn good() -> String {
    bearer("s", Duration::from_hours(1))
}

pub(crate) fn expired() -> String {
    bearer("s", Duration::ZERO)
}

/// Signed with a secret that is not the gateway's.
pub(crate) fn forged() -> String {
    bearer("x", Duration::from_hours(1))
}
