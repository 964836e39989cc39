//! Chats that are started: one with each person, whatever goes wrong, and under one name in the end.

use super::stage::Stage;
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::recipient::Recipient as Named;
use channel_proto::messaging::v1::{
    OutgoingContent, Recipient, StartChatRequest, StartChatResponse,
};
use channel_proto::query::v1::{GetChatRequest, ListChatsRequest};
use channel_proto::types::v1::{Chat, MessageDirection, SendPhase};
use channel_tests::until::until;
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

on_both!(
    a_stranger_is_written_to_and_answers_in_the_chat_that_gets_its_name,
    each_end_of_starting_a_chat_is_told_as_what_it_is_and_starts_one_chat_at_most,
    chats_of_which_nothing_was_heard_are_known_by_their_people,
    a_group_is_opened_and_a_known_person_is_written_to_where_they_are,
    an_account_without_a_connection_takes_no_messages,
);

impl Stage {
    async fn start(
        &self,
        id: Uuid,
        phones: &[&str],
        subject: &str,
        text: &str,
    ) -> Result<StartChatResponse, tonic::Status> {
        let people = phones.iter().map(|phone| Named::PhoneNumber((*phone).to_owned())).collect();
        self.start_with(id, people, subject, text).await
    }

    async fn start_with(
        &self,
        id: Uuid,
        people: Vec<Named>,
        subject: &str,
        text: &str,
    ) -> Result<StartChatResponse, tonic::Status> {
        let named = |person| Recipient { recipient: Some(person) };
        let request = StartChatRequest {
            account_id: self.account.clone(),
            recipients: people.into_iter().map(named).collect(),
            subject: subject.to_owned(),
            client_message_id: id.to_string(),
            content: Some(OutgoingContent { text: text.to_owned(), attachments: vec![] }),
        };
        let messaging = self.program.messaging();
        let mut messaging =
            messaging.map_err(|error| tonic::Status::internal(error.to_string()))?;
        Ok(messaging.start_chat(request).await?.into_inner())
    }

    async fn chat(&self, id: &str) -> Result<Chat> {
        let request = GetChatRequest {
            account_id: self.account.clone(),
            chat_id: id.to_owned(),
            min_as_of_seq: 0,
        };
        let answer = self.program.query()?.get_chat(request).await?.into_inner();
        answer.chat.context("a chat")
    }

    async fn listed(&self) -> Result<Vec<Chat>> {
        let request = ListChatsRequest { page_size: 200, ..ListChatsRequest::default() };
        Ok(self.program.query()?.list_chats(request).await?.into_inner().chats)
    }
}

async fn a_stranger_is_written_to_and_answers_in_the_chat_that_gets_its_name(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let slow = json!({ "kind": "latency", "ms": 700 });
    stage.upstream.next_fault("start_chat", slow).await?;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let answer = stage.start(first, &["+1 (555) 010-7001"], "", "Good morning").await?;
    let provisional = answer.chat.context("a chat")?;
    assert_eq!(provisional.chat_id, format!("local:{first}"));
    assert_eq!(provisional.title, "+1 555 010 7001");
    // It is in every list, and can be written into.
    assert!(stage.listed().await?.iter().any(|chat| chat.chat_id == provisional.chat_id));
    stage.send(second, &provisional.chat_id, "Are you there?").await?;
    let sent = stage.until_in(first, &[SendPhase::Sent]).await?;
    ensure!(!sent.chat_id.starts_with("local:"), "{}", sent.chat_id);
    let followed = stage.until_in(second, &[SendPhase::Sent]).await?;
    assert_eq!(followed.chat_id, sent.chat_id);
    let texts = stage.upstream.sent(Some(&sent.chat_id)).await?;
    assert_eq!(texts, ["Are you there?"], "the first one started it");
    // Who remembers the former id finds the chat; no other is left of it.
    assert_eq!(stage.chat(&provisional.chat_id).await?.chat_id, sent.chat_id);
    assert_eq!(stage.listed().await?.len(), stage.chats.len() + 1);
    stage.upstream.contact_writes(&sent.chat_id, "Morning!").await?;
    until("the answer is in the same chat", || async {
        let messages = stage.messages(&provisional.chat_id).await.ok()?;
        let comes = |it: &&_| {
            let it: &&channel_proto::types::v1::Message = it;
            it.direction() == MessageDirection::In && it.text == "Morning!"
        };
        (messages.len() >= 3 && messages.iter().any(|it| comes(&it))).then_some(())
    })
    .await?;
    stage.program.stop().await.map(drop)
}

/// What goes wrong with one request, where its message ends, and how many chats UniPile has of it.
fn ends() -> Vec<(&'static str, Value, SendPhase, usize)> {
    let answer = |status: u16, accepted: bool| json!({ "kind": "answer", "status": status, "accepted": accepted });
    vec![
        ("timeout, taken", json!({ "kind": "timeout", "accepted": true }), SendPhase::Sent, 1),
        ("reset, taken", json!({ "kind": "reset", "accepted": true }), SendPhase::Sent, 1),
        ("500, taken", answer(500, true), SendPhase::Sent, 1),
        ("null ids", json!({ "kind": "null_ids" }), SendPhase::Sent, 1),
        ("echo early", json!({ "kind": "echo_early" }), SendPhase::Sent, 1),
        ("echo late", json!({ "kind": "echo_late", "ms": 500 }), SendPhase::Sent, 1),
        ("echo never", json!({ "kind": "echo_never" }), SendPhase::Sent, 1),
        ("echo twice", json!({ "kind": "echo_twice" }), SendPhase::Sent, 1),
        ("429, not taken", answer(429, false), SendPhase::Sent, 1),
        ("422, not taken", answer(422, false), SendPhase::Failed, 0),
        (
            "timeout, not taken",
            json!({ "kind": "timeout", "accepted": false }),
            SendPhase::Unconfirmed,
            0,
        ),
    ]
}

async fn each_end_of_starting_a_chat_is_told_as_what_it_is_and_starts_one_chat_at_most(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let ended = [SendPhase::Sent, SendPhase::Failed, SendPhase::Unconfirmed, SendPhase::Expired];
    let (mut upstream, mut here) = (stage.chats.len(), stage.chats.len());
    for (number, (name, fault, phase, chats)) in ends().into_iter().enumerate() {
        let (id, phone) = (Uuid::now_v7(), format!("+155501072{number:02}"));
        stage.upstream.next_fault("start_chat", fault).await?;
        stage.start(id, &[&phone], "", name).await.with_context(|| name.to_owned())?;
        let message = stage.until_in(id, &ended).await.with_context(|| name.to_owned())?;
        ensure!(message.send_phase() == phase, "{name}: {:?}", message.failure);
        upstream += chats;
        let there = stage.upstream.chats().await?.len();
        ensure!(there == upstream, "{name}: {there} chats at UniPile, not {upstream}");
        stage.upstream.heal().await?;
        // Without a chat there the message stays to be seen where it was written.
        here += 1;
        let what = format!("{name}: there is one chat more");
        until(&what, || async {
            let listed = stage.listed().await.ok()?;
            let settled = message.send_phase() != SendPhase::Sent
                || !listed.iter().any(|chat| chat.chat_id == format!("local:{id}"));
            (listed.len() == here && settled).then_some(())
        })
        .await?;
        let chat = stage.message(id).await?.chat_id;
        assert_eq!(stage.own(&chat, name).await?.len(), 1, "{name}");
        assert_eq!(chat.starts_with("local:"), chats == 0, "{name}: {chat}");
    }
    stage.program.stop().await.map(drop)
}

async fn chats_of_which_nothing_was_heard_are_known_by_their_people(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let strangers = [(Uuid::now_v7(), "+15550107501"), (Uuid::now_v7(), "+15550107502")];
    let mut new = Vec::new();
    // Two strangers get the same words; UniPile names their chats by privacy ids.
    for (id, phone) in strangers {
        stage.upstream.next_fault("start_chat", json!({ "kind": "echo_never" })).await?;
        let lost = json!({ "kind": "timeout", "accepted": true });
        stage.upstream.next_fault("start_chat", lost).await?;
        stage.start(id, &[phone], "", "Are you open?").await?;
        let chat = until("UniPile has the chat", || async {
            let mut chats = stage.upstream.chats().await.ok()?;
            chats.retain(|chat| !stage.chats.contains(chat) && !new.contains(chat));
            chats.pop()
        });
        new.push(chat.await?);
    }
    // One of them writes before anything is found: that chat is here already, and not a new one.
    stage.upstream.contact_writes(&new[0], "Who is there?").await?;
    for ((id, phone), chat) in strangers.iter().zip(&new) {
        let message = stage.until_in(*id, &[SendPhase::Sent, SendPhase::Unconfirmed]).await?;
        ensure!(message.send_phase() == SendPhase::Sent, "{phone}: {:?}", message.failure);
        assert_eq!(message.chat_id, *chat, "{phone}");
        assert_eq!(stage.own(&message.chat_id, "Are you open?").await?.len(), 1);
    }
    assert_eq!(stage.listed().await?.len(), stage.chats.len() + 2);
    assert_eq!(stage.upstream.chats().await?.len(), stage.chats.len() + 2);
    stage.program.stop().await.map(drop)
}

async fn a_group_is_opened_and_a_known_person_is_written_to_where_they_are(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let id = Uuid::now_v7();
    let people = ["+15550107301", "+15550107302"];
    let answer = stage.start(id, &people, "Harbour", "Welcome").await?;
    assert_eq!(answer.chat.context("a chat")?.title, "Harbour");
    let sent = stage.until_in(id, &[SendPhase::Sent]).await?;
    assert_eq!(stage.chat(&sent.chat_id).await?.title, "Harbour");
    assert_eq!(stage.upstream.chat(&sent.chat_id).await?["name"], json!("Harbour"));
    // A chat of two is found again by its person.
    let mut known = stage.listed().await?;
    known.retain(|chat| !chat.counterparty_attendee_id.is_empty());
    let known = known.first().context("a chat of two")?;
    let (id, person) = (Uuid::now_v7(), known.counterparty_attendee_id.clone());
    let person = vec![Named::AttendeeId(person)];
    let answer = stage.start_with(id, person, "", "Hello again").await?;
    assert_eq!(answer.chat.context("a chat")?.chat_id, known.chat_id);
    stage.until_in(id, &[SendPhase::Sent]).await?;
    assert_eq!(stage.upstream.sent(Some(&known.chat_id)).await?, ["Hello again"]);
    for (phones, subject) in
        [(&people[..], ""), (&people[..1], "Harbour"), (&[], ""), (&["hidden"], "")]
    {
        let refused = stage.start(Uuid::now_v7(), phones, subject, "Hi").await.err();
        let code = refused.map(|status| status.code());
        assert_eq!(code, Some(Code::InvalidArgument), "{phones:?} {subject:?}");
    }
    stage.program.stop().await.map(drop)
}

async fn an_account_without_a_connection_takes_no_messages(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    stage.upstream.status("CREDENTIALS").await?;
    let (chat, before) = (&stage.chats[0], stage.messages(&stage.chats[0]).await?.len());
    let refused = until("it is refused", || async {
        let request = stage.request(Uuid::now_v7(), chat, "Anybody?");
        stage.program.messaging().ok()?.send_message(request).await.err()
    })
    .await?;
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_details_error_info().context("a reason")?;
    assert_eq!(info.reason, "ACCOUNT_DISCONNECTED");
    let after = stage.messages(chat).await?.len();
    let written = stage.own(chat, "Anybody?").await?.len();
    assert_eq!(after - written, before, "what was taken before the news came stays");
    let refused = stage.start(Uuid::now_v7(), &["+15550107401"], "", "Hi").await.err();
    let reason = refused.and_then(|status| Some(status.get_details_error_info()?.reason));
    assert_eq!(reason.as_deref(), Some("ACCOUNT_DISCONNECTED"));
    assert_eq!(stage.listed().await?.len(), stage.chats.len(), "nothing was written");
    stage.program.stop().await.map(drop)
}
