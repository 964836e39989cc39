//! Which stored webhooks are meant.

use std::collections::VecDeque;

use channel_domain::AccountId;
use channel_store::StoreError;
use channel_store::intake::{InboxFilter, Intake, Stored};

/// Rows read at once: each may hold a mebibyte.
pub(super) const CHUNK: usize = 32;

/// What all set parts name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// The part that the store knows how to look for; its place and limit are not used.
    pub(crate) filter: InboxFilter,
    /// Only webhooks of this account.
    pub(crate) account: Option<AccountId>,
    /// Only those set aside for this reason.
    pub(crate) reason: Option<String>,
}

impl Selection {
    pub(super) fn matches(&self, stored: &Stored) -> bool {
        let account = self.account.is_none() || self.account == stored.account;
        let reason = self.reason.is_none() || self.reason == stored.reason;
        account && reason
    }

    /// The next rows below an id, the newest first.
    pub(super) async fn below(
        &self,
        store: &dyn Intake,
        below: Option<i64>,
    ) -> Result<Vec<Stored>, StoreError> {
        let filter = InboxFilter { below, limit: CHUNK, ..self.filter.clone() };
        store.inbox(&filter).await
    }
}

/// The ids of the oldest `most` above `above`, the oldest first.
///
/// The store lists the newest first, so this walks down to `above` and remembers what it saw last.
pub(crate) async fn oldest(
    store: &dyn Intake,
    selection: &Selection,
    above: i64,
    most: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut seen = VecDeque::new();
    let mut below = None;
    loop {
        let rows = selection.below(store, below).await?;
        let mut more = rows.len() == CHUNK;
        for stored in rows {
            let id = stored.stamp.inbox;
            if id <= above {
                more = false;
                break;
            }
            below = Some(id);
            if selection.matches(&stored) {
                seen.push_back(id);
            }
            if seen.len() > most {
                seen.pop_front();
            }
        }
        if !more {
            return Ok(seen.into_iter().rev().collect());
        }
    }
}

/// These rows, the oldest first.
pub(crate) async fn rows(store: &dyn Intake, ids: &[i64]) -> Result<Vec<Stored>, StoreError> {
    let filter = InboxFilter { ids: ids.to_vec(), limit: ids.len(), ..InboxFilter::default() };
    let mut rows = store.inbox(&filter).await?;
    rows.sort_unstable_by_key(|stored| stored.stamp.inbox);
    Ok(rows)
}
