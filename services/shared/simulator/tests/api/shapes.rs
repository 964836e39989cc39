//! Every answer has the shape of its fixture.

use base64::Engine as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, quiet};
use crate::shape::{Shape, assert_like, fixture};

/// What the reference documents beside the fixtures.
const MESSAGE_ALSO: [&str; 2] = [".quoted.text: null", ".items[].quoted.text: null"];
const PERSON_ALSO: [&str; 5] = [
    ".cursor: string",
    ".items[].specifics.lid?",
    ".items[].specifics.phone_number?",
    ".specifics.lid?",
    ".specifics.phone_number?",
];

fn items(name: &str) -> Vec<Value> {
    fixture(name)["items"].as_array().unwrap().clone()
}

/// Messages of all kinds that the world has, in one page after another.
async fn messages(rig: &Rig) -> Vec<Value> {
    let mut all = Vec::new();
    let mut path = "/messages?limit=250".to_owned();
    loop {
        let page = rig.read(&path).await;
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["cursor"].as_str() else { return all };
        path = format!("/messages?limit=250&cursor={}", cursor.replace('=', "%3D"));
    }
}

#[tokio::test]
async fn messages_of_every_kind_have_the_keys_and_types_of_the_fixtures() {
    // The whole crowd talks before anybody looks.
    let mut config = quiet();
    (config.total, config.history) = (Some(3_000), 3_000);
    config.delivery.paced = false;
    let rig = Rig::with(config).await;
    let (theirs, mut kinds) = (items("messages_list"), std::collections::BTreeSet::new());
    let shape = Shape::of(&theirs);
    let told = channel_simulator::Condition { settled: true, ..Default::default() };
    rig.until(told).await;
    for message in messages(&rig).await {
        shape.fits(&message, &MESSAGE_ALSO);
        assert_eq!(message["object"], "Message");
        let files = message["attachments"].as_array().unwrap();
        kinds.extend(files.iter().map(|file| file["type"].as_str().unwrap().to_owned()));
        kinds.extend(message["deleted"].as_i64().filter(|n| *n == 1).map(|_| "deleted".to_owned()));
        kinds.extend(message.get("event_type").map(|_| "notice".to_owned()));
    }
    let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
    assert_eq!(kinds, ["audio", "deleted", "file", "img", "notice", "video"]);
}

#[tokio::test]
async fn lists_and_single_objects_have_the_shapes_of_the_fixtures() {
    let rig = Rig::start().await;
    let (account, chat) = (rig.account().await, rig.chat().await);
    let group = rig.chats(1).await[0]["id"].as_str().unwrap().to_owned();
    assert_like(&rig.read("/accounts").await, "accounts_list");
    assert_like(&rig.read(&format!("/accounts/{account}")).await, "account_get_whatsapp");

    let chats = Shape::of([&fixture("chats_list"), &fixture("chats_list_last_page")]);
    chats.fits(&rig.read("/chats").await, &[]);
    chats.fits(&rig.read("/chats?limit=2").await, &[]);
    let last = items("messages_list").into_iter().map(|mut message| {
        message.as_object_mut().unwrap().remove("object");
        let mut chat = fixture("chat_get");
        chat["lastMessage"] = message;
        chat
    });
    let with_last: Vec<Value> = last.chain([with_public(fixture("chat_get"))]).collect();
    Shape::of(&with_last).fits(&rig.read(&format!("/chats/{chat}")).await, &MESSAGE_ALSO);
    let mut in_group = rig.read(&format!("/chats/{group}")).await;
    assert!(in_group["lastMessage"]["object"].is_null());
    in_group["lastMessage"] = Value::Null;
    Shape::of([&fixture("chat_get_group")]).fits(&in_group, &[".muted_until: null"]);

    let page = rig.read(&format!("/chats/{chat}/messages?limit=5")).await;
    Shape::of([&fixture("messages_list"), &fixture("messages_list_last_page")])
        .fits(&page, &MESSAGE_ALSO);
    let message = page["items"][0]["id"].as_str().unwrap();
    let one = rig.read(&format!("/messages/{message}")).await;
    Shape::of(&items("messages_list")).fits(&one, &MESSAGE_ALSO);
    assert_eq!(one, page["items"][0]);

    let people = Shape::of([&fixture("chat_attendees_list")]);
    people.fits(&rig.read("/chat_attendees?limit=250").await, &PERSON_ALSO);
    let attendees = rig.read(&format!("/chats/{chat}/attendees")).await;
    people.fits(&attendees, &PERSON_ALSO);
    let person = attendees["items"][1]["id"].as_str().unwrap();
    Shape::of(&items("chat_attendees_list"))
        .fits(&rig.read(&format!("/chat_attendees/{person}")).await, &PERSON_ALSO);
    let found = rig.read(&format!("/users/15550100002?account_id={account}")).await;
    assert_like(&found, "user_profile_whatsapp");
}

/// The same chat with the key that the list shows with another chat.
fn with_public(mut chat: Value) -> Value {
    chat["attendee_public_identifier"] = json!("15550100002@s.whatsapp.net");
    chat
}

#[tokio::test]
async fn what_is_done_is_answered_in_the_shapes_of_the_fixtures() {
    let rig = Rig::start().await;
    let (account, chat) = (rig.account().await, rig.chat().await);
    let (status, sent) = rig.text(&chat, "Hello").await;
    assert_eq!(status, 201);
    assert_like(&sent, "message_sent");
    let message = format!("/messages/{}", sent["message_id"].as_str().unwrap());
    let fields = [
        ("account_id", &*account),
        ("attendees_ids", "15550777001@s.whatsapp.net"),
        ("text", "Hi"),
    ];
    let (status, started) = rig.answer(rig.form("/chats", &fields)).await;
    assert_eq!(status, 201);
    assert_like(&started, "chat_started");

    let patch = |name| (Method::PATCH, format!("/chats/{chat}"), fixture(name), "chat_patched");
    let calls = [
        patch("chat_patch_request_read"),
        patch("chat_patch_request_archive"),
        (
            Method::POST,
            format!("{message}/reaction"),
            json!({ "reaction": "👍" }),
            "message_reaction_added",
        ),
        (
            Method::POST,
            format!("{message}/forward"),
            json!({ "chat_id": chat }),
            "message_forwarded",
        ),
        (Method::DELETE, message.clone(), Value::Null, "message_deleted"),
        (
            Method::POST,
            "/hosted/accounts/link".into(),
            fixture("hosted_link_request_create"),
            "hosted_link",
        ),
        (Method::POST, format!("/accounts/{account}/restart"), Value::Null, "account_restarted"),
    ];
    for (method, path, body, name) in calls {
        let mut body = body;
        if name == "hosted_link" {
            body["expiresOn"] = json!("2036-01-01T00:00:00.000Z");
        }
        let (status, answer) = rig.send(method, &path, &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        assert_like(&answer, name);
    }
    for name in ["sync_started", "sync_running", "sync_done", "sync_started"] {
        let answer = rig.read(&format!("/chats/{chat}/sync")).await;
        let name = format!("chat_history_sync_{name}");
        assert_like(&answer, &name);
        assert_eq!(answer["status"], fixture(&name)["status"]);
    }
}

#[tokio::test]
async fn times_have_three_decimals_and_cursors_are_base64() {
    let rig = Rig::start().await;
    let page = rig.read("/messages?limit=1").await;
    let time = page["items"][0]["timestamp"].as_str().unwrap();
    assert_eq!((time.len(), &time[19..]), (24, ".000Z"));
    let cursor = page["cursor"].as_str().unwrap();
    base64::engine::general_purpose::STANDARD.decode(cursor).unwrap();
}
