//! The rest of an attempt whose code somebody else showed: UniPile's own page.

use std::sync::Arc;

use channel_domain::{AccountId, Micros};
use channel_unipile::upstream::ConnectOptions;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

use super::Attempt;
use crate::connect::step::{LinkReason, LinkStep};
use crate::connect::{Answer, Purpose, Shared};
use crate::error::MessagingError;

impl Attempt {
    /// Waits until an account that a phone has linked runs, or must not stay. Nobody looks on.
    pub(in crate::connect) async fn confirm(
        shared: Arc<Shared>,
        purpose: Purpose,
        account: AccountId,
    ) -> Answer<LinkStep> {
        let mut attempt = Self::linked(shared, purpose, account);
        // It ends by itself, as it is linked.
        let end = attempt.drive().await.unwrap_or(Err(MessagingError::Stopping))?;
        Ok(match end {
            LinkStep::Failed(failure)
                if failure.reason == LinkReason::UpstreamUnavailable && attempt.is_unknown =>
            {
                let detail = "UniPile has no such account.";
                LinkStep::Failed(LinkReason::Refused.because(detail))
            }
            end => end,
        })
    }

    fn linked(shared: Arc<Shared>, purpose: Purpose, account: AccountId) -> Self {
        let (steps, _) = mpsc::channel(1);
        let now = Instant::now();
        let deadline = now + shared.config.link_finish();
        Self {
            shared,
            purpose,
            options: ConnectOptions::default(),
            steps,
            id: Uuid::now_v7(),
            before: None,
            first: None,
            shown: Vec::new(),
            linked: Some(account),
            is_confirmed_only: true,
            is_unknown: false,
            is_away: false,
            // Whether it was here before its link is known by the purpose.
            began_at: Micros(0),
            deadline,
            renew_at: now,
            expires_at: now,
            failures: 0,
            ask_at: now,
            asked: 0,
            _room: None,
        }
    }
}
