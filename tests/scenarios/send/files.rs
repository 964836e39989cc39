//! Files and voice messages.

use super::stage::Stage;
use crate::world::{World, on_both};
use anyhow::{Context, Result};
use channel_proto::messaging::v1::upload_attachment_request::Part;
use channel_proto::messaging::v1::{
    OutgoingAttachment, OutgoingContent, SendMessageRequest, UploadAttachmentRequest,
    UploadAttachmentResponse, UploadHeader,
};
use channel_proto::types::v1::AttachmentKind;
use channel_runtime::fault::reason_of;
use channel_tests::until::until;
use tonic::Status;
use uuid::Uuid;

on_both!(files_and_voice_messages_arrive_whole, a_file_that_is_not_what_it_says_is_refused);

/// The beginning of a picture.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
/// The beginning of a sound.
const OGG: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0";

async fn upload(
    stage: &Stage,
    header: UploadHeader,
    pieces: Vec<Vec<u8>>,
) -> Result<UploadAttachmentResponse, Status> {
    let header = UploadHeader { account_id: stage.account.clone(), ..header };
    let pieces = pieces.into_iter().map(|piece| Part::Chunk(piece.into()));
    let parts = std::iter::once(Part::Header(header)).chain(pieces);
    let parts: Vec<_> = parts.map(|part| UploadAttachmentRequest { part: Some(part) }).collect();
    let mut messaging =
        stage.program.messaging().map_err(|error| Status::internal(error.to_string()))?;
    Ok(messaging.upload_attachment(tokio_stream::iter(parts)).await?.into_inner())
}

fn named(name: &str, mime: &str) -> UploadHeader {
    UploadHeader { file_name: name.into(), mime_type: mime.into(), ..UploadHeader::default() }
}

async fn files_and_voice_messages_arrive_whole(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let chat = stage.chats[0].clone();
    let mut pieces = vec![PNG.to_vec()];
    pieces.extend((0..5).map(|n| vec![n; 700_000]));
    let picture = upload(&stage, named("a.png", ""), pieces).await?;
    assert_eq!((picture.kind(), &*picture.mime_type), (AttachmentKind::Image, "image/png"));
    let paper =
        upload(&stage, named("b.pdf", "application/pdf"), vec![b"%PDF-1.7".to_vec()]).await?;
    let sound = upload(&stage, named("c.ogg", "audio/ogg"), vec![OGG.to_vec()]).await?;
    let sent = |files: Vec<(&UploadAttachmentResponse, bool)>, text: &str| SendMessageRequest {
        account_id: stage.account.clone(),
        chat_id: chat.clone(),
        client_message_id: Uuid::now_v7().to_string(),
        content: Some(OutgoingContent {
            text: text.to_owned(),
            attachments: files
                .into_iter()
                .map(|(file, voice)| OutgoingAttachment {
                    upload_id: file.upload_id.clone(),
                    voice,
                })
                .collect(),
        }),
        ..SendMessageRequest::default()
    };
    let mut messaging = stage.program.messaging()?;
    let both = sent(vec![(&picture, false), (&paper, false)], "Two files");
    let voice = sent(vec![(&sound, true)], "");
    for request in [both.clone(), voice.clone()] {
        let shown = messaging.send_message(request).await?.into_inner().message.context("it")?;
        assert!(!shown.attachments.is_empty(), "it is shown with its files at once");
    }
    for (request, kinds, size) in [
        (both, vec![AttachmentKind::Image, AttachmentKind::Document], picture.size_bytes),
        (voice, vec![AttachmentKind::Voice], sound.size_bytes),
    ] {
        let id = request.client_message_id.parse()?;
        let there = until("its echo has come with its files", || async {
            let message = stage.message(id).await.ok()?;
            (!message.provider_id.is_empty()).then_some(message)
        })
        .await?;
        assert_eq!(
            there
                .attachments
                .iter()
                .map(channel_proto::types::v1::Attachment::kind)
                .collect::<Vec<_>>(),
            kinds
        );
        assert_eq!(there.attachments[0].size_bytes, size);
        let here = stage.messages(&chat).await?;
        assert_eq!(here.iter().filter(|it| it.upstream_id == there.upstream_id).count(), 1);
    }
    stage.program.stop().await.map(drop)
}

async fn a_file_that_is_not_what_it_says_is_refused(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let refused = async |header: UploadHeader, pieces: Vec<Vec<u8>>| {
        let answer = upload(&stage, header, pieces).await;
        answer.err().and_then(|status| reason_of(&status)).unwrap_or_default()
    };
    let lying = named("a.jpg", "image/jpeg");
    assert_eq!(refused(lying, vec![b"%PDF-1.7 and so on".to_vec()]).await, "UPLOAD_TYPE_WRONG");
    let short = UploadHeader { size_bytes: 9, ..named("a.bin", "") };
    assert_eq!(refused(short, vec![vec![1; 8]]).await, "UPLOAD_SIZE_WRONG");
    let other = UploadHeader { sha256: vec![7; 32].into(), ..named("a.bin", "") };
    assert_eq!(refused(other, vec![vec![1; 8]]).await, "UPLOAD_HASH_WRONG");
    assert_eq!(refused(named("a.bin", ""), vec![vec![0; 1 << 20]; 16]).await, "UPLOAD_TOO_LARGE");
    assert_eq!(refused(named("../a.bin", ""), vec![vec![1]]).await, "INVALID_ARGUMENT");
    let request = SendMessageRequest {
        account_id: stage.account.clone(),
        chat_id: stage.chats[0].clone(),
        content: Some(OutgoingContent {
            text: String::new(),
            attachments: vec![OutgoingAttachment {
                upload_id: Uuid::now_v7().to_string(),
                voice: false,
            }],
        }),
        ..SendMessageRequest::default()
    };
    let answer = stage.program.messaging()?.send_message(request).await;
    let reason = answer.err().and_then(|status| reason_of(&status)).unwrap_or_default();
    assert_eq!(reason, "UPLOAD_NOT_FOUND");
    stage.program.stop().await.map(drop)
}
