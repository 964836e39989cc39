//! Every fixture, and what it is read as.

use crate::support::{ACCOUNT, Canned, Server, fixture, fixture_value};
use channel_domain::AccountId;
use channel_domain::direction::{Direction, decide};
use channel_domain::fact::Fact;
use channel_unipile::upstream::{
    Accounts, Attendees, ChatAction, ChatQuery, ChatReference, Chats, ConnectOptions, HostedLink,
    HostedPurpose, MessageQuery, Messages, Paging, Step, WebhookSettings, WebhookSource, Webhooks,
};
use channel_unipile::v1::client::Client;
use channel_unipile::v1::hosted::notice;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::fmt::Debug;

fn account() -> AccountId {
    ACCOUNT.into()
}

async fn read<T>(name: &str, call: &impl AsyncFn(Client) -> T) -> T {
    let server = Server::answering([Canned::fixture(200, name)]).await;
    call(server.client()).await
}

async fn shown<T: Debug>(names: &[&str], call: impl AsyncFn(Client) -> T) {
    for name in names {
        let answer = read(name, &call).await;
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_debug_snapshot!(*name, answer);
        });
    }
}

#[tokio::test]
async fn accounts_are_read_as_their_snapshots_say() {
    let a = &account();
    shown(&["accounts_list"], async |c| c.accounts(&Paging::default()).await.unwrap()).await;
    shown(&["account_get_whatsapp"], async |c| c.account(a).await.unwrap()).await;
    let attempts = [
        "account_connect_qrcode_checkpoint",
        "account_created",
        "account_reconnected",
        "checkpoint_2fa",
    ];
    shown(&attempts, async |c| c.connect(&ConnectOptions::default()).await.unwrap()).await;
    let restarts = ["account_restarted", "account_restart_failed"];
    shown(&restarts, async |c| c.restart(a).await.unwrap()).await;
    shown(&["account_deleted"], async |c| c.delete_account(a).await.unwrap()).await;
    shown(&["account_resync"], async |c| c.sync_account(a).await.unwrap()).await;
    shown(&["hosted_link"], async |c| c.hosted_link(&link()).await.unwrap()).await;
}

fn link() -> HostedLink {
    HostedLink {
        purpose: HostedPurpose::Create,
        expires_at: channel_domain::Micros(0),
        name: None,
        notify_url: None,
        success_url: None,
        failure_url: None,
        bypass_success_screen: false,
        sync_limit: None,
        disabled_options: Vec::new(),
    }
}

#[tokio::test]
async fn chats_are_read_as_their_snapshots_say() {
    let (a, chat) = (&account(), &"CzaZiJUiMa69TS-tKHxXQg".into());
    let lists = ["chats_list", "chats_list_last_page"];
    shown(&lists, async |c| c.chats(a, &ChatQuery::default()).await.unwrap()).await;
    let one = ChatReference::Provider("x".into());
    shown(&["chat_get", "chat_get_group"], async |c| c.chat(a, &one).await.unwrap()).await;
    let patched = async |c: Client| c.change_chat(a, chat, &ChatAction::Read(true)).await.unwrap();
    shown(&["chat_patched"], patched).await;
    let states = [
        "chat_history_sync_sync_started",
        "chat_history_sync_sync_running",
        "chat_history_sync_sync_done",
        "chat_history_sync_sync_error",
        "chat_history_sync_chat_deleted",
    ];
    shown(&states, async |c| c.sync_chat(a, chat).await.unwrap()).await;
    shown(&["chat_attendees_list"], async |c| c.chat_attendees(a, chat).await.unwrap()).await;
}

#[tokio::test]
async fn messages_are_read_as_their_snapshots_say() {
    let (a, m) = (&account(), &"GMcmPR6BRwKYDgkreOMLkA".into());
    let lists = ["messages_list", "messages_list_last_page"];
    shown(&lists, async |c| c.messages(a, &MessageQuery::default()).await.unwrap()).await;
    shown(&["message_get"], async |c| c.message(a, m).await.unwrap()).await;
    shown(&["message_forwarded"], async |c| c.forward(a, m, &"c".into()).await.unwrap()).await;
    shown(&["message_deleted"], async |c| c.delete(a, m).await.unwrap()).await;
    shown(&["message_reaction_added"], async |c| c.react(a, m, "👍").await.unwrap()).await;
}

#[tokio::test]
async fn sends_are_read_as_their_snapshots_say() {
    let a = &account();
    let send = crate::support::text("hello");
    shown(&["message_sent"], async |c| c.send(a, &send).await.unwrap()).await;
    let start = channel_unipile::upstream::StartChat {
        people: vec!["15550100002@s.whatsapp.net".into()],
        subject: None,
        content: send.content.clone(),
    };
    shown(&["chat_started"], async |c| c.start_chat(a, &start).await.unwrap()).await;
}

#[tokio::test]
async fn people_and_webhooks_are_read_as_their_snapshots_say() {
    let a = &account();
    shown(&["chat_attendee_get"], async |c| c.attendee(a, &"p".into()).await.unwrap()).await;
    let profile = async |c: Client| c.profile(a, "15550100002").await.unwrap();
    shown(&["user_profile_whatsapp"], profile).await;
    shown(&["webhooks_list"], async |c| c.webhooks(&Paging::default()).await.unwrap()).await;
    shown(&["webhook_deleted"], async |c| c.delete_webhook("w").await.unwrap()).await;
    let settings = WebhookSettings {
        source: WebhookSource::Messaging,
        url: String::new(),
        name: None,
        accounts: Vec::new(),
        headers: Vec::new(),
    };
    shown(&["webhook_created"], async |c| c.create_webhook(&settings).await.unwrap()).await;
}

#[test]
fn the_reports_of_the_sign_in_page_are_read_as_their_snapshots_say() {
    for name in ["hosted_notify_creation_success", "hosted_notify_reconnected"] {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_debug_snapshot!(name, notice(fixture(name).as_bytes()));
        });
    }
    for body in ["", "{}", "[]", r#"{"status":"RECONNECTED"}"#, r#"{"account_id":5}"#] {
        assert_eq!(notice(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn no_fixture_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rest");
    let files = std::fs::read_dir(folder).unwrap();
    let read = include_str!("fixtures.rs").to_owned()
        + include_str!("requests.rs")
        + include_str!("refusals.rs");
    for file in files {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".json") else { continue };
        assert!(read.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[tokio::test]
async fn a_message_becomes_facts_that_the_projection_takes_as_it_takes_webhooks() {
    let a = &account();
    let list = async |c: Client| c.messages(a, &MessageQuery::default()).await.unwrap();
    let page = read("messages_list", &list).await;
    let people = async |c: Client| c.chat_attendees(a, &"c".into()).await.unwrap();
    let people = read("chat_attendees_list", &people).await;
    assert_eq!((page.items.len(), page.skipped), (11, 0));
    let facts: Vec<Value> =
        page.items.iter().map(|item| json!(item.facts(&people.items))).collect();
    let mut facts = Value::Array(facts);
    prune(&mut facts);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("messages_list_facts", facts);
    });
    let directions: Vec<_> = page.items.iter().map(|item| decide(&item.received)).collect();
    let own = directions.iter().filter(|direction| **direction == Direction::Out).count();
    assert_eq!(own, 3);
}

#[tokio::test]
async fn facts_tell_what_became_of_a_message_and_nothing_that_says_nothing() {
    let told = async |more: Value| {
        let mut body = json!({"id": "m1", "chat_id": "c1", "text": "now", "delivered": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let server = Server::answering([Canned::json(&body)]).await;
        let state = server.client().message(&account(), &"m1".into()).await.unwrap();
        let kinds: Vec<_> =
            state.facts(&[]).iter().map(|fact| json!(fact)["fact"].clone()).collect();
        kinds.into_iter().map(|kind| kind.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // One that came in was delivered, of course; that the user read it says something.
    assert_eq!(told(json!({"is_sender": 0})).await, ["received"]);
    assert_eq!(told(json!({"is_sender": 0, "seen": 1})).await, ["received", "receipt"]);
    assert_eq!(told(json!({"is_sender": "1"})).await, ["received", "receipt"]);
    assert_eq!(told(json!({"edited": 1})).await, ["received", "edited"]);
    assert_eq!(told(json!({"edited": 1, "deleted": true})).await, ["received", "deleted"]);
    let anonymous = json!({"reactions": [{"value": "x"}, {"sender_id": "1@lid"}, null]});
    assert_eq!(told(anonymous).await, ["received"]);
}

/// The same message told by a webhook.
#[tokio::test]
async fn rest_and_webhook_tell_the_same_of_a_message() {
    let a = &account();
    let get = async |c: Client| c.message(a, &"GMcmPR6BRwKYDgkreOMLkA".into()).await.unwrap();
    let rest = read("message_get", &get).await.received;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let body = std::fs::read(format!("{folder}/webhook_message_received_text.json")).unwrap();
    let parsed = channel_unipile::v1::webhook::parse(&body);
    let channel_unipile::v1::webhook::Parsed::Statement(statement) = parsed else { panic!() };
    let Fact::Received(pushed) = statement.fact else { panic!() };
    assert_eq!((rest.message, rest.chat.id), (pushed.message, pushed.chat.id));
    assert_eq!((rest.text, rest.sent_at), (pushed.text, pushed.sent_at));
    assert_eq!(rest.is_sender, pushed.is_sender);
    assert_eq!(rest.sender.unwrap().id, pushed.sender.unwrap().id);
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(prune);
            object.retain(|_, value| !value.is_null() && *value != json!([]));
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

#[tokio::test]
async fn secrets_of_an_attempt_to_connect_are_there_and_not_shown() {
    let connect = async |c: Client| c.connect(&ConnectOptions::default()).await.unwrap();
    let connecting = read("account_connect_qrcode_checkpoint", &connect).await;
    let Step::Qr(code) = &connecting.step else { panic!("{connecting:?}") };
    let written = fixture_value("account_connect_qrcode_checkpoint");
    assert_eq!(code.expose_secret(), written["checkpoint"]["qrcode"].as_str().unwrap());
    assert!(!format!("{connecting:?}").contains(code.expose_secret()));
}

#[tokio::test]
async fn other_forms_of_an_attempt_to_connect() {
    let pairing = ConnectOptions { pairing_phone: Some("1".into()), ..ConnectOptions::default() };
    let step = async |body: Value, options: &ConnectOptions| {
        let server = Server::answering([Canned::json(&body)]).await;
        server.client().connect(options).await.unwrap().step
    };
    let plain = ConnectOptions::default();
    let legacy = json!({"object": "QrCode", "account_id": "a", "qrcode": "2@x"});
    assert!(matches!(step(legacy, &plain).await, Step::Qr(code) if code.expose_secret() == "2@x"));
    let code = json!({"object": "Checkpoint", "account_id": "a",
        "checkpoint": {"type": "PAIRING", "whatever": "ABCD-1234"}});
    let step_with = step(code.clone(), &pairing).await;
    assert!(matches!(step_with, Step::PairingCode(code) if code.expose_secret() == "ABCD-1234"));
    assert!(matches!(step(code, &plain).await, Step::Other(kind) if kind == "PAIRING"));
}

#[tokio::test]
async fn a_spelling_of_a_constant_never_matters() {
    let body = json!({"object": "HostedAuthURL", "url": "https://account.unipile.com/x"});
    let server = Server::answering([Canned::json(&body)]).await;
    let url = server.client().hosted_link(&link()).await.unwrap();
    assert_eq!(url, "https://account.unipile.com/x");
}
