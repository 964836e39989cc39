//! The breaker as a caller meets it.

use crate::support::{Canned, Server, client, options, text};
use channel_domain::AccountId;
use channel_unipile::breaker::BreakerOptions;
use channel_unipile::upstream::{Accounts, Class, Failure, Kind, Messages, Paging};
use channel_unipile::v1::client::{Client, ClientOptions};

fn guarded(url: &str) -> Client {
    client(url, ClientOptions { attempts: 1, breaker: BreakerOptions::default(), ..options() })
}

async fn fails(client: &Client, account: &str) -> Failure {
    let account = AccountId::from(account);
    let error = client.message(&account, &"m".into()).await.unwrap_err();
    error.failure
}

#[tokio::test]
async fn an_account_in_trouble_is_left_alone_and_the_others_go_on() {
    let server = Server::answering([Canned::fixture(500, "error_500_provider_error")]).await;
    let client = guarded(&format!("http://{}", server.address));
    for _ in 0..5 {
        assert!(matches!(fails(&client, "a").await, Failure::Refused(_)));
    }
    assert!(matches!(fails(&client, "a").await, Failure::Paused { .. }));
    let error = client.send(&"a".into(), &text("hello")).await.unwrap_err();
    assert_eq!(error.class(), Class::Certain(Kind::Temporary));
    assert!(error.retry_after().is_some_and(|wait| wait.as_secs() <= 15));
    assert_eq!(server.lines().len(), 5);
    assert!(matches!(fails(&client, "b").await, Failure::Refused(_)));
    assert_eq!(server.lines().len(), 6);
}

#[tokio::test]
async fn refusals_pause_nothing() {
    for status in [400, 401, 403, 404, 422, 429, 501] {
        let server = Server::answering([Canned::new(status, "")]).await;
        let client = guarded(&format!("http://{}", server.address));
        for _ in 0..7 {
            assert!(matches!(fails(&client, "a").await, Failure::Refused(_)), "{status}");
        }
    }
}

#[tokio::test]
async fn a_host_that_is_away_pauses_all() {
    let client = guarded("http://127.0.0.1:1");
    for account in ["a", "b", "c", "d", "e"] {
        assert!(matches!(fails(&client, account).await, Failure::Unreachable { .. }));
    }
    assert!(matches!(fails(&client, "f").await, Failure::Paused { .. }));
    let error = client.accounts(&Paging::default()).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Paused { .. }));
}
