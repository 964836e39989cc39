//! What is sent is in the world, and the rest follows.

use channel_simulator::{Accepted, Receipt, Route, Span, Which};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

const LADDER: [&str; 3] = ["message_received", "message_delivered", "message_read"];

#[tokio::test]
async fn a_sent_message_is_listed_echoed_delivered_and_read() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let id = rig.sent(&chat, "Hello from here").await;
    let first = rig.read(&format!("/chats/{chat}/messages?limit=1")).await["items"][0].clone();
    assert_eq!((first["id"].as_str(), &first["text"]), (Some(&*id), &json!("Hello from here")));
    assert_eq!(first["is_sender"], 1);
    rig.settle().await;
    assert_eq!(rig.events(&id), LADDER);
    let echo = &rig.bodies(|hook| hook["event"] == "message_received")[0];
    assert_eq!((&echo["is_sender"], &echo["message"]), (&json!(true), &json!("Hello from here")));
    assert!(echo["provider_message_id"].as_str().unwrap().starts_with("3EB0"));
    let read = rig.read(&format!("/messages/{id}")).await;
    assert_eq!((&read["delivered"], &read["seen"]), (&json!(1), &json!(1)));
    assert_eq!(read["seen_by"].as_object().unwrap().len(), 1);
    let last = rig.read(&format!("/chats/{chat}")).await;
    assert_eq!(last["lastMessage"]["id"], *id);
}

#[tokio::test(start_paused = true)]
async fn receipts_come_when_people_are_set_to_have_read() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    rig.behave(|b| (b.delivered_ms, b.read_ms) = (Span(5_000, 5_000), Span(60_000, 60_000)));
    let began = tokio::time::Instant::now();
    let id = rig.running.remote.write_on_phone(&chat, "Take your time").unwrap();
    for (status, after) in [(Receipt::Delivered, 5), (Receipt::Read, 65)] {
        let message = Some(channel_simulator::MessageAt { id: id.clone(), status });
        let condition = channel_simulator::Condition { message, ..Default::default() };
        let limit = std::time::Duration::from_mins(5);
        rig.running.remote.until(&condition, limit).await;
        assert_eq!(began.elapsed().as_secs(), after);
    }
}

#[tokio::test]
async fn the_ledger_has_what_was_accepted() {
    let rig = Rig::start().await;
    let (account, chat) = (rig.account().await, rig.chat().await);
    let id = rig.sent(&chat, "For the books").await;
    let entries = rig.running.remote.accepted(&Which::default());
    let [entry] = &*entries else { panic!("{entries:?}") };
    let expected = Accepted {
        number: 1,
        route: Route::SendMessage,
        account_id: Some(account),
        chat_id: Some(chat),
        message_id: Some(id),
        text: Some("For the books".to_owned()),
        files: 0,
        at: entry.at,
        faults: Vec::new(),
    };
    assert_eq!(*entry, expected);
}

#[tokio::test]
async fn contacts_answer_what_was_written() {
    let rig = Rig::subscribed().await;
    rig.behave(|behaviour| behaviour.answers = 1.0);
    let chat = rig.chat().await;
    rig.sent(&chat, "Thank you so much!").await;
    rig.settle().await;
    let answers =
        rig.bodies(|hook| hook["event"] == "message_received" && hook["is_sender"] == false);
    assert_eq!(answers.len(), 1);
    let answer = answers[0]["message"].as_str().unwrap();
    let known = ["You're welcome!", "Any time 🙂", "Thank you!"];
    assert!(known.iter().any(|known| answer.starts_with(known)), "{answer}");
    assert_eq!(rig.read(&format!("/chats/{chat}")).await["unread_count"], 1);
}

#[tokio::test]
async fn people_write_by_hand_and_the_webhooks_tell() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let typed = rig.running.remote.write_on_phone(&chat, "From the phone").unwrap();
    let written = rig.running.remote.contact_writes(&chat, "From afar").unwrap();
    rig.settle().await;
    assert_eq!(rig.events(&typed), LADDER);
    assert_eq!(rig.events(&written), ["message_received"]);
    let own = &rig.bodies(|hook| hook["message_id"] == *typed)[0];
    assert_eq!(own["is_sender"], true);
    assert!(own["provider_message_id"].as_str().unwrap().starts_with("3A"));
}

#[tokio::test]
async fn a_person_has_one_chat_and_every_group_is_new() {
    let rig = Rig::start().await;
    let account = rig.account().await;
    let start = async |jids: &[&str]| {
        let mut fields = vec![("account_id", &*account), ("text", "Hi"), ("subject", "Trip")];
        fields.extend(jids.iter().map(|jid| ("attendees_ids", *jid)));
        let (status, body) = rig.answer(rig.form("/chats", &fields)).await;
        assert_eq!(status, 201, "{body}");
        body["chat_id"].as_str().unwrap().to_owned()
    };
    let (ann, bob) = ("15550777001@s.whatsapp.net", "15550777002@s.whatsapp.net");
    assert_eq!(start(&[ann]).await, start(&[ann]).await);
    assert_ne!(start(&[ann]).await, start(&[bob]).await);
    let group = start(&[ann, bob]).await;
    assert_ne!(group, start(&[ann, bob]).await);
    let group = rig.read(&format!("/chats/{group}")).await;
    assert_eq!((&group["type"], &group["subject"]), (&json!(1), &json!("Trip")));
    assert_eq!(group["lastMessage"]["text"], "Hi");
}

#[tokio::test]
async fn a_reply_quotes_and_a_forward_repeats() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let asked = rig.running.remote.contact_writes(&chat, "Are you there?").unwrap();
    let fields = [("text", "I am"), ("quote_id", &*asked)];
    let path = format!("/chats/{chat}/messages");
    let (_, reply) = rig.answer(rig.form(&path, &fields)).await;
    let reply = rig.read(&format!("/messages/{}", reply["message_id"].as_str().unwrap())).await;
    assert_eq!(reply["quoted"]["text"], "Are you there?");
    let to = rig.chats(0).await[3]["id"].as_str().unwrap().to_owned();
    let forward = format!("/messages/{asked}/forward");
    let (_, sent) = rig.send(Method::POST, &forward, &json!({ "chat_id": to })).await;
    rig.settle().await;
    let id = sent["message_id"].as_str().unwrap();
    let echo = &rig.bodies(|hook| hook["message_id"] == *id)[0];
    assert_eq!((&echo["message"], &echo["is_forwarded"]), (&json!("Are you there?"), &json!(true)));
    assert_eq!(echo["chat_id"], *to);
}

#[tokio::test]
async fn edits_reactions_and_deletions_show_and_are_told_of() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let id = rig.sent(&chat, "Helo").await;
    let path = format!("/messages/{id}");
    rig.settle().await;
    assert_eq!(rig.send(Method::PATCH, &path, &json!({ "text": "Hello" })).await.0, 200);
    let react = format!("{path}/reaction");
    for emoji in ["👍", "❤️"] {
        assert_eq!(rig.send(Method::POST, &react, &json!({ "reaction": emoji })).await.0, 200);
    }
    let shown = rig.read(&path).await;
    assert_eq!((&shown["text"], &shown["edited"]), (&json!("Hello"), &json!(1)));
    assert_eq!(shown["reactions"].as_array().unwrap().len(), 1);
    assert_eq!(shown["reactions"][0]["value"], "❤️");
    assert_eq!(shown["reactions"][0]["is_sender"], true);
    assert_eq!(rig.send(Method::DELETE, &path, &Value::Null).await.0, 200);
    let shown = rig.read(&path).await;
    assert_eq!((&shown["text"], &shown["deleted"]), (&Value::Null, &json!(1)));
    rig.settle().await;
    let told = ["message_edited", "message_reaction", "message_reaction", "message_deleted"];
    assert_eq!(rig.events(&id)[3..], told);
    assert_eq!(rig.send(Method::DELETE, &path, &Value::Null).await.0, 422);
}

#[tokio::test]
async fn reading_a_chat_shows_and_is_told_of() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let ids = ["One", "Two"].map(|text| rig.running.remote.contact_writes(&chat, text).unwrap());
    let path = format!("/chats/{chat}");
    assert_eq!(rig.read(&path).await["unread_count"], 2);
    let read = json!({ "action": "setReadStatus", "value": true });
    assert_eq!(rig.send(Method::PATCH, &path, &read).await.0, 200);
    assert_eq!(rig.read(&path).await["unread_count"], 0);
    rig.settle().await;
    for id in ids {
        assert_eq!(rig.events(&id), ["message_received", "message_read"]);
        assert_eq!(rig.read(&format!("/messages/{id}")).await["seen"], 1);
    }
}

#[tokio::test]
async fn a_chat_keeps_what_it_is_given() {
    let rig = Rig::start().await;
    let group = rig.chats(1).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/chats/{group}");
    let members = rig.read(&format!("{path}/attendees")).await["items"].as_array().unwrap().len();
    for (action, value) in [
        ("setArchiveStatus", json!(true)),
        ("setPinnedStatus", json!(true)),
        ("setMuteStatus", json!(true)),
        ("addParticipant", json!("15550777009@s.whatsapp.net")),
        ("setReadStatus", json!(false)),
    ] {
        let wish = json!({ "action": action, "value": value });
        assert_eq!(rig.send(Method::PATCH, &path, &wish).await.0, 200, "{action}");
    }
    let chat = rig.read(&path).await;
    assert_eq!((&chat["archived"], &chat["pinned"]), (&json!(1), &json!(1)));
    assert_eq!((&chat["muted_until"], &chat["unread_count"]), (&json!(-1), &json!(1)));
    let now = rig.read(&format!("{path}/attendees")).await["items"].as_array().unwrap().len();
    assert_eq!(now, members + 1);
}
