//! Files of messages: fetched in the background, kept once, served in parts.

mod bad;
mod bucket;
mod command;
mod crash;
mod links;
pub(crate) mod stage;
mod thumbnails;

use crate::world::{World, on_both};
use anyhow::{Result, ensure};
use channel_proto::query::v1::GetAttachmentRequest;
use channel_proto::types::v1::FetchState;
use channel_tests::watcher::Watcher;
use serde_json::json;
use stage::{Stage, picture};
use std::collections::BTreeMap;
use tonic::Code;

on_both!(
    a_picture_is_fetched_told_of_and_served_in_any_part,
    the_same_bytes_are_kept_once,
    a_file_that_is_not_there_is_said_to_be_so,
    an_own_file_is_served_too,
);

async fn a_picture_is_fetched_told_of_and_served_in_any_part(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let bytes = picture(200_000, 1);
    let mut watcher = Watcher::start(stage.program.query()?, BTreeMap::new());
    watcher.until("the stream is open", |history| !history.frames.is_empty()).await?;
    let name = json!({ "name": "../har\u{202e}bour\n.jpg" });
    let id = stage.upstream.contact_sends(&stage.chat, "image/jpeg", &bytes, name).await?;
    let message = stage.until_state(&id, FetchState::Stored).await?;
    let told = |history: &channel_tests::history::History| {
        let mut states = stage::states(history, &message.message_id);
        states.dedup();
        states == [FetchState::Pending, FetchState::Stored]
    };
    watcher.until("the stream has told both states", told).await?;

    let (header, whole) = stage.bytes(&message, 0, 0).await?;
    ensure!(whole == bytes, "{} of {} bytes came", whole.len(), bytes.len());
    // What it is comes from the bytes, not from what the sender says.
    assert_eq!(header.safe_mime_type, "image/png");
    assert_eq!(header.safe_file_name, "_harbour.jpg");
    assert_eq!(header.content_disposition, "inline; filename=\"_harbour.jpg\"");
    assert_eq!((header.total_bytes, header.offset, header.length), (200_000, 0, 200_000));
    let (header, part) = stage.bytes(&message, 131_000, 1_000).await?;
    assert_eq!((header.total_bytes, header.offset, header.length), (200_000, 131_000, 1_000));
    ensure!(part == bytes[131_000..132_000], "another part came");
    let (header, rest) = stage.bytes(&message, 199_990, 5_000).await?;
    assert_eq!((header.length, rest.as_slice()), (10, &bytes[199_990..]));

    let request = stage::request(&stage.account, &message);
    let same = GetAttachmentRequest { if_none_match: header.etag.clone(), ..request.clone() };
    let (header, nothing) = stage.read(same).await?;
    ensure!(header.not_modified && nothing.is_empty(), "{header:?}");
    let beyond = GetAttachmentRequest { offset: 200_001, ..request.clone() };
    let refused = stage.refusal_of(beyond).await?;
    assert_eq!(refused, (Code::InvalidArgument, "RANGE_INVALID".into()));
    let another = GetAttachmentRequest { attachment_id: "another".into(), ..request.clone() };
    let refused = stage.refusal_of(another).await?;
    assert_eq!(refused, (Code::NotFound, "ATTACHMENT_NOT_FOUND".into()));
    let elsewhere = GetAttachmentRequest { account_id: "nowhere".into(), ..request };
    let refused = stage.refusal_of(elsewhere).await?;
    assert_eq!(refused, (Code::NotFound, "ACCOUNT_NOT_FOUND".into()));
    assert_eq!(stage.upstream.calls("get_attachment").await?, 1);
    stage.program.stop().await.map(drop)
}

async fn the_same_bytes_are_kept_once(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let bytes = picture(5_000, 2);
    let mut tags = Vec::new();
    for _ in 0..2 {
        let id = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, json!({})).await?;
        let message = stage.until_state(&id, FetchState::Stored).await?;
        let (header, whole) = stage.bytes(&message, 0, 0).await?;
        ensure!(whole == bytes, "other bytes came");
        tags.push(header.etag);
    }
    assert_eq!(tags[0], tags[1]);
    let metrics = stage.program.metrics().await?;
    for outcome in ["written", "known"] {
        let line = format!("channel_media_stored_total{{outcome=\"{outcome}\"}} 1");
        ensure!(metrics.contains(&line), "{line} is not in {metrics}");
    }
    stage.program.stop().await.map(drop)
}

async fn a_file_that_is_not_there_is_said_to_be_so(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let send = |more| stage.upstream.contact_sends(&stage.chat, "image/png", b"\x89PNG", more);
    let never = send(json!({ "unavailable": true })).await?;
    let message = stage.until_state(&never, FetchState::Unavailable).await?;
    assert_eq!(stage.refusal(&message).await?, (Code::NotFound, "ATTACHMENT_UNAVAILABLE".into()));
    assert_eq!(stage.upstream.calls("get_attachment").await?, 0, "nobody asks for it");

    let gone = json!({ "kind": "answer", "status": 404 });
    stage.upstream.next_fault("get_attachment", gone).await?;
    let message = stage.until_state(&send(json!({})).await?, FetchState::Unavailable).await?;
    assert_eq!(message.attachments[0].fetch_reason, "RESOURCE_NOT_FOUND");
    assert_eq!(stage.refusal(&message).await?, (Code::NotFound, "ATTACHMENT_UNAVAILABLE".into()));
    assert_eq!(stage.upstream.calls("get_attachment").await?, 1);
    stage.program.stop().await.map(drop)
}

async fn an_own_file_is_served_too(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let bytes = picture(3_000, 3);
    let sent = stage.send_file(&bytes).await?;
    let message = stage.until_stored(&sent).await?;
    let (header, whole) = stage.bytes(&message, 0, 0).await?;
    ensure!(whole == bytes && header.safe_mime_type == "image/png", "{header:?}");
    stage.program.stop().await.map(drop)
}
