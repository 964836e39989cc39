//! Pictures that are none, and an upstream that is away.

use super::stage::{PICTURE, Stage};
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_tests::until::until;
use serde_json::json;

on_both!(what_is_no_picture_changes_nothing, an_outage_costs_no_tries);

async fn what_is_no_picture_changes_nothing(world: World) -> Result<()> {
    let stage = Stage::forgetful(&world).await?;
    let tag = stage.until_another("").await?;
    stage.upstream.shows(&stage.person, 1).await?;
    let lies = [
        ("<html><script>alert(1)</script>", 500),
        ("<svg xmlns=\"http://www.w3.org/2000/svg\">", 500),
        ("%PDF-1.7", 500),
        ("", 0),
        ("GIF89a", 2 * 1024 * 1024),
    ];
    for (count, (begins, size)) in (1..).zip(lies) {
        let fault = json!({ "kind": "other_bytes", "begins": begins, "size": size });
        stage.upstream.route_fault(PICTURE, fault, None).await?;
        // A look that began before may have found the next picture, but none that is told from now on does.
        let shown = stage.attendee().await?.picture_etag;
        stage.until_looked("unfit", count).await.context(begins)?;
        stage.upstream.heal().await?;
        let served = stage.picture(stage.of_person()).await?;
        ensure!(served.mime_type == "image/png", "{begins}: {}", served.mime_type);
        ensure!(!shown.is_empty() && !served.data.is_empty(), "{begins}: it is gone");
    }
    let next = stage.until_another(&tag).await?;
    let largest = json!({ "kind": "other_bytes", "begins": "GIF89a", "size": 1024 * 1024 });
    stage.upstream.route_fault(PICTURE, largest, None).await?;
    stage.until_another(&next).await?;
    let served = stage.picture(stage.of_person()).await?;
    assert_eq!((served.mime_type.as_str(), served.data.len()), ("image/gif", 1024 * 1024));
    stage.program.stop().await.map(drop)
}

async fn an_outage_costs_no_tries(world: World) -> Result<()> {
    // One answer that breaks is allowed, and no second one.
    let stall = json!({ "kind": "stall", "after": 50 });
    let stage = Stage::failing(&world, &[("MEDIA__TRIES", "2")], stall).await?;
    until("a picture is on its way", || async {
        (stage.upstream.calls(PICTURE).await.ok()? > 0).then_some(())
    })
    .await?;
    let Stage { program, upstream, account, chat, person } = stage;
    let place = upstream.kill().await?;
    let looked = async |times: u64| {
        let name = "channel_media_pictures_total{outcome=\"failed\"} ";
        until("looks have failed", || async {
            let metrics = program.metrics().await.ok()?;
            let count = metrics.lines().find_map(|line| line.strip_prefix(name))?;
            (count.parse::<u64>().ok()? >= times).then_some(())
        })
        .await
    };
    looked(2).await?;
    let upstream = place.start().await?;
    let stage = Stage { program, upstream, account, chat, person };
    stage.until_another("").await?;
    stage.program.stop().await.map(drop)
}
