//! Confirms what callbacks told. Their rows are the journal: a lease says who is at one, and what nobody ended is
//! done again by whoever comes next.

use std::collections::HashSet;
use std::sync::Arc;

use channel_domain::Micros;
use channel_runtime::supervise::{Rounds, TaskError};
use channel_store::StoreError;
use channel_store::hosted::{DueLink, LINK_KEPT, LinkEnd};
use channel_store::outbox::Command;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::connect::attempt::Attempt;
use crate::connect::step::{LinkReason, LinkStep};
use crate::connect::{Answer, Connections, Purpose, Shared, count};

/// How many are confirmed at a time; each asks UniPile now and then.
const AT_ONCE: usize = 8;

/// Confirms the accounts that callbacks named.
#[derive(Clone)]
pub struct Confirmer {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Confirmer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Confirmer").finish_non_exhaustive()
    }
}

impl Connections {
    /// What confirms the accounts that callbacks named.
    #[must_use]
    pub fn confirmer(&self) -> Confirmer {
        Confirmer { shared: Arc::clone(&self.shared) }
    }
}

impl Confirmer {
    /// Works until `stop`; what is under way then is left to whoever comes next.
    ///
    /// # Errors
    ///
    /// Never: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        let (mut running, mut taken) = (JoinSet::new(), HashSet::new());
        let mut rounds = Rounds::default();
        while !stop.is_cancelled() {
            let begun = self.begin(&mut running, &mut taken, &stop).await;
            let begun = begun.map(|()| self.shared.config.poll_interval());
            let rest = rounds.rest(begun, "callbacks cannot be confirmed and will be later");
            tokio::select! {
                () = stop.cancelled() => {}
                Some(done) = running.join_next() => forget(&mut taken, done),
                () = tokio::time::sleep(rest) => {}
            }
        }
        while running.join_next().await.is_some() {}
        Ok(())
    }

    async fn begin(
        &self,
        running: &mut JoinSet<Uuid>,
        taken: &mut HashSet<Uuid>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        for due in self.shared.store.due_links(self.shared.now(), AT_ONCE).await? {
            if running.len() < AT_ONCE && taken.insert(due.link.id) {
                let (shared, stop) = (Arc::clone(&self.shared), stop.clone());
                running.spawn(async move {
                    let id = due.link.id;
                    if let Err(error) = shared.confirm(due, stop).await {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "a callback is confirmed later");
                    }
                    id
                });
            }
        }
        Ok(())
    }
}

fn forget(taken: &mut HashSet<Uuid>, done: Result<Uuid, tokio::task::JoinError>) {
    match done {
        Ok(id) => drop(taken.remove(&id)),
        Err(error) => {
            // Which one it was is not known; its lease tells.
            tracing::error!(error = %error, "confirming a callback was lost");
            taken.clear();
        }
    }
}

impl Shared {
    /// Confirms one, and notes how that ended.
    async fn confirm(self: Arc<Self>, due: DueLink, stop: CancellationToken) -> Answer<()> {
        let Some(mut due) = self.store.put_link_off(&due, self.in_time()).await? else {
            return Ok(());
        };
        let (shared, asked) = (Arc::clone(&self), due.clone());
        let mut asking = std::pin::pin!(async move { shared.ask_about(&asked).await });
        let end = loop {
            tokio::select! {
                end = &mut asking => break end?,
                () = stop.cancelled() => {
                    self.store.put_link_off(&due, self.now()).await?;
                    return Ok(());
                }
                () = tokio::time::sleep(self.config.lease() / 3) => {
                    match self.store.put_link_off(&due, self.in_time()).await? {
                        Some(renewed) => due = renewed,
                        None => return Ok(()),
                    }
                }
            }
        };
        self.settled(due, end).await
    }

    /// Asks UniPile until the account runs, or must not stay; exactly as after a code was scanned.
    async fn ask_about(self: Arc<Self>, due: &DueLink) -> Answer<LinkStep> {
        self.call(due).await?;
        let purpose = self.purpose(due).await?;
        let end = Attempt::confirm(Arc::clone(&self), purpose, due.told.clone()).await?;
        // It may have turned up meanwhile.
        self.call(due).await?;
        Ok(end)
    }

    /// An account that was here before the link was made is none that it made: it is never removed again.
    async fn purpose(&self, due: &DueLink) -> Answer<Purpose> {
        let (link, account) = (&due.link, due.told.clone());
        let tenant = link.tenant.clone();
        let row = self.store.account(&account).await?;
        let was_here =
            row.is_some_and(|row| row.tenant == tenant && row.record.created_at < link.made_at.0);
        Ok(if was_here || link.account.is_some() {
            Purpose::Again { account, tenant }
        } else {
            Purpose::New { tenant, name: link.name.clone() }
        })
    }

    /// Names an account that was heard of before its callback came.
    async fn call(&self, due: &DueLink) -> Answer<()> {
        let (None, Some(name)) = (&due.link.account, &due.link.name) else { return Ok(()) };
        let row = self.store.account(&due.told).await?;
        if row.is_some_and(|row| row.tenant == due.link.tenant) {
            let call = Command::CallAccount(name.clone(), due.link.made_at);
            self.store.command(&due.told, call, &self.config.rules(), self.now(), None).await?;
        }
        Ok(())
    }

    async fn settled(&self, due: DueLink, step: LinkStep) -> Answer<()> {
        let end = match step {
            LinkStep::Failed(failure) => {
                let is_over = self.now().0 > due.link.expires_at.0.saturating_add(LINK_KEPT);
                if failure.reason == LinkReason::UpstreamUnavailable && !is_over {
                    return self.later(due).await;
                }
                let reason = Some(failure.reason.name().to_owned());
                LinkEnd { reason, detail: failure.detail }
            }
            _ => LinkEnd { reason: None, detail: String::new() },
        };
        if self.store.end_link(&due, &end, self.now()).await? {
            count(end.reason.as_deref().map_or("connected", |_| "link_failed"));
            let reason = end.reason.as_deref();
            tracing::info!(account = due.told.as_str(), reason, "a hosted link has ended");
        }
        Ok(())
    }

    async fn later(&self, due: DueLink) -> Answer<()> {
        let until = self.after(self.again(due.attempts));
        count("link_put_off");
        let tried = DueLink { attempts: due.attempts.saturating_add(1), ..due };
        Ok(self.store.put_link_off(&tried, until).await.map(drop)?)
    }

    fn in_time(&self) -> Micros {
        self.after(self.config.lease())
    }
}
