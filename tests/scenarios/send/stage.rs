//! A program and the simulator that it sends to.

use crate::world::World;
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::{OutgoingContent, SendMessageRequest, SendMessageResponse};
use channel_proto::query::v1::{GetMessageRequest, ListMessagesRequest};
use channel_proto::types::v1::{Message, MessageDirection, MessageStatus, SendPhase, SendState};
use channel_tests::program::{Program, Setup};
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use uuid::Uuid;

/// A program and the upstream that it sends to.
pub(super) struct Stage {
    pub(super) program: Program,
    pub(super) upstream: Upstream,
    pub(super) account: String,
    pub(super) chats: Vec<String>,
}

/// Everything is fast, so that what takes minutes for people takes seconds here.
fn fast(setup: Setup) -> Setup {
    setup
        .with("UNIPILE__TIMEOUT_SECONDS", "1")
        .with("MESSAGING__SEND_INTERVAL_MS", "0")
        .with("MESSAGING__NEW_CHAT_INTERVAL_SECONDS", "0")
        .with("MESSAGING__FIRST_LOOK_SECONDS", "2")
        .with("MESSAGING__SECOND_LOOK_SECONDS", "3")
        .with("MESSAGING__LAST_LOOK_SECONDS", "4")
        .with("MESSAGING__LEASE_SECONDS", "2")
        .with("MESSAGING__SLOW_DOWN_SECONDS", "1")
        .with("MESSAGING__POLL_INTERVAL_MS", "50")
}

impl Stage {
    pub(super) async fn new(world: &World) -> Result<Self> {
        Self::with_chats(world, 4).await
    }

    /// The same, with so many chats.
    pub(super) async fn with_chats(world: &World, count: usize) -> Result<Self> {
        let setup = Setup::whole(&world.backend)?;
        let place = Place::beside(&setup)?.with_chats(count);
        let program = place.known_to(fast(setup)).start().await?;
        let upstream = place.start().await?;
        let (account, chats) = (upstream.account().await?, upstream.chats().await?);
        ensure!(chats.len() == count, "{} chats", chats.len());
        let stage = Self { program, upstream, account, chats };
        for chat in &stage.chats {
            stage.upstream.contact_writes(chat, "hello?").await?;
            until("the chat is known", || async {
                (!stage.messages(chat).await.ok()?.is_empty()).then_some(())
            })
            .await?;
        }
        Ok(stage)
    }

    pub(super) fn request(&self, id: Uuid, chat: &str, text: &str) -> SendMessageRequest {
        SendMessageRequest {
            account_id: self.account.clone(),
            chat_id: chat.to_owned(),
            client_message_id: id.to_string(),
            content: Some(OutgoingContent { text: text.to_owned(), attachments: vec![] }),
            ..SendMessageRequest::default()
        }
    }

    pub(super) async fn send(
        &self,
        id: Uuid,
        chat: &str,
        text: &str,
    ) -> Result<SendMessageResponse> {
        let request = self.request(id, chat, text);
        Ok(self.program.messaging()?.send_message(request).await?.into_inner())
    }

    /// All messages of a chat, newest first.
    pub(super) async fn messages(&self, chat: &str) -> Result<Vec<Message>> {
        let request = ListMessagesRequest {
            account_id: self.account.clone(),
            chat_id: chat.to_owned(),
            page_size: 200,
            ..ListMessagesRequest::default()
        };
        Ok(self.program.query()?.list_messages(request).await?.into_inner().messages)
    }

    pub(super) async fn message(&self, id: Uuid) -> Result<Message> {
        let request = GetMessageRequest {
            account_id: self.account.clone(),
            message_id: id.to_string(),
            min_as_of_seq: 0,
        };
        let answer = self.program.query()?.get_message(request).await?.into_inner();
        answer.message.context("a message")
    }

    /// Waits until a message is in one of these phases.
    pub(super) async fn until_in(&self, id: Uuid, phases: &[SendPhase]) -> Result<Message> {
        let what = format!("message {id} is in one of {phases:?}");
        until(&what, || async {
            let message = self.message(id).await.ok()?;
            phases.contains(&message.send_phase()).then_some(message)
        })
        .await
    }

    /// Where the messages stand that have not ended.
    pub(super) async fn open(
        &self,
        sent: impl IntoIterator<Item = (&Uuid, &String)>,
    ) -> Result<Vec<SendState>> {
        let mut open = Vec::new();
        for (id, text) in sent {
            let message = self.message(*id).await?;
            let is_open = [SendPhase::Queued, SendPhase::Sending, SendPhase::Uncertain];
            if is_open.contains(&message.send_phase()) {
                // Asked for again, it tells where it stands.
                open.extend(self.send(*id, &message.chat_id, text).await?.send);
            }
        }
        Ok(open)
    }

    pub(super) async fn until_read(&self, id: Uuid) -> Result<Message> {
        until("the message is read", || async {
            let message = self.message(id).await.ok()?;
            (message.status() == MessageStatus::Read).then_some(message)
        })
        .await
    }

    /// The own messages of a chat with this text.
    pub(super) async fn own(&self, chat: &str, text: &str) -> Result<Vec<Message>> {
        let mut messages = self.messages(chat).await?;
        messages.retain(|it| it.direction() == MessageDirection::Out && it.text.trim() == text);
        Ok(messages)
    }
}
