//! Going through stored webhooks in one direction, a chunk at a time.

use channel_store::StoreError;
use channel_store::intake::{InboxFilter, InboxOrder, Intake, Listed, id_of};

/// Rows read at once: each may hold a mebibyte.
pub(super) const CHUNK: usize = 32;
/// How many ids one reading covers where the store has to look at every row: a rare reason may hide among
/// many rows, and a caller must hear of the way made so far.
const STRETCH: i64 = 20_000;

/// A walk over what a filter names.
pub(crate) struct Walk<'s> {
    store: &'s dyn Intake,
    filter: InboxFilter,
    /// Passed already, up to and including this id.
    passed: i64,
    /// The last id of the inbox in the direction of the walk; `None`: the store finds its own way.
    last: Option<i64>,
    done: bool,
}

impl<'s> Walk<'s> {
    /// Begins behind the id `after`, or at the end of the inbox. The filter's order is the direction; its
    /// bounds and its limit are not used.
    pub(crate) async fn begin(
        store: &'s dyn Intake,
        filter: InboxFilter,
        after: Option<i64>,
    ) -> Result<Self, StoreError> {
        let order = filter.order;
        let (first, last) = if filter.ids.is_empty() && !filter.is_of_open_ones() {
            (end(store, order).await?, end(store, turned(order)).await?)
        } else {
            (None, None)
        };
        let before = first.map(|first| step(order, first, -1));
        let passed = after.or(before).unwrap_or(beginning(order));
        Ok(Self { store, filter, passed, last, done: false })
    }

    /// Up to where it has come.
    pub(crate) const fn passed(&self) -> i64 {
        self.passed
    }

    /// Whether everything was met.
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// The next rows, which may be none; `None`: there are no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        if self.done {
            return Ok(None);
        }
        let order = self.filter.order;
        let edge = self.last.map(|_| step(order, self.passed, STRETCH));
        let rows = self.store.inbox(&self.stretch(edge)).await?;
        if rows.len() == CHUNK {
            self.passed = rows.last().map_or(self.passed, id_of);
            return Ok(Some(rows));
        }
        match (edge, self.last) {
            (Some(edge), Some(last)) if !is_beyond(order, edge, last) => self.passed = edge,
            _ => self.done = true,
        }
        Ok(Some(rows))
    }

    /// What lies behind the place passed, up to and including the edge.
    fn stretch(&self, edge: Option<i64>) -> InboxFilter {
        let order = self.filter.order;
        let edge = edge.map(|edge| step(order, edge, 1));
        let (above, below) = match order {
            InboxOrder::Newest => (edge, Some(self.passed)),
            InboxOrder::Oldest => (Some(self.passed), edge),
        };
        InboxFilter { above, below, limit: CHUNK, ..self.filter.clone() }
    }
}

/// The id that a direction begins with.
async fn end(store: &dyn Intake, order: InboxOrder) -> Result<Option<i64>, StoreError> {
    let filter = InboxFilter { order, limit: 1, ..InboxFilter::default() };
    Ok(store.inbox(&filter).await?.first().map(id_of))
}

const fn turned(order: InboxOrder) -> InboxOrder {
    match order {
        InboxOrder::Newest => InboxOrder::Oldest,
        InboxOrder::Oldest => InboxOrder::Newest,
    }
}

const fn beginning(order: InboxOrder) -> i64 {
    match order {
        InboxOrder::Newest => i64::MAX,
        InboxOrder::Oldest => 0,
    }
}

const fn step(order: InboxOrder, id: i64, by: i64) -> i64 {
    match order {
        InboxOrder::Newest => id.saturating_sub(by),
        InboxOrder::Oldest => id.saturating_add(by),
    }
}

const fn is_beyond(order: InboxOrder, id: i64, last: i64) -> bool {
    match order {
        InboxOrder::Newest => id <= last,
        InboxOrder::Oldest => id >= last,
    }
}

#[cfg(test)]
mod tests {
    use channel_store::intake::Outcome;

    use super::*;
    use crate::testing::{Do, shared, stored};

    async fn walked(filter: InboxFilter, after: Option<i64>) -> Vec<i64> {
        let store = shared(|_, _| Do::Work);
        // Ids far apart, as an inbox has them that was pruned; every third is applied.
        let ids = (1..=100).map(|n| n * 7_000);
        let outcome = |n: i64| if n % 3 == 0 { Outcome::Applied } else { Outcome::Quarantined };
        *store.rows.lock().unwrap() = ids.map(|id| stored(id, outcome(id / 7_000))).collect();
        let mut walk = Walk::begin(&*store, filter, after).await.unwrap();
        let mut seen = vec![];
        while let Some(rows) = walk.next().await.unwrap() {
            seen.extend(rows.iter().map(id_of));
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_meets_every_row_once_in_both_directions() {
        for outcomes in [vec![], vec![Outcome::Applied], vec![Outcome::Quarantined]] {
            let filter =
                |order| InboxFilter { outcomes: outcomes.clone(), order, ..Default::default() };
            let mut up = walked(filter(InboxOrder::Oldest), None).await;
            let expected = match outcomes.first() {
                None => 100,
                Some(Outcome::Applied) => 33,
                Some(_) => 67,
            };
            assert_eq!(up.len(), expected);
            assert!(up.is_sorted_by(|a, b| a < b));
            up.reverse();
            assert_eq!(walked(filter(InboxOrder::Newest), None).await, up);
            let rest = walked(filter(InboxOrder::Newest), Some(up[9])).await;
            assert_eq!(rest, up[10..]);
        }
    }
}
