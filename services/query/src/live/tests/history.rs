//! L5: a cursor goes on exactly there, or is reset.

use crate::live::config::LiveConfig;
use crate::live::cursor::Cursor;
use crate::live::testing::{Bench, Client, FakeLog, quick};
use channel_proto::query::v1::ResetReason;
use channel_store::log::Position;

fn only_reset(client: &Client) -> Option<ResetReason> {
    assert!(client.resets.len() <= 1, "{:?}", client.resets);
    client.resets.first().map(|(_, reason)| *reason)
}

/// T7: floor − 1, floor, floor + 1, head − 1, head, head + 1.
#[tokio::test(start_paused = true)]
async fn every_boundary_resumes_exactly_or_is_reset() {
    let bench = Bench::new(1, quick());
    for _ in 0..30 {
        bench.log.append(1, 1);
    }
    let places = [3, 4, 5, 29, 30].map(|seq| (seq, bench.log.position(1, seq)));
    bench.log.prune(1, 4);
    for (seq, at) in places {
        let mut reader = bench.watch_cursor(1, &Cursor { epoch: 1, at }).await;
        reader.until(|client| client.caught_up.is_some()).await;
        let kept = &reader.client.accounts["account-1"];
        if seq == 3 {
            assert_eq!(only_reset(&reader.client), Some(ResetReason::Compacted));
            assert_eq!(kept.from, 30);
        } else {
            assert_eq!(only_reset(&reader.client), None, "{seq}");
            assert_eq!(kept.shown, bench.log.truth(1, seq), "{seq}");
        }
    }
    let at = Position { seq: 31, tag: 1 };
    let mut reader = bench.watch_cursor(1, &Cursor { epoch: 1, at }).await;
    reader.until(|client| client.caught_up.is_some()).await;
    assert_eq!(only_reset(&reader.client), Some(ResetReason::Ahead));
    bench.log.append(1, 1);
    reader.until_level(&bench.log, &[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_history_is_reset_by_its_tag_alone() {
    for (seq, ring) in [(5, 8), (25, 8), (25, 1_024), (30, 8)] {
        let config = LiveConfig { ring_events: ring, ..quick() };
        let bench = Bench::new(1, config);
        bench.log.append(1, 1);
        let mut live = bench.watch().await;
        for _ in 1..30 {
            bench.log.append(1, 1);
        }
        live.until_level(&bench.log, &[1]).await;
        let at = Position { seq, tag: 4_711 };
        let mut reader = bench.watch_cursor(1, &Cursor { epoch: 1, at }).await;
        reader.until(|client| !client.resets.is_empty()).await;
        assert_eq!(only_reset(&reader.client), Some(ResetReason::Diverged));
        assert!(reader.client.accounts["account-1"].shown.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_far_or_no_cursor_is_reset() {
    let bench = Bench::new(1, LiveConfig { catch_up_events: 5, ..quick() });
    bench.log.append(1, 7);
    let mut reader = bench.watch_from(1, 1).await;
    reader.until(|client| client.caught_up.is_some()).await;
    assert_eq!(only_reset(&reader.client), Some(ResetReason::TooFar));

    let named = channel_proto::query::v1::AccountCursor {
        account_id: FakeLog::id(1),
        cursor: vec![9, 9, 9].into(),
    };
    let mut reader = bench.try_watch("user", vec![named]).await.unwrap();
    reader.until(|client| client.caught_up.is_some()).await;
    assert_eq!(only_reset(&reader.client), Some(ResetReason::Schema));
    assert!(reader.client.hello.unwrap().accounts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_declared_new_history_resets_open_streams_and_old_cursors() {
    let bench = Bench::new(2, quick());
    bench.log.append(1, 1);
    let mut reader = bench.watch().await;
    reader.until(|client| client.caught_up.is_some()).await;
    let old = reader.client.clone();
    bench.log.bump_epoch();
    reader.until(|client| client.resets.len() == 2).await;
    assert!(reader.client.resets.iter().all(|(_, reason)| *reason == ResetReason::Epoch));
    bench.log.append(1, 2);
    reader.until_level(&bench.log, &[1, 2]).await;

    let mut back = bench.resume(old).await;
    back.until(|client| client.resets.len() == 2).await;
    assert!(back.client.resets.iter().all(|(_, reason)| *reason == ResetReason::Epoch));
    let mut again = bench.resume(reader.client).await;
    again.until(|client| client.caught_up.is_some()).await;
    assert_eq!(again.client.resets.len(), 2, "no new ones");
}

#[tokio::test(start_paused = true)]
async fn a_lost_tail_resets_open_streams_within_a_poll() {
    let bench = Bench::new(1, quick());
    let mut reader = bench.watch().await;
    bench.log.append(1, 3);
    bench.log.append(1, 3);
    reader.until_level(&bench.log, &[1]).await;
    bench.log.restore(1, 3);
    reader.until(|client| !client.resets.is_empty()).await;
    assert_eq!(only_reset(&reader.client), Some(ResetReason::Ahead));
    bench.log.append(1, 5);
    reader.until_level(&bench.log, &[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_tail_replaced_by_a_longer_one_is_found_by_the_chain() {
    let bench = Bench::new(1, quick());
    let mut reader = bench.watch().await;
    bench.log.append(1, 3);
    bench.log.append(1, 3);
    reader.until_level(&bench.log, &[1]).await;
    bench.log.restore(1, 3);
    bench.log.append(1, 5);
    reader.until(|client| !client.resets.is_empty()).await;
    assert_eq!(only_reset(&reader.client), Some(ResetReason::Diverged));
    assert_eq!(bench.live.0.meters.violations.value(), 1);
    bench.log.append(1, 1);
    reader.until_level(&bench.log, &[1]).await;
}

/// A stream that reads from the database can be ahead of the tailer, and see what is lost a moment later.
#[tokio::test(start_paused = true)]
async fn a_tail_lost_before_the_tailer_saw_it_is_noticed_by_the_next_bookmark() {
    let config = LiveConfig { page_events: 500, ..quick() };
    let bench = Bench::new(1, config);
    let mut watched = bench.watch().await;
    for _ in 0..20 {
        bench.log.append(1, 1);
        watched.until_level(&bench.log, &[1]).await;
    }
    bench.log.stall_tails(true);
    bench.log.append(1, 3);
    bench.log.append(1, 3);
    let mut ahead = bench.watch_from(1, 0).await;
    ahead.until_level(&bench.log, &[1]).await;
    bench.log.restore(1, 23);
    bench.log.stall_tails(false);
    ahead.until(|client| !client.resets.is_empty()).await;
    assert_eq!(only_reset(&ahead.client), Some(ResetReason::Ahead));
    assert_eq!(ahead.client.accounts["account-1"].from, 23);
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_history_that_was_given_up_are_not_served() {
    let bench = Bench::new(1, quick());
    for _ in 0..40 {
        bench.log.append(1, 1);
    }
    let mut first = bench.watch_from(1, 0).await;
    first.until_level(&bench.log, &[1]).await;
    bench.log.restore(1, 20);
    first.until(|client| !client.resets.is_empty()).await;
    for _ in 0..20 {
        bench.log.append(1, 1);
    }
    first.until_level(&bench.log, &[1]).await;
    let mut second = bench.watch_from(1, 17).await;
    second.until_level(&bench.log, &[1]).await;
    assert_eq!(only_reset(&second.client), None);
}

/// T6: a reader that passes over a row that is not there yet must be seen.
#[tokio::test(start_paused = true)]
async fn rows_that_appear_out_of_order_are_seen_counted_and_answered() {
    let bench = Bench::new(1, quick());
    let mut reader = bench.watch().await;
    bench.log.append(1, 1);
    reader.until_level(&bench.log, &[1]).await;
    bench.log.hide(Some((1, 2)));
    bench.log.append(1, 1);
    bench.log.append(1, 1);
    reader.until(|client| !client.resets.is_empty()).await;
    assert_eq!(only_reset(&reader.client), Some(ResetReason::Diverged));
    assert_eq!(bench.live.0.meters.violations.value(), 1);
    bench.log.hide(None);
    bench.log.append(1, 2);
    reader.until_level(&bench.log, &[1]).await;
}

#[tokio::test(start_paused = true)]
async fn rows_pruned_before_they_were_read_are_a_reset_and_no_violation() {
    for (floor, silent) in [(5, true), (5, false), (9, true), (9, false)] {
        let bench = Bench::new(1, quick());
        let mut reader = bench.watch().await;
        reader.until(|client| client.caught_up.is_some()).await;
        bench.log.lose_wakeups(silent);
        bench.log.append(1, 9);
        bench.log.prune(1, floor);
        reader.until(|client| !client.resets.is_empty()).await;
        assert_eq!(only_reset(&reader.client), Some(ResetReason::Compacted));
        assert_eq!(bench.live.0.meters.violations.value(), 0);
    }
}
