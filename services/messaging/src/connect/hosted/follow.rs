//! Tells where a link stands. It only looks into the database: whoever goes away changes nothing.

use std::sync::Arc;

use channel_domain::AccountId;
use channel_runtime::identity::Identity;
use channel_store::hosted::{HostedLink, LinkEnd, LinkState};
use uuid::Uuid;

use crate::connect::step::{LinkFailure, LinkReason, LinkStep};
use crate::connect::{Answer, Connections, Shared};
use crate::error::MessagingError;

/// Somebody follows a link.
pub(crate) struct Following {
    shared: Arc<Shared>,
    id: Uuid,
    /// It was told that somebody signed in.
    accepted: bool,
    done: bool,
}

impl Connections {
    /// Follows a link until its outcome.
    ///
    /// # Errors
    ///
    /// As the contract says of `FollowHostedLink`.
    pub(crate) async fn follow_link(&self, caller: &Identity, id: Uuid) -> Answer<Following> {
        let state = self.shared.store.link(id).await?;
        state
            .filter(|state| may_see(caller, &state.link))
            .ok_or(MessagingError::HostedLinkNotFound)?;
        Ok(Following { shared: Arc::clone(&self.shared), id, accepted: false, done: false })
    }
}

/// A token for some accounts sees links for those.
fn may_see(caller: &Identity, link: &HostedLink) -> bool {
    match &link.account {
        Some(account) => caller.may_see(link.tenant.as_str(), account.as_str()),
        None => *caller.tenant == *link.tenant.as_str() && caller.accounts.is_none(),
    }
}

impl Following {
    /// The next step; `None` after the outcome.
    pub(crate) async fn next(&mut self) -> Option<Answer<LinkStep>> {
        if self.done {
            return None;
        }
        let ending = self.shared.stop.clone();
        let step = tokio::select! {
            () = ending.cancelled() => Err(MessagingError::Stopping),
            step = self.step() => step,
        };
        self.done = !matches!(step, Ok(LinkStep::Accepted(_)));
        Some(step)
    }

    async fn step(&mut self) -> Answer<LinkStep> {
        loop {
            let state = self.shared.store.link(self.id).await?;
            let state = state.ok_or(MessagingError::HostedLinkNotFound)?;
            if let Some(step) = self.news(state).await? {
                return Ok(step);
            }
            tokio::time::sleep(self.shared.config.poll_interval()).await;
        }
    }

    async fn news(&mut self, state: LinkState) -> Answer<Option<LinkStep>> {
        let LinkState { link, told, end } = state;
        let Some(told) = told else {
            let is_over = link.expires_at <= self.shared.now();
            let nobody = LinkReason::CodeExpired.because("Nobody signed in in time.");
            return Ok(is_over.then_some(LinkStep::Failed(nobody)));
        };
        if !self.accepted {
            self.accepted = true;
            return Ok(Some(LinkStep::Accepted(told)));
        }
        match end {
            Some(end) => self.outcome(&told, end).await.map(Some),
            None => Ok(None),
        }
    }

    async fn outcome(&self, told: &AccountId, end: LinkEnd) -> Answer<LinkStep> {
        let LinkEnd { reason, detail } = end;
        let Some(reason) = reason else {
            return Ok(LinkStep::Completed(Box::new(self.shared.row(told).await?)));
        };
        // A word of a newer program is a refusal.
        let reason = LinkReason::named(&reason).unwrap_or(LinkReason::Refused);
        Ok(LinkStep::Failed(LinkFailure { reason, detail }))
    }
}
