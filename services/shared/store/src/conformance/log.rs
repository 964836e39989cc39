//! What the change log promises.

use super::Fresh;
use super::facts::{at, deleted, delivery, edited, incoming, reacted, read, reading, received};
use crate::log::{ChangeLog, LogRow, Position, Stale};
use crate::record::{Record, State};
use std::collections::HashMap;

pub async fn the_log_is_dense_chained_and_true(fresh: &Fresh) {
    let mut facts: Vec<_> =
        (1..=20).map(|n| received(incoming(&format!("m{n}"), "c1", "Hi", n))).collect();
    facts.extend([read("m7"), edited("m2", "Ho"), deleted("m3"), reacted("m4", Some("👍"))]);
    fresh.take("acc", facts, 30).await;
    let rows = audit(fresh, "acc").await;
    assert!(rows.last().is_some_and(|row| row.unit_end));
    assert!(rows.iter().all(|row| row.trace.is_some()));
    // The last change of each entity is its present state.
    let mut latest: HashMap<String, State> = HashMap::new();
    for row in &rows {
        let state = row.body.as_deref().and_then(Record::from_body);
        latest.extend(state.map(|state| (row.entity_id.clone(), state)));
    }
    for message in fresh.messages("acc", "c1").await {
        assert_eq!(latest.get(&message.id), Some(&State::Message(message)));
    }
    let chat = fresh.chat("acc", "c1").await;
    assert_eq!(latest.get("c1"), Some(&State::Chat(chat)));
}

pub async fn concurrent_batches_keep_every_log_dense(fresh: &Fresh) {
    let batches = (0..8).map(|writer| {
        let store = fresh.store.clone();
        async move {
            for round in 0..10 {
                let batch = (0..4).map(|account| {
                    let id = format!("m-{writer}-{round}-{account}");
                    let text = incoming(&id, &format!("c{}", round % 3), "Hi", round);
                    delivery(reading(&format!("acc{account}"), received(text)), at(round))
                });
                store.take(batch.collect()).await?;
            }
            Ok::<_, crate::StoreError>(())
        }
    });
    let tasks: Vec<_> = batches.map(tokio::spawn).collect();
    for task in tasks {
        assert!(matches!(task.await, Ok(Ok(()))), "every batch is taken");
    }
    for account in 0..4 {
        let account = format!("acc{account}");
        audit(fresh, &account).await;
        let mut messages = 0;
        for chat in fresh.chats(&account).await {
            messages += fresh.messages(&account, &chat.id).await.len();
        }
        assert_eq!(messages, 80);
    }
}

pub async fn a_reader_resumes_inside_the_history_and_nowhere_else(fresh: &Fresh) {
    for n in 1..=10 {
        fresh.take("acc", vec![received(incoming(&format!("m{n}"), "c1", "Hi", n))], 19 + n).await;
    }
    let rows = audit(fresh, "acc").await;
    let place = |seq: u64| {
        let tag = rows.iter().find(|row| row.seq == seq).map_or(0, |row| row.tag);
        Position { seq, tag }
    };
    let head = rows.last().map_or(0, |row| row.seq);
    let gone = fresh.store.prune_log(at(24), 8, 1000).await.unwrap_or_default();
    assert!(gone > 0 && gone < head, "{gone} of {head} pruned");
    let floor = gone;
    let rows_after = |seq| usize::try_from(head - seq).unwrap_or(usize::MAX);
    for seq in [floor, floor + 1, head - 1, head] {
        assert_eq!(resume(fresh, place(seq)).await, Ok(rows_after(seq)), "from {seq}");
        let other = Position { tag: place(seq).tag ^ 1, ..place(seq) };
        assert_eq!(resume(fresh, other).await, Err(Stale::Diverged), "from another {seq}");
    }
    assert_eq!(resume(fresh, place(floor - 1)).await, Err(Stale::Compacted));
    assert_eq!(resume(fresh, place(head + 1)).await, Err(Stale::Ahead));
    assert!(matches!(fresh.store.resume(-7, place(0), 10).await, Ok(None)));
    let kept = fresh.store.prune_log(at(1000), 8, 1000).await;
    assert!(kept.is_ok());
    let heads = fresh.store.heads(&[fresh.account("acc").await.key]).await.unwrap_or_default();
    assert!(head - heads[0].floor.seq >= 8, "the last rows stay whatever their age");
}

pub async fn wakeups_tell_which_accounts_moved(fresh: &Fresh) {
    let mut wakeups = fresh.store.wakeups();
    fresh.take("acc", vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let account = fresh.account("acc").await;
    loop {
        let moved = wakeups.recv().await;
        let hints = moved.map(|moved| moved.to_vec()).unwrap_or_default();
        // An empty hint means "look everywhere".
        let here = |hint: &crate::log::Moved| {
            hint.account_key == account.key && hint.head == account.head.seq
        };
        if hints.is_empty() || hints.iter().any(here) {
            break;
        }
    }
}

async fn resume(fresh: &Fresh, from: Position) -> Result<usize, Stale> {
    let key = fresh.account("acc").await.key;
    let page = fresh.store.resume(key, from, 1000).await.ok().flatten();
    page.unwrap_or(Err(Stale::Ahead)).map(|page| page.rows.len())
}

/// Reads an account's whole log and checks its numbers, its chain and its ends.
///
/// # Panics
///
/// When the log is not what it promises.
pub(super) async fn audit(fresh: &Fresh, account: &str) -> Vec<LogRow> {
    let account = fresh.account(account).await;
    let log: &dyn ChangeLog = &*fresh.store;
    let rows = log.tail(&[(account.key, 0)], 1_000_000).await.unwrap_or_default();
    let mut last = Position::default();
    for row in &rows {
        assert_eq!(row.seq, last.seq + 1, "the log has a gap");
        assert_eq!(row.chained(last.tag), row.tag, "the chain breaks at {}", row.seq);
        last = Position { seq: row.seq, tag: row.tag };
    }
    assert_eq!(last, account.head);
    rows
}
