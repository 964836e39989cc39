//! What the list of stored payloads promises.

use super::Fresh;
use super::facts::{at, delivery, incoming, reading, received};
use crate::intake::{
    InboxCounts, InboxFilter, InboxOrder, Inconsistent, Listed, Outcome, Reading, Stored, id_of,
};

/// Six payloads, a second apart: of `a` applied and ignored, then two rejected, of `b` ignored and pending.
async fn six(fresh: &Fresh) -> Vec<i64> {
    let ignored =
        |account: &str| Reading::Ignored { account: Some(account.into()), reason: "UNKNOWN_EVENT" };
    let rejected = |reason| Reading::Rejected { reason, detail: "line 1".into() };
    let readings = [
        reading("a", received(incoming("m1", "c1", "Hi", 1))),
        ignored("a"),
        rejected("NOT_JSON"),
        rejected("WRONG_TYPE"),
        ignored("b"),
    ];
    let batch = readings.into_iter().zip(1..).map(|(reading, n)| delivery(reading, at(n)));
    let taken = fresh.store.take(batch.collect()).await.expect("a batch is taken");
    let pending = reading("b", received(incoming("m2", "c2", "Hi", 1)));
    let kept = fresh.store.keep(vec![delivery(pending, at(6))]).await.expect("a batch is kept");
    let verdicts = taken.verdicts.iter().chain(&kept.verdicts);
    verdicts.map(|verdict| verdict.inbox.expect("an id")).collect()
}

async fn list(fresh: &Fresh, filter: InboxFilter) -> Vec<Listed> {
    let filter = InboxFilter { limit: filter.limit.max(1), ..filter };
    fresh.store.inbox(&filter).await.expect("a list")
}

pub async fn the_inbox_is_listed_by_what_every_part_of_a_filter_names(fresh: &Fresh) {
    let ids = six(fresh).await;
    let all = || InboxFilter { limit: 9, order: InboxOrder::Oldest, ..InboxFilter::default() };
    let reason = |reason: &str| InboxFilter { reason: Some(reason.into()), ..all() };
    let account = |account: &str| InboxFilter { account: Some(account.into()), ..all() };
    let quarantined = || InboxFilter { outcomes: vec![Outcome::Quarantined], ..all() };
    let cases: [(InboxFilter, &[usize]); 12] = [
        (all(), &[0, 1, 2, 3, 4, 5]),
        (account("a"), &[0, 1]),
        (account("b"), &[4, 5]),
        (account("c"), &[]),
        (reason("UNKNOWN_EVENT"), &[1, 4]),
        (InboxFilter { account: Some("b".into()), ..reason("UNKNOWN_EVENT") }, &[4]),
        (InboxFilter { outcomes: vec![Outcome::NoOp], ..account("a") }, &[1]),
        (quarantined(), &[2, 3]),
        (InboxFilter { reason: Some("WRONG_TYPE".into()), ..quarantined() }, &[3]),
        (InboxFilter { ids: vec![ids[4], ids[0], i64::MAX], ..all() }, &[0, 4]),
        (InboxFilter { ids: vec![ids[4], ids[0]], ..account("b") }, &[4]),
        (InboxFilter { since: Some(at(2)), until: Some(at(4)), ..all() }, &[1, 2]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<i64> = expected.iter().map(|at| ids[*at]).collect();
        let told = format!("{filter:?}");
        let found: Vec<i64> = list(fresh, filter).await.iter().map(id_of).collect();
        assert_eq!(found, expected, "{told}");
    }
}

pub async fn the_inbox_is_paged_in_both_orders(fresh: &Fresh) {
    let ids = six(fresh).await;
    for states in [vec![], vec![Outcome::Applied, Outcome::NoOp], vec![Outcome::Quarantined]] {
        let whole = InboxFilter { outcomes: states, limit: 9, ..InboxFilter::default() };
        let mut newest: Vec<i64> = list(fresh, whole.clone()).await.iter().map(id_of).collect();
        assert!(newest.is_sorted_by(|a, b| a > b), "{newest:?}");
        assert!(newest.iter().all(|id| ids.contains(id)));
        let (mut down, mut up) = (Vec::new(), Vec::new());
        let one = InboxFilter { limit: 1, ..whole };
        let next = |below| InboxFilter { below, ..one.clone() };
        while let [found] = &list(fresh, next(down.last().copied())).await[..] {
            down.push(id_of(found));
        }
        let next = |above| InboxFilter { above, order: InboxOrder::Oldest, ..one.clone() };
        while let [found] = &list(fresh, next(up.last().copied())).await[..] {
            up.push(id_of(found));
        }
        assert_eq!(down, newest);
        newest.reverse();
        assert_eq!(up, newest);
    }
}

pub async fn a_row_that_makes_no_sense_is_told_and_costs_its_neighbours_nothing(fresh: &Fresh) {
    let ids = six(fresh).await;
    let damage = format!("UPDATE webhook_inbox SET state = 77 WHERE id = {}", ids[2]);
    assert_eq!((fresh.sql)(damage).await, 1);
    let broken: Listed = Err(Inconsistent { inbox: ids[2], what: "state" });
    let newest = list(fresh, InboxFilter { limit: 9, ..InboxFilter::default() }).await;
    assert_eq!(newest.iter().map(id_of).collect::<Vec<_>>(), [5, 4, 3, 2, 1, 0].map(|at| ids[at]));
    assert_eq!(told(&newest[3]), told(&broken));
    assert_eq!(newest.iter().filter(|row| row.is_ok()).count(), 5);

    // It is found with those that need somebody, and by its id.
    let open = InboxFilter {
        outcomes: vec![Outcome::Quarantined],
        unknown_states: true,
        limit: 9,
        ..InboxFilter::default()
    };
    let found: Vec<i64> = list(fresh, open.clone()).await.iter().map(id_of).collect();
    assert_eq!(found, [ids[3], ids[2]]);
    let only = InboxFilter { outcomes: vec![], ..open };
    assert_eq!(list(fresh, only).await.iter().map(told).collect::<Vec<_>>(), [told(&broken)]);
    let by_id = InboxFilter { ids: vec![ids[2]], ..InboxFilter::default() };
    assert_eq!(list(fresh, by_id.clone()).await.len(), 1);
    let counts = InboxCounts { pending: 1, quarantined: 1, held: 0, inconsistent: 1 };
    assert_eq!(fresh.store.inbox_counts().await.ok(), Some(counts));

    // Setting it aside gives it a state that is known.
    let aside = fresh.store.postpone(ids[2], None, Inconsistent::REASON).await;
    assert!(aside.is_ok());
    let stored = list(fresh, by_id).await.remove(0).expect("a row that makes sense");
    assert_eq!(stored.outcome, Outcome::Quarantined);
    assert_eq!(stored.reason.as_deref(), Some(Inconsistent::REASON));
}

/// What can be compared of a row.
fn told(listed: &Listed) -> Result<i64, (i64, &'static str)> {
    match listed {
        Ok(stored) => Ok(stored.stamp.inbox),
        Err(broken) => Err((broken.inbox, broken.what)),
    }
}

pub async fn what_is_settled_is_not_set_aside(fresh: &Fresh) {
    let ids = six(fresh).await;
    let state = || async {
        let all = InboxFilter { limit: 9, order: InboxOrder::Oldest, ..InboxFilter::default() };
        let rows = list(fresh, all).await.into_iter().flatten();
        rows.map(|row: Stored| (row.outcome, row.reason, row.attempts)).collect::<Vec<_>>()
    };
    let before = state().await;
    for (id, again_at) in [(ids[0], None), (ids[1], Some(at(9)))] {
        assert!(fresh.store.postpone(id, again_at, "STORE_REFUSED").await.is_ok());
    }
    assert_eq!(state().await, before, "applied and looked at");
    assert!(fresh.store.postpone(ids[2], None, "STORE_REFUSED").await.is_ok());
    let after = state().await;
    assert_eq!(after[2], (Outcome::Quarantined, Some("STORE_REFUSED".into()), 1));
}

pub async fn a_pending_payload_tells_when_it_is_tried_again(fresh: &Fresh) {
    let ids = six(fresh).await;
    let next = || async {
        let filter = InboxFilter { ids: vec![ids[5]], ..InboxFilter::default() };
        list(fresh, filter).await.remove(0).expect("a row that makes sense").next_at
    };
    assert_eq!(next().await, Some(at(6)), "kept payloads are due at once");
    assert!(fresh.store.postpone(ids[5], Some(at(60)), "STORE_REFUSED").await.is_ok());
    assert_eq!(next().await, Some(at(60)));
    assert!(fresh.store.postpone(ids[5], None, "STORE_REFUSED").await.is_ok());
    assert_eq!(next().await, None);
}
