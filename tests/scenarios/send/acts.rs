//! What is done to messages and chats that exist.

use super::stage::Stage;
use crate::world::{World, on_both};
use anyhow::{Context, Result};
use channel_proto::messaging::v1::{
    ChatLabels, DeleteMessageRequest, EditMessageRequest, ForwardMessageRequest,
    ReactToMessageRequest, UpdateChatRequest,
};
use channel_proto::query::v1::GetChatRequest;
use channel_proto::types::v1::SendPhase;
use channel_tests::until::until;
use serde_json::json;
use uuid::Uuid;

on_both!(
    what_is_done_to_a_message_or_chat_is_shown_at_once_and_done_there,
    what_has_no_effect_is_undone,
);

async fn what_is_done_to_a_message_or_chat_is_shown_at_once_and_done_there(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let (id, chat) = (Uuid::now_v7(), stage.chats[0].clone());
    stage.send(id, &chat, "Helo").await?;
    let upstream_id = stage.until_read(id).await?.upstream_id;
    let mut messaging = stage.program.messaging()?;
    let (account_id, message_id) = (stage.account.clone(), id.to_string());

    let text = "Hello".to_owned();
    let edit = EditMessageRequest {
        account_id: account_id.clone(),
        message_id: message_id.clone(),
        text: text.clone(),
        request_id: Uuid::now_v7().to_string(),
    };
    for _ in 0..2 {
        let shown = messaging.edit_message(edit.clone()).await?.into_inner().message;
        assert_eq!(shown.map(|it| (it.text, it.edited)), Some((text.clone(), true)));
    }
    let react = ReactToMessageRequest {
        account_id: account_id.clone(),
        message_id: message_id.clone(),
        emoji: "🎉".to_owned(),
        request_id: String::new(),
    };
    let shown = messaging.react_to_message(react).await?.into_inner().message.context("it")?;
    let given: Vec<_> = shown.reactions.iter().map(|it| (&*it.emoji, it.is_self)).collect();
    assert_eq!(given, [("🎉", true)]);
    let there = until("both are done there", || async {
        let there = stage.upstream.message(&upstream_id).await.ok()?;
        (there["text"] == "Hello" && there["reactions"][0]["value"] == "🎉").then_some(there)
    })
    .await?;
    assert_eq!(there["edited"], 1);

    forwarding(&stage, id).await?;
    changing(&stage, &chat).await?;

    let delete = DeleteMessageRequest { account_id, message_id, request_id: String::new() };
    let shown = messaging.delete_message(delete).await?.into_inner().message.context("it")?;
    assert!(shown.deleted && shown.text.is_empty());
    until("it is deleted there", || async {
        let there = stage.upstream.message(&upstream_id).await.ok()?;
        (there["deleted"] == 1).then_some(())
    })
    .await?;
    assert!(stage.message(id).await?.deleted);
    stage.program.stop().await.map(drop)
}

async fn forwarding(stage: &Stage, id: Uuid) -> Result<()> {
    let forwarded = Uuid::now_v7();
    let forward = ForwardMessageRequest {
        account_id: stage.account.clone(),
        message_id: id.to_string(),
        to_chat_id: stage.chats[1].clone(),
        client_message_id: forwarded.to_string(),
    };
    let shown = stage
        .program
        .messaging()?
        .forward_message(forward)
        .await?
        .into_inner()
        .message
        .context("it")?;
    assert!(shown.forwarded && shown.text == "Hello");
    stage.until_in(forwarded, &[SendPhase::Sent]).await?;
    Ok(())
}

async fn changing(stage: &Stage, chat: &str) -> Result<()> {
    let update = UpdateChatRequest {
        account_id: stage.account.clone(),
        chat_id: chat.to_owned(),
        read: Some(true),
        muted: Some(true),
        archived: Some(true),
        pinned: Some(true),
        local_name: Some("The one".to_owned()),
        labels: Some(ChatLabels { labels: vec!["vip".into(), "a".into(), "vip".into()] }),
        request_id: Uuid::now_v7().to_string(),
    };
    let shown = stage
        .program
        .messaging()?
        .update_chat(update)
        .await?
        .into_inner()
        .chat
        .context("a chat")?;
    assert!(shown.muted && shown.archived && shown.pinned && shown.unread_count == 0);
    assert_eq!((&*shown.title, &*shown.local_name), ("The one", "The one"));
    assert_eq!(shown.labels, ["a", "vip"]);
    until("the chat is so there", || async {
        let there = stage.upstream.chat(chat).await.ok()?;
        let is_so =
            there["archived"] == 1 && there["unread_count"] == 0 && !there["muted_until"].is_null();
        is_so.then_some(())
    })
    .await?;
    Ok(())
}

async fn what_has_no_effect_is_undone(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let (id, chat) = (Uuid::now_v7(), stage.chats[0].clone());
    stage.send(id, &chat, "As it was").await?;
    stage.until_read(id).await?;
    let mut messaging = stage.program.messaging()?;
    let nothing = || json!({ "kind": "without_effect" });
    stage.upstream.next_fault("edit_message", nothing()).await?;
    let edit = EditMessageRequest {
        account_id: stage.account.clone(),
        message_id: id.to_string(),
        text: "As it never was".to_owned(),
        request_id: String::new(),
    };
    let shown = messaging.edit_message(edit).await?.into_inner().message.context("it")?;
    assert_eq!(shown.text, "As it never was");
    until("the text is as it was", || async {
        let message = stage.message(id).await.ok()?;
        (message.text == "As it was" && !message.edited).then_some(())
    })
    .await?;
    stage.upstream.next_fault("patch_chat", nothing()).await?;
    let update = UpdateChatRequest {
        account_id: stage.account.clone(),
        chat_id: chat.clone(),
        archived: Some(true),
        ..UpdateChatRequest::default()
    };
    assert!(messaging.update_chat(update).await?.into_inner().chat.context("it")?.archived);
    let read =
        GetChatRequest { account_id: stage.account.clone(), chat_id: chat, min_as_of_seq: 0 };
    until("the chat is back", || async {
        let answer = stage.program.query().ok()?.get_chat(read.clone()).await.ok()?;
        (!answer.into_inner().chat?.archived).then_some(())
    })
    .await?;
    stage.program.stop().await.map(drop)
}
