//! T22: who may see what, while streams are open.

use crate::live::config::LiveConfig;
use crate::live::testing::{Bench, FakeLog, Reader};
use channel_proto::query::v1::{AccountCursor, ResetReason, WatchRequest};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn named(key: i64) -> AccountCursor {
    AccountCursor { account_id: FakeLog::id(key), ..AccountCursor::default() }
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_account_leaves_open_streams_soon_and_nothing_more_of_it_is_sent() {
    let bench = Bench::new(2, LiveConfig::default());
    let mut all = bench.watch().await;
    let mut some = bench.try_watch("other", vec![named(1), named(2)]).await.unwrap();
    for reader in [&mut all, &mut some] {
        reader.until(|client| client.caught_up.is_some()).await;
    }
    bench.log.revoke(1);
    let since = Instant::now();
    for reader in [&mut all, &mut some] {
        reader.until(|client| !client.resets.is_empty()).await;
        assert_eq!(reader.client.resets, [(FakeLog::id(1), ResetReason::Access)]);
        assert!(!reader.client.accounts.contains_key("account-1"));
    }
    assert!(since.elapsed() <= Duration::from_secs(6), "{:?}", since.elapsed());
    bench.log.append(1, 1);
    bench.log.append(2, 1);
    for reader in [&mut all, &mut some] {
        // The client refuses frames of accounts that it does not have.
        reader.until_level(&bench.log, &[2]).await;
        reader.until(|client| client.bookmarks == 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_granted_account_joins_the_streams_of_all_accounts_only() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut all = bench.watch().await;
    let mut some = bench.try_watch("other", vec![named(1)]).await.unwrap();
    all.until(|client| client.caught_up.is_some()).await;
    bench.log.append(2, 4);
    bench.log.grant(2);
    all.until(|client| !client.resets.is_empty()).await;
    assert_eq!(all.client.resets, [(FakeLog::id(2), ResetReason::Access)]);
    assert_eq!(all.client.accounts["account-2"].from, 4);
    bench.log.append(2, 2);
    all.until_level(&bench.log, &[2]).await;
    some.until(|client| client.bookmarks == 2).await;
    assert!(some.client.resets.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_all_accounts_resumes_those_it_names_and_takes_the_others_from_now() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut first = bench.watch().await;
    first.until(|client| client.caught_up.is_some()).await;
    let mut client = first.client.clone();
    drop(first);
    bench.log.append(1, 3);
    bench.log.append(2, 4);
    bench.log.grant(2);
    client.reconnect();
    let accounts = client.cursors();
    let request = WatchRequest { accounts, all_accounts: true, ..WatchRequest::default() };
    let stream = bench.live.watch(Bench::identity("user"), request).await.unwrap();
    let mut again = Reader::new(stream);
    again.client = client;
    again.until(|client| client.accounts.contains_key("account-2")).await;
    bench.log.append(2, 1);
    again.until_level(&bench.log, &[1, 2]).await;
    assert_eq!(again.client.accounts["account-2"].from, 4);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_comes_back_joins_again() {
    let bench = Bench::new(1, LiveConfig::default());
    let mut all = bench.watch().await;
    bench.log.revoke(1);
    all.until(|client| client.resets.len() == 1).await;
    bench.log.append(1, 1);
    bench.log.grant(1);
    all.until(|client| client.resets.len() == 2).await;
    bench.log.append(1, 1);
    all.until_level(&bench.log, &[1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_foreign_account_is_a_reset_without_a_cursor() {
    let bench = Bench::new(2, LiveConfig::default());
    let mut identity = Bench::identity("user");
    identity.accounts = Some(Arc::new(BTreeSet::from([FakeLog::id(1)])));
    let accounts = vec![named(1), named(2), named(77)];
    let request = WatchRequest { accounts, ..WatchRequest::default() };
    let stream = bench.live.watch(identity.clone(), request).await.unwrap();
    let mut reader = Reader::new(stream);
    reader.until(|client| client.caught_up.is_some()).await;
    let refused = [2, 77].map(|key| (FakeLog::id(key), ResetReason::Access));
    assert_eq!(reader.client.resets, refused);
    assert_eq!(reader.client.hello.unwrap().accounts.len(), 1);

    let stream = bench.live.watch(identity, WatchRequest::default()).await.unwrap();
    let mut reader = Reader::new(stream);
    reader.until(|client| client.caught_up.is_some()).await;
    assert_eq!(reader.client.accounts.keys().collect::<Vec<_>>(), ["account-1"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_named_just_after_it_was_granted_is_known() {
    let bench = Bench::new(1, LiveConfig::default());
    let _first = bench.watch().await;
    bench.log.grant(2);
    let mut reader = bench.try_watch("other", vec![named(2)]).await.unwrap();
    reader.until(|client| client.caught_up.is_some()).await;
    assert!(reader.client.resets.is_empty());
}
