//! The program dies while a file comes in.

use super::stage::{Stage, picture};
use crate::world::{World, on_both};
use anyhow::{Result, ensure};
use channel_proto::types::v1::FetchState;
use channel_tests::until::until;
use serde_json::json;

on_both!(what_was_being_fetched_in_a_crash_is_fetched_by_the_next_program);

async fn what_was_being_fetched_in_a_crash_is_fetched_by_the_next_program(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let bytes = picture(150_000, 7);
    let stall = json!({ "kind": "stall", "after": 70_000 });
    stage.upstream.route_fault("get_attachment", stall, None).await?;
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, json!({})).await?;
    until("the file is on its way", || async {
        (stage.upstream.calls("get_attachment").await.ok()? > 0).then_some(())
    })
    .await?;
    let Stage { program, upstream, account, chat } = stage;
    let setup = program.kill().await?;
    upstream.heal().await?;
    let stage = Stage { program: setup.start().await?, upstream, account, chat };
    let message = stage.until_state(&id, FetchState::Stored).await?;
    let (header, whole) = stage.bytes(&message, 0, 0).await?;
    ensure!(whole == bytes && header.total_bytes == 150_000, "{} bytes came", whole.len());
    // And no more than that: what is stored is not fetched again by the program after it.
    let asked = stage.upstream.calls("get_attachment").await?;
    assert_eq!(asked, 2);
    let Stage { program, upstream, account, chat } = stage;
    let program = program.kill().await?.start().await?;
    let stage = Stage { program, upstream, account, chat };
    let next = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, json!({})).await?;
    stage.until_state(&next, FetchState::Stored).await?;
    assert_eq!(stage.upstream.calls("get_attachment").await?, asked + 1);
    stage.program.stop().await.map(drop)
}
