//! A program, the simulator that it fetches from, and one chat.

use crate::world::World;
use anyhow::{Context, Result};
use channel_proto::messaging::v1::upload_attachment_request::Part as Upload;
use channel_proto::messaging::v1::{
    OutgoingAttachment, OutgoingContent, SendMessageRequest, UploadAttachmentRequest, UploadHeader,
};
use channel_proto::query::v1::get_attachment_response::Part;
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{
    AttachmentHeader, GetAttachmentRequest, GetMessageRequest, ListMessagesRequest,
};
use channel_proto::types::v1::change::Entity;
use channel_proto::types::v1::{Attachment, FetchState, Message};
use channel_runtime::fault::reason_of;
use channel_tests::history::History;
use channel_tests::program::{Program, Setup};
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use tonic::{Code, Status};
use uuid::Uuid;

/// A program and the upstream that it fetches from.
pub(crate) struct Stage {
    pub(crate) program: Program,
    pub(crate) upstream: Upstream,
    pub(crate) account: String,
    pub(crate) chat: String,
}

/// The beginning of a picture, and bytes that look like no others.
pub(crate) fn picture(size: usize, seed: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let noise = (0_u32..).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ seed);
    bytes.extend(noise.take(size.saturating_sub(bytes.len())));
    bytes
}

/// Asks for all of a message's first file.
pub(crate) fn request(account: &str, message: &Message) -> GetAttachmentRequest {
    let attachment = message.attachments.first();
    GetAttachmentRequest {
        account_id: account.to_owned(),
        message_id: message.message_id.clone(),
        attachment_id: attachment.map(|it| it.attachment_id.clone()).unwrap_or_default(),
        ..GetAttachmentRequest::default()
    }
}

/// The states of a message's first file, as a stream told them.
pub(crate) fn states(history: &History, message: &str) -> Vec<FetchState> {
    told(history, message).map(Attachment::fetch_state).collect()
}

/// A message's first file, as a stream told it.
pub(crate) fn told<'h>(
    history: &'h History,
    message: &'h str,
) -> impl Iterator<Item = &'h Attachment> {
    let frames = history.frames.iter();
    let changes = frames.filter_map(|frame| match &frame.frame {
        Some(Frame::Changes(changes)) => Some(&changes.changes),
        _ => None,
    });
    changes.flatten().filter_map(move |change| match &change.entity {
        Some(Entity::Message(told)) if told.message_id == message => told.attachments.first(),
        _ => None,
    })
}

impl Stage {
    pub(crate) async fn new(world: &World) -> Result<Self> {
        Self::with(world, &[]).await
    }

    /// The same, with further settings.
    pub(crate) async fn with(world: &World, settings: &[(&str, &str)]) -> Result<Self> {
        let setup = Setup::whole(&world.backend)?.with("UNIPILE__TIMEOUT_SECONDS", "2");
        let setup = setup.with("MEDIA__LEASE_SECONDS", "2");
        let setup = settings.iter().fold(setup, |setup, (name, value)| setup.with(name, value));
        Self::of(setup).await
    }

    /// A program with this setup.
    pub(crate) async fn of(setup: Setup) -> Result<Self> {
        let place = Place::beside(&setup)?.with_chats(1);
        let program = place.known_to(setup).start().await?;
        let upstream = place.start().await?;
        let (account, chats) = (upstream.account().await?, upstream.chats().await?);
        let chat = chats.into_iter().next().context("a chat")?;
        let stage = Self { program, upstream, account, chat };
        stage.upstream.contact_writes(&stage.chat, "hello?").await?;
        until("the chat is known", || async {
            (!stage.messages().await.ok()?.is_empty()).then_some(())
        })
        .await?;
        Ok(stage)
    }

    async fn messages(&self) -> Result<Vec<Message>> {
        let request = ListMessagesRequest {
            account_id: self.account.clone(),
            chat_id: self.chat.clone(),
            ..ListMessagesRequest::default()
        };
        Ok(self.program.query()?.list_messages(request).await?.into_inner().messages)
    }

    /// Waits until the first file of a message, by UniPile's id, is in a state.
    pub(crate) async fn until_state(&self, id: &str, state: FetchState) -> Result<Message> {
        self.until_file(id, &format!("the file is {state:?}"), |it| it.fetch_state() == state).await
    }

    /// Waits until something is so of the first file of a message, by UniPile's id.
    pub(crate) async fn until_file(
        &self,
        id: &str,
        what: &str,
        so: impl Fn(&Attachment) -> bool,
    ) -> Result<Message> {
        until(what, || async {
            let messages = self.messages().await.ok()?;
            let mut found = messages.into_iter().filter(|it| it.upstream_id == id);
            found.find(|it| it.attachments.first().is_some_and(&so))
        })
        .await
    }

    /// Waits until the first file of a message, by our id, is stored.
    pub(crate) async fn until_stored(&self, id: &Uuid) -> Result<Message> {
        until("the own file is stored", || async {
            let request = GetMessageRequest {
                account_id: self.account.clone(),
                message_id: id.to_string(),
                min_as_of_seq: 0,
            };
            let found = self.program.query().ok()?.get_message(request).await.ok()?;
            let stored = |it: &Message| {
                it.attachments.first().is_some_and(|it| it.fetch_state() == FetchState::Stored)
            };
            found.into_inner().message.filter(stored)
        })
        .await
    }

    /// A part of a message's first file.
    pub(crate) async fn bytes(
        &self,
        message: &Message,
        offset: u64,
        length: u64,
    ) -> Result<(AttachmentHeader, Vec<u8>)> {
        let whole = request(&self.account, message);
        self.read(GetAttachmentRequest { offset, length, ..whole }).await
    }

    /// A header, and all bytes that follow it.
    pub(crate) async fn read(
        &self,
        request: GetAttachmentRequest,
    ) -> Result<(AttachmentHeader, Vec<u8>)> {
        let mut parts = self.program.query()?.get_attachment(request).await?.into_inner();
        let first = parts.message().await?.and_then(|first| first.part);
        let Some(Part::Header(header)) = first else {
            anyhow::bail!("{first:?} comes first");
        };
        let mut bytes = Vec::new();
        while let Some(part) = parts.message().await? {
            let Some(Part::Chunk(chunk)) = part.part else {
                anyhow::bail!("a second header");
            };
            anyhow::ensure!((1..=65_536).contains(&chunk.len()), "{} bytes at once", chunk.len());
            bytes.extend(chunk);
        }
        Ok((header, bytes))
    }

    /// Why a message's first file is not served.
    pub(crate) async fn refusal(&self, message: &Message) -> Result<(Code, String)> {
        self.refusal_of(request(&self.account, message)).await
    }

    /// Why a request is refused.
    pub(crate) async fn refusal_of(&self, request: GetAttachmentRequest) -> Result<(Code, String)> {
        let refused = self.read(request).await;
        let refused = refused.err().context("it is served")?;
        let status = refused.downcast_ref::<Status>().context("a status")?;
        Ok((status.code(), reason_of(status).unwrap_or_default()))
    }

    /// Sends a file from here; returns the message's id.
    pub(crate) async fn send_file(&self, bytes: &[u8]) -> Result<Uuid> {
        let header = UploadHeader {
            account_id: self.account.clone(),
            file_name: "own.png".into(),
            mime_type: "image/png".into(),
            size_bytes: bytes.len() as u64,
            ..UploadHeader::default()
        };
        let parts = [Upload::Header(header), Upload::Chunk(bytes.to_vec().into())];
        let parts = parts.map(|part| UploadAttachmentRequest { part: Some(part) });
        let mut messaging = self.program.messaging()?;
        let upload = messaging.upload_attachment(tokio_stream::iter(parts)).await?.into_inner();
        let id = Uuid::now_v7();
        let attachments = vec![OutgoingAttachment { upload_id: upload.upload_id, voice: false }];
        let request = SendMessageRequest {
            account_id: self.account.clone(),
            chat_id: self.chat.clone(),
            client_message_id: id.to_string(),
            content: Some(OutgoingContent { text: "Look".into(), attachments }),
            ..SendMessageRequest::default()
        };
        messaging.send_message(request).await?;
        Ok(id)
    }
}
