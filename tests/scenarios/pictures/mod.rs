//! Pictures of people and groups: looked for in the background, served from here.

mod bad;
mod pace;
mod stage;

use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::query::v1::GetAttendeePictureRequest;
use channel_proto::query::v1::get_attendee_picture_request::Subject;
use channel_tests::until::until;
use channel_tests::watcher::Watcher;
use serde_json::json;
use stage::{PICTURE, Stage, tags};
use std::collections::BTreeMap;
use tonic::Code;

on_both!(
    a_picture_comes_by_itself_is_told_of_and_served,
    a_group_has_a_picture_of_its_own,
    another_picture_takes_the_place_of_the_old_one,
    whoever_has_no_picture_has_none_here,
    a_look_that_a_crash_ended_is_made_again,
);

async fn a_picture_comes_by_itself_is_told_of_and_served(world: World) -> Result<()> {
    // Slowly enough that whoever watches is told.
    let slow = json!({ "kind": "latency", "ms": 500 });
    let stage = Stage::failing(&world, &[], slow).await?;
    let mut watcher = Watcher::start(stage.program.query()?, BTreeMap::new());
    let tag = stage.until_another("").await?;
    let served = stage.picture(stage.of_person()).await?;
    ensure!(served.data.starts_with(b"\x89PNG\r\n\x1a\n"), "{served:?}");
    assert_eq!((served.mime_type.as_str(), &served.etag), ("image/png", &tag));
    ensure!(!served.not_modified, "nothing was at hand");

    let same = GetAttendeePictureRequest { if_none_match: tag.clone(), ..stage.of_person() };
    let same = stage.picture(same).await?;
    ensure!(same.not_modified && same.data.is_empty() && same.etag == tag, "{same:?}");
    let older = GetAttendeePictureRequest { if_none_match: "older".into(), ..stage.of_person() };
    ensure!(stage.picture(older).await?.data == served.data, "the copy at hand is older");
    // A chat of two shows the other person.
    assert_eq!(stage.chat().await?.picture_etag, tag);
    let chat = stage.request(Subject::ChatId(stage.chat.clone()));
    ensure!(stage.picture(chat).await?.data == served.data, "it is the same");
    let nobody = stage.request(Subject::AttendeeId("nobody".into()));
    let refused = stage.refusal(nobody).await?;
    assert_eq!(refused, (Code::NotFound, "ATTENDEE_NOT_FOUND".into()));

    let told = |history: &_| tags(history, &stage.person).contains(&tag);
    watcher.until("the stream has told of it", told).await?;
    let metrics = stage.program.metrics().await?;
    let stored = "channel_media_pictures_total{outcome=\"stored\"} 1";
    ensure!(metrics.contains(stored), "{stored} is not in {metrics}");
    assert_eq!(stage.upstream.calls(PICTURE).await?, 1, "once is enough");
    stage.program.stop().await.map(drop)
}

async fn a_group_has_a_picture_of_its_own(world: World) -> Result<()> {
    let stage = Stage::in_a_group(&world).await?;
    let tag = until("the group has a picture", || async {
        let tag = stage.chat().await.ok()?.picture_etag;
        Some(tag).filter(|tag| !tag.is_empty())
    })
    .await?;
    let group = stage.request(Subject::ChatId(stage.chat.clone()));
    let served = stage.picture(group).await?;
    ensure!(served.etag == tag && served.data.starts_with(b"\x89PNG"), "{served:?}");
    stage.program.stop().await.map(drop)
}

async fn another_picture_takes_the_place_of_the_old_one(world: World) -> Result<()> {
    let stage = Stage::forgetful(&world).await?;
    let first = stage.until_another("").await?;
    let mut watcher = Watcher::start(stage.program.query()?, BTreeMap::new());
    watcher.until("the stream is open", |history| !history.frames.is_empty()).await?;
    stage.upstream.shows(&stage.person, 1).await?;
    let second = stage.until_another(&first).await?;
    assert_eq!(stage.picture(stage.of_person()).await?.etag, second);
    assert_eq!(stage.chat().await?.picture_etag, second);
    let told = |history: &_| tags(history, &stage.person).contains(&second);
    watcher.until("the stream has told of it", told).await?;
    // The same one, looked for again and again, is no news.
    let looks = stage.upstream.calls(PICTURE).await?;
    until("it was looked for again", || async {
        (stage.upstream.calls(PICTURE).await.ok()? > looks + 1).then_some(())
    })
    .await?;
    let told = tags(&watcher.stop(), &stage.person);
    assert_eq!(told.iter().filter(|tag| **tag == second).count(), 1, "{told:?}");
    stage.program.stop().await.map(drop)
}

async fn whoever_has_no_picture_has_none_here(world: World) -> Result<()> {
    let none = json!({ "kind": "answer", "status": 404 });
    let old = [("MEDIA__PICTURES__REFRESH_SECONDS", "1")];
    let stage = Stage::failing(&world, &old, none.clone()).await?;
    stage.until_looked("none", 1).await?;
    let expected = (Code::NotFound, "PICTURE_NOT_FOUND".to_owned());
    assert_eq!(stage.refusal(stage.of_person()).await?, expected);
    assert_eq!(stage.chat().await?.picture_etag, "");
    // There is one now, and then it is taken away.
    stage.upstream.heal().await?;
    let tag = stage.until_another("").await?;
    stage.upstream.route_fault(PICTURE, none, None).await?;
    assert_eq!(stage.until_another(&tag).await?, "");
    assert_eq!(stage.refusal(stage.of_person()).await?, expected);
    stage.program.stop().await.map(drop)
}

async fn a_look_that_a_crash_ended_is_made_again(world: World) -> Result<()> {
    let stage = Stage::failing(&world, &[], json!({ "kind": "stall", "after": 50 })).await?;
    until("the picture is on its way", || async {
        (stage.upstream.calls(PICTURE).await.ok()? > 0).then_some(())
    })
    .await?;
    let Stage { program, upstream, account, chat, person } = stage;
    let setup = program.kill().await?;
    upstream.heal().await?;
    let program = setup.start().await?;
    let stage = Stage { program, upstream, account, chat, person };
    let tag = stage.until_another("").await?;
    let served = stage.picture(stage.of_person()).await?;
    ensure!(served.etag == tag && served.data.len() > 100, "{} bytes came", served.data.len());
    let before = stage.upstream.calls(PICTURE).await?;
    let Stage { program, upstream, account, chat, person } = stage;
    let program = program.kill().await?.start().await?;
    let stage = Stage { program, upstream, account, chat, person };
    // What is stored is not looked for again by the program after it.
    stage.upstream.contact_writes(&stage.chat, "still there?").await?;
    until("the message has come", || async {
        let last = stage.chat().await.ok()?.last_message?;
        (last.preview == "still there?").then_some(())
    })
    .await
    .context("the program after it")?;
    assert_eq!(stage.upstream.calls(PICTURE).await?, before);
    stage.program.stop().await.map(drop)
}
