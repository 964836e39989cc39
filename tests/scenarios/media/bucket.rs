//! Files in a bucket of a real S3 service, Ceph's gateway, which is away at times and does not take every key.

use super::stage::{Stage, picture, request};
use super::thumbnails::images::photo;
use crate::world::{World, on_both, sqlite};
use anyhow::{Context as _, Result, ensure};
use channel_media::testing::Door;
use channel_proto::messaging::v1::{EraseContactRequest, GetErasureRequest};
use channel_proto::query::v1::{CreateAttachmentLinkRequest, GetChatRequest};
use channel_proto::types::v1::FetchState;
use channel_tests::client;
use channel_tests::program::Setup;
use channel_tests::until::until;
use serde_json::json;
use tonic::Code;

on_both!(
    a_file_goes_into_the_bucket_is_served_from_it_and_goes_with_its_contact,
    while_the_service_is_away_files_wait_and_nothing_is_lost,
);

/// A program that keeps its files behind this door.
fn setup(world: &World, door: &Door) -> Result<Setup> {
    let s3 = door.config().s3;
    Ok(Setup::whole(&world.backend)?
        .with("UNIPILE__TIMEOUT_SECONDS", "2")
        .with("MEDIA__LEASE_SECONDS", "2")
        .with("MEDIA__PICTURES__PER_MINUTE", "0")
        .with("MEDIA__KIND", "s3")
        .with("MEDIA__S3__BUCKET", &s3.bucket)
        .with("MEDIA__S3__REGION", &s3.region)
        .with("MEDIA__S3__ENDPOINT", &s3.endpoint)
        .with("MEDIA__S3__PREFIX", &s3.prefix)
        .with("MEDIA__S3__ACCESS_KEY_ID", &s3.access_key_id)
        .with("MEDIA__S3__SECRET_ACCESS_KEY", s3.secret_access_key.expose())
        .with("MEDIA__S3__ALLOW_HTTP", "true"))
}

async fn a_file_goes_into_the_bucket_is_served_from_it_and_goes_with_its_contact(
    world: World,
) -> Result<()> {
    let door = Door::open().await;
    let stage = Stage::of(setup(&world, &door)?).await?;
    // Three parts of an upload, so that it is put together by the service.
    let bytes = picture(11_000_000, 31);
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, json!({})).await?;
    let message = stage.until_state(&id, FetchState::Stored).await?;
    let (header, whole) = stage.bytes(&message, 0, 0).await?;
    ensure!(whole == bytes, "{} of {} bytes came", whole.len(), bytes.len());
    ensure!(stage.bytes(&message, 5_242_870, 20).await?.1 == bytes[5_242_870..5_242_890]);
    let asked = request(&stage.account, &message);
    let link = CreateAttachmentLinkRequest {
        account_id: asked.account_id,
        message_id: asked.message_id,
        attachment_id: asked.attachment_id,
        ..CreateAttachmentLinkRequest::default()
    };
    let url = stage.program.query()?.create_attachment_link(link).await?.into_inner().url;
    let get = reqwest::Client::new().get(format!("{}{url}", stage.program.url()));
    let part = get.header("range", "bytes=-9").send().await?.bytes().await?;
    ensure!(part == bytes[bytes.len() - 9..], "another part came");

    let photo = stage.image("image/jpeg", &photo(640, 480, 1)).await?;
    stage.is_shown(&stage.until_small(&photo).await?).await?;

    let digest = header.etag;
    ensure!(lies_there(&door, &digest, bytes.len()).await, "it is not in the bucket");
    erase(&stage).await?;
    until("its bytes are gone", || async {
        (!lies_there(&door, &digest, bytes.len()).await).then_some(())
    })
    .await?;
    stage.program.stop().await.map(drop)
}

/// Whether the bucket has the bytes.
async fn lies_there(door: &Door, sha256: &str, size: usize) -> bool {
    let objects = channel_media::Objects::open(&door.config(), std::path::Path::new("unused"));
    let stored = channel_domain::media::StoredFile {
        sha256: sha256.to_owned(),
        size: size as u64,
        mime: None,
        thumbnail: None,
    };
    match objects {
        Ok(objects) => objects.read(&stored, 0..1).await.is_ok(),
        Err(_) => false,
    }
}

/// Erases the contact of the chat.
async fn erase(stage: &Stage) -> Result<()> {
    let (account_id, chat_id) = (stage.account.clone(), stage.chat.clone());
    let chat = GetChatRequest { account_id: account_id.clone(), chat_id, min_as_of_seq: 0 };
    let chat = stage.program.query()?.get_chat(chat).await?.into_inner().chat;
    let attendee_ids = vec![chat.context("the chat")?.counterparty_attendee_id];
    let request = EraseContactRequest { account_id, attendee_ids, request_id: String::new() };
    let managing = || client::managing(&stage.program.url(), "default");
    let erasure = managing()?.erase_contact(request).await?.into_inner().erasure;
    let erasure_id = erasure.context("an erasure")?.erasure_id;
    until("the contact is erased", || async {
        let request = GetErasureRequest { erasure_id: erasure_id.clone() };
        let answer = managing().ok()?.get_erasure(request).await.ok()?.into_inner();
        answer.erasure.and_then(|erasure| erasure.ended_at).map(drop)
    })
    .await
}

async fn while_the_service_is_away_files_wait_and_nothing_is_lost(world: World) -> Result<()> {
    let mut door = Door::open().await;
    let stage = Stage::of(setup(&world, &door)?).await?;
    let (first, second) = (picture(100_000, 32), picture(120_000, 33));
    let send = async |bytes| {
        stage.upstream.contact_sends(&stage.chat, "image/png", bytes, json!({})).await
    };
    let before = stage.until_state(&send(&first).await?, FetchState::Stored).await?;

    door.shut();
    let id = send(&second).await?;
    let waiting = stage.until_state(&id, FetchState::Retrying).await?;
    assert_eq!(waiting.attachments[0].fetch_reason, "MEDIA_STORE_UNAVAILABLE");
    let away = (Code::Unavailable, "MEDIA_STORE_UNAVAILABLE".to_owned());
    assert_eq!(stage.refusal(&before).await?, away);
    let pending = (Code::Unavailable, "ATTACHMENT_PENDING".to_owned());
    assert_eq!(stage.refusal(&waiting).await?, pending);

    door.reopen()?;
    let stored = stage.until_state(&id, FetchState::Stored).await?;
    ensure!(stage.bytes(&stored, 0, 0).await?.1 == second, "other bytes came");
    ensure!(stage.bytes(&before, 0, 0).await?.1 == first, "other bytes are left");
    stage.program.stop().await.map(drop)
}

// What follows is the same whichever database there is.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_wrong_key_files_wait_for_the_right_one() {
    wrong_key(sqlite().unwrap()).await.unwrap();
}

async fn wrong_key(world: World) -> Result<()> {
    let door = Door::open().await;
    let right = setup(&world, &door)?;
    let wrong = "a-secret-of-somebody-else";
    let stage = Stage::of(right.with("MEDIA__S3__SECRET_ACCESS_KEY", wrong)).await?;
    let bytes = picture(50_000, 34);
    let id = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, json!({})).await?;
    let waiting = stage.until_state(&id, FetchState::Retrying).await?;
    assert_eq!(waiting.attachments[0].fetch_reason, "MEDIA_STORE_REFUSED");

    let Stage { program, upstream, account, chat } = stage;
    let key = door.config().s3.secret_access_key;
    let setup = program.stop().await?.with("MEDIA__S3__SECRET_ACCESS_KEY", key.expose());
    let stage = Stage { program: setup.start().await?, upstream, account, chat };
    let stored = stage.until_state(&id, FetchState::Stored).await?;
    ensure!(stage.bytes(&stored, 0, 0).await?.1 == bytes, "other bytes came");
    stage.program.stop().await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_bucket_a_program_does_not_start_and_says_why() {
    no_bucket(sqlite().unwrap()).await.unwrap();
}

async fn no_bucket(world: World) -> Result<()> {
    let door = Door::open().await;
    let lost = setup(&world, &door)?.with("MEDIA__S3__BUCKET", "nobody-made-it");
    let (code, said) = lost.refused().await?;
    assert_eq!(code, Some(1), "{said}");
    ensure!(
        said.contains("`media.s3.bucket` names `nobody-made-it`, which is not there"),
        "{said}"
    );
    Ok(())
}
