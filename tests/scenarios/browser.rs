//! A real browser on the other side of the gateway.

use crate::media::stage::Stage;
use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channel_proto::query::v1::CreateAttachmentLinkRequest;
use channel_proto::types::v1::FetchState;
use channel_runtime::identity::Role;
use channel_tests::client::token;
use channel_tests::program::{Program, Setup, WEBHOOK_SECRET};
use serde_json::json;
use std::path::{Path, PathBuf};
use tokio::process::Command;

on_both!(
    a_page_sees_a_webhook_arrive_and_keeps_the_client_rules,
    a_page_shows_plays_and_saves_files_by_their_links,
);

/// The origin of the page; the browser finds it on its own machine.
const ORIGIN: &str = "http://page.localhost";

async fn a_page_sees_a_webhook_arrive_and_keeps_the_client_rules(world: World) -> Result<()> {
    let program = Setup::whole(&world.backend)?
        .with("GATEWAY__CORS__ALLOWED_ORIGINS", ORIGIN)
        .start()
        .await?;
    let token = token(Role::Agent)?;
    let webhooks = program.webhooks();
    let arguments = ["--token", &token, "--webhook", &webhooks, "--secret", WEBHOOK_SECRET];
    run(&program, &arguments, 10).await?;
    program.stop().await.map(drop)
}

async fn a_page_shows_plays_and_saves_files_by_their_links(world: World) -> Result<()> {
    let stage = Stage::with(&world, &[("GATEWAY__CORS__ALLOWED_ORIGINS", ORIGIN)]).await?;
    let picture = STANDARD.decode(ONE_PIXEL)?;
    let links = json!({
        "picture": link_to(&stage, &picture, "dot.png").await?,
        "sound": link_to(&stage, &minute_of_silence()?, "silence.wav").await?,
        "page": link_to(&stage, b"<html><script>alert(1)</script></html>", "offer.html").await?,
    });
    run(&stage.program, &["--links", &links.to_string()], 5).await?;
    stage.program.stop().await.map(drop)
}

/// A picture of one point.
const ONE_PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A sound of one channel, 8000 samples a second, a byte each.
fn minute_of_silence() -> Result<Vec<u8>> {
    const RATE: u32 = 8_000;
    let length = 60 * RATE;
    let mut sound = b"RIFF".to_vec();
    sound.extend((36 + length).to_le_bytes());
    sound.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    sound.extend([RATE.to_le_bytes(), RATE.to_le_bytes()].concat());
    sound.extend(b"\x01\0\x08\0data");
    sound.extend(length.to_le_bytes());
    sound.resize(sound.len() + usize::try_from(length)?, 0x80);
    Ok(sound)
}

/// Has a contact send a file; returns a link to it.
async fn link_to(stage: &Stage, bytes: &[u8], name: &str) -> Result<String> {
    let name = json!({ "name": name });
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", bytes, name).await?;
    let message = stage.until_state(&id, FetchState::Stored).await?;
    let request = CreateAttachmentLinkRequest {
        account_id: stage.account.clone(),
        message_id: message.message_id,
        attachment_id: message.attachments.first().context("a file")?.attachment_id.clone(),
        ..CreateAttachmentLinkRequest::default()
    };
    Ok(stage.program.query()?.create_attachment_link(request).await?.into_inner().url)
}

/// Runs a browser, which is to make so many checks at least.
async fn run(program: &Program, arguments: &[&str], least: usize) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let run = Command::new(node(&root))
        .arg(root.join("tests/browser/run.mjs"))
        .args(["--gateway", &program.url()])
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .context("node does not start: run tests/setup")?;
    let said = String::from_utf8_lossy(&run.stdout);
    ensure!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    let checks = said.lines().filter(|line| line.starts_with("ok ")).count();
    ensure!(checks >= least, "only {checks} checks: {said}");
    Ok(())
}

/// The one that tests/setup installed, else the machine's.
fn node(root: &Path) -> PathBuf {
    let installed = root.join("target/tools/bin/node");
    if installed.exists() { installed } else { "node".into() }
}
