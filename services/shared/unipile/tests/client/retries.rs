//! What is tried again, and what is not.

use crate::support::{ACCOUNT, Canned, Server, client, options};
use channel_domain::{AccountId, UpstreamMessageId};
use channel_unipile::upstream::{Accounts, Attendees, Chats, Class, Kind, Messages, UpstreamError};
use channel_unipile::v1::client::ClientOptions;

fn account() -> AccountId {
    ACCOUNT.into()
}

fn message() -> UpstreamMessageId {
    "GMcmPR6BRwKYDgkreOMLkA".into()
}

fn good() -> Canned {
    Canned::fixture(200, "message_get")
}

#[tokio::test]
async fn a_read_is_tried_three_times_after_what_may_pass() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let bad = Canned::new(status, "");
        let server = Server::answering([bad.clone(), bad.clone(), good()]).await;
        server.client().message(&account(), &message()).await.unwrap();
        assert_eq!(server.lines().len(), 3, "{status}");
        let server = Server::answering([bad.clone(), bad.clone(), bad.clone(), good()]).await;
        server.client().message(&account(), &message()).await.unwrap_err();
        assert_eq!(server.lines().len(), 3, "{status}");
    }
    let cut = Canned::new(200, "{\"object\":\"Mess");
    let server = Server::answering([cut, good()]).await;
    server.client().message(&account(), &message()).await.unwrap();
}

#[tokio::test]
async fn a_read_is_not_tried_again_after_what_stays() {
    for status in [301, 400, 401, 403, 404, 409, 415, 422, 501] {
        let server = Server::answering([Canned::new(status, ""), good()]).await;
        server.client().message(&account(), &message()).await.unwrap_err();
        assert_eq!(server.lines().len(), 1, "{status}");
    }
    let odd = Canned::new(200, "{\"object\":\"Message\"}");
    let server = Server::answering([odd, good()]).await;
    server.client().message(&account(), &message()).await.unwrap_err();
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_and_a_long_one_is_told() {
    let wait = |seconds: &str| Canned::new(429, "").with("retry-after", seconds);
    let server = Server::answering([wait("0"), good()]).await;
    server.client().message(&account(), &message()).await.unwrap();
    let server = Server::answering([wait("11"), good()]).await;
    let error = server.client().message(&account(), &message()).await.unwrap_err();
    let retry_after = Some(std::time::Duration::from_secs(11));
    assert_eq!(error.class(), Class::Certain(Kind::RateLimited { retry_after }));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn what_starts_something_or_is_counted_by_whatsapp_is_tried_once() {
    let bad = Canned::new(503, "");
    let server = Server::answering([bad]).await;
    let (client, a) = (server.client(), &account());
    client.sync_account(a).await.unwrap_err();
    client.sync_chat(a, &"c".into()).await.unwrap_err();
    client.profile(a, "15550100002").await.unwrap_err();
    client.restart(a).await.unwrap_err();
    client.delete(a, &message()).await.unwrap_err();
    client.edit(a, &message(), "x").await.unwrap_err();
    client.forward(a, &message(), &"c".into()).await.unwrap_err();
    client.react(a, &message(), "x").await.unwrap_err();
    assert_eq!(server.lines().len(), 8);
}

#[tokio::test]
async fn a_number_without_whatsapp_is_an_answer() {
    let server = Server::answering([Canned::fixture(404, "error_404_resource_not_found")]).await;
    assert_eq!(server.client().profile(&account(), "1").await.unwrap(), None);
    // Not one of UniPile's own: the route may be missing.
    let server = Server::answering([Canned::new(404, "not here")]).await;
    server.client().profile(&account(), "1").await.unwrap_err();
}

#[tokio::test]
async fn the_other_path_of_reactions_is_tried_once_and_remembered() {
    let none = Canned::new(404, "Cannot POST");
    let done = Canned::fixture(200, "message_reaction_added");
    let server = Server::answering([none, done]).await;
    let client = server.client();
    for _ in 0..2 {
        assert!(client.react(&account(), &"m".into(), "👍").await.unwrap());
    }
    let expected = ["reaction", "reactions", "reactions"];
    let expected = expected.map(|end| format!("POST /api/v1/messages/m/{end}"));
    assert_eq!(server.lines(), expected);
}

#[tokio::test]
async fn a_reaction_to_what_does_not_exist_or_cannot_be_is_not_tried_elsewhere() {
    for (status, name) in [
        (404, "error_404_resource_not_found"),
        (500, "error_500_provider_error"),
        (422, "error_422_invalid_recipient"),
    ] {
        let server = Server::answering([Canned::fixture(status, name)]).await;
        let error = server.client().react(&account(), &"m".into(), "x").await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(server.lines().len(), 1, "{name}");
    }
    let server = Server::answering([Canned::new(404, "")]).await;
    let client = server.client();
    for _ in 0..2 {
        client.react(&account(), &"m".into(), "x").await.unwrap_err();
    }
    // Neither path exists: nothing is remembered.
    let ends = server.lines().iter().filter(|line| line.ends_with("/reaction")).count();
    assert_eq!((server.lines().len(), ends), (4, 2));
    let body = serde_json::json!({"object": "MessageReactionAdded", "success": false});
    let server = Server::answering([Canned::json(&body)]).await;
    assert!(!server.client().react(&account(), &"m".into(), "x").await.unwrap());
}

#[tokio::test]
async fn an_unreachable_host_costs_a_read_all_its_attempts() {
    let unreachable = client("http://127.0.0.1:1", ClientOptions { attempts: 2, ..options() });
    let error: UpstreamError = unreachable.account(&account()).await.unwrap_err();
    assert_eq!(error.reason(), "unreachable_connect");
}
