//! The tokens that a process makes for whoever sits at its machine, and keeps beside its data.
//!
//! `channel watch` takes the one of an admin, `channel inbox` the one of an operator: an operator sees every
//! tenant's stored webhooks and no conversations, so no role is both.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use channel_runtime::config::Secret;
use channel_runtime::identity::{Identity, Role, TokenIssuer};
use channel_runtime::supervise::OnFailure;
use tokio::time::sleep;

use crate::keys::{Existing, write_private};
use crate::process::Stage;

/// The name of the file with the token of an admin.
pub(crate) const ADMIN: &str = "token";
/// The name of the file with the token of an operator.
pub(crate) const OPERATOR: &str = "operator.token";

/// How long a token is good for.
const VALID: Duration = Duration::from_hours(24);
/// When new ones are made, well before the old ones end.
const RENEW: Duration = Duration::from_hours(12);

/// The tokens of one folder.
pub(crate) struct Tokens {
    issuer: TokenIssuer,
    tenant: Arc<str>,
    folder: PathBuf,
}

impl Tokens {
    pub(crate) fn new(issuer: TokenIssuer, tenant: &str, folder: &Path) -> Self {
        Self { issuer, tenant: tenant.into(), folder: folder.to_owned() }
    }

    /// Writes both tokens; returns the admin's.
    pub(crate) fn write(&self) -> anyhow::Result<Secret> {
        self.write_one(OPERATOR, Role::Operator)?;
        self.write_one(ADMIN, Role::Admin)
    }

    fn write_one(&self, name: &str, role: Role) -> anyhow::Result<Secret> {
        let token = self.issuer.mint(&self.identity(role), VALID)?;
        write_private(&self.folder.join(name), token.expose(), Existing::Replace)?;
        Ok(token)
    }

    fn identity(&self, role: Role) -> Identity {
        Identity {
            subject: format!("local-{role}").into(),
            tenant: Arc::clone(&self.tenant),
            role,
            accounts: None,
            expires_at: 0,
        }
    }

    /// Writes new ones now and then, until the process ends.
    pub(crate) fn keep_fresh(self, stage: &Stage) {
        let drain = stage.supervisor.drain();
        stage.supervisor.spawn("renew tokens", OnFailure::LogAndGoOn, async move {
            while drain.run_until_cancelled(sleep(RENEW)).await.is_some() {
                self.write()?;
            }
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use channel_runtime::clock::ManualClock;
    use channel_runtime::config::AuthConfig;
    use channel_runtime::config::Secret;
    use channel_runtime::identity::TokenVerifier;

    use super::*;

    #[test]
    fn each_token_opens_what_its_command_needs_for_a_day() {
        let auth = AuthConfig {
            secret: Secret::new("a secret of at least thirty-two bytes"),
            ..AuthConfig::default()
        };
        let clock = ManualClock::at(0);
        let issuer = TokenIssuer::new(&auth, Arc::new(clock.clone())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Tokens::new(issuer, "acme", folder.path()).write().unwrap();

        let verifier = TokenVerifier::new(&auth, Arc::new(clock.clone())).unwrap();
        let verify = |name| {
            let token = crate::keys::read(&folder.path().join(name)).unwrap().unwrap();
            verifier.verify(token.expose())
        };
        clock.advance(VALID.checked_sub(Duration::from_mins(1)).unwrap());
        let admin = verify(ADMIN).unwrap();
        assert_eq!((admin.role, &*admin.tenant), (Role::Admin, "acme"));
        assert_eq!(verify(OPERATOR).unwrap().role, Role::Operator);
        clock.advance(Duration::from_mins(2));
        assert!(verify(ADMIN).is_err());
    }
}
