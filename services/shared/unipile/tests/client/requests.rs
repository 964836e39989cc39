//! What each call sends: method, path, query, headers, JSON body.

use crate::support::{ACCOUNT, Canned, KEY, NOW, Server, fixture_value};
use channel_domain::fact::Attachment;
use channel_domain::{AccountId, ChatId, Micros, UpstreamMessageId};
use channel_unipile::upstream::{
    Accounts, Attendees, ChatAction, ChatQuery, ChatReference, Chats, ConnectOptions, Cursor,
    HistoryLimit, HostedLink, HostedPurpose, MessageQuery, Messages, Paging, Proxy, SyncLimit,
    Upstream, WebhookHeader, WebhookSettings, WebhookSource, Webhooks,
};
use channel_unipile::v1::client::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

fn account() -> AccountId {
    ACCOUNT.into()
}

/// One call to a server that answers an object of every shape; the request line and the JSON body.
async fn sent<T>(call: impl AsyncFnOnce(Client) -> T) -> (String, Value) {
    let anything = json!({"object": "Any", "items": [], "id": ACCOUNT, "chat_id": "c", "url": "u"});
    let server = Server::answering([Canned::json(&anything)]).await;
    call(server.client()).await;
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "{:?}", server.lines());
    assert_eq!(seen[0].headers["x-api-key"], KEY);
    let body = serde_json::from_slice(&seen[0].body).unwrap_or_default();
    let kind = seen[0].headers.get("content-type");
    assert_eq!(kind.is_some_and(|kind| kind == "application/json"), body != Value::Null);
    (seen[0].line.clone(), body)
}

async fn line<T>(call: impl AsyncFnOnce(Client) -> T) -> String {
    let (line, body) = sent(call).await;
    assert_eq!(body, Value::Null, "{line}");
    line
}

fn messages_query() -> MessageQuery {
    MessageQuery {
        before: Some(Micros(NOW + 1)),
        after: Some(Micros(NOW + 120_000)),
        sender: Some("1@lid".into()),
        paging: Paging { cursor: Cursor::new("a+/=="), limit: 9999 },
    }
}

#[tokio::test]
async fn accounts() {
    let a = &account();
    let page = &Paging::default();
    assert_eq!(line(async |c| c.accounts(page).await).await, "GET /api/v1/accounts?limit=100");
    let id = "/api/v1/accounts/O6Q7c7nsO6FopN47cqoX3w";
    assert_eq!(line(async |c| c.account(a).await).await, format!("GET {id}"));
    assert_eq!(line(async |c| c.restart(a).await).await, format!("POST {id}/restart"));
    assert_eq!(line(async |c| c.delete_account(a).await).await, format!("DELETE {id}"));
    assert_eq!(line(async |c| c.sync_account(a).await).await, format!("GET {id}/sync"));
}

#[tokio::test]
async fn connecting_a_number() {
    let plain = ConnectOptions::default();
    let (line, body) = sent(async |c| c.connect(&plain).await).await;
    assert_eq!(line, "POST /api/v1/accounts");
    assert_eq!(body, fixture_value("account_connect_request_qrcode"));
    let pairing =
        ConnectOptions { pairing_phone: Some("15550100001".into()), ..ConnectOptions::default() };
    let (line, body) = sent(async |c| c.reconnect(&account(), &pairing).await).await;
    assert_eq!(line, format!("POST /api/v1/accounts/{ACCOUNT}"));
    assert_eq!(body, fixture_value("account_connect_request_pairing_code"));
    let proxy = Proxy {
        protocol: Some("socks5".into()),
        host: "proxy.example.test".into(),
        port: 1080,
        login: Some(("user".into(), SecretString::from("pass"))),
    };
    let all = ConnectOptions {
        country: Some("DE".into()),
        ip: Some([192, 0, 2, 1].into()),
        proxy: Some(proxy),
        ..ConnectOptions::default()
    };
    assert!(!format!("{all:?}").contains("\"pass\""));
    let (_, body) = sent(async |c| c.connect(&all).await).await;
    let proxy = json!({"protocol": "socks5", "host": "proxy.example.test", "port": 1080,
        "username": "user", "password": "pass"});
    let all = json!({"provider": "WHATSAPP", "country": "DE", "ip": "192.0.2.1", "proxy": proxy});
    assert_eq!(body, all);
}

fn hosted(purpose: HostedPurpose) -> HostedLink {
    HostedLink {
        purpose,
        expires_at: Micros(NOW + 588_000_000),
        name: Some("tenant-42".into()),
        notify_url: Some("https://hooks.example.test/unipile/hosted?token=FIXTURE".into()),
        success_url: None,
        failure_url: None,
        bypass_success_screen: false,
        sync_limit: None,
        disabled_options: Vec::new(),
    }
}

/// The address is the server's own, which has another port each time.
fn with_api_url(mut expected: Value, body: &Value) -> Value {
    assert!(body["api_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    expected["api_url"] = body["api_url"].clone();
    expected
}

#[tokio::test]
async fn a_hosted_link() {
    let mut create = hosted(HostedPurpose::Create);
    create.success_url = Some("https://app.example.test/connected".into());
    create.failure_url = Some("https://app.example.test/failed".into());
    let (line, body) = sent(async |c| c.hosted_link(&create).await).await;
    assert_eq!(line, "POST /api/v1/hosted/accounts/link");
    assert_eq!(body, with_api_url(fixture_value("hosted_link_request_create"), &body));
    let mut again = hosted(HostedPurpose::Reconnect(account()));
    let (_, body) = sent(async |c| c.hosted_link(&again).await).await;
    assert_eq!(body, with_api_url(fixture_value("hosted_link_request_reconnect"), &body));
    again.bypass_success_screen = true;
    again.disabled_options = vec!["proxy".into()];
    let since = Some(HistoryLimit::Since(Micros(NOW)));
    again.sync_limit = Some(SyncLimit { chats: since, messages: Some(HistoryLimit::Count(0)) });
    let (_, body) = sent(async |c| c.hosted_link(&again).await).await;
    assert_eq!(body["bypass_success_screen"], true);
    assert_eq!(body["disabled_options"], json!(["proxy"]));
    let limit = json!({"MESSAGING": {"chats": "2026-02-01T10:05:12.000Z", "messages": 0}});
    assert_eq!(body["sync_limit"], limit);
}

#[tokio::test]
async fn chats() {
    let (a, chat) = (&account(), &ChatId::from("c/1"));
    let all = ChatQuery { unread: Some(true), ..ChatQuery::default() };
    assert_eq!(
        line(async |c| c.chats(a, &all).await).await,
        format!(
            "GET /api/v1/chats?account_id={ACCOUNT}&account_type=WHATSAPP&unread=true&limit=100"
        )
    );
    let id = ChatReference::Id(chat.clone());
    assert_eq!(
        line(async |c| c.chat(a, &id).await).await,
        format!("GET /api/v1/chats/c%2F1?account_id={ACCOUNT}")
    );
    let jid = ChatReference::Provider("1:2@s.whatsapp.net".into());
    assert_eq!(
        line(async |c| c.chat(a, &jid).await).await,
        format!("GET /api/v1/chats/1%3A2%40s.whatsapp.net?account_id={ACCOUNT}")
    );
    assert_eq!(line(async |c| c.sync_chat(a, chat).await).await, "GET /api/v1/chats/c%2F1/sync");
    assert_eq!(
        line(async |c| c.chat_attendees(a, chat).await).await,
        "GET /api/v1/chats/c%2F1/attendees"
    );
    let query = messages_query();
    assert_eq!(
        line(async |c| c.chat_messages(a, chat, &query).await).await,
        format!("GET /api/v1/chats/c%2F1/messages?sender_id=1%40lid&{TIMES}&limit=250{CURSOR}")
    );
}

const TIMES: &str = "before=2026-02-01T10%3A05%3A12.001Z&after=2026-02-01T10%3A05%3A12.120Z";
const CURSOR: &str = "&cursor=a%2B%2F%3D%3D";

#[tokio::test]
async fn changing_a_chat() {
    let cases = [
        (ChatAction::Read(true), fixture_value("chat_patch_request_read")),
        (ChatAction::Archive(true), fixture_value("chat_patch_request_archive")),
        (
            ChatAction::AddParticipant("15550100003@s.whatsapp.net".into()),
            fixture_value("chat_patch_request_add_participant"),
        ),
        (ChatAction::Mute(false), json!({"action": "setMuteStatus", "value": false})),
        (ChatAction::Pin(true), json!({"action": "setPinnedStatus", "value": true})),
        (ChatAction::Label("x".into()), json!({"action": "setLabel", "value": "x"})),
    ];
    for (action, expected) in cases {
        let change = async |c: Client| c.change_chat(&account(), &"c1".into(), &action).await;
        let (line, body) = sent(change).await;
        assert_eq!((line.as_str(), body), ("PATCH /api/v1/chats/c1", expected));
    }
}

#[tokio::test]
async fn messages() {
    let (a, m) = (&account(), &UpstreamMessageId::from("m1"));
    let query = messages_query();
    assert_eq!(
        line(async |c| c.messages(a, &query).await).await,
        format!(
            "GET /api/v1/messages?account_id={ACCOUNT}&sender_id=1%40lid&{TIMES}&limit=250{CURSOR}"
        )
    );
    assert_eq!(line(async |c| c.message(a, m).await).await, "GET /api/v1/messages/m1");
    assert_eq!(line(async |c| c.delete(a, m).await).await, "DELETE /api/v1/messages/m1");
    let edit = sent(async |c| c.edit(a, m, "new").await).await;
    assert_eq!(edit, ("PATCH /api/v1/messages/m1".into(), json!({"text": "new"})));
    let react = sent(async |c| c.react(a, m, "👍").await).await;
    assert_eq!(react, ("POST /api/v1/messages/m1/reaction".into(), json!({"reaction": "👍"})));
    let forward = sent(async |c| c.forward(a, m, &"c2".into()).await).await;
    assert_eq!(forward, ("POST /api/v1/messages/m1/forward".into(), json!({"chat_id": "c2"})));
    let file = Attachment { id: "Zm9v+/==".into(), ..Attachment::default() };
    assert_eq!(
        line(async |c| c.attachment(a, m, &file).await).await,
        "GET /api/v1/messages/m1/attachments/Zm9v%2B%2F%3D%3D"
    );
}

#[tokio::test]
async fn people() {
    let (a, person) = (&account(), &"p1".into());
    assert_eq!(
        line(async |c| c.attendees(a, &Paging::default()).await).await,
        format!("GET /api/v1/chat_attendees?account_id={ACCOUNT}&limit=100")
    );
    assert_eq!(line(async |c| c.attendee(a, person).await).await, "GET /api/v1/chat_attendees/p1");
    assert_eq!(
        line(async |c| c.picture(a, "p1").await).await,
        "GET /api/v1/chat_attendees/p1/picture"
    );
    assert_eq!(
        line(async |c| c.attendee_chats(a, person, &ChatQuery::default()).await).await,
        format!("GET /api/v1/chat_attendees/p1/chats?account_id={ACCOUNT}&limit=100")
    );
    let query = messages_query();
    assert_eq!(
        line(async |c| c.attendee_messages(a, person, &query).await).await,
        format!(
            "GET /api/v1/chat_attendees/p1/messages?account_id={ACCOUNT}&{TIMES}&limit=250{CURSOR}"
        )
    );
    assert_eq!(
        line(async |c| c.profile(a, "15550100002").await).await,
        format!("GET /api/v1/users/15550100002?account_id={ACCOUNT}")
    );
}

#[tokio::test]
async fn webhooks() {
    assert_eq!(
        line(async |c| c.webhooks(&Paging::default()).await).await,
        "GET /api/v1/webhooks?limit=100"
    );
    assert_eq!(
        line(async |c| c.delete_webhook("w/1").await).await,
        "DELETE /api/v1/webhooks/w%2F1"
    );
    let secret = WebhookHeader { name: "Unipile-Auth".into(), value: "FIXTURE-SECRET".into() };
    let mut settings = WebhookSettings {
        source: WebhookSource::Messaging,
        url: "https://hooks.example.test/unipile/messages".into(),
        name: Some("fixture messaging".into()),
        accounts: vec![account()],
        headers: vec![secret],
    };
    assert!(!format!("{settings:?}").contains("FIXTURE-SECRET"));
    let (line, body) = sent(async |c| c.create_webhook(&settings).await).await;
    assert_eq!(line, "POST /api/v1/webhooks");
    assert_eq!(body, fixture_value("webhook_create_request_messaging"));
    settings.source = WebhookSource::AccountStatus;
    settings.url = "https://hooks.example.test/unipile/status".into();
    settings.name = Some("fixture status".into());
    settings.accounts = Vec::new();
    let (_, body) = sent(async |c| c.create_webhook(&settings).await).await;
    let mut expected = fixture_value("webhook_create_request_account_status");
    expected["enabled"] = json!(true);
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_id_that_would_lead_elsewhere_is_not_sent() {
    let server = Server::answering([Canned::json(&json!({}))]).await;
    for id in ["", ".", ".."] {
        let error = server.client().message(&account(), &id.into()).await.unwrap_err();
        assert_eq!(error.reason(), "invalid");
    }
    assert_eq!(server.lines(), Vec::<String>::new());
}

/// Object safe: the product holds it so.
#[tokio::test]
async fn the_client_stands_behind_the_trait() {
    let server = Server::answering([Canned::fixture(200, "message_get")]).await;
    let upstream: Box<dyn Upstream> = Box::new(server.client());
    let message = upstream.message(&account(), &"GMcmPR6BRwKYDgkreOMLkA".into()).await.unwrap();
    assert_eq!(message.received.text.as_deref(), Some("Hello from the fixture"));
}
