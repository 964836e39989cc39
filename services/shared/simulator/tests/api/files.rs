//! Files that are sent, and files that are fetched.

use channel_simulator::{ApiFault, Route};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

async fn fetch(rig: &Rig, message: &Value, file: &Value) -> (u16, String, Vec<u8>) {
    let (message, file) = (message["id"].as_str().unwrap(), file["id"].as_str().unwrap());
    let path = format!("/messages/{message}/attachments/{file}");
    let response = rig.request(Method::GET, &path).send().await.unwrap();
    let kind = response.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn files_of_a_form_are_attachments_that_come_back_as_they_were() {
    let rig = Rig::subscribed().await;
    let chat = rig.chat().await;
    let photo: Vec<u8> =
        (0..200_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    let files = [
        ("attachments", "photo.jpg", "image/jpeg", &photo[..]),
        ("attachments", "bill.pdf", "application/pdf", b"%PDF-1.7"),
        ("voice_message", "note.ogg", "audio/ogg", b"OggS"),
    ];
    let path = format!("/chats/{chat}/messages");
    let (status, sent) = rig.answer(rig.form_with(&path, &[("text", "See here")], &files)).await;
    assert_eq!(status, 201, "{sent}");
    let id = sent["message_id"].as_str().unwrap();
    let message = rig.read(&format!("/messages/{id}")).await;
    let attached = message["attachments"].as_array().unwrap();
    let kinds: Vec<_> = attached.iter().map(|file| file["type"].as_str().unwrap()).collect();
    assert_eq!(
        (message["text"].as_str(), &kinds[..]),
        (Some("See here"), &["img", "file", "audio"][..])
    );
    assert_eq!(
        (attached[1]["file_name"].as_str(), attached[2]["voice_note"].as_bool()),
        (Some("bill.pdf"), Some(true))
    );
    for (file, (_, _, kind, bytes)) in attached.iter().zip(&files) {
        assert_eq!(fetch(&rig, &message, file).await, (200, (*kind).to_owned(), bytes.to_vec()));
    }
    rig.settle().await;
    let echo = &rig.bodies(|hook| hook["message_id"] == *id)[0];
    assert_eq!(echo["attachments"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn old_files_are_there_with_the_size_that_is_told() {
    let rig = Rig::start().await;
    let chat = rig.chat().await;
    let page = rig.read(&format!("/chats/{chat}/messages?limit=250")).await;
    let messages = page["items"].as_array().unwrap();
    let message = messages.iter().find(|m| !m["attachments"][0].is_null()).unwrap();
    let file = &message["attachments"][0];
    let (status, kind, bytes) = fetch(&rig, message, file).await;
    assert_eq!((status, Some(&*kind)), (200, file["mimetype"].as_str()));
    assert_eq!(bytes.len() as u64, file["file_size"].as_u64().unwrap());
    assert_eq!(fetch(&rig, message, file).await.2, bytes);
}

#[tokio::test]
async fn sent_files_go_when_there_are_too_many() {
    let rig = Rig::start().await;
    rig.behave(|behaviour| behaviour.files_kept = 10);
    let path = format!("/chats/{}/messages", rig.chat().await);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let file = [("attachments", "a.bin", "application/octet-stream", &[1_u8; 8][..])];
        let (_, body) = rig.answer(rig.form_with(&path, &[], &file)).await;
        sent.push(rig.read(&format!("/messages/{}", body["message_id"].as_str().unwrap())).await);
    }
    let status = async |message: &Value| fetch(&rig, message, &message["attachments"][0]).await.0;
    assert_eq!((status(&sent[0]).await, status(&sent[1]).await), (404, 200));
}

#[tokio::test]
async fn people_and_groups_have_pictures() {
    let rig = Rig::start().await;
    let (chat, group) = (rig.chat().await, rig.chats(1).await[0]["id"].clone());
    let people = rig.read(&format!("/chats/{chat}/attendees")).await;
    let mut seen = std::collections::HashSet::new();
    for (id, number) in [(&people["items"][0]["id"], 0), (&group, 0), (&group, 1)] {
        let shown = json!({ "number": number });
        let path = format!("/pictures/{}", id.as_str().unwrap());
        assert_eq!(rig.control(Method::POST, &path, &shown).await.0, 200);
        let path = format!("/chat_attendees/{}/picture", id.as_str().unwrap());
        let response = rig.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"image/png".parse().unwrap())
        );
        let bytes = response.bytes().await.unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
        assert!(seen.insert(bytes), "each is another one");
    }
}

/// A contact's file: its message and the file in it.
async fn contacts_file(rig: &Rig, sent: &Value) -> (Value, Value) {
    let (status, written) = rig.control(Method::POST, "/contact/file", sent).await;
    assert_eq!(status, 200, "{written}");
    let id = written["message_id"].as_str().unwrap();
    let message = rig.read(&format!("/messages/{id}")).await;
    let file = message["attachments"][0].clone();
    (message, file)
}

#[tokio::test]
async fn a_contact_sends_a_file_and_lies_about_its_size() {
    let rig = Rig::subscribed().await;
    let sent = json!({
        "chat_id": rig.chat().await, "mimetype": "image/png", "bytes": "aGVsbG8=", "told": 9,
    });
    let (message, file) = contacts_file(&rig, &sent).await;
    assert_eq!((file["type"].as_str(), file["file_size"].as_u64()), (Some("img"), Some(9)));
    let fetched = fetch(&rig, &message, &file).await;
    assert_eq!(fetched, (200, "image/png".to_owned(), b"hello".to_vec()));
    rig.settle().await;
    let told = &rig.bodies(|hook| hook["message_id"] == message["id"])[0];
    assert_eq!(told["attachments"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_bytes_of_an_answer_are_cut_lied_about_and_exchanged() {
    let rig = Rig::start().await;
    let sent = json!({ "chat_id": rig.chat().await, "mimetype": "image/png", "bytes": "aGVsbG8=" });
    let (message, file) = contacts_file(&rig, &sent).await;
    let (message_id, id) = (message["id"].as_str().unwrap(), file["id"].as_str().unwrap());
    let path = format!("/messages/{message_id}/attachments/{id}");
    for fault in [ApiFault::Cut { after: 2 }, ApiFault::Length { bytes: 7 }] {
        rig.next(Route::GetAttachment, fault);
        let response = rig.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap_err();
    }
    rig.next(Route::GetAttachment, ApiFault::Length { bytes: 3 });
    assert_eq!(fetch(&rig, &message, &file).await.2, b"hel");
    rig.next(Route::GetAttachment, ApiFault::OtherBytes { begins: "<html>".into(), size: 8 });
    assert_eq!(fetch(&rig, &message, &file).await.2, b"<html>\0\0");
    rig.next(Route::GetAttachment, ApiFault::Stall { after: 2 });
    let mut response = rig.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.content_length(), Some(5));
    assert_eq!(response.chunk().await.unwrap().unwrap(), "he");
    assert_eq!(fetch(&rig, &message, &file).await.2, b"hello");
}
