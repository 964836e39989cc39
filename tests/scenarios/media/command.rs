//! `channel attachment`, as somebody types it.

use super::stage::{Stage, picture};
use crate::world::{World, on_both};
use anyhow::{Result, ensure};
use channel_proto::types::v1::FetchState;
use channel_tests::command::Typed;
use serde_json::json;
use uuid::Uuid;

on_both!(a_file_of_a_message_is_saved_and_linked_to_on_the_command_line);

async fn a_file_of_a_message_is_saved_and_linked_to_on_the_command_line(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let (bytes, name) = (picture(200_000, 31), json!({ "name": "../har\u{202e}bour.png" }));
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, name).await?;
    let id = stage.until_state(&id, FetchState::Stored).await?.message_id;
    let folder = tempfile::tempdir()?;
    let out = folder.path().display().to_string();
    let get = ["attachment", "get", &id, "--out", &out];
    let saved = Typed::run(&stage.program, &get).await?;
    ensure!(saved.status.success(), "{saved:?}");
    let files = || -> Result<Vec<_>> {
        let entries = std::fs::read_dir(folder.path())?;
        entries.map(|entry| Ok(entry?.path())).collect()
    };
    let [file] = &files()?[..] else { anyhow::bail!("{:?}", files()?) };
    assert_eq!(saved.lines, [format!("{}  200000 bytes", file.display())]);
    ensure!(file.extension().is_some_and(|it| it == "png"), "{}", file.display());
    ensure!(std::fs::read(file)? == bytes, "other bytes");

    // What is there is written over only by whoever says so.
    std::fs::write(file, "mine")?;
    let refused = Typed::run(&stage.program, &get).await?;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    ensure!(refused.complaint.contains("--force"), "{}", refused.complaint);
    assert_eq!(std::fs::read(file)?, b"mine");
    let forced = ["attachment", "get", &id, "--out", &out, "--force"];
    ensure!(Typed::run(&stage.program, &forced).await?.status.success(), "it is not forced");
    ensure!(std::fs::read(file)? == bytes, "other bytes");
    let streamed = Typed::raw(&stage.program, &["attachment", "get", &id, "--out", "-"]).await?;
    ensure!(streamed == bytes, "other bytes");
    assert_eq!(files()?.len(), 1, "something is left over");

    let linked = Typed::run(&stage.program, &["attachment", "link", &id]).await?;
    let [link] = &linked.lines[..] else { anyhow::bail!("{linked:?}") };
    let served = reqwest::get(link).await?.error_for_status()?.bytes().await?;
    ensure!(served == bytes, "other bytes");
    let nobodys = Uuid::from_u128(7).to_string();
    let unknown = Typed::run(&stage.program, &["attachment", "link", &nobodys]).await?;
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
    ensure!(unknown.complaint.contains("MESSAGE_NOT_FOUND"), "{}", unknown.complaint);
    stage.program.stop().await.map(drop)
}
