//! Codes: shown, renewed, and claimed before that.

use std::time::Duration;

use channel_domain::AccountId;
use channel_store::claims::Claim;
use channel_unipile::upstream::{Connecting, Step, UpstreamError};
use tokio::time::Instant;

use super::{Attempt, Next, failed};
use crate::connect::codes::{self, NoCode};
use crate::connect::step::{LinkReason, LinkStep};
use crate::connect::{Answer, Purpose};

/// How many times in a row UniPile may fail to give a code once none is good any more.
const FAILURES: u32 = 3;

impl Attempt {
    pub(super) async fn renew(&mut self) -> Answer<Next> {
        let upstream = self.shared.upstream()?;
        match codes::ask(&**upstream, &self.purpose, &self.options).await {
            Ok(connecting) => {
                self.failures = 0;
                self.show(connecting).await
            }
            Err(error) => Ok(self.not_renewed(&error)),
        }
    }

    fn not_renewed(&mut self, error: &UpstreamError) -> Next {
        let now = Instant::now();
        match codes::why(error) {
            NoCode::Busy(wait) => self.renew_at = now + wait,
            NoCode::Away => {
                self.failures += 1;
                self.renew_at = now + Duration::from_secs(1 << self.failures.min(3));
                if self.failures >= FAILURES && now >= self.expires_at {
                    return failed(LinkReason::UpstreamUnavailable.because(error.advice()));
                }
            }
            NoCode::Gone => {
                return failed(LinkReason::Refused.because("UniPile has no such account."));
            }
            NoCode::Refused(advice) => return failed(LinkReason::Refused.because(advice)),
        }
        tracing::debug!(error = %error, "a code could not be renewed");
        Next::Wait
    }

    /// Shows a code, once the account that it is for is claimed.
    pub(super) async fn show(&mut self, connecting: Connecting) -> Answer<Next> {
        let Some(account) = self.account_of(connecting.account) else {
            return Ok(failed(LinkReason::Refused.because("UniPile did not name the account.")));
        };
        self.claim(&account).await?;
        if self.shown.last() != Some(&account) {
            self.shown.push(account.clone());
        }
        let good = self.shared.config.link_code_time();
        self.expires_at = Instant::now() + good;
        self.renew_at = self.expires_at;
        let expires_at = self.shared.now().plus(good);
        let step = match connecting.step {
            Step::Qr(payload) => LinkStep::Qr { payload, expires_at },
            Step::PairingCode(code) => LinkStep::Pairing { code, expires_at },
            Step::Created | Step::Reconnected => return self.link(account).await,
            Step::Other(_) => {
                let detail = "UniPile asks for something that WhatsApp does not use.";
                return Ok(failed(LinkReason::Refused.because(detail)));
            }
        };
        self.tell(step).await;
        Ok(Next::Wait)
    }

    /// A known account keeps its id, whatever UniPile calls the attempt.
    fn account_of(&self, told: Option<AccountId>) -> Option<AccountId> {
        match &self.purpose {
            Purpose::New { .. } => told,
            Purpose::Again { account, .. } => Some(account.clone()),
        }
    }

    /// For a known account this is what ends an older attempt; one claim is enough, and a newer one stays.
    async fn claim(&self, account: &AccountId) -> Answer<()> {
        let (tenant, name) = match &self.purpose {
            Purpose::New { tenant, name } => (tenant.clone(), name.clone()),
            Purpose::Again { .. } if !self.shown.is_empty() => return Ok(()),
            Purpose::Again { tenant, .. } => (tenant.clone(), None),
        };
        let claim = Claim { tenant, name, attempt: self.id, at: self.shared.now() };
        Ok(self.shared.store.claim(account, &claim).await?)
    }

    pub(super) async fn is_superseded(&self) -> Answer<bool> {
        let Purpose::Again { account, .. } = &self.purpose else { return Ok(false) };
        let claimed = self.shared.store.claimed(account).await?;
        Ok(claimed.is_some_and(|claim| claim.attempt != self.id))
    }
}
