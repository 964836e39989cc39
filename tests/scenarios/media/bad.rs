//! Files that are not what they are said to be.

use super::stage::{Stage, picture};
use crate::world::{World, on_both};
use anyhow::{Context as _, Result, ensure};
use channel_proto::types::v1::FetchState;
use serde_json::json;
use tonic::Code;

on_both!(
    a_picture_that_is_none_is_kept_and_never_shown_as_one,
    a_transfer_that_breaks_is_tried_again_until_the_file_is_whole,
    what_is_too_large_is_told_whatever_was_claimed,
    kinds_that_are_left_out_are_not_asked_for,
);

async fn a_picture_that_is_none_is_kept_and_never_shown_as_one(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let page = b"<html><script>alert(1)</script></html>";
    let name = json!({ "name": "photo.jpg" });
    let id = stage.upstream.contact_sends(&stage.chat, "image/jpeg", page, name).await?;
    let message = stage.until_state(&id, FetchState::Stored).await?;
    let (header, bytes) = stage.bytes(&message, 0, 0).await?;
    ensure!(bytes == page, "other bytes came");
    assert_eq!(header.safe_mime_type, "application/octet-stream");
    assert_eq!(header.content_disposition, "attachment; filename=\"photo.jpg\"");
    stage.program.stop().await.map(drop)
}

async fn a_transfer_that_breaks_is_tried_again_until_the_file_is_whole(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let bytes = picture(100_000, 4);
    // Each of these leaves less than a file: cut, announced too long, announced too short, empty.
    let faults = [
        (json!({ "kind": "cut", "after": 50_000 }), "BROKEN"),
        (json!({ "kind": "length", "bytes": 120_000 }), "BROKEN"),
        (json!({ "kind": "length", "bytes": 60_000 }), "SHORTER_THAN_TOLD"),
        (json!({ "kind": "other_bytes", "begins": "", "size": 0 }), "EMPTY"),
    ];
    for (fault, reason) in faults {
        stage.upstream.next_fault("get_attachment", fault).await?;
        let told = json!({});
        let id = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, told).await?;
        let message = stage.until_state(&id, FetchState::Retrying).await;
        let message = message.context(reason)?;
        assert_eq!(message.attachments[0].fetch_reason, reason);
        let refused = stage.refusal(&message).await?;
        assert_eq!(refused, (Code::Unavailable, "ATTACHMENT_PENDING".into()));
        let message = stage.until_state(&id, FetchState::Stored).await?;
        ensure!(stage.bytes(&message, 0, 0).await?.1 == bytes, "other bytes came after {reason}");
    }
    stage.program.stop().await.map(drop)
}

async fn what_is_too_large_is_told_whatever_was_claimed(world: World) -> Result<()> {
    let stage = Stage::with(&world, &[("MEDIA__MOST_BYTES", "10000")]).await?;
    let claimed = json!({ "told": 10_001 });
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", b"\x89PNG", claimed).await?;
    let message = stage.until_state(&id, FetchState::TooLarge).await?;
    let refused = (Code::FailedPrecondition, "ATTACHMENT_TOO_LARGE".to_owned());
    assert_eq!(stage.refusal(&message).await?, refused);
    assert_eq!(stage.upstream.calls("get_attachment").await?, 0, "the claim is enough");

    let more = picture(10_001, 5);
    let small = json!({ "told": 10 });
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", &more, small).await?;
    let message = stage.until_state(&id, FetchState::TooLarge).await?;
    assert_eq!(stage.refusal(&message).await?, refused);
    let most = picture(10_000, 6);
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", &most, json!({})).await?;
    stage.until_state(&id, FetchState::Stored).await?;
    stage.program.stop().await.map(drop)
}

async fn kinds_that_are_left_out_are_not_asked_for(world: World) -> Result<()> {
    let stage = Stage::with(&world, &[("MEDIA__LEFT_OUT", r#"["video"]"#)]).await?;
    let id = stage.upstream.contact_sends(&stage.chat, "video/mp4", b"film", json!({})).await?;
    let message = stage.until_state(&id, FetchState::LeftOut).await?;
    let refused = (Code::FailedPrecondition, "ATTACHMENT_LEFT_OUT".to_owned());
    assert_eq!(stage.refusal(&message).await?, refused);
    assert_eq!(stage.upstream.calls("get_attachment").await?, 0);
    stage.program.stop().await.map(drop)
}
