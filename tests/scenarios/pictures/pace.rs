//! Pictures come slowly, and after everything else.

use super::stage::{PICTURE, Stage};
use crate::world::{World, on_both};
use anyhow::{Result, ensure};
use channel_tests::until::until;
use serde_json::json;
use std::time::{Duration, Instant};

on_both!(pictures_of_an_account_come_at_their_pace, pictures_give_way_to_files);

/// Waits until so many calls of a route came.
async fn called(stage: &Stage, route: &str, times: u64) -> Result<()> {
    until(&format!("{times} calls of {route}"), || async {
        (stage.upstream.calls(route).await.ok()? >= times).then_some(())
    })
    .await
}

async fn pictures_of_an_account_come_at_their_pace(world: World) -> Result<()> {
    // One each five seconds, and two are wanted: the group's and its writer's.
    let pace = [("MEDIA__PICTURES__PER_MINUTE", "12")];
    let stage = Stage::begin(&world, &pace, None, true).await?;
    called(&stage, PICTURE, 1).await?;
    let first = Instant::now();
    called(&stage, PICTURE, 2).await?;
    let between = first.elapsed();
    ensure!(between > Duration::from_millis(2500), "{between:?} lie between them");
    stage.program.stop().await.map(drop)
}

async fn pictures_give_way_to_files(world: World) -> Result<()> {
    // One file at a time, and a picture that is old after each look.
    let settings = [("MEDIA__CONCURRENCY", "1"), ("MEDIA__PICTURES__REFRESH_SECONDS", "1")];
    let stage = Stage::begin(&world, &settings, None, false).await?;
    stage.until_another("").await?;
    let slow = json!({ "kind": "latency", "ms": 2000 });
    stage.upstream.route_fault("get_attachment", slow, None).await?;
    for bytes in [b"\x89PNG1", b"\x89PNG2", b"\x89PNG3", b"\x89PNG4"] {
        stage.upstream.contact_sends(&stage.chat, "image/png", bytes, json!({})).await?;
    }
    called(&stage, "get_attachment", 2).await?;
    let looks = stage.upstream.calls(PICTURE).await?;
    called(&stage, "get_attachment", 4).await?;
    let more = stage.upstream.calls(PICTURE).await? - looks;
    ensure!(more <= 1, "{more} looks were made while files waited");
    called(&stage, PICTURE, looks + more + 1).await?;
    stage.program.stop().await.map(drop)
}
