//! Accounts that come and go while a stream is open.

use super::Subscription;
use crate::live::core::Core;
use crate::live::frames;
use crate::live::hub::AccountRef;
use crate::live::open::{Start, visible};
use channel_domain::time::Micros;
use channel_proto::query::v1::ResetReason;
use channel_runtime::supervise::Backoff;
use channel_store::log::{Head, Position};
use std::collections::HashSet;
use std::sync::Arc;

impl Subscription {
    /// Takes its first places, and says Hello.
    pub(super) fn enter(&mut self, start: Start) {
        let mut accepted = Vec::new();
        let mut resets = Vec::new();
        for entrant in start.entrants {
            let head = entrant.head.head;
            let at = entrant.from.unwrap_or(head);
            self.add(&entrant.account, at, head, Some(start.epoch));
            let id = &entrant.account.id;
            match entrant.from {
                Ok(at) => accepted.push(frames::position(id, start.epoch, at, head.seq)),
                Err(reason) => resets.push(self.reset_frame(id, reason, Some(head))),
            }
        }
        for id in start.refused {
            resets.push(self.reset_frame(&id, ResetReason::Access, None));
        }
        let core = self.core();
        let now = Micros(core.clock.now_micros());
        let hello = frames::hello(now, core.config.heartbeat(), accepted);
        self.first.push_back(hello);
        self.first.extend(resets);
    }

    /// A place that was judged in another epoch than the present one belongs to no history that is followed:
    /// it is reset at once.
    fn add(&mut self, account: &AccountRef, at: Position, head: Position, judged_in: Option<u64>) {
        let entry = &self.member.entry;
        let listener = (&entry.signal, self.places.next_slot());
        let feed = self.core().hub.join(account, head, entry.id, listener);
        let is_void = judged_in.is_some_and(|epoch| self.core().hub.epoch() != Some(epoch));
        let generation = if is_void { 0 } else { feed.ring().generation };
        self.places.add(feed, at, generation, head.seq);
    }

    /// Drops what the caller may no longer see; a stream of all accounts takes in what is new.
    pub(super) fn review_access(&mut self) {
        let seen = visible(self.core(), &self.member.identity);
        let keys: HashSet<_> = seen.iter().map(|account| account.key).collect();
        let withdrawn: Vec<_> = self
            .places
            .slots()
            .filter(|(_, place)| !keys.contains(&place.feed.key))
            .map(|(slot, _)| slot)
            .collect();
        for slot in withdrawn {
            self.withdraw(slot);
        }
        if self.all && self.joining.is_none() {
            let known: HashSet<_> = self.places.all().map(|place| place.feed.key).collect();
            let new = seen.into_iter().filter(|account| !known.contains(&account.key));
            self.start_joining(new.collect());
        }
    }

    fn withdraw(&mut self, slot: u32) {
        let Some(place) = self.places.remove(slot) else {
            return;
        };
        place.feed.leave(self.member.entry.id);
        let frame = self.reset_frame(&place.feed.id, ResetReason::Access, None);
        self.first.push_back(frame);
    }

    fn start_joining(&mut self, accounts: Vec<AccountRef>) {
        if !accounts.is_empty() {
            let core = Arc::clone(self.core());
            let work = heads(Arc::clone(&core), accounts);
            self.joining = Some(core.tasks.spawn_owned(work));
        }
    }

    /// Takes in accounts that were granted, unless that was undone meanwhile.
    pub(super) fn joined(&mut self, joined: Vec<(AccountRef, Position)>) {
        let seen = visible(self.core(), &self.member.identity);
        for (account, head) in joined {
            if seen.contains(&account) {
                self.add(&account, head, head, None);
                let frame = self.reset_frame(&account.id, ResetReason::Access, Some(head));
                self.first.push_back(frame);
            }
        }
        self.review_access();
    }
}

/// Where the logs of these accounts end, however long the database takes to answer.
async fn heads(core: Arc<Core>, accounts: Vec<AccountRef>) -> Vec<(AccountRef, Position)> {
    let keys: Vec<_> = accounts.iter().map(|account| account.key).collect();
    let backoff = Backoff::default();
    for failures in 1.. {
        let error = match core.log.heads(&keys).await {
            Ok(heads) => return pair(accounts, &heads),
            Err(error) => error,
        };
        core.meters.store_failures.add(1);
        tracing::warn!(
            failures,
            error = &error as &dyn std::error::Error,
            "a granted account has to wait"
        );
        tokio::select! {
            () = tokio::time::sleep(backoff.jittered(failures)) => {}
            () = core.finished.cancelled() => break,
        }
    }
    Vec::new()
}

fn pair(accounts: Vec<AccountRef>, heads: &[Head]) -> Vec<(AccountRef, Position)> {
    let head = |key| heads.iter().find(|head| head.account_key == key);
    let pair = |account: AccountRef| {
        let head = head(account.key).map(|head| head.head).unwrap_or_default();
        (account, head)
    };
    accounts.into_iter().map(pair).collect()
}
